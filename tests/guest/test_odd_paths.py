"""Folders and options as users write them: blanks, newlines, bytes that are no text, `--name=value`."""

from __future__ import annotations

import os
import subprocess
import zlib
from pathlib import Path
from typing import Any

import pytest

from .conftest import AGENT, Guest, records
from .test_by_sh import MARKER, SHELLS

PLACES = {
    "a blank": b"my dir",
    "blanks at both ends": b" my dir ",
    "a newline": b"my\ndir",
    "bytes that are no text": b"my\xff dir",
    "letters": "mein Ordner für é".encode(),
    "signs of the shell": b"my $(touch x) 'dir' \"*\"",
}


def run(shell: list[str], *words: str | bytes | Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Runs the agent by one shell."""
    command = [*shell, options.pop("agent", AGENT), *words]
    environ = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    return subprocess.run(command, env=environ, capture_output=True, stdin=subprocess.DEVNULL, **options)


@pytest.mark.parametrize("name", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("shell", SHELLS.values(), ids=SHELLS)
def test_records_go_into_a_folder_of_any_name_and_nowhere_else(tmp_path: Path, shell: list[str], name: bytes) -> None:
    """A file whose name begins alike stays as it is, and the step has its exit status."""
    folder = tmp_path / os.fsdecode(name)
    folder.mkdir()
    beside = [tmp_path / "my", tmp_path / "mein"]
    for path in beside:
        path.write_text("precious")
    done = run(shell, "run", "--record", folder / "r.jsonl", "--step", "lint", "--", "sh", "-c", "exit 3")
    (_, end) = records((folder / "r.jsonl").read_bytes())

    assert (done.returncode, done.stderr.count(b"buildtel")) == (3, 0)
    assert [path.read_text() for path in beside] == ["precious"] * len(beside)
    assert (end["name"], end["exit"]) == ("lint", 3)
    assert [path.name for path in folder.iterdir()] == ["r.jsonl"]
    assert sorted(tmp_path.iterdir()) == sorted([folder, *beside])


@pytest.mark.parametrize("shell", SHELLS.values(), ids=SHELLS)
@pytest.mark.parametrize("part", ["python", "sh"])
def test_options_are_written_either_way(tmp_path: Path, shell: list[str], part: str) -> None:
    """`--step=NAME` is `--step NAME`, for `run` as for the other commands; a value may be empty or hold a sign."""
    agent_file = tmp_path / "buildtel_agent.py"
    agent_file.write_bytes(AGENT.read_bytes())
    if part == "sh":
        (tmp_path / MARKER).touch()
    found = []
    for words in (["--step=foo", "--run=c0ffee"], ["--step", "foo", "--run", "c0ffee"], ["--step=a=b c", "--run="]):
        done = run(shell, "run", *words, "--", "sh", "-c", 'echo "$#"', "x", "--step=y", agent=agent_file)
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"\n1\n" in done.stdout
        begun = [record for record in records(done.stdout) if record["ev"] == "start"]
        found.append([(record["name"], record.get("run")) for record in begun])

    assert found == [[("foo", "c0ffee")], [("foo", "c0ffee")], [("a=b c", None)]]


@pytest.mark.parametrize("words", [["3"], ["--status", "3"], ["--status=3"], ["--status", "3", "4"]])
@pytest.mark.parametrize("part", ["python", "sh"])
def test_the_status_of_an_end_is_its_second_word_or_an_option(tmp_path: Path, part: str, words: list[str]) -> None:
    """As in `telemetry_step_end NAME 3`."""
    agent_file = tmp_path / "buildtel_agent.py"
    agent_file.write_bytes(AGENT.read_bytes())
    if part == "sh":
        (tmp_path / MARKER).touch()
    run(["sh"], "start", "a b", agent=agent_file)
    done = run(["sh"], "end", "a b", *words, agent=agent_file)

    assert [record["exit"] for record in records(done.stdout) if record["ev"] == "end"] == [3]


@pytest.mark.parametrize("words", [["--stop=x", "--", "true"], ["--nonsense", "true"], ["--step"]])
@pytest.mark.parametrize("shell", SHELLS.values(), ids=SHELLS)
def test_an_unknown_option_of_run_is_told(shell: list[str], words: list[str]) -> None:
    """It is not taken for the command."""
    done = run(shell, "run", *words)

    assert done.returncode == 2
    assert b"usage" in done.stderr


@pytest.mark.parametrize("name", ["my dir", "it's a $dir"])
def test_an_agent_lives_in_a_folder_of_any_name(guest: Guest, name: str) -> None:
    """Installed there it measures, keeps a spool, and leaves nothing."""
    guest.home = guest.folder / name
    installed = guest.install()
    step = guest.run("run", "--step=x", "--", "sh", "-c", "exit 4")
    words = guest.run("pre", "c0ffee").stdout.decode().strip()
    spooled = records(guest.run("spool").stdout)
    finished = guest.run("finish")

    assert (installed.stderr, finished.stderr) == (b"", b"")
    of_step = [record for record in records(step.stdout) if "step" in record]
    assert [(record["ev"], record.get("exit")) for record in of_step] == [("start", None), ("end", 4)]
    assert words == "", "words that a shell would cut in two are none"
    assert "end" in [record["ev"] for record in spooled]
    assert not guest.home.exists()
    assert not list(Path("/dev/shm").glob(f"buildtel-{zlib.crc32(str(guest.home).encode()):08x}-*"))


@pytest.mark.parametrize("shell", SHELLS.values(), ids=SHELLS)
def test_functions_of_an_agent_in_a_folder_of_any_name(guest: Guest, shell: list[str]) -> None:
    """What shell-init prints finds it."""
    guest.home = guest.folder / "it's a $dir \"x\""
    guest.install()
    script = 'eval "$1"; telemetry_step_start one; telemetry_step_end one'
    functions = guest.run("shell-init").stdout
    done = subprocess.run([*shell, "-c", script, "sh", functions], env=guest.env, capture_output=True)

    assert [record["ev"] for record in records(done.stdout) if record["ev"] in ("start", "end")] == ["start", "end"]
