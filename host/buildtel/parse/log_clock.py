"""Combines the stamps of a line to one time, and learns the time zone of stamps without one."""

from __future__ import annotations

import calendar
import re
from collections import Counter

from buildtel.events import When
from buildtel.parse.prefix import UnprefixedLine

QUARTER_S = 900
AGREE_S = 2.0
NEIGHBOURS = 2  # lines between two that are compared, at most
LEAST_SHARE = 0.1
_FARTHEST_S = 14 * 3600


class LogClock:
    """Turns the stamps of a line into one `When`, and learns the zone of those without one on the way.

    Debug lines and many CIs state a local time without its zone. Where zoned stamps stand beside them, the zone is the
    whole quarter hour that makes lines that stand together agree within 2 s.
    """

    def __init__(self) -> None:
        self._votes: Counter[int] = Counter()
        self._compared = 0
        self._last: dict[bool, tuple[int, float]] = {}
        self._kept = 0

    def when(self, unprefixed: UnprefixedLine) -> When | None:
        """The best time of a line: the outermost that knows its zone, else the outermost of all, else None."""
        zoned = self._zoned(unprefixed)
        return zoned if zoned is not None else self._unzoned(unprefixed)

    def notice(self, unprefixed: UnprefixedLine) -> None:
        """Compare the stamps of a line with each other, and with those of the lines before it."""
        zoned, unzoned = self._zoned(unprefixed), self._unzoned(unprefixed)
        self._kept += 1
        for when in (zoned, unzoned):
            if when is not None:
                self._last[when.zone_known] = self._kept, when.unix_s
        if zoned is None and unzoned is None:
            return
        if zoned is not None and unzoned is not None:
            self._compare(zoned.unix_s, unzoned.unix_s)
        elif len(self._last) == 2:
            (one, zoned_s), (other, unzoned_s) = self._last[True], self._last[False]
            if abs(one - other) <= NEIGHBOURS:
                self._compare(zoned_s, unzoned_s)

    def copies(self, one: When | None, other: When | None) -> None:
        """Learn the time zone from two copies of one message, whose times are equal.

        Args:
            one: the time of one copy, None without one.
            other: the time of the other copy.
        """
        if one is not None and other is not None and one.zone_known != other.zone_known:
            zoned, unzoned = (one, other) if one.zone_known else (other, one)
            self._compare(zoned.unix_s, unzoned.unix_s)

    def zone_s(self) -> int | None:
        """How far stamps without a zone are ahead of UTC, s; None if nothing fits."""
        for zone_s, votes in self._votes.most_common(1):
            if votes >= LEAST_SHARE * self._compared:
                return zone_s
        return None

    def _compare(self, zoned_s: float, unzoned_s: float) -> None:
        ahead_s = unzoned_s - zoned_s
        zone_s = round(ahead_s / QUARTER_S) * QUARTER_S
        self._compared += 1
        if abs(ahead_s - zone_s) <= AGREE_S and (abs(zone_s) <= _FARTHEST_S or unzoned_s < QUARTER_S * 1_000_000):
            self._votes[zone_s] += 1

    def _zoned(self, unprefixed: UnprefixedLine) -> When | None:
        for stamp in unprefixed.stamps:
            if stamp[8]:
                return _when(stamp, _zone_s(stamp[8]), True)
        return When(float(unprefixed.epoch), 1.0, True) if unprefixed.epoch is not None else None

    def _unzoned(self, unprefixed: UnprefixedLine) -> When | None:
        if unprefixed.counted is not None:
            return When(*unprefixed.counted, zone_known=False, dated=False)
        stamp = next((stamp for stamp in unprefixed.stamps if not stamp[8]), None) or unprefixed.log_stamp
        return None if stamp is None else _when(stamp, 0, False)


def _when(stamp: re.Match[bytes], zone_s: int, known: bool) -> When | None:
    year, month, day, hour, minute, second = (int(part) for part in stamp.group(1, 2, 3, 4, 5, 6))
    if not (1970 <= year <= 9998 and 1 <= month <= 12 and 1 <= day <= 31):
        return None
    fraction = stamp[7] or b""
    whole = calendar.timegm((year, month, day, hour, minute, second)) - zone_s
    return When(whole + (int(fraction) / 10 ** len(fraction) if fraction else 0.0), 10.0 ** -len(fraction), known)


def _zone_s(zone: bytes) -> int:
    zone = zone.strip()
    if zone in (b"Z", b"UTC"):
        return 0
    digits = zone[1:].replace(b":", b"")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return -seconds if zone.startswith(b"-") else seconds
