"""Learns the prefix that a CI, container tool or logger puts before each line.

The text before `NAME: output will be in this color.` and `==> NAME: ` is the same in every line, but for clocks,
counters and levels. Lines are held until the first of Packer's lines tells what stands before it, mostly nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from buildtel.parse.linetime import PrefixTime, Reader, RunningClock, clock_of
from buildtel.parse.phases import phase_of
from buildtel.parse.prefix import ANSI, LOG_UI, MACHINE_ONLY, strip_ansi, strip_prefixes
from buildtel.parse.provisioner_texts import provisioner_of
from buildtel.parse.record_line import MARK
from buildtel.parse.words import verdict

Numbered = tuple[int, bytes | None]

COLOUR_LINE = b" output will be in this color."
MAX_HELD_BYTES = 8 << 20
MAX_HELD_LINES = 50_000
MAX_PATTERNS = 8
MAX_PREFIX_BYTES = 400
_ANCHORS = (b"==> ", b"Build '", b"--> ")
_RUN_WORDS = (b"Wait completed after ", b"Builds finished", b"Some builds didn't complete successfully")
_SIMPLE_NAME = re.compile(rb"[\w.-]+")
_PACKERS_OWN = re.compile(
    rb"(?:\d{4}/\d\d/\d\d \d\d:\d\d:\d\d (?:ui(?: error)?: |(?=\d{9,11},)))?"
    rb"(?:\d{9,11},[^,]*,ui,(?:say|message|error),)?"
    rb"(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d): )?\Z"
)
_TOKEN = re.compile(
    rb"(?P<tai>@[0-9a-f]{24})"
    rb"|(?P<number> *\d+)"
    rb"|(?P<level>\b(?i:trace|debug|info|notice|warn|warning|err|error|fatal|crit|critical|stdout|stderr|out)\b)"
    rb"|(?P<name>\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b)"
    rb"|(?P<letter>\b[A-Z]\b)"
    rb"|(?P<space> +)"
    rb"|(?P<other>.)",
    re.S,
)
_GENERAL = {
    "tai": rb"@[0-9a-f]{24}", "number": rb" *\d+", "level": rb"[A-Za-z]+", "name": rb"[A-Z][a-z]{2}",
    "letter": rb"[A-Z]", "space": rb" +",
}  # fmt: skip
_WORDS = re.compile(rb"[0-9A-Za-z]+|.", re.S)


@dataclass(slots=True)
class Pattern:
    """A prefix in general form, and the clock in it."""

    matcher: re.Pattern[bytes]
    example: bytes
    clock: tuple[re.Pattern[bytes], Reader] | None


def generalised(prefix: bytes) -> bytes:
    """The pattern of all prefixes that differ from this one in numbers, levels and names of months only."""
    text = prefix.rstrip(b" \t")
    parts = [_GENERAL.get(found.lastgroup or "") or re.escape(found[0]) for found in _TOKEN.finditer(text)]
    blanks = re.escape(prefix[len(text) :])
    return b"".join(parts) + (b"(?:%s|\\s*\\Z)" % blanks if blanks else b"")


def pattern_of(prefix: bytes) -> Pattern:
    """The pattern of lines with a prefix like this one."""
    return Pattern(re.compile(generalised(prefix), re.S), prefix, clock_of(prefix))


class PrefixLearner:
    """Holds lines until it knows what stands before Packer's lines, then takes it off.

    `is_decided` is True once it knows; `failed` if Packer's words were seen, and what stands before them was not
    understood. A learned clock counts on from line to line.
    """

    def __init__(self) -> None:
        self.is_decided = False
        self.failed = False
        self._held: list[Numbered] = []
        self._held_bytes = 0
        self._declared: list[bytes] = []
        self._patterns: list[Pattern] = []
        self._clock = RunningClock()

    @property
    def is_prefixed(self) -> bool:
        """Whether lines have a prefix that `strip` takes off."""
        return bool(self._patterns)

    # Until it is decided.

    def hold(self, number: int, line: bytes | None) -> Iterator[Numbered]:
        """Take a line; yields all held lines once the prefix is decided.

        It is decided after 8 MiB or 50,000 lines without a line of Packer's, too: without a prefix.

        Args:
            number: the line's number in the log, from 1.
            line: its bytes without the newline; None for a line that was too long to keep.
        """
        self._held.append((number, line))
        if line is not None:
            self._held_bytes += len(line)
            self._look(line)
        if self._held_bytes > MAX_HELD_BYTES or len(self._held) > MAX_HELD_LINES:
            self.is_decided = True
        if self.is_decided:
            yield from self._released()

    def close(self) -> Iterator[Numbered]:
        """Take the end of the log; yields all held lines."""
        self.failed = not self.is_decided and self._saw_packer()
        self.is_decided = True
        yield from self._released()

    def _released(self) -> Iterator[Numbered]:
        held, self._held = self._held, []
        yield from held

    def _look(self, line: bytes) -> None:
        text, _, coloured = strip_ansi(line[: 1 << 16])
        if not (MARK in text or COLOUR_LINE in text or b"acker" in text or any(one in text for one in _ANCHORS)):
            return
        unprefixed = strip_prefixes(text)
        has_form = unprefixed.form in (LOG_UI, MACHINE_ONLY)
        only_packers = has_form or unprefixed.is_packers_log or unprefixed.text.startswith(MARK)
        if not unprefixed.noise and (only_packers or _is_bare(unprefixed.text, coloured)):
            self.is_decided = True
            indentation = text[: len(text) - len(text.lstrip(b" \t"))]
            if indentation:
                self._patterns.append(pattern_of(indentation))
        else:
            self._learn(text)

    def _learn(self, text: bytes) -> bool:
        """Whether this line tells the prefix, with what was seen before."""
        text = text.rstrip()
        if text.endswith(COLOUR_LINE):
            self._declared.append(text[: -len(COLOUR_LINE)].removesuffix(b":"))
            return False
        prefix = self._proven_prefix(text)
        if prefix is None:
            return False
        self.is_decided = True
        if prefix:
            self._patterns.append(pattern_of(prefix))
        return True

    def _proven_prefix(self, text: bytes) -> bytes | None:
        """What stands before Packer's part of a line that only Packer prints; None for another line."""
        at = text.find(b"==> ", 0, MAX_PREFIX_BYTES)
        if at >= 0:
            prefix, rest = _outer(text[:at]), text[at + 4 :]
            if rest.startswith(_RUN_WORDS) or self._is_declared(prefix, rest) or (
                not self._declared and _only_packer_says(rest)
            ):
                return prefix
        at = text.find(b"Build '", 0, MAX_PREFIX_BYTES)
        return _outer(text[:at]) if at >= 0 and verdict(text[at:]) else None

    def _is_declared(self, prefix: bytes, rest: bytes) -> bool:
        matcher = re.compile(generalised(prefix), re.S)
        for declared in self._declared:
            found = matcher.match(declared)
            name = declared[found.end() :] if found else b""
            name = name[_own_start(name) :]
            if name and rest.startswith((name + b":", name + b" (")):
                return True
        return False

    def _saw_packer(self) -> bool:
        if self._declared:
            return True
        texts = (strip_ansi(line[: 1 << 12])[0] for _, line in self._held if line is not None and b"==> " in line)
        return any(_only_packer_says(text.partition(b"==> ")[2]) for text in texts)

    # Once it is decided.

    def strip(self, line: bytes) -> tuple[bytes, float | None, float]:
        """(the line without its prefix, its undated time in s if it has one, the grain of that time)."""
        text = ANSI.sub(b"", line) if b"\x1b" in line else line
        found = self._match(text)
        if found is None:
            return line, None, 1.0
        pattern, end = found
        rest = line[_raw_index(line, end) :] if text is not line else line[end:]
        stated = _time(pattern, text[:end])
        if stated is None:
            return rest, None, 1.0
        if stated.stamp:
            return stated.stamp + b" " + rest, None, 1.0
        return rest, self._clock.seconds(stated), stated.resolution_s

    def _match(self, text: bytes) -> tuple[Pattern, int] | None:
        for pattern in self._patterns:
            found = pattern.matcher.match(text)
            if found:
                return pattern, found.end()
        at = text.find(b"==> ", 0, MAX_PREFIX_BYTES)
        if at > 0 and len(self._patterns) < MAX_PATTERNS:
            prefix = _outer(text[:at])
            likeness = self._like(prefix) if prefix else None
            if likeness is not None:
                self._patterns.append(likeness)
                return likeness, len(prefix)
        return None

    def _like(self, prefix: bytes) -> Pattern | None:
        """A pattern for this prefix and a known one that has the same signs in other words."""
        words = _WORDS.findall(prefix)
        for pattern in self._patterns:
            known = _WORDS.findall(pattern.example)
            pairs = list(zip(words, known, strict=False))
            alike = all(one == other or (_is_word(one) and _is_word(other)) for one, other in pairs)
            if len(known) == len(words) and alike:
                parts = [
                    re.escape(one) if one == other and not one[:1].isdigit() else rb"[0-9A-Za-z]+"
                    for one, other in pairs
                ]
                return Pattern(re.compile(b"".join(parts), re.S), prefix, pattern.clock)
        return None


