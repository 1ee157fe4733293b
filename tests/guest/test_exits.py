"""How a step ended, from each source of the kernel that tells it to somebody who is not its parent."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

import buildtel_agent as agent

ENDS = {
    "success": ("exit 0", (0, None)),
    "a failure": ("exit 7", (7, None)),
    "above 128, and no signal": ("exit 150", (150, None)),
    "killed": ("kill -9 $$", (137, 9)),
    "terminated": ("kill -TERM $$", (143, 15)),
}
ends = pytest.mark.parametrize(("words", "told"), ENDS.values(), ids=ENDS)


def watched(pid: int) -> agent.Process:
    """A process as `watch` takes it on: with the account of its tasks at once where no pidfd tells its exit."""
    process = agent.Process(pid)
    if not agent.tells_exits():
        agent.hear(process, agent.Tasks.opened())
    return process


def let_go(process: agent.Process) -> None:
    """Closes its files, and those that tell of tasks."""
    process.close()
    if process.tasks is not None:
        process.tasks.close()


def ended(words: str) -> tuple[agent.Process, subprocess.Popen[bytes]]:
    """A shell that was watched until its end, and is not reaped."""
    child = subprocess.Popen(["sh", "-c", f"read x; {words}"], stdin=subprocess.PIPE)
    process = watched(child.pid)
    assert not process.over(0.01)
    child.stdin.write(b"\n")
    child.stdin.close()
    assert process.over(10)
    return process, child


@pytest.fixture
def old_kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As before Linux 6.15: no pidfd tells an exit status."""
    monkeypatch.setattr(agent, "tells_exits", lambda: False)
    monkeypatch.setattr(agent.Process, "_reaped", lambda self: None)
    yield


@ends
def test_a_zombie_of_ours_tells_it(words: str, told: tuple[int, int | None]) -> None:
    """Nobody has reaped it yet."""
    process, child = ended(words)
    found = process.exit()
    let_go(process)
    child.wait()

    assert found[:2] == told and found[2] in ("zombie", "pidfd")


@ends
@pytest.mark.skipif(not agent.tells_exits(), reason="Linux before 6.15, or Python before 3.9")
def test_a_pidfd_tells_it_of_one_that_is_reaped(words: str, told: tuple[int, int | None]) -> None:
    """Of a stranger's, too."""
    process, child = ended(words)
    child.wait()
    found = process.exit()
    let_go(process)

    assert found == (*told, "pidfd")


@ends
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_the_messages_of_tasks_tell_it_to_root(old_kernel: None, words: str, told: tuple[int, int | None]) -> None:
    """Where a pidfd does not, and it is reaped."""
    process, child = ended(words)
    child.wait()
    if process.tasks is None:
        pytest.skip("this kernel has no taskstats for us")
    found = process.exit()
    let_go(process)

    assert found == (*told, "taskstats")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_message_that_came_long_ago_tells_it(old_kernel: None) -> None:
    """It comes before the process gives its memory back, which takes long where that is much or the machine is busy."""
    process, child = ended("exit 7")
    child.wait()
    if process.tasks is None:
        pytest.skip("this kernel has no taskstats for us")
    process.take()
    time.sleep(agent.LATE_S * 2)
    is_whole = process.account.shell.is_whole
    found = process.exit()
    let_go(process)

    assert found == ((7, None, "taskstats") if is_whole else (None, None, None))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_program_that_another_thread_began_tells_it(old_kernel: None) -> None:
    """As Go programs do: the main thread ends long before, and the other takes its place."""
    script = (
        "import os, threading, time\n"
        "words = ['sh', '-c', 'sleep 0.4; exit 5']\n"
        "threading.Thread(target=lambda: os.execv('/bin/sh', words)).start()\n"
        "time.sleep(9)\n"
    )
    found = end_of_program(script)

    assert found == (5, None, "taskstats")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_main_thread_that_leaves_first_tells_nothing(old_kernel: None) -> None:
    """Its message comes while the process lives; the others' end is not told by it."""
    script = (
        "import ctypes, threading, time, os\n"
        "threading.Thread(target=lambda: (time.sleep(0.5), os._exit(9))).start()\n"
        "ctypes.CDLL(None).pthread_exit(0)\n"
    )
    found = end_of_program(script)

    assert found == (None, None, None)


def end_of_program(script: str) -> tuple[int | None, int | None, str | None]:
    """How a Python program ended that was watched from its beginning, and is reaped."""
    child = subprocess.Popen([sys.executable, "-c", script])
    process = watched(child.pid)
    if process.tasks is None:
        child.kill()
        child.wait()
        pytest.skip("this kernel has no taskstats for us")
    while not process.over(0.05):
        pass
    child.wait()
    found = process.exit()
    let_go(process)
    return found


def test_without_any_source_it_is_not_known(old_kernel: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then Packer's words may tell it."""
    monkeypatch.setattr(agent.Tasks, "opened", classmethod(lambda cls: None))
    process, child = ended("exit 3")
    child.wait()
    found = process.exit()
    let_go(process)

    assert found == (None, None, None)


def test_without_pidfds_the_end_is_seen_by_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Python 3.6."""
    monkeypatch.setattr(agent.posix, "pidfd_open", None, raising=False)
    monkeypatch.setattr(agent, "tells_exits", lambda: False)
    monkeypatch.delattr(agent.posix, "pidfd_open")
    process, child = ended("exit 4")
    found = process.exit()
    let_go(process)
    child.wait()

    assert found == (4, None, "zombie")
