"""Counters of a machine between its steps: at the starts of steps, and when the agent went."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict

from buildtel.measure.drafts import MachineDraft, Point, StepDraft
from buildtel.measure.figures import LEAST_S, MOST_LACKING, Window
from buildtel.timeline.provisioner_run import ProvisionerRun


class Boundaries:
    """The records of a `machine` that have counters and are no ends, in order of time, with their provisioners."""

    def __init__(self, draft: MachineDraft) -> None:
        self.machine = draft
        starts = ((step.start, step.unit) for step in draft.steps.values() if step.start is not None)
        self._rows: defaultdict[str | None, list[tuple[Point, ProvisionerRun | None]]] = defaultdict(list)
        for point, unit in (*starts, *((bye, None) for bye in draft.byes)):
            self._rows[point.boot].append((point, unit))
        for rows in self._rows.values():
            rows.sort(key=_m_ns)

    def until_next(self, step: StepDraft, lasted_s: float) -> Window | None:
        """The counters of a step's start and of the next record behind its provisioner, if that came soon enough.

        Args:
            step: without an end.
            lasted_s: its length by Packer's words.
        """
        start = step.start
        if start is None or start.counters is None or lasted_s < LEAST_S:
            return None
        rows, end_ns = self._rows[start.boot], start.m_ns + lasted_s * 1e9
        latest_ns = end_ns + MOST_LACKING * lasted_s * 1e9
        for at in range(bisect_left(rows, end_ns, key=_m_ns), len(rows)):
            point, unit = rows[at]
            if point.m_ns > latest_ns:
                return None
            if unit is not step.unit and point.counters is not None:
                return Window(start.counters, point.counters)
        return None


def _m_ns(row: tuple[Point, ProvisionerRun | None]) -> int:
    return row[0].m_ns