def _is_word(text: bytes) -> bool:
    return text[:1].isalnum()


def _time(pattern: Pattern, prefix: bytes) -> PrefixTime | None:
    if pattern.clock is None:
        return None
    found = pattern.clock[0].search(prefix)
    try:
        return pattern.clock[1](found) if found else None
    except (ValueError, OverflowError):
        return None


def _outer(prefix: bytes) -> bytes:
    """What stands before Packer's own stamps."""
    return prefix[: _own_end(prefix)]


def _own_end(prefix: bytes) -> int:
    found = _PACKERS_OWN.search(prefix)
    return found.start() if found else len(prefix)


def _own_start(text: bytes) -> int:
    """Where a text goes on behind Packer's own stamps at its start."""
    return len(text) - len(strip_prefixes(text).text) if text[:1].isdigit() else 0


def _is_bare(text: bytes, coloured: bool) -> bool:
    """Whether only Packer writes such a line, and no prefix of another tool stands before it."""
    if text.endswith(COLOUR_LINE):
        return bool(_SIMPLE_NAME.fullmatch(text[: -len(COLOUR_LINE)].removesuffix(b":")))
    if text.startswith(b"==> "):
        return coloured or text[4:].startswith(_RUN_WORDS) or _only_packer_says(text[4:])
    return text.startswith(b"Build '") and verdict(text) is not None


def _only_packer_says(rest: bytes) -> bool:
    """Whether `NAME: message` has a message that only Packer prints."""
    at = rest.find(b": ")
    while 0 < at < MAX_PREFIX_BYTES:
        message = rest[at + 2 :]
        if phase_of(message) or provisioner_of(message, None) or message.startswith((b"Connected to SSH!", MARK)):
            return True
        at = rest.find(b": ", at + 1)
    return False


def _raw_index(line: bytes, plain_bytes: int) -> int:
    """Where in `line` the text goes on after so many bytes that are no escape sequence."""
    at = seen = 0
    for found in ANSI.finditer(line):
        if seen + found.start() - at >= plain_bytes:
            break
        seen += found.start() - at
        at = found.end()
    return at + plain_bytes - seen
