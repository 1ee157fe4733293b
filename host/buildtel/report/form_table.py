"""Renders a view as lines of text, as wide as the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from rich.cells import cell_len, set_cell_size

from buildtel.report.cells import Line, causes_sentence, cell_text, cut, fit, indented, mark, right, wrapped
from buildtel.report.formats import Output
from buildtel.report.styles import COLOURS, COLOURS_OF_CAUSES, SEVERITIES, styled
from buildtel.report.view import (
    CauseRow,
    Causes,
    Checks,
    Head,
    Inside,
    Items,
    Notes,
    Part,
    Reason,
    Sentence,
    Steps,
    Table,
    Timeline,
    Title,
    View,
)
from buildtel.text import rounded, safe

NARROWEST_CELL = 8
GAP = "  "
LETTERS = "#=+-:.o*x~"


def lines(view: View, out: Output) -> Iterator[str]:
    """Its parts, an empty line between them.

    Args:
        view: what is shown.
        out: its width, and what can be shown there.
    """
    out = replace(out, width=max(out.width, view.narrowest))
    style, begun = styled(out), False
    for part in view.parts():
        for place, line in enumerate(_LINES_OF[type(part)](part, out)):
            if begun and place == 0:
                yield "\n"
            yield style(line)
            begun = True


def _title(title: Title, out: Output) -> Iterable[Line]:
    if title.page_only:
        return
    yield [(cut(title.text, out.width - 16), "bold"), ("  ", ""), (title.status, COLOURS.get(title.status, ""))]
    labels = max((cell_len(label) for label, _ in title.facts), default=0)
    labels = min(labels, out.width // 3)
    for label, text in title.facts:
        yield from _plain(wrapped(fit(label, labels) + GAP, text, out.width))


def _table(table: Table, out: Output) -> Iterable[Line]:
    """The table in at most the output's width, its flexible columns cut as far as needed."""
    names = tuple(head.name for head in table.heads)
    rows = [tuple(cell_text(cell, out) for cell in row) for row in table.rows]
    widths = _widths(table.heads, [names, *rows], out.width)
    for row in [names, *rows] if any(names) else rows:
        cells = (_fitted(text, head, room) for text, head, room in zip(row, table.heads, widths, strict=True))
        yield [(set_cell_size(GAP.join(cells).rstrip(), out.width).rstrip(), "")]
    if table.legend:
        yield from _plain(wrapped(GAP, table.legend, out.width))


def _widths(heads: tuple[Head, ...], rows: list[tuple[str, ...]], width: int) -> list[int]:
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    flexible = [place for place, head in enumerate(heads) if head.flexible]
    while sum(widths) + len(GAP) * (len(widths) - 1) > width:
        place = max(flexible, key=lambda place: widths[place])
        if widths[place] <= NARROWEST_CELL:
            break
        widths[place] -= 1
    return widths


def _fitted(text: str, head: Head, room: int) -> str:
    return right(text, room) if head.right and cell_len(text) <= room else fit(text, room)


def _timeline(build: Timeline, out: Output) -> Iterable[Line]:
    from buildtel.report.terminal_timeline import timeline_lines  # noqa: PLC0415  # a list of builds has none

    return timeline_lines(build, out)


def _steps(steps: Steps, out: Output) -> Iterable[Line]:
    from buildtel.report.terminal_steps import steps_lines  # noqa: PLC0415  # a list of builds has none

    return steps_lines(steps.rows, out.width)


def _causes(causes: Causes, out: Output) -> Iterable[Line]:
    """A bar as wide as the output, and the sentence below it; or a line for each cause.

    Where there are no colours, each line has the letter that stands for it in the bar.
    """
    yield [(f"{causes.build}: what {rounded(causes.total_s, causes.grain_s)} were spent on", "bold")]
    coloured = out.styled and out.coloured
    marks = [mark(out) if coloured else LETTERS[at % len(LETTERS)] for at in range(len(causes.rows))]
    if coloured or causes.is_whole:
        pieces = zip(marks, causes.counts(out.width - 4), causes.rows, strict=True)
        yield [("  ", ""), *((one * count, _colour(row)) for one, count, row in pieces)]
    if not causes.is_whole:
        yield from _plain(wrapped("  ", causes_sentence(causes), out.width))
        return
    for one, row in zip(marks, causes.rows, strict=True):
        told = f" ({row.told_by})" if row.told_by else ""
        figures = f" {rounded(row.seconds, causes.grain_s):>9} {row.percent:5.1f}%  "
        yield [("  ", ""), (one, _colour(row)), (figures + cut(f"{row.words}{told}", out.width - 24), "")]


def _colour(row: CauseRow) -> str:
    return COLOURS_OF_CAUSES.get(row.id, "white")


def _inside(inside: Inside, out: Output) -> Iterable[Line]:
    yield [(cut(inside.heading, out.width), "bold")]
    if inside.table is not None:
        yield from _table(inside.table, out)
    labels = max((cell_len(label) for label, _ in inside.facts), default=0)
    for label, text in inside.facts:
        yield from _plain(wrapped(f"  {fit(label, labels)}{GAP}", text, out.width))


def _items(items: Items, out: Output) -> Iterable[Line]:
    yield [(items.heading, "bold")]
    for item in items.items:
        lines_ = wrapped(f"  {item.severity}: ", f"{item.where}: {item.words}", out.width)
        yield from ([(line, SEVERITIES.get(item.severity, "") if at == 0 else "")] for at, line in enumerate(lines_))
        if item.saves:
            yield from _plain(wrapped("      saves: ", item.saves, out.width))
        yield from _plain(wrapped("      try: ", item.help, out.width))
        for note in item.notes:
            yield from ([(line, "dim")] for line in wrapped("      note: ", note, out.width))
    for note in items.notes:
        yield from ([(line, "dim")] for line in wrapped("  all of these: ", note, out.width))


def _notes(notes: Notes, out: Output) -> Iterable[Line]:
    if notes.heading:
        yield [(notes.heading, "bold")]
    for text in notes.texts:
        yield from _plain(wrapped("  - " if notes.heading else "- ", text, out.width))


def _sentence(sentence: Sentence, _out: Output) -> Iterable[Line]:
    yield [(sentence.text, "")]


def _reason(reason: Reason, out: Output) -> Iterable[Line]:
    yield [(reason.title, "bold")]
    yield from ([(text, "red")] for text in indented("  why: ", reason.why, out.width))
    if reason.output:
        yield [("  its last lines:", "")]
        yield from ([(text, "")] for line in reason.output for text in indented("    | ", [line], out.width))


def _checks(checks: Checks, _out: Output) -> Iterable[Line]:
    for check in checks.checks:
        yield [(f"{check.state:<5}{check.about:<20} {safe(check.said)}", "")]
        if check.fix:
            yield [(f"{'':<5}{'':<20} fix: {safe(check.fix)}", "")]


def _plain(texts: Iterable[str]) -> Iterator[Line]:
    return ([(text, "")] for text in texts)


_LINES_OF: dict[type[Part], Callable[[Any, Output], Iterable[Line]]] = {
    Title: _title, Table: _table, Timeline: _timeline, Steps: _steps, Inside: _inside, Causes: _causes, Items: _items,
    Notes: _notes, Sentence: _sentence, Reason: _reason, Checks: _checks,
}  # fmt: skip
