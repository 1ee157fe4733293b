"""`wire` looks at the template before it writes: what it can't wire it names, with a line, and leaves as it was."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from buildtel import shipped
from buildtel.cli import main
from buildtel.wire import lines_to_add

LINUX = 'source "null" "u" {\n  ssh_host     = "127.0.0.1"\n  ssh_username = "x"\n  ssh_password = "y"\n}\n'
BUILD = 'build {\n  sources = ["source.null.u"]\n%s}\n'
SHELL = '  provisioner "shell" {\n    inline = ["true"]\n  }\n'

NOTHING_TO_WIRE = {
    "windows by its guest_os_type": (
        'source "vmware-iso" "w" {\n  guest_os_type = "windows9-64"\n}\nbuild {\n  sources = ["vmware-iso.w"]\n}\n',
        ["a.pkr.hcl:1: note: source vmware-iso.w has a Windows guest", "builds no Linux guest", "Nothing was written"],
    ),
    "windows over ssh": (
        LINUX + BUILD % '  provisioner "windows-restart" {\n  }\n',
        ['a.pkr.hcl:1: note: source null.u has a Windows guest (provisioner "windows-restart" at a.pkr.hcl:8)'],
    ),
    "freebsd": (
        'source "qemu" "freebsd" {\n}\nbuild {\n  sources = ["qemu.freebsd"]\n' + SHELL + "}\n",
        ["FreeBSD guest", "Nothing was written"],
    ),
    "no communicator": (
        'source "null" "n" {\n  communicator = "none"\n}\nbuild {\n  sources = ["null.n"]\n}\n',
        ['provisioner "shell-local" {', "run --step NAME -- COMMAND", "builds no guest", "Nothing was written"],
    ),
    "a file source": (
        'source "file" "n" {\n}\nbuild {\n  sources = ["file.n"]\n}\n',
        ['a "file" source starts no machine', "shell-local"],
    ),
    "an ignored build": (
        LINUX + "# buildtel: ignore\n" + BUILD % SHELL,
        ["a.pkr.hcl:7: note: build is not checked", "Nothing was written"],
    ),
}
REFUSED = {
    "no build block": ({"a.pkr.hcl": LINUX}, "no *.pkr.hcl has a build block"),
    "JSON": ({"old.json": '{"builders": []}'}, "old.json is a JSON template: level 0"),
    "HCL2 in JSON": ({"new.pkr.json": "{}"}, "new.pkr.json is a JSON template: level 0"),
    "JSON beside variables": ({"old.json": '{"builders": []}', "v.pkr.hcl": 'variable "x" {\n}\n'}, "is a JSON"),
    "files that each are built alone": (
        {"a.pkr.hcl": LINUX + BUILD % SHELL, "b.pkr.hcl": LINUX + BUILD % SHELL},
        "b.pkr.hcl:1: Packer refuses this folder: source.null.u is also declared at a.pkr.hcl:1",
    ),
}


def write(folder: Path, files: dict[str, str]) -> None:
    """The files of a folder."""
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def wire(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    """Exit status, output and messages of `buildtel-host wire`."""
    status = main(["wire", *map(str, words)])
    return status, *capsys.readouterr()


@pytest.mark.parametrize(("text", "said"), NOTHING_TO_WIRE.values(), ids=NOTHING_TO_WIRE)
def test_where_no_linux_guest_is_nothing_is_written(
    text: str, said: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No mistake, so status 0 here and with --check: the reason with its place, and the folder is as it was."""
    write(tmp_path, {"a.pkr.hcl": text})
    status, out, err = wire(capsys, tmp_path)

    assert status == 0
    assert [words for words in said if words not in out + err] == []
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.pkr.hcl", text)]
    assert wire(capsys, "--check", tmp_path)[0] == 0


