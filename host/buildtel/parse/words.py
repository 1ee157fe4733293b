"""Packer's own words for durations and ends of builds."""

from __future__ import annotations

import re

_UNIT_S = {
    b"year": 31_536_000.0,
    b"week": 604_800.0,
    b"day": 86_400.0,
    b"hour": 3_600.0,
    b"minute": 60.0,
    b"second": 1.0,
    b"millisecond": 1e-3,
    b"microsecond": 1e-6,
}
_AMOUNT = re.compile(rb"(\d{1,12}) (year|week|day|hour|minute|second|millisecond|microsecond)s?\b")
_VERDICT = re.compile(
    rb"Build '(.+?)' (?:(finished)(?: after ([^.:]+))?\.?\s*$|(errored)(?: after ([^:]+))?: ?(.*))", re.S
)
_CANCEL_WORDS = (b"context canceled", b"was cancelled", b"was canceled", b"interrupted", b"build cancelled")


def duration_s(text: bytes) -> float | None:
    """Seconds of a duration as packer prints it (`3 minutes 12 seconds`), None if there is none in it."""
    amounts = _AMOUNT.findall(text)
    if not amounts:
        return None
    return round(sum(int(number) * _UNIT_S[unit] for number, unit in amounts), 6)


def verdict(text: bytes) -> tuple[bytes, float | None, bytes | None] | None:
    """(target, duration in seconds, error) of a `Build '…' finished` or `errored` line; error None if it finished."""
    found = _VERDICT.match(text)
    if not found:
        return None
    name, finished, finished_after, _errored, errored_after, error = found.groups()
    if finished:
        return name, duration_s(finished_after or b""), None
    return name, duration_s(errored_after or b""), error


def says_cancelled(error: bytes) -> bool:
    """Whether an error text is that of a build that was told to stop."""
    lowered = error.lower()
    return any(word in lowered for word in _CANCEL_WORDS)
