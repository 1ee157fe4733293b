"""The page of a job's last builds: a column for each, cut by causes, and the trend of causes and steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from buildtel.insight.cause_account import cause_accounts
from buildtel.insight.causes import CAUSE, UNKNOWN
from buildtel.insight.step_trends import StepTrend, cause_trends, step_trends
from buildtel.job import JobDocument
from buildtel.page.axis import Axis, clock
from buildtel.report.builds_view import BuildRow, HistoryView
from buildtel.report.view import Part
from buildtel.text import duration, percent, safe

HEIGHT_PX = 220
MOST_MARKS = 5
SPARK = (160, 24)
GAP = 0.15  # of a column's room


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a column, by what it stands for: where it begins and how high it is, in pixels from above."""

    cause: str
    top: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """A build: its name, a sentence on it, its place and width in percent, its parts."""

    name: str
    status: str
    about: str
    left: float
    width: float
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class TrendRow:
    """A phase or provisioner: its texts, and the points of its line (None: not in that build)."""

    name: str
    build: str
    newest: str
    median: str
    change: str
    percent: float | None
    points: str


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """All that the template of a job's builds needs."""

    title: str
    columns: tuple[Column, ...]
    marks: tuple[tuple[float, str], ...]
    causes: frozenset[str]
    tables: tuple[tuple[str, tuple[TrendRow, ...]], ...]
    parts: tuple[Part, ...]

    @property
    def data(self) -> dict[str, Any]:
        """What the page's script gets: tables are sorted, there is no time line."""
        return {"span": 0.0, "machines": []}


def history_page(view: HistoryView) -> HistoryPage:
    """The page of builds, the oldest at the left."""
    documents = list(view.documents) or [None] * len(view.rows)
    pairs = list(zip(view.rows, documents, strict=True))[::-1]
    longest_s = max((row.duration_s or 0.0 for row, _ in pairs), default=0.0) or 1.0
    room = 100 / max(len(pairs), 1)
    columns = tuple(_column(row, document, at * room, room, longest_s) for at, (row, document) in enumerate(pairs))
    return HistoryPage(
        title=f"{safe(view.rows[0].job)}: the last {len(view.rows)} builds" if view.rows else "no build",
        columns=columns,
        marks=tuple(_marks(longest_s)),
        causes=frozenset(block.cause for column in columns for block in column.blocks),
        tables=tuple(_tables([document for _, document in pairs])),
        parts=tuple(view.parts()),
    )


def _tables(documents: list[JobDocument | None]) -> Iterator[tuple[str, tuple[TrendRow, ...]]]:
    """Tables of trends that have rows, each with its heading; the oldest document first."""
    for heading, trends in (("Causes", cause_trends), ("Phases and provisioners", step_trends)):
        rows = tuple(map(_row, trends(documents)))
        if rows:
            yield heading, rows


def _marks(longest_s: float) -> Iterator[tuple[float, str]]:
    """The marks of the scale: pixels from above, and the time there."""
    step_s = Axis(0.0, longest_s).step_s(MOST_MARKS)
    for at in range(0, int(longest_s) + 1, step_s):
        yield round(HEIGHT_PX * (1 - at / longest_s), 2), clock(at)


def _column(row: BuildRow, document: JobDocument | None, left: float, room: float, longest_s: float) -> Column:
    spent = _spent(document)
    whole = f"{safe(row.version)}, {row.time:%Y-%m-%d %H:%M} UTC, {row.status}: {duration(row.duration_s)}"
    words = ", ".join(f"{duration(seconds)} {CAUSE[cause].words}" for cause, seconds in spent)
    return Column(
        name=safe(row.version),
        status=row.status,
        about=f"{whole}; {words}" if words else whole,
        left=round(left + room * GAP / 2, 3),
        width=round(room * (1 - GAP), 3),
        blocks=tuple(_blocks(spent, row.duration_s or 0.0, longest_s)),
    )


def _spent(document: JobDocument | None) -> list[tuple[str, float]]:
    """The causes of the job's longest build, with seconds; the other builds ran beside it."""
    accounts = [] if document is None else cause_accounts(document)
    longest = max(accounts, key=lambda account: account.total_s, default=None)
    return [] if longest is None else [(row.cause, row.seconds) for row in longest.rows]


def _blocks(spent: list[tuple[str, float]], whole_s: float, longest_s: float) -> Iterator[Block]:
    """From the foot up; what the job took beyond the build, or all of it where no more is known, is unknown."""
    rest_s = whole_s - sum(seconds for _, seconds in spent)
    at = float(HEIGHT_PX)
    for cause, seconds in [*spent, *([(UNKNOWN, rest_s)] if rest_s > 0 else [])]:
        height = HEIGHT_PX * seconds / longest_s
        at -= height
        yield Block(cause, round(at, 2), round(height, 2))


def _row(trend: StepTrend) -> TrendRow:
    return TrendRow(
        name=trend.name,
        build=trend.build,
        newest=duration(trend.newest_s),
        median=duration(trend.median_s),
        change=percent(trend.percent),
        percent=trend.percent,
        points=_points(trend.seconds),
    )


def _points(seconds: tuple[float | None, ...]) -> str:
    """The line of a trend as SVG has it: one piece for each run of builds that have the step."""
    width, height = SPARK
    highest = max((value for value in seconds if value is not None), default=0.0) or 1.0
    step = (width - 6) / max(len(seconds) - 1, 1)
    pieces, pen = [], "M"
    for at, value in enumerate(seconds):
        if value is None:
            pen = "M"
            continue
        x, y = 3 + at * step, height - 3 - (height - 6) * value / highest
        pieces.append(f"{pen}{x:.1f} {y:.1f}" + ("h.01" if pen == "M" else ""))
        pen = "L"
    return "".join(pieces)
