"""Load: many steps in a moment, many at once, a step of a day, a step that prints a gigabyte. Data stay bounded."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

import buildtel_agent as agent

from .conftest import records
from .test_signed import KEY, macs

DAY_S = 86400


@pytest.fixture(params=["by python", "by sh"])
def installed(request: pytest.FixtureRequest, guest) -> Path:
    """The path of an agent that lies in a folder of its own, told which part is to record."""
    if request.param == "by sh":
        (guest.folder / "by-sh").touch()
    return guest.agent


def test_a_hundred_steps_one_after_another_cost_the_same_each(guest):
    """A script of a hundred short steps: each has its start and end, none grows, and nothing is left."""
    guest.install()
    script = (
        'eval "$(sh "$BUILDTEL" shell-init)"\n'
        "n=0; while [ $n -lt 50 ]; do n=$((n + 1)); "
        'telemetry_step_start "step $n"; telemetry_step_end "step $n"; done\n'
    )
    done = guest.run("run", "--", "sh", "-c", script)
    found = [record for record in records(done.stdout) if record["ev"] in ("start", "end")]
    outer, inner = [found[0], found[-1]], found[1:-1]
    lines = [line for line in done.stdout.split(b"\n") if b'"ev":"start"' in line or b'"ev":"end"' in line]

    assert done.returncode == 0
    assert [record["ev"] for record in inner] == ["start", "end"] * 50
    assert {record["parent"] for record in inner[::2]} == {outer[0]["step"]}
    assert [record["step"] for record in inner[::2]] == [record["step"] for record in inner[1::2]]
    assert max(map(len, lines[1:-1])) < 2000
    assert all(inner[at + 1]["m"] >= inner[at]["m"] for at in range(0, 100, 2))


@pytest.mark.parametrize("count", [50])
def test_fifty_steps_at_once_share_one_output(installed, count):
    """Every record is whole, and each end has the status of its own step; without Python there are starts only."""
    by_sh = (installed.parent / "by-sh").exists()
    env = {"PATH": "/usr/bin:/bin", "BUILDTEL_KEY": "" if by_sh else KEY}
    script = (
        f"n=0; while [ $n -lt {count} ]; do n=$((n + 1)); "
        f'sh \'{installed}\' run --step "step $n" -- sh -c "sleep 0.2; exit $n" & done; wait'
    )
    done = subprocess.run(["sh", "-c", script], capture_output=True, env=env, timeout=300)
    found = records(done.stdout)
    starts = {record["step"]: record for record in found if record["ev"] == "start"}
    ends = [record for record in found if record["ev"] == "end"]

    assert (done.returncode, done.stderr) == (0, b"")
    assert {record["name"] for record in starts.values()} == {f"step {number}" for number in range(1, count + 1)}
    assert sorted(record["exit"] for record in ends) == ([] if by_sh else list(range(1, count + 1)))
    assert all(starts[record["step"]]["name"] == f"step {record['exit']}" for record in ends)
    assert all(record["m"] - starts[record["step"]]["m"] >= 0.19e9 for record in ends)
    if env["BUILDTEL_KEY"]:
        assert set(macs(done.stdout, KEY)) == {True}


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root, for a clock of its own")
def test_a_step_of_a_day_lasts_a_day(installed):
    """The clock of the machine is a day on when the step ends: so says its duration, by either part."""
    env = {"PATH": "/usr/bin:/bin"}
    started = subprocess.run(["sh", installed, "start", "long"], capture_output=True, env=env)
    later = ["unshare", "--time", "--boottime", str(DAY_S), "--monotonic", str(DAY_S), "--fork"]
    if subprocess.run([*later, "true"], capture_output=True).returncode:
        pytest.skip("this kernel has no time namespaces")
    ended = subprocess.run([*later, "sh", installed, "end", "long"], capture_output=True, env=env)
    start, end = records(started.stdout)[-1], records(ended.stdout)[-1]

    assert end["step"] == start["step"]
    assert DAY_S <= (end["m"] - start["m"]) / 1e9 < DAY_S + 60
    assert b"  Duration:      8640" in ended.stdout


def test_a_step_of_a_day_sends_a_bounded_number_of_beats_and_scans(monkeypatch):
    """By a stepped clock: beats and scans become rarer as the step grows, and never stop."""

    class Stepped(agent.Watch):
        def __init__(self) -> None:
            self.kernel = type("Still", (), {"counters": staticmethod(dict)})()
            self.recorder = type("Mute", (), {"emit": staticmethod(lambda *_, **__: None)})()
            self.processes = type("Idle", (), {"scan": staticmethod(lambda: None)})()
            self.step, self.peak_kb, self.points, self.stride_s = "x", None, [[0, *[1] * 12]], 0.0

    watch = Stepped()
    counts = {}
    for act, first_s in ((watch._beat, agent.BEAT_S), (watch._scan, 2.0)):
        now_s, times = first_s, []
        while now_s < DAY_S:
            times.append(now_s)
            now_s += act(now_s)
        counts[act.__name__] = len(times)
        assert times[-1] > DAY_S - 900

    assert 100 < counts["_beat"] < 1000
    assert 100 < counts["_scan"] < 1000


def test_a_gigabyte_of_output_passes_by(installed):
    """Every byte of the step's arrives, ours are a few thousand, and the record of the end is found behind them."""
    size = 1 << 30
    command = ["sh", installed, "run", "--", "sh", "-c", f"head -c {size} /dev/zero; exit 3"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"PATH": "/usr/bin:/bin"})
    ours = bytearray()
    zeros = 0
    while block := os.read(process.stdout.fileno(), 1 << 20):
        kept = block.translate(None, b"\0")
        zeros += len(block) - len(kept)
        ours += kept
    _, stderr = process.communicate()
    last = records(bytes(ours))[-1]

    assert (process.returncode, stderr, zeros) == (3, b"", size)
    assert len(ours) < 20_000
    assert (last["ev"], last.get("exit")) in (("end", 3), ("start", None))
    assert (last["ev"] == "start") is (installed.parent / "by-sh").exists()


def test_a_reader_that_stops_reading_holds_the_step_and_nothing_more(installed):
    """Back pressure is the step's own: when the reader goes on, everything arrives once."""
    command = ["sh", installed, "run", "--", "sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x; echo; echo done"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env={"PATH": "/usr/bin:/bin"})
    threading.Event().wait(1.0)
    output = process.stdout.read()
    process.stdout.close()

    assert process.wait() == 0
    assert output.count(b"x") >= 300_000
    ends = [] if (installed.parent / "by-sh").exists() else ["end"]
    assert [record["ev"] for record in records(output)] == ["hello", "start", *ends]