@pytest.mark.parametrize(("files", "said"), REFUSED.values(), ids=REFUSED)
def test_what_can_not_be_wired_is_refused_and_nothing_is_written(
    files: dict[str, str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 1 here and with --check, one line says why, and the folder is as it was."""
    write(tmp_path, files)
    status, out, err = wire(capsys, tmp_path)

    assert (status, out) == (1, "")
    assert said in err and err.count("\n") == 1
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == files
    assert wire(capsys, "--check", tmp_path)[0] == 1


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("nothing.pkr.hcl", None, "does not exist"),
        ("a.json", '{"builders": []}', "is a JSON template"),
        ("a.hcl", LINUX, "a file named *.pkr.hcl"),
        ("a.pkr.hcl", "build {", "a.pkr.hcl:"),
    ],
)
def test_a_file_that_packer_would_not_load_is_refused(
    name: str, text: str | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says why, also with --check."""
    write(tmp_path, {} if text is None else {name: text})
    for words in ((), ("--check",)):
        status, out, err = wire(capsys, *words, tmp_path / name)
        assert (status, out) == (1, "")
        assert said in err and err.count("\n") == 1


def test_json_beside_a_template_is_a_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is wired, status 0, and the other file is named."""
    write(tmp_path, {"a.pkr.hcl": LINUX + BUILD % SHELL, "old.json": '{"builders": []}'})
    status, out, err = wire(capsys, tmp_path)

    assert status == 0
    assert f"{tmp_path}/old.json:1: note: is a JSON template" in err
    assert lines_to_add.FIRST in out
    assert (tmp_path / shipped.AGENT_NAME).exists()


def test_a_mixed_template_gets_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The lines for a build with Linux and Windows name the Linux source, and pass the check as printed."""
    windows = 'source "null" "w" {\n  communicator = "winrm"\n}\n'
    build = 'build {\n  sources = ["null.u", "null.w"]\n%s}\n'
    write(tmp_path, {"a.pkr.hcl": LINUX + windows + build % ""})
    status, out, err = wire(capsys, tmp_path)
    pieces = re.findall(r'^  provisioner "shell" \{\n(?:    .*\n)+?    only .*\n  \}\n', out, re.MULTILINE)

    assert status == 0
    assert "a.pkr.hcl:6: note: source null.w has a Windows guest" in err
    assert "the build at a.pkr.hcl:9" in out
    assert len(pieces) == 2 and all('only            = ["null.u"]' in piece for piece in pieces)
    write(tmp_path, {"a.pkr.hcl": LINUX + windows + build % "".join(pieces)})
    assert wire(capsys, "--check", tmp_path)[0] == 0


def test_a_file_alone_gets_the_agent_and_the_lines_to_paste(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No library beside it, which would make the folder of such files one that Packer refuses."""
    write(tmp_path, {"a.pkr.hcl": LINUX + BUILD % SHELL, "b.pkr.hcl": LINUX + BUILD % SHELL})
    status, out, _ = wire(capsys, tmp_path / "a.pkr.hcl")

    assert status == 0
    assert lines_to_add.pasted() in out and lines_to_add.FIRST in out and lines_to_add.LAST in out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pkr.hcl", "b.pkr.hcl", "buildtel_agent.py"]


@pytest.fixture
def alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A file with what `wire FILE` prints, among others."""
    step = SHELL.replace("  }\n", lines_to_add.STEP + "  }\n")
    text = LINUX + BUILD % (lines_to_add.FIRST + step + lines_to_add.LAST) + lines_to_add.pasted()
    write(tmp_path, {"a.pkr.hcl": text, "b.pkr.hcl": LINUX + BUILD % SHELL})
    assert wire(capsys, tmp_path / "a.pkr.hcl")[0] == 0
    return tmp_path / "a.pkr.hcl"


def test_the_pasted_lines_make_the_file_stand_alone(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The check of the file is green; that of its folder is not; lines that were changed are named."""
    assert wire(capsys, "--check", alone)[0] == 0
    status, out, _ = wire(capsys, "--check", alone.parent)
    assert status == 1 and "Packer refuses this folder" in out

    alone.write_text(alone.read_text().replace("/var/tmp/buildtel/", "/opt/"))
    status, out, _ = wire(capsys, "--check", alone)
    assert status == 1 and "local.buildtel_guest is not as in this buildtel" in out


@pytest.mark.packer
def test_packer_takes_the_file_alone_and_refuses_the_folder(alone: Path) -> None:
    """A real `packer validate` of the one and of the other."""
    for target, status in ((alone.name, 0), (".", 1)):
        done = subprocess.run(["packer", "validate", target], cwd=alone.parent, capture_output=True, text=True)
        assert done.returncode == status, done.stdout + done.stderr
