"""Skips whole runs of lines that can't give an event.

A run is a stretch of lines that all begin with the tag of a build, or are all of the debug log, or hold no word of
Packer's. The tests here are stricter than the LineFilter's: what they do not pass over is looked at line by line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache

from buildtel.parse.names import PassedNames
from buildtel.parse.output_signs import SIGN_STARTS, behind_colon
from buildtel.parse.phases import PHASE_SIGN, PHASE_TEXTS
from buildtel.parse.prefix import COLOUR, ISO, UI_LOG, ZONED
from buildtel.parse.provisioner_texts import PROVISIONER_TEXTS
from buildtel.parse.skip import DEBUG_LINE, PACKER_EVENTS
from buildtel.parse.units import UNIT_TEXTS, Hears

_MAX_PATTERNS = 50
_LOUD, _QUIET, _EITHER = rb"==> ", rb"    ", rb"(?:==> |    )"
_RED = rb"\x1b\[1;31m"
_COLOURED = rb"(?:%s)?" % COLOUR
_ZONED = re.compile(ZONED)
_COLOUR_BYTES = 7
_TEXT_BYTES = 12  # of a text of Packer's, which an expression for all of them has
_ESCAPE = 0x1B
_NEVER = rb"(?!)"
LEAST_BYTES = 64 << 10  # of a block that is worth it
# A line that has one of these is looked at by itself, whatever it begins with.
_SIGNS = (b"BUILDTEL", b"\x00", b"\\n", b"\x1b_bk;", PHASE_SIGN)
_REWRITTEN = re.compile(rb"\r[^\n]")


class Head(Enum):
    """What a line begins with, behind a colour."""

    BARE = auto()  # no time
    PACKERS = auto()  # a time of Packer's
    ZONED = auto()  # another one, which a CI, a wrapper or a container wrote


class Patterns:
    """What finds the end of a run, for the names and for what is heard now."""

    def __init__(self, names: PassedNames, hears: Callable[[], Hears]) -> None:
        self._names = names
        self._hears = hears
        self._made: dict[tuple[int, Hears, Head], re.Pattern[bytes]] = {}

    def now(self, head: Head) -> re.Pattern[bytes]:
        """The pattern for a run whose lines all begin with `head`."""
        key = self._names.version, self._hears(), head
        found = self._made.get(key)
        if found is None:
            if len(self._made) > _MAX_PATTERNS:
                self._made.clear()
            found = self._made[key] = _pattern(self._names, key[1], head)
        return found


@dataclass(frozen=True, slots=True)
class Run:
    """Lines to pass over: where the next line begins, and whether all of them have a time, none, or it is not known."""

    end: int
    stamped: bool | None


class Block:
    """Whole lines, each with its newline; `data` begins with one newline more."""

    def __init__(self, data: bytes) -> None:
        self.data = b"\n" + data
        self._is_large = len(data) >= LEAST_BYTES
        self._signs = _Ahead(self.data, _SIGNS, (_REWRITTEN, _starting()) if self._is_large else ())
        self._telling = _Ahead(self.data, PACKER_EVENTS)

    def run(self, at: int, patterns: Patterns, *, tagged_only: bool) -> Run | None:
        """The run that begins with a line; None if that line must be parsed by itself.

        Args:
            at: the index in `data` where the line begins.
            patterns: finds the end of the run.
            tagged_only: parse lines without any text of Packer's by themselves, too: they may be wrapped lines.
        """
        end = self._line_of(self._signs.after(at)) if self._is_large else at
        if end <= at:
            return None
        head = self._head(at)
        found = patterns.now(head).search(self.data, at - 1, end)
        tagged_end = found.start() + 1 if found else end
        if tagged_end > at:
            return Run(tagged_end, head is not Head.BARE)
        if tagged_only:
            return None
        other_end = min(end, self._line_of(self._telling.after(at)))
        return Run(other_end, None) if other_end > at else None

    def _head(self, at: int) -> Head:
        """What the line at the index `at` begins with."""
        at += _COLOUR_BYTES if self.data[at] == _ESCAPE else 0
        if not self.data[at : at + 1].isdigit():
            return Head.BARE
        return Head.ZONED if _ZONED.match(self.data, at) else Head.PACKERS

    def _line_of(self, at: int) -> int:
        return self.data.rfind(b"\n", 0, at) + 1


class _Ahead:
    """Where in `data` the next of some texts or expressions stands; asked for in ascending order."""

    def __init__(self, data: bytes, texts: Iterable[bytes], forms: Iterable[re.Pattern[bytes]] = ()) -> None:
        self._data = data
        self._next: dict[bytes | re.Pattern[bytes], int] = dict.fromkeys((*texts, *forms), -1)
        self._nearest = -1

    def after(self, at: int) -> int:
        """The first place from `at` on; the length of the data if there is none."""
        if self._nearest < at:
            for one, place in self._next.items():
                if place < at:
                    self._next[one] = self._find(one, at)
            self._nearest = min(self._next.values())
        return self._nearest

    def _find(self, one: bytes | re.Pattern[bytes], at: int) -> int:
        if isinstance(one, bytes):
            place = self._data.find(one, at)
        else:
            found = one.search(self._data, at)
            place = found.start() if found else -1
        return place if place >= 0 else len(self._data)


def _pattern(names: PassedNames, hears: Hears, head: Head) -> re.Pattern[bytes]:
    """Finds the newline before the first line that is no part of a run.

    The first line with four spaces of a build tells that Packer is old. Errors, in red, begin no phase.
    """
    own = _EITHER if hears.is_old else _LOUD
    marked, bare = [_QUIET if heard else own for heard in (hears.marked, hears.bare)]
    known, candidates = _forms(head, marked, bare)
    ways = _way(candidates, names.packer_only)
    if head is Head.BARE:
        ways += _way([_EITHER], names.bare)
    else:
        ways.append(DEBUG_LINE)
    if head is Head.BARE or not hears.first:
        ways += _way(known, names.begun)
    return re.compile(rb"\n(?!%s)" % (b"|".join(ways) or _NEVER))


def _forms(head: Head, marked: bytes, bare: bytes) -> tuple[list[bytes], list[bytes]]:
    """What stands before the name in lines of known builds and of candidates.

    Args:
        head: what the lines begin with.
        marked: the tag of a line in Packer's colour or in a log.
        bare: the tag of a line that is neither.
    """
    known, candidates = [bare, COLOUR + marked, _RED + _LOUD], [_COLOURED + _EITHER]
    if head is Head.BARE:
        return known, candidates
    timed = [ISO + bare, COLOUR + ISO + marked, UI_LOG + _COLOURED + marked, _RED + ISO + _LOUD]
    others = [_COLOURED + ISO + _EITHER, UI_LOG + _COLOURED + _EITHER]
    if head is Head.PACKERS:
        return timed, others
    return [ZONED + _one_of([*timed, *known])], [ZONED + _one_of([*others, *candidates])]


def _one_of(forms: Iterable[bytes]) -> bytes:
    return rb"(?:%s)" % b"|".join(forms)


def _way(forms: list[bytes], names: Collection[bytes]) -> list[bytes]:
    simple = sorted(name for name in names if b": " not in name)
    return [_one_of(forms) + _one_of(map(re.escape, simple)) + b": "] if simple else []


@cache
def _starting() -> re.Pattern[bytes]:
    """Finds what begins like a text of Packer's own, or a sign in output. It takes 15 ms, so only long logs make it."""
    texts = {*PHASE_TEXTS, *PROVISIONER_TEXTS, *UNIT_TEXTS, b"[c] Cl", *SIGN_STARTS}
    any_start = _any_of({text[:_TEXT_BYTES] for text in texts})
    return behind_colon(any_start.removeprefix(b"(?:").removesuffix(b")"), {text[:1] for text in texts})


def _any_of(texts: Collection[bytes]) -> bytes:
    """An expression for what begins with one of some texts: it looks at each byte of a line once."""
    if not texts or b"" in texts:
        return b""
    rests: dict[bytes, list[bytes]] = {}
    for text in texts:
        rests.setdefault(text[:1], []).append(text[1:])
    return rb"(?:%s)" % b"|".join(re.escape(first) + _any_of(more) for first, more in sorted(rests.items()))
