"""The copies beside a template: a last line with version and checksum tells an older copy from an edited one."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

import buildtel_agent
from buildtel import shipped
from buildtel.cli import main
from buildtel.wire import copies, lines_to_add

PIECES = lines_to_add.FIRST + lines_to_add.LAST
TEMPLATE = 'source "qemu" "a" {\n}\nbuild {\n  sources = ["source.qemu.a"]\n' + PIECES + "}\n"
SOURCES = {source.name: source for source in (shipped.agent(), shipped.library())}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A wired template without its files."""
    (tmp_path / "main.pkr.hcl").write_text(TEMPLATE)
    return tmp_path


def older(name: str) -> bytes:
    """A copy as an older buildtel left it."""
    content = SOURCES[name].read_bytes() + b"# a line of old\n"
    return re.sub(rb"# buildtel \S+ sha256", b"# buildtel 0.0.9 sha256", copies.sealed(content))


COPIES = {
    "none": (lambda _: None, "created", "missing"),
    "this one": (lambda name: copies.sealed(SOURCES[name].read_bytes()), "unchanged", None),
    "an older one": (older, "updated from 0.0.9", "is from buildtel 0.0.9"),
    "without the line, as before": (lambda name: SOURCES[name].read_bytes(), "updated", "is from buildtel"),
    "with CRLF": (lambda name: copies.sealed(SOURCES[name].read_bytes()).replace(b"\n", b"\r\n"), "updated", "is from"),
    "this one, edited": (lambda name: copies.sealed(SOURCES[name].read_bytes()) + b"# mine\n", None, "was edited"),
    "an older one, edited": (lambda name: b"# mine\n" + older(name), None, "was edited"),
    "with another's line": (lambda name: b"BUILDTEL:\n" + older(name)[-90:], None, "was edited"),
    "a stranger's": (lambda _: b"print('mine')\n", None, "is not buildtel's"),
    "empty": (lambda _: b"", None, "is not buildtel's"),
}


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize(("make", "done", "found"), COPIES.values(), ids=COPIES)
def test_a_copy_is_replaced_only_if_nobody_edited_it(
    make, done: str | None, found: str | None, name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The check says what it is, `wire` replaces it or refuses, `--force` replaces it; then the check is green."""
    content = make(name)
    copies.put(folder)
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)

    checked = main(["wire", "--check", str(folder)])
    out = capsys.readouterr().out
    assert (checked, out) == (0, "") if found is None else checked == 1 and found in out
    status = main(["wire", str(folder)])
    err = capsys.readouterr().err
    assert status == (1 if done is None else 0)
    if done is None:
        assert "--force" in err and (folder / name).read_bytes() == content
        assert main(["wire", "--force", str(folder)]) == 0
    else:
        assert f"{folder / name}: {done}\n" in err
    assert (folder / name).read_bytes() == copies.sealed(SOURCES[name].read_bytes())
    assert main(["wire", "--check", str(folder)]) == 0


def test_the_check_says_the_agents_version(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """That of the copy beside the template, which is what runs in the machine."""
    copies.put(folder)
    main(["wire", "--check", str(folder)])
    assert capsys.readouterr().err.endswith(f"; agent {buildtel_agent.__version__}\n")
    (folder / shipped.AGENT_NAME).write_bytes(older(shipped.AGENT_NAME))
    main(["wire", "--check", str(folder)])
    assert capsys.readouterr().err.endswith("; agent 0.0.9\n")
    (folder / shipped.AGENT_NAME).unlink()
    main(["wire", "--check", str(folder)])
    assert capsys.readouterr().err.endswith("; no agent beside the template\n")


@pytest.mark.parametrize("interpreter", ["sh", "python3"])
def test_the_last_line_disturbs_neither_sh_nor_python(folder: Path, interpreter: str) -> None:
    """The copy runs as the shipped file runs."""
    copies.put(folder)
    files = [folder / shipped.AGENT_NAME, shipped.agent()]
    ran = [
        subprocess.run([interpreter, path, "run", "--step", "x", "--", "echo", "hello"], capture_output=True, text=True)
        for path in files
    ]
    assert [done.returncode for done in ran] == [0, 0]
    assert [done.stderr for done in ran] == ["", ""]
    assert all("hello" in done.stdout and '"ev":"end"' in done.stdout for done in ran)
