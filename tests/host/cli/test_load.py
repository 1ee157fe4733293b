"""As much as a job can bring: ten thousand steps, a hundred of them a second, a gigabyte of output; all bounded."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from itertools import chain, repeat
from typing import Any

import pytest

from buildtel.measure.agent_events import MAX_STEPS

from ..samples import Guest, log, said, say
from .conftest import PROGRAM, Home
from .test_collect import PEAK_KB

STEPS = 10_000
RATE_HZ = 100
HEAD = log([say(0, "Connected to SSH!"), say(1, "Provisioning with shell script: x.sh")])
END_S = STEPS / RATE_HZ + 10
TAIL = log(
    [(END_S, "Build 'qemu.debian' finished after 1 minute 50 seconds."), (END_S, "==> Wait completed after 1 s")]
)
MB = 1 << 20


def collected(home: Home, chunks: Iterable[bytes]) -> tuple[dict[str, Any], int]:
    """The document of a log given in chunks, and the most memory in kB that reading it took."""
    path = home.path / "document.json"
    command = [sys.executable, "-c", PEAK_KB, *PROGRAM, "collect", "-", "-q", "-o", str(path)]
    with (home.path / "err").open("wb") as errors:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=errors, env=home.environ, cwd=home.path)
    assert process.stdin is not None
    for chunk in chunks:
        process.stdin.write(chunk)
    process.stdin.close()
    assert process.wait() == 0
    return json.loads(path.read_bytes()), int((home.path / "err").read_text())


def steps(first: int, last: int) -> Iterable[bytes]:
    """The records of short steps, each of a process of its own, 100 a second; each writes more than the one before."""
    guest = Guest()
    for number in range(first, last):
        start_s = 2 + number / RATE_HZ
        rows = guest.step(f"{number:012x}", f"step {number}", start_s, start_s + 0.005, busy=0, written_mb=number)
        yield log(said(rows))


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], int]:
    """The document of ten thousand steps."""
    return collected(Home(tmp_path_factory.mktemp("crowd")), chain([HEAD], steps(0, STEPS), [TAIL]))


def test_ten_thousand_steps_are_all_there_with_their_figures(crowd: tuple[dict[str, Any], int]) -> None:
    """None is left out, and each has what its own counters give."""
    document, _ = crowd

    assert document["notes"] == []
    assert [step["name"] for step in document["steps"]] == [f"step {number}" for number in range(STEPS)]
    assert [step["disk_write_mb"] for step in document["steps"]] == list(range(STEPS))
    assert {step["duration_s"] for step in document["steps"]} == {0.005}
    assert document["integrity"]["records"] == 2 * STEPS


def test_ten_thousand_steps_take_bounded_room(crowd: tuple[dict[str, Any], int]) -> None:
    """Two kilobytes a step in the document, and some 300 MB of memory."""
    document, peak_kb = crowd

    assert len(json.dumps(document)) < 2500 * STEPS
    assert peak_kb < 400 * 1024


def test_more_steps_than_are_kept_are_counted(home: Home) -> None:
    """What lies beyond the bound is said, and what lies within it has its figures: series are left out first."""
    document, _ = collected(home, chain([HEAD], steps(0, MAX_STEPS + 5), [TAIL]))

    assert len(document["steps"]) == MAX_STEPS
    assert [step["disk_write_mb"] for step in document["steps"]] == list(range(MAX_STEPS))
    assert f"More than {MAX_STEPS} steps: the rest is left out." in document["notes"]


def test_a_step_that_prints_a_gigabyte_is_read_in_little_memory(home: Home) -> None:
    """The output of a step is passed over, however much it is; its record behind it is read."""
    guest = Guest()
    start, end = guest.step("aaaa00000001", "loud", 2, 9)
    line = b"2026-01-24T12:00:03+00:00:     qemu.debian: " + b"x" * 150 + b"\n"
    block = line * (4 * MB // len(line))
    document, peak_kb = collected(home, chain([HEAD, log(said([start]))], repeat(block, 256), [log(said([end])), TAIL]))

    (step,) = document["steps"]
    assert (step["name"], step["duration_s"], step["exit_code"]) == ("loud", 7.0, 0)
    assert peak_kb < 200 * 1024


def test_a_gigabyte_without_a_newline_is_read_in_little_memory(home: Home) -> None:
    """One line of a gigabyte is not kept, and told."""
    guest = Guest()
    start, end = guest.step("aaaa00000001", "loud", 2, 9)
    line = chain([b"    qemu.debian: "], repeat(b"x" * 4 * MB, 256), [b"\n"])
    document, peak_kb = collected(home, chain([HEAD, log(said([start]))], line, [log(said([end])), TAIL]))

    assert [step["duration_s"] for step in document["steps"]] == [7.0]
    assert document["notes"] == ["1 line(s) of the log not read: longer than 4 MiB."]
    assert peak_kb < 200 * 1024
