"""Reading templates: blocks in order, lines, names followed, and one clear line for what is no HCL2."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buildtel.errors import BuildtelError
from buildtel.wire import template
from buildtel.wire.value import Symbol, Value

RICH = """\
/* a comment
   of two lines */
packer {
  required_plugins {
    qemu = { version = ">= 1.0.0", source = "github.com/hashicorp/qemu" }
  }
}
locals {
  words = <<-EOT
    one ${var.x}
  EOT
  upper = [for s in var.list : upper(s) if s != ""]
  cond  = var.x ? "a" : "b"
}
build {
  sources = ["source.null.a",]
  provisioner "shell" { inline = ["true"] }
  post-processor "manifest" {}
  provisioner "file" {
    source      = "a"
    destination = "/b"
  }
}
"""


def test_blocks_keep_their_order_and_their_lines() -> None:
    """Blocks of different kinds come in the order of the file, each with its first line."""
    build = template.parse(RICH, Path("a"))[-1]
    assert [(block.kind, block.labels, block.line) for block in build.blocks] == [
        ("provisioner", ("shell",), 17),
        ("post-processor", ("manifest",), 18),
        ("provisioner", ("file",), 19),
    ]


def test_expressions_stand_as_in_the_file() -> None:
    """An attribute's text is the source text, CRLF and BOM or not."""
    locals_ = template.parse("\ufeff" + RICH.replace("\n", "\r\n"), Path("a"))[1]
    assert locals_.text("cond") == 'var.x ? "a" : "b"'
    assert locals_.text("words") == "<<-EOT\n    one ${var.x}\n  EOT"
    assert locals_.text("absent") is None


@pytest.mark.parametrize(
    ("expression", "resolved"),
    [
        ("local.a", (Symbol("local.buildtel_execute_command"),)),
        ('"${local.a}"', (Symbol("local.buildtel_execute_command"),)),
        ("local.single", ("sh {{ .Path }}",)),
        ("var.command", ("sudo {{ .Path }}",)),
        ("var.no_default", (Symbol("var.no_default"),)),
        ("local.round", (Symbol("local.round"),)),
        (None, ()),
    ],
)
def test_names_of_the_user_are_followed(expression: str | None, resolved: tuple[Value, ...]) -> None:
    """`local` and `var` lead to what they stand for; an unknown name or a circle only ends the search."""
    blocks = template.parse(
        """
        locals {
          a     = local.b
          b     = "${local.buildtel_execute_command}"
          round = local.trip
          trip  = local.round
        }
        local "single" { expression = "sh {{ .Path }}" }
        variable "command" { default = "sudo {{ .Path }}" }
        variable "no_default" { type = string }
        """,
        Path("a"),
    )
    assert template.Template(Path(), blocks).values(expression) == resolved


@pytest.mark.parametrize(
    ("text", "line"),
    [("build {\n foo = \n}\n", 2), ("build {\n", 2), ('a = "', 1), ("}", 1), ("\x00", 1), ("a 'b' {}", 1)],
)
def test_what_is_no_hcl_is_refused_by_file_and_line(text: str, line: int) -> None:
    """One line says file, line and what stands there."""
    with pytest.raises(BuildtelError) as caught:
        template.parse(text, Path("main.pkr.hcl"))
    assert str(caught.value).startswith(f"main.pkr.hcl:{line}: HCL2 ")
    assert "\n" not in str(caught.value)


DEEP = {
    "blocks": "a {\n" * 3000 + "}\n" * 3000,
    "blocks of one line": "a {\n" * 51 + "}\n" * 51,
    "too large": "#" * template.MAX_BYTES + "\n",
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_what_is_no_template_is_refused(text: str) -> None:
    """Blocks nested beyond all reason, or a file of megabytes: one line, no traceback."""
    with pytest.raises(BuildtelError, match=r"^a:?\d*: .*template") as caught:
        template.parse(text, Path("a"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("opening", ["(", "[", "{a=", '"${', "f("])
def test_deep_expressions_are_text(opening: str) -> None:
    """However deep an expression is, it is read as text or refused."""
    closing = {"(": ")", "[": "]", "{a=": "}", '"${': '}"', "f(": ")"}[opening]
    try:
        assert template.parse(f"a = {opening * 2000}1{closing * 2000}\n", Path("a")) == ()
    except BuildtelError as error:
        assert "\n" not in str(error)


def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    """A named pipe among the files of a folder is told, and hangs nothing."""
    os.mkfifo(tmp_path / "a.json")
    assert template.read_folder(tmp_path).legacy_files == ()
    os.mkfifo(tmp_path / "a.pkr.hcl")
    with pytest.raises(BuildtelError, match="it is not a file"):
        template.read_folder(tmp_path)


@given(st.one_of(st.text(), st.text(alphabet='build{}="$\\<E\n #')))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever a file holds, the answer is blocks or a BuildtelError."""
    try:
        blocks = template.parse(text, Path("a"))
    except BuildtelError:
        return
    assert all(isinstance(block, template.Block) for block in blocks)


def test_files_that_can_not_be_read_are_refused(tmp_path: Path) -> None:
    """A missing folder, a file in place of one, and bytes that are no UTF-8 give a BuildtelError."""
    file = tmp_path / "a.pkr.hcl"
    file.write_bytes(b"\xff\xfe")
    for path in (tmp_path / "missing", file, tmp_path):
        with pytest.raises(BuildtelError, match=str(path)):
            template.read_folder(path)
