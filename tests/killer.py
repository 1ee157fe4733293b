"""Which processes are buildtel's own, and what kills a random one of them at a random moment."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HOME = "/var/tmp/buildtel"
ACTIONS = (b"tell", b"watch", b"life", b"finish")
PAUSE_S = (0.001, 0.1)


@dataclass(frozen=True)
class Process:
    """A process of the agent's: its number on this side, and its part in the work."""

    pid: int
    part: str


def ours(home: str = HOME, space: Path = Path("/proc/self/ns/pid")) -> list[Process]:
    """The processes of the agent that is installed in `home`, in the PID namespace that `space` is a link to.

    Not install: without it nothing of ours would be there. A login shell has our path within its command, and a `run`
    is the step itself: neither is ours. A `life` below another one is the `holder` of a step's output.
    """
    lines = dict(_command_lines(space.readlink()))
    found = {pid: action for pid, line in lines.items() if (action := action_of(line, home))}
    return [Process(pid, _part(pid, action, found)) for pid, action in found.items()]


def action_of(line: bytes, home: str) -> str:
    """What a command line makes the agent do, "" where it is of no process of ours.

    `python -I -S FILE ACTION`, `sh FILE ACTION`, and `sh -c TEXT FILE ACTION`, which reads the file.
    """
    program, *words = line.split(b"\0")
    name = program.rpartition(b"/")[2]
    at = 2 if name.startswith(b"python") or words[:1] == [b"-c"] else 0
    if not name.startswith((b"python", b"sh", b"dash")) or len(words) < at + 2:
        return ""
    file, action = words[at : at + 2]
    return action.decode() if file.startswith(home.encode() + b"/") and action in ACTIONS else ""


def _command_lines(space: Path) -> Iterator[tuple[int, bytes]]:
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and (entry / "ns/pid").readlink() == space:
                yield int(entry.name), (entry / "cmdline").read_bytes()


def _part(pid: int, action: str, found: dict[int, str]) -> str:
    with contextlib.suppress(OSError):
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        return "holder" if action == "life" == found.get(parent) else action
    return action


class Killer(threading.Thread):
    """Kills one process of ours after another, until the build is over or enough are killed.

    Args:
        seed: of the random choice and pauses.
        kills: so many at most.
        home: the folder that the agent is installed in.
    """

    def __init__(self, seed: int, kills: int, home: str = HOME) -> None:
        super().__init__(daemon=True)
        self.random, self.kills, self.home = random.Random(seed), kills, home
        self.space = Path("/proc/self/ns/pid")
        self.killed: Counter[str] = Counter()  # by part
        self.over = threading.Event()

    def begin(self, pid: int) -> None:
        """From now on, in the PID namespace of a process."""
        self.space = Path(f"/proc/{pid}/ns/pid")
        self.start()

    def run(self) -> None:
        """As the class says."""
        while self.killed.total() < self.kills and not self.over.wait(self.random.uniform(*PAUSE_S)):
            found = ours(self.home, self.space)
            if found:
                self.kill(self.random.choice(found))

    def kill(self, process: Process) -> None:
        """One, if it is still there."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
            self.killed[process.part] += 1

    def end(self) -> None:
        """No more."""
        self.over.set()
        self.join()
