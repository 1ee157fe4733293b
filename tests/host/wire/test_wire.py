"""`wire DIR`: what it writes, what it refuses, and that Packer takes what it says to add."""

import argparse
import subprocess
from pathlib import Path

import pytest

from buildtel import shipped
from buildtel.cli import wire
from buildtel.errors import BuildtelError
from buildtel.wire import copies, lines_to_add

BARE = 'source "null" "a" {\n  ssh_host = "127.0.0.1"\n  ssh_username = "x"\n  ssh_password = "x"\n}\n'


def run(*arguments: str) -> int:
    """The command as the command line runs it."""
    parser = argparse.ArgumentParser()
    wire.add_arguments(parser)
    return wire.run(parser.parse_args(arguments))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A template with one shell provisioner, wired by hand as the guide says."""
    step = f'provisioner "shell" {{\n  inline = ["true"]\n{lines_to_add.STEP}}}\n'
    body = lines_to_add.FIRST + step + lines_to_add.LAST
    (tmp_path / "main.pkr.hcl").write_text(f'{BARE}build {{\n  sources = ["source.null.a"]\n{body}}}\n')
    return tmp_path


def test_files_are_created_then_unchanged_then_updated(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The three words tell what happened; the files are the shipped ones."""
    said = []
    for _ in range(2):
        assert run(str(folder)) == 0
        said.append(capsys.readouterr().err.count)
    agent = folder / shipped.AGENT_NAME
    agent.write_bytes(copies.sealed(b"BUILDTEL: of another version\n"))
    assert run(str(folder)) == 0
    third = capsys.readouterr().err
    assert (said[0](": created"), said[1](": unchanged")) == (2, 2)
    assert (third.count(": updated"), third.count(": unchanged")) == (1, 1)
    assert agent.read_bytes() == copies.sealed(shipped.agent().read_bytes())
    assert sorted(path.name for path in folder.iterdir()) == [
        "buildtel.pkr.hcl",
        "buildtel_agent.py",
        "main.pkr.hcl",
    ]


def test_a_file_that_is_not_ours_is_kept(folder: Path) -> None:
    """Nothing at all is written unless --force says so."""
    theirs = folder / shipped.AGENT_NAME
    theirs.write_text("print('mine')\n")
    with pytest.raises(BuildtelError, match="--force"):
        run(str(folder))
    assert theirs.read_text() == "print('mine')\n"
    assert not (folder / shipped.LIBRARY_NAME).exists()
    assert run(str(folder), "--force") == 0
    assert theirs.read_bytes() == copies.sealed(shipped.agent().read_bytes())


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("old.json", '{"builders": []}', "level 0"),
        ("new.pkr.json", "{}", "level 0"),
        ("README", "", r"no \*\.pkr\.hcl"),
    ],
)
def test_what_can_not_be_wired_is_told(tmp_path: Path, name: str, content: str, message: str) -> None:
    """JSON templates get level 0 and are told so; a folder without a template is refused."""
    (tmp_path / name).write_text(content)
    with pytest.raises(BuildtelError, match=message):
        run(str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_guide_is_data_and_the_news_are_messages(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The lines to add go to stdout whole; what was done goes to stderr."""
    run(str(folder))
    out, err = capsys.readouterr()
    assert lines_to_add.FIRST in out and lines_to_add.LAST in out and lines_to_add.STEP in out
    assert "created" in err


def test_a_template_that_follows_the_guide_passes_the_check(folder: Path) -> None:
    """Exit 0 once the lines are there; 1 with the files missing."""
    assert run("--check", str(folder)) == 1
    run(str(folder))
    assert run("--check", str(folder)) == 0


def test_level_1_accepts_what_is_not_measured_as_a_step(folder: Path) -> None:
    """An unmeasured shell provisioner fails the check at level 2 only."""
    run(str(folder))
    template = folder / "main.pkr.hcl"
    template.write_text(template.read_text().replace(lines_to_add.STEP, ""))
    assert run("--check", str(folder)) == 1
    assert run("--check", "--level", "1", str(folder)) == 0


@pytest.mark.packer
def test_packer_takes_the_guide(folder: Path) -> None:
    """A real `packer validate` accepts the wired template, the switch on or off."""
    run(str(folder))
    for switch in ("true", "false"):
        command = ["packer", "validate", "-var", f"buildtel_enabled={switch}", "."]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_shipped_files_are_those_of_the_checkout() -> None:
    """In a checkout, edits count at once: nothing is read from a copy."""
    checkout = Path(__file__).parents[3]
    assert shipped.agent() == checkout / "guest" / "buildtel_agent.py"
    assert shipped.library() == checkout / "packer" / "buildtel.pkr.hcl"


SUDO = {
    "in a command": 'execute_command = "sudo -E sh {{ .Path }}"',
    "in our command": "execute_command = local.buildtel_execute_command_sudo",
    "in a line": 'inline = ["apt-get -v", "sudo apt-get update"]',
    "in an override": 'override = { a = { execute_command = "sudo sh {{ .Path }}" } }',
}
NO_SUDO = {
    "none": 'inline = ["true"]',
    "in a path": 'script = "sudo rules.sh"\nexecute_command = "sh {{ .Path }} /etc/sudo"',
}


@pytest.mark.parametrize(
    ("line", "proposes"), [*((line, True) for line in SUDO.values()), *((line, False) for line in NO_SUDO.values())]
)
def test_sudo_is_proposed_where_the_template_uses_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, proposes: bool
) -> None:
    """The guide names the place, both commands and what they add; the pieces to copy stay without sudo."""
    template = tmp_path / "main.pkr.hcl"
    template.write_text(f'{BARE}build {{\n  sources = ["source.null.a"]\n  provisioner "shell" {{\n{line}\n}}\n}}\n')
    assert run(str(tmp_path)) == 0
    guide = capsys.readouterr().out.replace(str(tmp_path), "DIR")

    assert ("This template uses sudo (main.pkr.hcl:9)" in guide) == proposes
    assert ("local.buildtel_install_command_sudo " in guide and "buildtel_finish_command_sudo " in guide) == proposes
    assert lines_to_add.FIRST in guide and lines_to_add.LAST in guide
    assert max(map(len, guide.splitlines())) <= 100
