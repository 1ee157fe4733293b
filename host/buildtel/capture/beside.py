"""Counts other builds on this machine while Packer runs: other trees of Packer's, and hypervisors of none."""

from __future__ import annotations

import os

from buildtel.capture.family import Seen, descends, stat

TYPE_CHECKING = False
if TYPE_CHECKING:  # Packer's start does not wait for it
    from collections.abc import Collection

PACKER = "packer"
MOST = 40


class Beside:
    """Other builds as looks see them: how many, and the CPU time of their processes since each was first seen.

    Sampled: a process that no look saw is missing. Of the busiest `MOST` each sample reads the CPU time anew.
    """

    def __init__(self) -> None:
        self._first: dict[tuple[int, int], int] = {}  # CPU ticks by pid and start
        self._last: dict[tuple[int, int], int] = {}
        self._living: list[int] = []
        self._now: tuple[int, int] | None = None

    def look(self, seen: dict[int, Seen], ours: Collection[int]) -> None:
        """Take a look in.

        Args:
            seen: every process of the machine, by pid.
            ours: the pids of this build: this process with all below it, and its hypervisors.
        """
        tops = {pid: top for pid in seen if (top := _top(pid, seen, ours))}
        for pid in tops:
            self._take(pid, seen[pid])
        self._living = sorted(tops, key=lambda pid: seen[pid].cpu_ticks, reverse=True)[:MOST]
        roots = set(tops.values())
        packers = sum(seen[pid].name == PACKER for pid in roots)
        self._now = packers, len(roots) - packers

    def counters(self) -> list[int | None] | None:
        """`[trees of Packer's, hypervisors of no such tree, CPU time in ms]`; None before a look."""
        if self._now is None:
            return None
        for pid in self._living:
            found = stat(pid)
            one = Seen(*found) if found else None
            if one is not None and (pid, one.start_ticks) in self._first:
                self._take(pid, one)
        ticks = sum(self._last.values()) - sum(self._first.values())
        return [*self._now, ticks * 1000 // os.sysconf("SC_CLK_TCK")]

    def _take(self, pid: int, one: Seen) -> None:
        key = pid, one.start_ticks
        self._first.setdefault(key, one.cpu_ticks)
        self._last[key] = one.cpu_ticks


def _top(pid: int, seen: dict[int, Seen], ours: Collection[int]) -> int:
    """The topmost process of another build that a process belongs to; 0 for one of none, of ours, or around us."""
    found = 0
    for _ in range(len(seen)):
        if pid in ours or pid not in seen:
            break
        if seen[pid].name == PACKER or seen[pid].is_machine:
            found = pid
        pid = seen[pid].parent
    is_ours = pid in ours or (found and descends(os.getpid(), found, seen))
    return 0 if is_ours else found
