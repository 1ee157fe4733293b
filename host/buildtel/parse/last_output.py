"""Keeps the last lines of output of each build, which may tell why it failed."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from buildtel.parse.prefix import strip_ansi
from buildtel.parse.skip import NAMED_LINE

TOLD_LINES = 20
KEPT_LINES = 60  # some may be of the agent's block around a step
LONGEST_BYTES = 2000
_MAX_NAMES = 100
_BLOCK_LINES = 20
_CLOCK, _DOUBLE, _SINGLE = "\u23f1", "\u2550" * 71, "\u2500" * 71  # guest/parts/people.py
_MOST_CHARS = 4000  # of the lines of one provisioner


@dataclass(slots=True)
class _Kept:
    """The last lines of a build, and how many of them came since its last provisioner began."""

    lines: deque[bytes] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))
    new: int = 0

    def extend(self, lines: list[bytes]) -> None:
        self.lines.extend(lines)
        self.new = min(self.new + len(lines), KEPT_LINES)


class LastOutput:
    """Keeps the last lines of output for each of the first 100 builds of a run.

    The block that an agent writes around a step is no output of its provisioner.

    Args:
        names: the builds that are known; whoever gave them may change them.
    """

    def __init__(self, names: Collection[bytes]) -> None:
        self._names = names
        self._kept: dict[bytes, _Kept] = {}

    def add(self, line: bytes, found: re.Match[bytes] | None) -> bool:
        """Keep a line if it is output of a build; whether it is.

        Args:
            line: the line without its newline.
            found: its match with `NAMED_LINE`.
        """
        if found is None or found[1] not in self._names or b"BUILDTEL:" in line:
            return False
        kept = self._of(found[1])
        if kept is not None:
            kept.extend([_text_of(line, found)])
        return True

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
        return [(name.decode("utf-8", "replace"), _shown(of.lines)[-TOLD_LINES:]) for name, of in sorted(kept.items())]

    def begin(self, name: str) -> None:
        """A provisioner of a build begins: what the build printed before is not its output."""
        kept = self._kept.get(name.encode())
        if kept is not None:
            kept.new = 0

    def of_provisioner(self, name: str, *, but_last: bool) -> tuple[str, ...]:
        """What a build printed last since its last provisioner began: no more than 20 lines and 4,000 characters.

        Args:
            name: the build.
            but_last: whether the last line is Packer's, on the provisioner's end.
        """
        kept = self._kept.get(name.encode())
        if kept is None:
            return ()
        end = len(kept.lines) - but_last
        lines = _shown(list(kept.lines)[max(len(kept.lines) - kept.new, 0) : end])[-TOLD_LINES:]
        room, count = _MOST_CHARS, 0
        for line in reversed(lines):
            room -= len(line) + 1
            count += room >= 0
        return lines[len(lines) - count :] if count else tuple(line[-_MOST_CHARS:] for line in lines[-1:])

    def _of(self, name: bytes) -> _Kept | None:
        if name not in self._kept and len(self._kept) >= _MAX_NAMES:
            return None
        return self._kept.setdefault(name, _Kept())


def _shown(lines: Iterable[bytes]) -> tuple[str, ...]:
    """The lines as text, without colours, Packer's escapes and the agent's blocks."""
    texts = [
        strip_ansi(line)[0].replace(b"%!(PACKER_COMMA)", b",").decode("utf-8", "replace").rstrip("\r") for line in lines
    ]
    shown: list[str] = []
    at = 0
    while at < len(texts):
        end = _block_end(texts, at)
        if end is None:
            shown.append(texts[at])
        at = at + 1 if end is None else end
    return tuple(shown)


def _block_end(texts: list[str], at: int) -> int | None:
    """Where the block that an agent wrote around a step ends, if one begins here."""
    for rule, word, last in ((_DOUBLE, "] START: ", _SINGLE), (_SINGLE, "] END: ", _DOUBLE)):
        if texts[at] == rule and at + 1 < len(texts) and word in texts[at + 1] and texts[at + 1].startswith(_CLOCK):
            ends = [place for place, text in enumerate(texts[at : at + _BLOCK_LINES], at) if text == last]
            return ends[0] + 1 if ends else None
    return None


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
