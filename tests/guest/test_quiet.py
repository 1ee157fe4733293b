"""What `install` is told to keep out of the log: the block around each step, the records of steps that succeed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

import buildtel_agent as agent

from ..waiting import wait_for
from .conftest import AGENT, Guest, spools
from .test_life import running, samples, shut_down

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root is told the exit status of every step")
MARK = b"BUILDTEL:"
BLOCK = "═".encode()
SPOOL = ("--records", "spool")
NO_BLOCK = ("--block", "false")


def read(output: bytes) -> list[dict[str, Any]]:
    """The records in an output, each at the start of a line; numbers may be missing."""
    lines = [line for line in output.split(b"\n") if MARK in line]
    assert all(line.startswith(MARK) for line in lines), output
    return [json.loads(line.removeprefix(MARK)) for line in lines]


def told(output: bytes) -> list[tuple[str, int]]:
    """Event and number of each record."""
    return [(record["ev"], record["seq"]) for record in read(output)]


def install(guest: Guest, *words: str) -> bytes:
    """What install prints, once the sampler of the whole life is there."""
    output = guest.run("install", "c0ffee", "--dir", str(guest.home), *words).stdout
    assert wait_for(lambda: samples(guest) and (guest.home / "life" / "pid").exists())
    return output


def command(guest: Guest, text: str, name: str = "x") -> list[str]:
    """A step that runs behind the library's piece."""
    piece = f"/bin/sh -c '{{ test -r $0 && . $0; }} 2>/dev/null' '{guest.home}/buildtel_agent.py' tell c0ffee; "
    return ["sh", "-c", f"{piece} BUILDTEL_STEP={name} sh -c '{text}'"]


def step(guest: Guest, text: str, name: str = "x") -> bytes:
    """What a step prints."""
    words = command(guest, text, name)
    return subprocess.run(words, capture_output=True, env=guest.env, stdin=subprocess.DEVNULL, check=False).stdout


def step_on_a_terminal(guest: Guest, text: str, name: str) -> bytes:
    """What a step prints on a terminal of its own, up to its end."""
    master, slave = os.openpty()
    subprocess.run(command(guest, text, name), stdin=slave, stdout=slave, stderr=slave, env=guest.env, check=False)
    os.close(slave)
    found = b""
    with contextlib.suppress(OSError):  # nobody has it open any more
        while block := os.read(master, 65536):
            found += block
    os.close(master)
    return found


def killed_sampler(guest: Guest) -> None:
    """The whole-life sampler is no more when the next step begins."""
    os.kill(int((guest.home / "life" / "pid").read_text().split()[0]), signal.SIGKILL)
    assert wait_for(lambda: not running(guest))


CASES: dict[str, tuple[tuple[str, ...], str, list[tuple[str, int]], bool]] = {
    "default": ((), "echo out", [("start", 1), ("end", 2)], True),
    "no block": (NO_BLOCK, "echo out", [("start", 1), ("end", 2)], False),
    "spool, it succeeds": (SPOOL, "echo out", [], True),
    "spool, it fails": (SPOOL, "echo out; exit 3", [("start", 1), ("end", 2)], True),
    "neither, it succeeds": (SPOOL + NO_BLOCK, "echo out; sleep 0.4", [], False),
    "neither, it fails in a line": (SPOOL + NO_BLOCK, "printf out; exit 3", [("start", 1), ("end", 2)], False),
}  # fmt: skip


@pytest.mark.parametrize("with_sampler", [True, False], ids=["sampler", "sampler was killed"])
@pytest.mark.parametrize(("words", "text", "events", "has_block"), CASES.values(), ids=CASES)
def test_a_step_prints_what_install_was_told(
    guest: Guest, words: tuple[str, ...], text: str, events: list[tuple[str, int]], has_block: bool, with_sampler: bool
):
    """Block and records each for itself; what a step prints stays; the spool has start and end of every step."""
    hello = install(guest, *words)
    if not with_sampler:
        killed_sampler(guest)
    output = step(guest, text)
    of_step = [pair for pair in told(output) if pair[0] in ("start", "end")]
    spool = guest.run("spool").stdout

    assert read(hello)[0].get("records") == ("spool" if "spool" in words else None)
    assert (b"out" in output, BLOCK in output) == (True, has_block)
    assert [event for event, _ in of_step] == [event for event, _ in events]
    assert [record["name"] for record in read(spool) if record["ev"] in ("start", "end")] == ["x", "x"]
    assert not with_sampler or of_step == events
    assert "spool" not in words or "samples" not in dict(told(output))
    assert text != "echo out; sleep 0.4" or not with_sampler or output == b"out\n"


