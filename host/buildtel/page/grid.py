"""The sortable table of a page: a row for each entry, a column for each figure that some entry has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from buildtel.insight.thresholds import exceeded
from buildtel.metrics import PAGE_COLUMNS, figure
from buildtel.page.entries import Entry
from buildtel.text import duration

FIGURES = tuple(column for column in PAGE_COLUMNS if column.name != "duration_s")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: its text, what it is sorted by (empty: its text), whether a figure is above its threshold."""

    text: str
    value: str = ""
    above: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row, named after its entry."""

    entry: Entry
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """Heads (each: name, whether figures stand below it) and rows; the first column, the entry's name, is not among."""

    heads: tuple[tuple[str, bool], ...]
    rows: tuple[Row, ...]


def grid_of(entries: Iterable[Entry]) -> Grid:
    """The table of these entries, in their order."""
    rows = list(entries)
    columns = [
        column for column in FIGURES
        if any(row.step is not None and row.step.metrics.get(column.name) is not None for row in rows)
    ]  # fmt: skip
    heads = (("what", False), ("where", False), ("status", False), ("from", True), ("took", True))
    of_figures = tuple((column.page, True) for column in columns)
    return Grid((*heads, *of_figures), tuple(_row(entry, [column.name for column in columns]) for entry in rows))


def _row(entry: Entry, names: list[str]) -> Row:
    metrics = {} if entry.step is None else entry.step.metrics
    above = {row.metric for row in exceeded(metrics)}
    start = "" if entry.start_s is None else duration(entry.start_s)
    cells = [
        Cell(entry.kind),
        Cell(entry.where),
        Cell(entry.status),
        Cell(start, _value(entry.start_s)),
        Cell(entry.took if entry.seconds is not None else "", _value(entry.seconds), "duration_s" in above),
    ]
    for name in names:
        value = metrics.get(name)
        cells.append(Cell("" if value is None else figure(name, value), _value(value), name in above))
    return Row(entry, tuple(cells))


def _value(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
