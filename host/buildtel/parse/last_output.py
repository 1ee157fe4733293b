"""Keeps the last lines of output of each build, which may tell why it failed."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection

from buildtel.parse.prefix import strip_ansi
from buildtel.parse.skip import NAMED_LINE

KEPT_LINES = 20
LONGEST_BYTES = 2000
_MAX_NAMES = 100


class LastOutput:
    """Keeps `KEPT_LINES` lines for each of the first 100 builds of a run.

    Args:
        names: the builds that are known; whoever gave them may change them.
    """

    def __init__(self, names: Collection[bytes]) -> None:
        self._names = names
        self._kept: dict[bytes, deque[bytes]] = {}

    def add(self, line: bytes) -> None:
        """Take one line, without its newline."""
        found = _text_of(line)
        if found is not None and found[0] in self._names:
            kept = self._of(found[0])
            if kept is not None:
                kept.append(found[1])

    def add_run(self, data: bytes, start: int, end: int) -> None:
        """Take whole lines at once: the part of `data` from `start` to `end`, which stands behind a newline."""
        for name in self._names:
            lines = _last_of(name, data, start, end)
            kept = self._of(name) if lines else None
            if kept is not None:
                kept.extend(lines)

    def take(self) -> list[tuple[str, tuple[str, ...]]]:
        """The builds with their last lines, by name; forgets them."""
        kept, self._kept = self._kept, {}
        return [
            (name.decode("utf-8", "replace"), tuple(strip_ansi(line)[0].decode("utf-8", "replace") for line in lines))
            for name, lines in sorted(kept.items())
        ]

    def _of(self, name: bytes) -> deque[bytes] | None:
        if name not in self._kept and len(self._kept) >= _MAX_NAMES:
            return None
        return self._kept.setdefault(name, deque(maxlen=KEPT_LINES))


def _text_of(line: bytes) -> tuple[bytes, bytes] | None:
    """The name and the text of a line of output; None for others, and for a record of an agent."""
    found = NAMED_LINE.match(line)
    if found is None or b"BUILDTEL:" in line:
        return None
    return found[1], line[found.end() : found.end() + LONGEST_BYTES]


def _last_of(name: bytes, data: bytes, start: int, end: int) -> list[bytes]:
    """The last lines of a build in a run, the oldest first."""
    lines: list[bytes] = []
    while len(lines) < KEPT_LINES and (place := data.rfind(name + b": ", start, end)) >= 0:
        end = max(data.rfind(b"\n", start, place) + 1, start)
        found = _text_of(data[end : data.index(b"\n", place)])
        if found is not None and found[0] == name:
            lines.append(found[1])
    return lines[::-1]