def test_beats_marks_and_samples_are_in_the_spool_only(guest: Guest, monkeypatch: pytest.MonkeyPatch):
    """A long step that fails has start and end in the log; its beats have numbers between."""
    text = AGENT.read_text(encoding="utf-8").replace("BEAT_S = 30.0", "BEAT_S = 0.3")
    guest.agent.write_text(text, encoding="utf-8")
    install(guest, *SPOOL)
    output = step(guest, "sleep 1; exit 3")
    marked = guest.run("mark", "here").stdout
    spool = read(guest.run("spool").stdout)
    beats = [record for record in spool if record["ev"] == "beat"]

    assert [pair[0] for pair in told(output)] == ["start", "end"]
    assert read(output)[1]["seq"] == len(beats) + 2
    assert len(beats) >= 2
    assert marked == b""
    assert [record["name"] for record in spool if record["ev"] == "mark"] == ["here"]
    assert told(guest.run("finish").stdout) == [("bye", 1)]


@pytest.mark.parametrize("status", ["0", "3", None])
def test_start_and_end_are_held_to_it_too(guest: Guest, status: str | None):
    """Their start is in another process's file of the spool, and comes with an end that failed, or may have."""
    install(guest, *SPOOL, *NO_BLOCK)
    begun = guest.run("start", "mine").stdout
    ended = guest.run("end", "mine", *([status] if status else [])).stdout
    found = read(ended)

    assert begun == b""
    assert [record["ev"] for record in found] == ([] if status == "0" else ["start", "end"])
    assert len({record["step"] for record in found}) <= 1


@pytest.mark.parametrize(("status", "events"), [(0, []), (3, [("start", 1), ("end", 2)])])
def test_what_is_owed_is_held_to_it_too(guest: Guest, status: int, events: list[tuple[str, int]]):
    """A step on a terminal, whose end comes with the next step: of one that failed start and end, else nothing."""
    install(guest, *SPOOL, *NO_BLOCK)
    output = step_on_a_terminal(guest, f"echo out; sleep 0.3; exit {status}", "owes")
    ended = wait_for(lambda: ("end", 2) in told(guest.run("spool").stdout))
    following = step(guest, "echo next")

    assert output == b"out\r\n"
    assert ended
    assert told(following) == events
    assert b"next\n" in following


def test_what_the_spool_can_not_take_is_in_the_log(guest: Guest):
    """A step that removes the spool has all its records in the log, though it succeeds."""
    install(guest, *SPOOL, *NO_BLOCK)
    (folder,) = spools(guest)
    output = step(guest, f"rm -f {folder}/*.jsonl; echo out")

    assert [record["ev"] for record in read(output) if record["ev"] != "samples"] == ["start", "end"]


def test_a_killed_sampler_leaves_the_start_in_the_spool(guest: Guest):
    """The step goes on, the log has nothing of it, the spool its start."""
    install(guest, *SPOOL, *NO_BLOCK)
    output = step(guest, f"sleep 0.3; kill -9 $(pgrep -f {guest.home}/agent.py[c]); echo out")
    spool = read(guest.run("spool").stdout)

    assert output == b"out\n"
    assert [record["ev"] for record in spool if record.get("step")] == ["start"]


def test_records_outlive_a_reboot_in_the_spool(guest: Guest):
    """The machine goes down and says so: all records and samples are kept on disk, and in the spool again after it."""
    install(guest, *SPOOL, *NO_BLOCK)
    step(guest, "true", "before")
    time.sleep(1.2)
    shut_down(guest)
    output = step(guest, "true", "after")
    assert wait_for(lambda: samples(guest))
    spool = read(guest.run("spool").stdout)
    hello = read(output)

    assert [(record["ev"], record.get("records")) for record in hello] == [("hello", "spool")]
    assert {record["name"] for record in spool if record["ev"] == "end"} == {"after", "before"}
    assert len({record["src"] for record in spool if record["ev"] == "samples"}) == 2
    assert not list(guest.home.glob("rest-*"))
    guest.run("finish")
    assert not guest.home.exists()
    assert spools(guest) == []


def test_a_later_install_changes_it(guest: Guest):
    """The next build's install takes back what an earlier one was told."""
    install(guest, *SPOOL, *NO_BLOCK)
    install(guest)

    assert not (guest.home / "buildtel_quiet").exists()
    assert BLOCK in step(guest, "true")


def test_without_an_installed_agent_the_environment_says_it(guest: Guest):
    """BUILDTEL_BLOCK=false; records have no spool there, so they stay."""
    guest.env["BUILDTEL_BLOCK"] = "false"
    guest.env["BUILDTEL_RECORDS"] = "spool"
    output = guest.run("run", "--step", "x", "--", "echo", "out").stdout

    assert [record["ev"] for record in read(output)] == ["hello", "start", "end"]
    assert BLOCK not in output


def test_memory_does_not_grow_by_what_is_held(tmp_path: Path):
    """A thousand beats of a step that prints none leave its recorder as it was."""
    recorder = agent.Recorder(-1, "", "/proc", agent.Spool("", str(tmp_path / "spool")), b"", ["records"])
    recorder.emit("start", {"name": "x"}, {"step": "s.1"})
    for _ in range(1000):
        recorder.emit("beat", {"peak_kb": 1}, {"step": "s.1"}, may_wait=False)
    recorder.close()
    (spool,) = (tmp_path / "spool").iterdir()

    assert len(recorder.held) == 1
    assert [record["seq"] for record in read(spool.read_bytes())] == list(range(1, 1002))
