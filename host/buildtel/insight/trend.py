"""The trend of build durations: each change, and the newest build against the ones before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

WHOLE = ("success", "unknown")  # a file of the original system states no status


@dataclass(frozen=True, slots=True)
class Against:
    """The newest build against the median of the `count` before it; seconds, and the change in percent."""

    newest_s: float
    median_s: float
    count: int
    percent: float


def relative(before: float | None, after: float | None) -> float | None:
    """Percent from `before` to `after`; None where one is not known, or there was nothing before.

    Args:
        before: what it was.
        after: what it is, in the same unit.
    """
    if before is None or after is None or before <= 0:
        return None
    return round(100 * (after - before) / before, 1)


def changes(durations_s: Sequence[float | None]) -> list[float | None]:
    """By how many percent each build took longer than the one before it, which stands behind it in the list."""
    found = [relative(older, newer) for newer, older in pairwise(durations_s)]
    return [*found, None] if durations_s else []


def newest(builds: Sequence[tuple[str, float | None]]) -> Against | None:
    """How the newest build stands against those before it; None where that can't be said.

    Builds that failed or were cancelled say nothing of how long one takes.

    Args:
        builds: status and seconds of each build, the newest first.
    """
    earlier = [seconds for status, seconds in builds[1:] if seconds is not None and status in WHOLE]
    if not builds or not earlier or builds[0][0] not in WHOLE:
        return None
    middle, newest_s = _median(earlier), builds[0][1]
    percent = relative(middle, newest_s)
    return None if percent is None or newest_s is None else Against(newest_s, middle, len(earlier), percent)


def _median(values: Sequence[float]) -> float:  # the module `statistics` costs more than all else that `list` computes
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
