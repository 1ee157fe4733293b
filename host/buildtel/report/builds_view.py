"""The views of `list` and `history`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from buildtel.insight import trend
from buildtel.report.view import Bar, Head, Part, Records, Sentence, Table
from buildtel.text import duration, percent, safe

if TYPE_CHECKING:  # a list of builds reads no document
    from buildtel.job import JobDocument

LIST_LEGEND = "build: the name for `report` and `compare`; took: from the first time to the last"
HISTORY_LEGEND = "took: from the first time to the last; change: against the build in the row below; bar: took"
LIST_HEADS = (Head("build", flexible=True), Head("time (UTC)"), Head("job", flexible=True), Head("status"),
              Head("took", right=True))  # fmt: skip
HISTORY_HEADS = (Head("version", flexible=True), Head("time (UTC)"), Head("status"), Head("took", right=True),
                 Head("change", right=True), Head(""))  # fmt: skip
NAMES = ("build", "job", "version", "timestamp", "status", "duration_s")


@dataclass(frozen=True, slots=True)
class BuildRow:
    """A build as the store's index knows it; `build` is the name that asks for just this one."""

    build: str
    job: str
    version: str
    time: datetime
    status: str
    duration_s: float | None

    @property
    def record(self) -> tuple[Any, ...]:
        """What stands in JSON and CSV, in the order of `NAMES`."""
        return self.build, self.job, self.version, self.time.isoformat(), self.status, self.duration_s


@dataclass(frozen=True, slots=True)
class ListView:
    """All builds, as they come."""

    rows: Sequence[BuildRow]
    narrowest: int = 0

    def parts(self) -> Iterator[Part]:
        """A table."""
        cells = [
            (safe(row.build), _time(row), safe(row.job), row.status, duration(row.duration_s)) for row in self.rows
        ]
        yield Table(LIST_HEADS, cells, LIST_LEGEND)

    def records(self) -> Records:
        """A row for each build."""
        return Records(NAMES, [row.record for row in self.rows])

    def data(self) -> Any:
        """The same as objects."""
        return _objects(self.records())


@dataclass(frozen=True, slots=True)
class HistoryView:
    """Builds of one job, newest first: each with its difference to the one before it, and the trend.

    A page shows their documents, too: `documents` has one for each row, None for one that the store lacks.
    """

    rows: Sequence[BuildRow]
    narrowest: int = 0
    documents: Sequence[JobDocument | None] = ()

    def parts(self) -> Iterator[Part]:
        """A table with bars; a sentence on the trend where there is one."""
        longest = max((row.duration_s or 0.0 for row in self.rows), default=0.0)
        cells = [
            (safe(row.version), _time(row), row.status, duration(row.duration_s), percent(change),
             Bar(row.duration_s, longest))
            for row, change in zip(self.rows, self.changes(), strict=True)
        ]  # fmt: skip
        yield Table(HISTORY_HEADS, cells, HISTORY_LEGEND)
        said = self.trend()
        if said:
            yield Sentence(said)

    def records(self) -> Records:
        """A row for each build."""
        rows = [(*row.record, change) for row, change in zip(self.rows, self.changes(), strict=True)]
        return Records((*NAMES, "change_percent"), rows)

    def data(self) -> Any:
        """The same as objects."""
        return _objects(self.records())

    def changes(self) -> list[float | None]:
        """By how many percent each took longer than the one before it, which stands behind it."""
        return trend.changes([row.duration_s for row in self.rows])

    def trend(self) -> str:
        """How the newest build stands against the middle of those before it; empty if that can't be said."""
        found = trend.newest([(row.status, row.duration_s) for row in self.rows])
        if found is None:
            return ""
        against = f"the median of the {found.count} before it, {duration(found.median_s)}"
        return f"The newest took {duration(found.newest_s)}, {percent(found.percent)} against {against}."


def _objects(records: Records) -> list[dict[str, Any]]:
    return [dict(zip(records.names, row, strict=True)) for row in records.rows]


def _time(row: BuildRow) -> str:
    return row.time.strftime("%Y-%m-%d %H:%M:%S")
