"""What runs on this machine for Packer right now: the process of its tree that uses most CPU, the files it reads."""

from __future__ import annotations

import os
from collections.abc import Callable

from buildtel.live.read_so_far import read_so_far
from buildtel_agent import Tree, read_file

EVERY_S = 2.0
LEAST_PERCENT = 1.0
_PACKER = b"packer"  # its own processes and its plugins


class Busiest:
    """Looks at the tree of a process every two seconds, while a view is drawn; costs a few reads of /proc for each.

    Args:
        root: gives the process id of the tree's root, 0 while there is none.
    """

    def __init__(self, root: Callable[[], int]) -> None:
        self._root = root
        self._tree: Tree | None = None
        self._looked_s: float | None = None
        self._ticks: dict[tuple[int, bytes], int] = {}
        self._words = ""

    def words(self, now_s: float) -> str:
        """`gcc 98%` (100 is one CPU); empty where nothing of it uses the CPU.

        Args:
            now_s: the time, seconds of the monotonic clock.
        """
        if self._looked_s is None or now_s - self._looked_s >= EVERY_S:
            self._look(now_s)
        return self._words

    def read_so_far(self, size_bytes: int) -> int | None:
        """How far a process of the tree, as it was looked at last, has read the one open file of a size.

        Args:
            size_bytes: the file's size.
        """
        return None if self._tree is None else read_so_far(self._tree.known, size_bytes)

    def _look(self, now_s: float) -> None:
        pid = self._root()
        if self._tree is None or self._tree.pid != pid:
            self._tree, self._ticks, self._looked_s = Tree(pid), {}, None
        if not pid:
            return
        self._tree.look()
        names = {
            (number, one.birth): one.name
            for number, one in self._tree.known.items()
            if number != pid and not one.name.startswith(_PACKER)
        }
        ticks = {(number, one.birth): one.own_ticks for number, one in self._tree.known.items()}
        self._words = ""
        if self._looked_s is not None and names:
            used = {key: ticks[key] - self._ticks.get(key, 0) for key in names}
            most = max(used, key=lambda key: used[key])
            percent = 100 * used[most] / self._tree.hz / (now_s - self._looked_s)
            name = names[most].decode("utf-8", "replace")
            self._words = f"{name} {percent:.0f}%" if percent >= LEAST_PERCENT else ""
        self._ticks, self._looked_s = ticks, now_s


def holder_of_lock(fd: int) -> int:
    """The process that holds a lock (flock) of an open file; 0 where that is not known. Source: /proc/locks."""
    inode = b":%d" % os.fstat(fd).st_ino
    for line in read_file("/proc/locks", 1 << 20).splitlines():
        fields = line.split()
        if len(fields) > 5 and fields[1] == b"FLOCK" and fields[5].endswith(inode) and fields[4].isdigit():
            return int(fields[4])
    return 0
