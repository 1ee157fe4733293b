"""Keeps the last lines of output of each build, which may tell why it failed."""

from __future__ import annotations

import re
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

    def add(self, line: bytes, found: re.Match[bytes] | None) -> None:
        """Keep a line if it is output of a build.

        Args:
            line: the line without its newline.
            found: its match with `NAMED_LINE`.
        """
        if found is not None and found[1] in self._names and b"BUILDTEL:" not in line:
            kept = self._of(found[1])
            if kept is not None:
                kept.append(_text_of(line, found))

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


def _text_of(line: bytes, found: re.Match[bytes]) -> bytes:
    """The text behind the name of a build, without the end of a very long one."""
    return line[found.end() : found.end() + LONGEST_BYTES]


def _last_of(name: bytes, data: bytes, start: int, end: int) -> list[bytes]:
    """The last lines of a build in a run, the oldest first."""
    lines: list[bytes] = []
    while len(lines) < KEPT_LINES and (place := data.rfind(name + b": ", start, end)) >= 0:
        end = max(data.rfind(b"\n", start, place) + 1, start)
        line = data[end : data.index(b"\n", place)]
        found = NAMED_LINE.match(line)
        if found is not None and found[1] == name and b"BUILDTEL:" not in line:
            lines.append(_text_of(line, found))
    return lines[::-1]
