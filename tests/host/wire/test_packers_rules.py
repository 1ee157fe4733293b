"""What the check takes for Packer's rules, tried with the real one: no machine, no network."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.packer

SOURCE = 'source "null" "a" {\n  communicator = "none"\n}\n'
BUILD = 'build {\n  sources = ["null.a"]\n  source "source.null.a" {\n    name = "y"\n  }\n%s}\n'


def said(folder: Path, body: str, target: str = ".") -> set[str]:
    """`SOURCE WORD` of all that `packer build` lets a shell-local say."""
    (folder / "a.pkr.hcl").write_text(SOURCE + BUILD % body, encoding="utf-8")
    done = subprocess.run(
        ["packer", "build", "-color=false", target], cwd=folder, env={**os.environ, "CHECKPOINT_DISABLE": "1"},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return set(re.findall(r"(?:    |==> )(null\.\w+: \w+-said)$", done.stdout, re.MULTILINE))


def shell_local(word: str, *attributes: str) -> str:
    """A provisioner that says a word."""
    return "  ".join(['  provisioner "shell-local" {\n', *(f"  {line}\n" for line in attributes)]) + (
        f'    inline = ["echo {word}-said"]\n  }}\n'
    )


def test_only_and_except_name_type_and_local_name(tmp_path: Path) -> None:
    """An empty list is none; NAME alone, and `source.`, match nothing."""
    body = (
        shell_local("empty", "only = []")
        + shell_local("own", 'only = ["null.y"]')
        + shell_local("not", 'except = ["null.y"]')
        + shell_local("bare", 'only = ["a"]')
        + shell_local("long", 'only = ["source.null.a"]')
    )
    assert said(tmp_path, body) == {"null.a: empty-said", "null.y: empty-said", "null.y: own-said", "null.a: not-said"}


def test_an_override_names_the_local_name(tmp_path: Path) -> None:
    """Not TYPE.NAME."""
    override = 'override = {{ {} = {{ inline = ["echo {}-said"] }} }}'
    body = shell_local("own", override.format("y", "mine")) + shell_local("full", override.format('"null.y"', "no"))
    assert said(tmp_path, body) == {"null.a: own-said", "null.y: mine-said", "null.a: full-said", "null.y: full-said"}


def test_a_file_alone_gets_no_file_of_variables(tmp_path: Path) -> None:
    """A folder does."""
    (tmp_path / "ci.auto.pkrvars.hcl").write_text('word = "set"\n')
    (tmp_path / "ci.auto.pkrvars.json").write_text('{"other": "json"}\n')
    variables = 'variable "word" {\n  default = "default"\n}\nvariables {\n  other = "default"\n}\n'
    (tmp_path / "v.pkr.hcl").write_text(variables)
    body = shell_local("${var.word}") + shell_local("${var.other}")
    assert said(tmp_path, body) >= {"null.a: set-said", "null.a: json-said"}
    (tmp_path / "v.pkr.hcl").unlink()
    assert said(tmp_path, body + "}\n" + variables + "locals {\n", "a.pkr.hcl") >= {"null.a: default-said"}


def test_lists_of_dynamic_blocks_give_labels_and_iterators(tmp_path: Path) -> None:
    """As the check expands them."""
    body = (
        '  dynamic "provisioner" {\n    for_each = [{ kind = "shell-local", word = "dyn" }]\n    iterator = step\n'
        '    labels   = [step.value.kind]\n    content {\n      inline = ["echo ${step.value.word}-said"]\n    }\n  }\n'
    )
    assert said(tmp_path, body) == {"null.a: dyn-said", "null.y: dyn-said"}
