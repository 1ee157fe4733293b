"""Renders the table of steps on a terminal, with as many columns as fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from buildtel.metrics import COLUMNS, Words, figure, whole_machine
from buildtel.report.cells import Line, cut, fit, stripped, wrapped
from buildtel.report.terminal_timeline import legend
from buildtel.report.view import StepRow

MARK = "!"
STEP_HEAD = "Step"


@dataclass(frozen=True, slots=True)
class Placed:
    """A column as wide as its widest cell."""

    column: Words
    width: int


def steps_lines(steps: Sequence[StepRow], width: int) -> Iterator[Line]:
    """Heads, a line for each step with a remark below it where there is one, and what the columns hold.

    Args:
        steps: the rows, in order.
        width: of a line, in cells.
    """
    if not steps:
        yield [("No step was measured.", "")]
        return
    name_width = max(min(max(cell_len(row.name) for row in steps), max(20, width // 4)), len(STEP_HEAD))
    columns = _columns(steps, width - name_width - 2)
    head = "".join(f"{placed.column.head:>{placed.width}} " for placed in columns)
    yield [(f"{fit(STEP_HEAD, name_width)} {head}".rstrip(), "bold")]
    yield from _rows(steps, columns, name_width, width)
    marked = f"; {MARK}: above its threshold" if any(row.marked for row in steps) else ""
    told = whole_machine([one.column.name for one in columns])
    yield from legend([(one.column.head, one.column.about) for one in columns], told + marked, width)


def _rows(steps: Sequence[StepRow], columns: list[Placed], name_width: int, width: int) -> Iterable[Line]:
    several = len({row.machine for row in steps}) > 1
    machine = None
    for row in steps:
        if several and row.machine != machine:
            machine = row.machine
            yield [(cut(f"on {machine}", width), "dim")]
        yield _step(row, columns, name_width)
        if row.remark or row.status not in ("success", ""):
            yield from ([(text, "")] for text in wrapped("    ", _remark(row), width))


def _columns(steps: Sequence[StepRow], room: int) -> list[Placed]:
    """The columns that any step has a figure for and that fit, the weightiest first to stay."""
    known = {name for row in steps for name, value in row.metrics.items() if value is not None}
    chosen: dict[str, Placed] = {}
    for column in sorted(COLUMNS, key=lambda column: column.rank or 0):
        width = max(len(column.head), *(len(_cell(row, column)) for row in steps))
        if (column.name in known or column.rank == 0) and room > width:
            room -= width + 1
            chosen[column.name] = Placed(column, width)
    return [chosen[column.name] for column in COLUMNS if column.name in chosen]


def _cell(row: StepRow, column: Words) -> str:
    return figure(column.name, row.metrics.get(column.name), row.grain_s)


def _step(row: StepRow, columns: list[Placed], name_width: int) -> Line:
    line = [(fit(row.name, name_width, path="/" in row.name) + " ", "red" if row.status == "failure" else "")]
    for placed in columns:
        marked = placed.column.name in row.marked
        cell = f"{_cell(row, placed.column):>{placed.width}}" + (MARK if marked else " ")
        line.append((cell, "yellow" if marked else "default"))
    return stripped(line)


def _remark(row: StepRow) -> str:
    exit_text = f"exit {row.exit_code}" if row.exit_code is not None else ""
    words = (row.status if row.status != "success" else "", exit_text, row.remark or "")
    return ", ".join(word for word in words if word)
