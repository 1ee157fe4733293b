"""Builds of a store as rows: `list` and `history`, and their trend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from buildtel.insight import trend
from buildtel.report.table import Head, Table, csv_text, json_text, markdown_lines, text_lines
from buildtel.text import duration, percent, safe

LIST_LEGEND = "build: the name for `report` and `compare`; took: from the first time to the last"
HISTORY_LEGEND = "took: from the first time to the last; change: against the build in the row below; bar: took"
TREND_CELLS = 20
WIDE = 100
NAMES = ("build", "job", "version", "timestamp", "status", "duration_s", "change_percent")


@dataclass(frozen=True, slots=True)
class BuildRow:
    """A build as the store's index knows it; `build` is the name that asks for just this one."""

    build: str
    job: str
    version: str
    time: datetime
    status: str
    duration_s: float | None

    def record(self) -> dict[str, Any]:
        """What stands in JSON and CSV."""
        fields = asdict(self)
        return {**fields, "timestamp": fields.pop("time").isoformat()}


def list_table(rows: Sequence[BuildRow]) -> Table:
    """All builds, as they come."""
    heads = (Head("build", flexible=True), Head("time (UTC)"), Head("job", flexible=True), Head("status"),
             Head("took", right=True))  # fmt: skip
    cells: list[tuple[str, ...]] = [
        (safe(row.build), _time(row), safe(row.job), row.status, took(row)) for row in rows
    ]
    return Table(heads, cells, LIST_LEGEND)


def history_table(rows: Sequence[BuildRow], width: int, *, ascii_only: bool) -> Table:
    """Builds of one job, newest first: each with its difference to the one before it, and a bar of its length."""
    heads = (Head("version", flexible=True), Head("time (UTC)"), Head("status"), Head("took", right=True),
             Head("change", right=True), Head(""))  # fmt: skip
    longest = max((row.duration_s or 0.0 for row in rows), default=0.0)
    mark, cells = "#" if ascii_only else "━", TREND_CELLS if width >= WIDE else TREND_CELLS // 2
    return Table(heads, [
        (safe(row.version), _time(row), row.status, took(row), percent(change),
         mark * _cells(row.duration_s, longest, cells))
        for row, change in zip(rows, changes(rows), strict=True)
    ], HISTORY_LEGEND)  # fmt: skip


def changes(rows: Sequence[BuildRow]) -> list[float | None]:
    """By how many percent each took longer than the one before it, which stands behind it."""
    return trend.changes([row.duration_s for row in rows])


def summary(rows: Sequence[BuildRow]) -> str:
    """How the newest build stands against the middle of those before it; empty if that can't be said."""
    found = trend.newest([(row.status, row.duration_s) for row in rows])
    if found is None:
        return ""
    against = f"the median of the {found.count} before it, {duration(found.median_s)}"
    return f"The newest took {duration(found.newest_s)}, {percent(found.percent)} against {against}."


def render_list(rows: Sequence[BuildRow], form: str, width: int) -> str:
    """The builds in the form asked for."""
    if form in ("json", "csv"):
        return _data(NAMES[:-1], [row.record() for row in rows], form)
    return _drawn(list_table(rows), form, width)


def render_history(rows: Sequence[BuildRow], form: str, width: int, *, ascii_only: bool) -> str:
    """The history in the form asked for."""
    if form in ("json", "csv"):
        records = [{**row.record(), "change_percent": change} for row, change in zip(rows, changes(rows), strict=True)]
        return _data(NAMES, records, form)
    said = summary(rows)
    return _drawn(history_table(rows, width, ascii_only=ascii_only), form, width) + (f"\n{said}\n" if said else "")


def _data(names: Sequence[str], records: list[dict[str, Any]], form: str) -> str:
    if form == "json":
        return json_text([{name: record[name] for name in names} for record in records])
    return csv_text(names, records)


def _drawn(table: Table, form: str, width: int) -> str:
    lines: Iterable[str] = markdown_lines(table) if form == "markdown" else text_lines(table, width)
    return "".join(f"{line}\n" for line in lines)


def _cells(duration_s: float | None, longest_s: float, room: int) -> int:
    if duration_s is None or longest_s <= 0:
        return 0
    return max(1, round(room * duration_s / longest_s))


def _time(row: BuildRow) -> str:
    return row.time.strftime("%Y-%m-%d %H:%M:%S")


def took(row: BuildRow) -> str:
    """How long a build took, `-` if that is not known."""
    return duration(row.duration_s)
