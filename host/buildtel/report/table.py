"""Rows of text as a table: in the terminal's width, as Markdown, as CSV; and data as JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from rich.cells import cell_len, set_cell_size

from buildtel.text import cell

NARROWEST_CELL = 8
GAP = "  "


@dataclass(frozen=True, slots=True)
class Head:
    """A column: its name, whether figures stand in it, whether it may be cut where the terminal is narrow."""

    name: str
    right: bool = False
    flexible: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Columns, and rows of as many texts, all safe to print; `legend` says what the columns hold."""

    heads: tuple[Head, ...]
    rows: list[tuple[str, ...]]
    legend: str = ""


def text_lines(table: Table, width: int) -> Iterable[str]:
    """The table in at most `width` cells, its flexible columns cut as far as needed."""
    widths = _widths(table, width)
    names = tuple(head.name for head in table.heads)
    for row in [names, *table.rows] if any(names) else table.rows:
        cells = (_fitted(text, head, room) for text, head, room in zip(row, table.heads, widths, strict=True))
        yield set_cell_size(GAP.join(cells).rstrip(), width).rstrip()
    yield from wrap(table.legend, width, initial_indent=GAP, subsequent_indent=GAP)


def _widths(table: Table, width: int) -> list[int]:
    columns = zip(*[tuple(head.name for head in table.heads), *table.rows], strict=True)
    widths = [max(map(cell_len, column)) for column in columns]
    flexible = [place for place, head in enumerate(table.heads) if head.flexible]
    while sum(widths) + len(GAP) * (len(widths) - 1) > width:
        place = max(flexible, key=lambda place: widths[place])
        if widths[place] <= NARROWEST_CELL:
            break
        widths[place] -= 1
    return widths


def _fitted(text: str, head: Head, room: int) -> str:
    if cell_len(text) > room:
        return set_cell_size(text, max(room - 2, 0)) + ".."
    padding = " " * (room - cell_len(text))
    return padding + text if head.right else text + padding


def markdown_lines(table: Table) -> Iterable[str]:
    """The table as Markdown has it."""
    yield _row(plain(head.name) for head in table.heads)
    yield "|" + "|".join("---:" if head.right else "---" for head in table.heads) + "|"
    for row in table.rows:
        yield _row(plain(text) for text in row)
    if table.legend:
        yield from ("", f"*{plain(table.legend)}*")


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def plain(text: str) -> str:
    """`text` with nothing in it that Markdown or HTML would act on."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{char}" if char in "\\`*_[]|~#!" else char for char in escaped)


def csv_text(names: Sequence[str], records: Iterable[Mapping[str, Any]]) -> str:
    """A line of names, then one for each record; what is not known is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(map(cell, names))
    writer.writerows([cell(record.get(name)) for name in names] for record in records)
    return out.getvalue()


def json_text(value: Any) -> str:
    """`value` indented, in ASCII, without anything that a CI's runner would take for a command."""
    return json.dumps(value, indent=2, ensure_ascii=True).replace("##", "#\\u0023") + "\n"
