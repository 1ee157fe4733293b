"""Reads time stamps at the start of a line: with or without date and zone, or relative."""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

DAY_S = 86_400
YEARLESS = 1972  # a leap year stands for the year that a stamp does not name
_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_MONTH = rb"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_TIME = rb"(\d{1,2}):(\d\d):(\d\d)(?:[.,](\d{1,9}))?"
_ZONE = rb"(?: ?(Z|UTC|[+-]\d\d:?\d\d)(?![\w:]))?"
_TAI_OFFSET_S = (1 << 62) + 10


@dataclass(frozen=True, slots=True)
class PrefixTime:
    """A time that a prefix states.

    Attributes:
        stamp: the whole date and time as `2024-11-25T01:02:03.123Z`, the zone only where it is stated; else empty.
        seconds: where there is no date or no year: seconds since an unknown day, year or start.
        resolution_s: the grain of `seconds`.
    """

    stamp: bytes = b""
    seconds: float = 0.0
    resolution_s: float = 1.0


Reader = Callable[[re.Match[bytes]], PrefixTime | None]


def _dated(year: bytes, month: int, day: bytes, clock: tuple[bytes, ...], zone: bytes | None) -> PrefixTime:
    hour, minute, second, fraction = clock
    text = b"%04d-%02d-%02dT%02d:%s:%s" % (int(year), month, int(day), int(hour), minute, second)
    return PrefixTime(text + (b"." + fraction if fraction else b"") + (b"Z" if zone == b"UTC" else zone or b""))


def _iso(found: re.Match[bytes]) -> PrefixTime:
    year, month, day, *clock, zone = found.groups()
    return _dated(year, int(month), day, tuple(clock), zone)


def _day_first(found: re.Match[bytes]) -> PrefixTime:
    day, month, year, *clock, zone = found.groups()
    return _dated(year, _MONTHS.index(month) + 1, day, tuple(clock), zone)


def _year_last(found: re.Match[bytes]) -> PrefixTime:
    month, day, *clock, zone, year = found.groups()
    return _dated(year, _MONTHS.index(month) + 1, day, tuple(clock), zone)


def _yearless(found: re.Match[bytes]) -> PrefixTime | None:
    month, day, hour, minute, second, fraction = found.groups()
    if not 1 <= int(day) <= 31:
        return None
    whole = calendar.timegm((YEARLESS, _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second)))
    return _counted(whole, fraction)


def _tai(found: re.Match[bytes]) -> PrefixTime | None:
    seconds = int(found[1][:16], 16) - _TAI_OFFSET_S
    return _epoch_stamp(seconds, int(found[1][16:], 16) // 1000) if seconds > 0 else None


def _epoch(found: re.Match[bytes]) -> PrefixTime:
    fraction = (found[2] or b"").ljust(6, b"0")[:6]
    return _epoch_stamp(int(found[1]), int(fraction))


def _epoch_stamp(seconds: int, microseconds: int) -> PrefixTime:
    year, month, day, hour, minute, second, *_ = time.gmtime(seconds)
    return PrefixTime(b"%04d-%02d-%02dT%02d:%02d:%02d.%06dZ" % (year, month, day, hour, minute, second, microseconds))


def _time_of_day(found: re.Match[bytes]) -> PrefixTime:
    hour, minute, second, fraction = found.groups()
    return _counted(int(hour) * 3600 + int(minute) * 60 + int(second), fraction)


def _seconds(found: re.Match[bytes]) -> PrefixTime:
    return _counted(int(found[1]), found[2])


def _counted(whole: int, fraction: bytes | None) -> PrefixTime:
    digits = fraction or b""
    return PrefixTime(b"", whole + (int(digits) / 10 ** len(digits) if digits else 0.0), 10.0 ** -len(digits))


# The first form that is in a prefix is its clock.
FORMS: tuple[tuple[re.Pattern[bytes], Reader], ...] = (
    (re.compile(rb"(?<!\d)(\d{4})[-/](\d\d)[-/](\d\d)[T _]" + _TIME + _ZONE), _iso),
    (re.compile(rb"(?<!\d)(\d{1,2})[-/ ]" + _MONTH + rb"[-/ ](\d{4})[ :T]" + _TIME + _ZONE), _day_first),
    (re.compile(_MONTH + rb" {1,2}(\d{1,2}) " + _TIME + _ZONE + rb" (\d{4})(?!\d)"), _year_last),
    (re.compile(_MONTH + rb" {1,2}(\d{1,2}) " + _TIME + rb"(?!\d)"), _yearless),
    (re.compile(rb"@([0-9a-f]{24})"), _tai),
    (re.compile(rb"(?<![\d.])(1[0-9]{9})(?:\.(\d{1,9}))?(?![\d.])"), _epoch),
    (re.compile(rb"(?<![\d:.])(\d{1,3}):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?![\d:])"), _time_of_day),
    (re.compile(rb"(?<![\w.])(\d{1,7})\.(\d{1,9})(?![\d.])"), _seconds),
)  # fmt: skip


def clock_of(prefix: bytes) -> tuple[re.Pattern[bytes], Reader] | None:
    """The form of the clock in a prefix, None if there is none."""
    return next((form for form in FORMS if (found := form[0].search(prefix)) and _is_valid(form[1], found)), None)


def _is_valid(reader: Reader, found: re.Match[bytes]) -> bool:
    try:
        return reader(found) is not None
    except (ValueError, OverflowError):
        return False


class RunningClock:
    """Counts a clock that states no date on: over midnight, or over the end of a year."""

    def __init__(self) -> None:
        self._last_s: float | None = None
        self._added_s = 0.0

    def seconds(self, stated: PrefixTime) -> float:
        """Seconds since the first day, year or start that this clock told."""
        period_s = 366 * DAY_S if stated.seconds > 10 * DAY_S else DAY_S
        found = stated.seconds + self._added_s
        if self._last_s is not None and self._last_s - found > period_s / 2:
            self._added_s += period_s
            found += period_s
        self._last_s = found
        return found
