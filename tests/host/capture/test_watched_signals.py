"""Signals to `buildtel-host packer` and to Packer: each does what it does without buildtel."""

import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from .watched import BUILDTEL, WATCHED, Bench, bench, builds, check_account, same

pytestmark = [pytest.mark.packer, pytest.mark.skipif(not shutil.which("packer"), reason="no packer here")]
ALONE = ("packer",)


@pytest.fixture(name="bench")
def a_bench(tmp_path: Path) -> Bench:
    """A template's folder."""
    return bench(tmp_path)


COUNTER = """#!%s
import signal, sys, time
if sys.argv[1:] == ["version"]:
    sys.exit(0)
came = []
for number in (1, 2, 3, 10, 12, 15):
    signal.signal(number, lambda number, frame: came.append(number))
print("ready", flush=True)
while "the end" not in open("end").read():
    time.sleep(0.02)
print("came", came, flush=True)
sys.exit(17)
"""


@pytest.mark.parametrize("group", [False, True], ids=["to the process", "to its group"])
@pytest.mark.parametrize("number", [1, 2, 3, 10, 12, 15], ids=["HUP", "INT", "QUIT", "USR1", "USR2", "TERM"])
def test_a_signal_reaches_packer_exactly_once_each_time(bench: Bench, number: int, group: bool) -> None:
    """Whether the kernel gave it to the whole group or to the wrapper alone, and again the second time."""
    packer, end = bench.folder / "packer", bench.folder / "end"
    packer.write_text(COUNTER % sys.executable)
    packer.chmod(0o755)
    end.write_text("")
    process = bench.start("build", ".", env={"PATH": f"{bench.folder}:{os.environ['PATH']}"})
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    for _ in range(2):
        (os.killpg if group else os.kill)(process.pid, number)
        time.sleep(0.3)
    end.write_text("the end")
    output, _ = process.communicate(timeout=60)

    assert output == f"came {[number, number]}\n".encode()
    assert process.returncode == 17


# (signal, to the whole group); Packer's own end after SIGTERM to its group, or after two signals, is a matter of luck.
SIGNALS = [
    (signal.SIGINT, False), (signal.SIGINT, True), (signal.SIGTERM, False), (signal.SIGHUP, False),
    (signal.SIGHUP, True), (signal.SIGUSR1, False), (signal.SIGUSR1, True), (signal.SIGALRM, False),
    (signal.SIGALRM, True), (signal.SIGQUIT, False),
]  # fmt: skip


@pytest.mark.parametrize(("number", "group"), SIGNALS)
def test_a_signal_does_what_it_does_to_packer(bench: Bench, number: int, group: bool) -> None:
    """The same end as without us, and a document of it.

    On a busy machine Packer's end varies, alone, too: three tries.
    """
    bench.template('inline = ["sleep 4"]')
    for _ in range(3):
        shutil.rmtree(bench.telemetry, ignore_errors=True)
        alone = struck(bench, ALONE, number, group)
        watched = struck(bench, WATCHED, number, group)
        if watched == alone:
            break

    assert watched == alone
    (build,) = builds(bench.document())
    check_account(build)
    assert bench.document()["packer"]["read_from"] == "debug log"


@pytest.mark.parametrize("after_ms", [0, 1, 5, 20])
@pytest.mark.parametrize("group", [False, True], ids=["to the process", "to its group"])
def test_a_stop_that_is_taken_back_holds_nobody(bench: Bench, group: bool, after_ms: int) -> None:
    """SIGTSTP, and SIGCONT so soon that the wrapper has not stopped yet: the build goes on to its end."""
    bench.template('inline = ["sleep 1"]')
    # A group of which no process has its parent in the session outside it would ignore SIGTSTP.
    own_group = {"start_new_session": False, "preexec_fn": os.setpgrp}
    process = bench.start("build", "-color=false", ".", **own_group)
    assert process.stdout is not None
    while b"Running local" not in process.stdout.readline():
        pass
    send = os.killpg if group else os.kill
    send(process.pid, signal.SIGTSTP)
    time.sleep(after_ms / 1000)
    send(process.pid, signal.SIGCONT)
    try:
        output, _ = process.communicate(timeout=20)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    assert (process.returncode, b"Builds finished" in output) == (0, True)


def test_what_runs_after_packer_can_be_stopped(bench: Bench) -> None:
    """SIGTSTP is blocked in the wrapper only while Packer runs, not when it asks git for the document."""
    bench.template('inline = ["true"]')
    git, seen = bench.folder / "git", bench.folder / "blocked"
    git.write_text(f"#!/bin/sh\nsleep 0.1; grep SigBlk /proc/$PPID/status >>{seen}\n")  # its start blocks all
    git.chmod(0o755)
    done = bench.run("build", "-color=false", ".", env={"PATH": f"{bench.folder}:{os.environ['PATH']}"})

    assert done.returncode == 0
    blocked = [int(line.split()[1], 16) for line in seen.read_text().splitlines()]
    assert blocked and not any(mask & 1 << (signal.SIGTSTP - 1) for mask in blocked)


def struck(bench: Bench, prefix: tuple[str, ...], number: int, group: bool) -> tuple[int, bytes]:
    """Exit status and output of a build that got a signal in its provisioner."""
    process = bench.start("build", "-color=false", ".", prefix=prefix)
    assert process.stdout is not None
    output = b""
    while b"Running local" not in output:
        output += process.stdout.readline()
    time.sleep(0.5)
    (os.killpg if group else os.kill)(process.pid, number)
    rest, _ = process.communicate(timeout=60)
    return process.returncode, same(output + rest)


def test_a_killed_wrapper_leaves_a_log_that_makes_the_document(bench: Bench) -> None:
    """SIGKILL in the middle of a provisioner: what was kept tells of it, with the runner's samples so far."""
    bench.template('inline = ["sleep 1"]', 'inline = ["sleep 5"]')
    process = bench.start("build", "-color=false", ".")
    assert process.stdout is not None
    seen = b""
    while seen.count(b"Running local") < 2:
        seen += process.stdout.readline()
    time.sleep(1)
    process.kill()
    process.communicate()
    collected = bench.run("collect", "-q", str(bench.log()), prefix=BUILDTEL)
    document = bench.document()
    (build,) = builds(document)
    (step,) = [step for step in document["steps"] if step["name"] == "packer build"]

    assert collected.returncode == 0, collected.stderr
    assert (build["result"], document["status"], step["status"]) == ("unknown", "unknown", "unknown")
    assert step["unfinished"]
    assert [part["name"] for part in build["account"] if part["name"] != "unattributed"] == [
        "start", "provisioner", "provisioner",
    ]  # fmt: skip
    check_account(build)
