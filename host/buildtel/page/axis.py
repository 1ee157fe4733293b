"""The time axis of a page: places in percent of its width, and the marks on it."""

from __future__ import annotations

from dataclasses import dataclass

STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)
MOST_MARKS = 8
LAST_MARK = 0.95  # behind it there is no room for a time
THINNEST = 0.1


@dataclass(frozen=True, slots=True)
class Axis:
    """From `zero_s` (Unix seconds) on, `span_s` seconds long."""

    zero_s: float
    span_s: float

    def left(self, start_s: float) -> float:
        """Where a bar begins, in percent of the width.

        Args:
            start_s: seconds since the zero.
        """
        return round(min(max(100 * start_s / self.span_s, 0.0), 100.0), 3)

    def width(self, start_s: float, duration_s: float) -> float:
        """How wide a bar is, in percent; the shortest is as wide as one can see.

        Args:
            start_s: seconds since the zero.
            duration_s: its length, in seconds.
        """
        left = self.left(start_s)
        return round(max(self.left(start_s + duration_s) - left, THINNEST), 3)

    def step_s(self, most: int) -> int:
        """The distance of marks, in seconds, of which there are at most so many."""
        fitting = (step for step in STEPS_S if self.span_s / step <= most)
        return next(fitting, int(self.span_s // most) + 1)

    def marks(self) -> list[tuple[float, str]]:
        """Where marks stand, in percent and well before the end, each with its time: `5:00`, `1:00:00`."""
        last = int(self.span_s * LAST_MARK) + 1
        return [(self.left(at), clock(at)) for at in range(0, last, self.step_s(MOST_MARKS))]


def clock(seconds: float) -> str:
    """A time since the start, `0:05` or `1:02:03`."""
    hours, rest = divmod(int(seconds), 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"
