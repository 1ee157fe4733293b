"""SIGKILL to agent processes at random moments: the build's result is its own, and steps that were told are there."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from buildtel import parse
from buildtel.job import Meta
from buildtel.job.fold import Fold

from ..killer import Killer
from ..waiting import wait_for
from .conftest import AGENT, records
from .test_unharmed import DEFAULT, local, theirs

pytestmark = pytest.mark.skipif(not shutil.which("packer"), reason="needs packer, which evaluates the HCL")

# A seed is a build: 140 kills in all; `make unharmed` has more. One that ever finds a fault stays here.
SEEDS = range(20)
KILLS = 20
GUEST = "/var/tmp/buildtel"
STEPS = 8
KILLED: dict[int, int] = {}


def in_pieces(seed: int) -> list[bool]:
    """Which steps of a build have a command of their own between the library's pieces: the log names those."""
    pick = random.Random(seed + 1000)
    return [pick.random() < 0.5 for _ in range(STEPS)]


def build(folder: Path, seed: int, *, wrapped: bool) -> tuple[list[tuple[int, str, str]], bytes, Counter[str]]:
    """Each step's status, stdout and stderr without what is ours; the log; what was killed by its part."""
    home = folder / "installed"
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SHELL": "/bin/bash"}
    log = b""
    killer = Killer(seed, KILLS, str(home))
    if wrapped:
        log += subprocess.run(["sh", AGENT, "install", "c0ffee", "--dir", home], capture_output=True, env=env).stdout
        killer.start()
    script = folder / "step.sh"
    pick, pieces_of = random.Random(seed), in_pieces(seed)
    results = []
    for number in range(STEPS):
        status, pause_s, pieces = pick.choice([0, 0, 1, 3, 137]), pick.uniform(0, 0.4), pieces_of[number]
        ending = "kill -9 $$" if status == 137 else f"exit {status}"
        script.write_text(f"#!/bin/sh\necho out {number}; echo err {number} >&2; sleep {pause_s:.3f}; {ending}\n")
        script.chmod(0o755)
        command = DEFAULT
        if wrapped:
            command = local("buildtel_pre") + DEFAULT if pieces else local("buildtel_execute_command")
        values = {"Vars": f"BUILDTEL_STEP='step {number}' ", "Path": str(script), "PackerRunUUID": "c0ffee"}
        text = re.sub(r"\{\{ \.(\w+) \}\}", lambda match, values=values: values[match[1]], command).replace(
            GUEST, str(home)
        )
        done = subprocess.run(["/bin/bash", "-c", text], capture_output=True, env=env, timeout=60, cwd="/")
        code = done.returncode if done.returncode >= 0 else 128 - done.returncode
        errors = [line for line in done.stderr.decode().splitlines() if "Killed" not in line]
        results.append((code, theirs(done.stdout).strip("\n"), "\n".join(errors)))
        log += done.stdout
    if wrapped:
        killer.end()
        log += subprocess.run(["sh", home / "buildtel_agent.py", "finish"], capture_output=True, env=env).stdout
        assert not home.exists()
    return results, log, killer.killed


@pytest.mark.parametrize("seed", SEEDS)
def test_a_build_whose_agents_are_killed_is_the_unwired_build(tmp_path, seed):
    """Status, stdout and stderr of every step; and the document has what was told of each."""
    plain, _, _ = build(tmp_path, seed, wrapped=False)
    results, log, killed = build(tmp_path, seed, wrapped=True)
    fold = Fold()
    for event in parse.read([log]):
        fold.add(event)
    document = fold.document(Meta(collected_at=datetime.fromisoformat("2026-01-24T12:00:00+00:00")))
    statuses = Counter(status for status, _, _ in results)

    KILLED[seed] = killed.total()
    assert results == plain
    assert killed.total() >= 4, "too few were there to kill: the test proves nothing"
    assert document.integrity.damaged == 0
    told = [step for step in document.steps if step.origin == "guest"]
    ended = Counter(step.exit_code for step in told if step.exit_code is not None)
    # A step is not told where the shell that tells was killed; it has no end where its sampler was.
    assert len(told) >= STEPS - killed["tell"] - killed["life"]
    assert ended <= statuses
    assert all(step.unfinished for step in told if step.exit_code is None)
    # The sh part, which begins a step whose sampler was killed before, can't read the step's name.
    assert {step.name for step in told} - {None} <= {f"step {number}" for number in range(STEPS)}


def test_enough_were_killed():
    """The tests above looked at as many as the bar asks for."""
    if set(KILLED) != set(SEEDS):
        pytest.skip("not all of them ran")
    assert sum(KILLED.values()) >= 140


def test_no_process_of_ours_outlives_a_killed_build(tmp_path):
    """The shell that ran the step is gone, or its whole group: the sampler sees it and goes."""
    shutil.copy(AGENT, tmp_path / "buildtel_agent.py")
    process = subprocess.Popen(
        ["sh", tmp_path / "buildtel_agent.py", "run", "--", "sleep", "0.2"],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    read = process.stdout.readline()
    os.killpg(process.pid, signal.SIGKILL)
    process.stdout.read()  # ends when nobody holds it any more
    process.stdout.close()
    process.wait()

    assert read.startswith(b"BUILDTEL:")
    assert records(read)[0]["ev"] == "hello"


def test_a_step_after_its_sampler_was_killed_says_no_second_hello_and_finish_brings_the_samples(tmp_path):
    """An empty step waits for start and end only; the killed sampler's samples come with the last word."""
    home = tmp_path / "installed"
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    agent = home / "buildtel_agent.py"

    def call(*words: str) -> bytes:
        return subprocess.run(["sh", *words], capture_output=True, env=env, timeout=60).stdout

    installed = call(str(AGENT), "install", "c0ffee", "--dir", str(home))
    number = home / "life" / "pid"
    assert wait_for(lambda: number.exists() and number.read_text())
    os.kill(int(number.read_text().split()[0]), signal.SIGKILL)
    step = call("-c", f"/bin/sh -c '{{ test -r $0 && . $0; }} 2>/dev/null' {agent} tell c0ffee; true")
    assert wait_for(lambda: len([*(home / "life").glob("life-*")]) == 2)
    finished = call(str(agent), "finish")

    assert [record["ev"] for record in records(installed)].count("hello") == 1
    assert {record["ev"] for record in records(step)} == {"start", "end"}
    sources = {record["src"] for record in records(finished) if record["ev"] == "samples"}
    assert len(sources) == 2


@pytest.mark.parametrize("gone", [["agent.pyc"], ["agent.pyc", "life"], ["agent.pyc", "life", "by-sh", "fifo"]])
@pytest.mark.parametrize("python", ["", "no Python"])
def test_a_finish_that_was_killed_can_be_called_again(tmp_path, gone, python):
    """Whatever the first one had removed, the second removes the rest, for the agent itself goes last."""
    home = tmp_path / "installed"
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    subprocess.run(["sh", AGENT, "install", "c0ffee", "--dir", home], capture_output=True, env=env, check=True)
    for name in gone:
        (home / name).unlink(missing_ok=True)
    if python:
        (home / "interpreter").write_text("/nonexistent\n")
        text = (home / "buildtel_agent.py").read_text().replace("python3", "python-none").replace("platform-p", "p")
        (home / "buildtel_agent.py").write_text(text)
    finished = subprocess.run(["sh", home / "buildtel_agent.py", "finish"], capture_output=True, env=env, check=True)

    assert [record["ev"] for record in records(finished.stdout)][-1:] == ["bye"]
    assert not home.exists()
