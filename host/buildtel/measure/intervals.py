"""What commands used outside of steps, by intervals of a boot's monotonic clock."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from buildtel.measure.account_fields import CommandRow, IntervalRow

MAX_INTERVALS = 20_000


class Intervals:
    """The intervals of one boot, bounded, in any order and however often they come.

    A log has neighbours joined that a spool has one by one: of intervals that overlap the shorter ones count.
    """

    def __init__(self) -> None:
        self._rows: dict[tuple[int, int], IntervalRow] = {}

    def add(self, rows: Iterable[IntervalRow]) -> None:
        """Take some in; those beyond the bound are left out."""
        for row in rows:
            if len(self._rows) < MAX_INTERVALS:
                self._rows.setdefault(row[:2], row)

    def merge(self, other: Intervals) -> None:
        """Take in what `other` has."""
        self.add(other._rows.values())

    def __len__(self) -> int:
        """How many intervals there are."""
        return len(self._rows)

    def between(self, from_ms: float, to_ms: float) -> tuple[list[CommandRow], int] | None:
        """The commands of a stretch of time, busiest first, and how many were not heard of; None without intervals.

        A command is of the stretch that most of its time lies in; of several of one name, of the longest's.

        Args:
            from_ms: the start, in milliseconds of the monotonic clock.
            to_ms: the end, in the same.
        """
        found: dict[str, CommandRow] = {}
        lost, covered = 0, False
        for start_ms, end_ms, missed, commands in self._apart():
            if _lies_in(start_ms, end_ms, from_ms, to_ms):
                lost, covered = lost + missed, True
            for row in commands:
                began_ms = min(start_ms, end_ms - (row[4] or 0) * 1000)
                if _lies_in(began_ms, end_ms, from_ms, to_ms):
                    found[row[0]] = _together(found[row[0]], row) if row[0] in found else row
        if not covered and not found:
            return None
        return sorted(found.values(), key=lambda row: (not row[0], -(row[2] or 0))), lost

    def _apart(self) -> list[IntervalRow]:
        """Those that do not overlap, the shorter ones first to stay."""
        starts: list[int] = []
        kept: list[IntervalRow] = []
        for row in sorted(self._rows.values(), key=lambda row: (row[1] - row[0], row[0])):
            at = bisect_left(starts, row[0])
            is_free = (at == 0 or kept[at - 1][1] <= row[0]) and (at == len(kept) or kept[at][0] >= row[1])
            if is_free:
                starts.insert(at, row[0])
                kept.insert(at, row)
        return kept


def _lies_in(start_ms: float, end_ms: float, from_ms: float, to_ms: float) -> bool:
    """Whether more than half of a time lies in a stretch."""
    return min(end_ms, to_ms) - max(start_ms, from_ms) > (end_ms - start_ms) / 2


def _together(one: CommandRow, other: CommandRow) -> CommandRow:
    sums = [_sum(first, second) for first, second in zip(one[2:4], other[2:4], strict=True)]
    longest = max((number for number in (one[4], other[4]) if number is not None), default=None)
    return one[0], one[1] + other[1], sums[0], sums[1], longest, _sum(one[5], other[5])


def _sum(one: float | None, other: float | None) -> float | None:
    return one if other is None else other if one is None else round(one + other, 3)
