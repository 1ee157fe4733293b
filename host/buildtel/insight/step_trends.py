"""The trend of each phase and provisioner, and of each cause, over builds of one job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from buildtel.insight.cause_account import cause_accounts
from buildtel.insight.causes import CAUSE
from buildtel.insight.comparison import packer_figures
from buildtel.insight.trend import relative
from buildtel.job import JobDocument
from buildtel.text import safe

MOST = 40


@dataclass(frozen=True, slots=True)
class StepTrend:
    """How long one phase or provisioner took in each build, the oldest first; None where it was not, or is not known.

    `newest_s` is that of the newest build, `median_s` the median of those before it, `percent` the change between them.
    """

    name: str
    build: str
    seconds: tuple[float | None, ...]
    newest_s: float | None
    median_s: float | None
    percent: float | None

    @property
    def moved_s(self) -> float:
        """By how many seconds it moved the newest build, in either direction."""
        return abs((self.newest_s or 0.0) - (self.median_s or 0.0))


def step_trends(documents: Sequence[JobDocument | None]) -> list[StepTrend]:
    """The phases and provisioners of these builds, those first that moved the newest build most.

    Args:
        documents: of the builds, the oldest first; None for one that is not known.
    """
    found = [{} if document is None else packer_figures(document) for document in documents]
    names = dict.fromkeys(identity for figures in found for identity in figures)
    trends = [_trend(name, [figures.get(name, {}).get("duration_s") for figures in found]) for name in names]
    return sorted(trends, key=lambda trend: -trend.moved_s)[:MOST]


def cause_trends(documents: Sequence[JobDocument | None]) -> list[StepTrend]:
    """The causes of each build's time, as `step_trends` has its steps.

    Args:
        documents: of the builds, the oldest first; None for one that is not known.
    """
    found = [{} if document is None else _cause_figures(document) for document in documents]
    names = dict.fromkeys(identity for figures in found for identity in figures)
    trends = [_trend(name, [figures.get(name) for figures in found]) for name in names]
    return sorted(trends, key=lambda trend: -trend.moved_s)


def _cause_figures(document: JobDocument) -> dict[tuple[str, str, int], float | int | None]:
    accounts = cause_accounts(document)
    return {
        (CAUSE[row.cause].words, safe(account.build.name), 1): row.seconds
        for account in accounts
        for row in account.rows
    }


def _trend(identity: tuple[str, str, int], seconds: list[float | int | None]) -> StepTrend:
    name, build, occurrence = identity
    before = [value for value in seconds[:-1] if value is not None]
    middle, newest = median(before) if before else None, seconds[-1]
    shown = f"{name} #{occurrence}" if occurrence > 1 else name
    return StepTrend(shown, build, tuple(seconds), newest, middle, relative(middle, newest))
