"""Other builds on the runner: real processes that are named as Packer and QEMU."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from buildtel.capture.beside import PACKER, Beside
from buildtel.capture.family import Seen, look, sees_all

pytestmark = pytest.mark.skipif(not sees_all(), reason="other users' processes can't be seen here")


class Others:
    """Processes in a folder of their own; what else is named so on this machine is none of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in (PACKER, "qemu-system-x86_64"):
            shutil.copy(shutil.which("dash") or "/bin/sh", folder / name)

    def start(self, words: str) -> None:
        """Runs words of sh as a process that is none below this one."""
        subprocess.run(["setsid", "--fork", "sh", "-c", words], check=True, stdout=subprocess.DEVNULL)
        time.sleep(0.3)

    def is_one(self, pid: int) -> bool:
        """Whether its program is in the folder."""
        with suppress(OSError):
            return Path(f"/proc/{pid}/exe").readlink().is_relative_to(self.folder)
        return False

    def seen(self) -> dict[int, Seen]:
        """All processes but Packers and machines of others."""
        return {
            pid: one for pid, one in look().items() if self.is_one(pid) or not (one.name == PACKER or one.is_machine)
        }


@pytest.fixture
def others(tmp_path: Path) -> Iterator[Others]:
    """A Packer with a QEMU below it, and a QEMU of nobody's, which computes."""
    found = Others(tmp_path)
    machine = f"{tmp_path}/qemu-system-x86_64 -c"
    found.start(f"""exec {tmp_path}/packer -c '{machine} "sleep 20; :" & wait'""")
    found.start(f"exec {machine} 'while :; do :; done'")
    yield found
    for pid in look():
        if found.is_one(pid):
            os.kill(pid, 9)


def test_trees_and_machines_are_counted_once_with_their_cpu_time(others: Others) -> None:
    """The QEMU below that Packer belongs to its tree; the CPU time grows at each sample between two looks."""
    beside = Beside()
    assert beside.counters() is None
    beside.look(others.seen(), {os.getpid()})
    first = beside.counters() or []
    time.sleep(0.6)
    second = beside.counters() or []

    assert first[:2] == second[:2] == [1, 1]
    assert 60 <= (second[2] or 0) - (first[2] or 0) <= 1500


def test_our_own_build_is_none_of_them(others: Others) -> None:
    """Neither what is ours, nor a Packer that runs us."""
    own, around, seen = Beside(), Beside(), others.seen()
    own.look(seen, {os.getpid(), *(pid for pid in seen if others.is_one(pid))})
    seen[os.getppid()].name = PACKER
    around.look({pid: one for pid, one in seen.items() if not others.is_one(pid)}, {os.getpid()})

    assert (own.counters() or [])[:2] == (around.counters() or [])[:2] == [0, 0]
