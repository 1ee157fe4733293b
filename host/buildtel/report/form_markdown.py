"""Renders a view as Markdown, for a pull request or the summary of a CI."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from buildtel.metrics import OWN, PAGE_COLUMNS, Words, figure, whole_machine
from buildtel.report.cells import causes_sentence, cell_text
from buildtel.report.formats import Output
from buildtel.report.view import (
    Causes,
    Checks,
    Inside,
    Items,
    Notes,
    Part,
    Reason,
    Sentence,
    StepRow,
    Steps,
    Table,
    Timeline,
    Title,
    View,
)
from buildtel.text import duration, number, rounded

if TYPE_CHECKING:
    from buildtel.insight.stretches import Stretch

TIMELINE_LEGEND = (
    "*after: from the build's start; runner CPU: of the whole runner; VM CPU: of the VM's process, 100 is one core; "
    "~: the log's stamps have whole seconds*"
)
INNER = "↳ "  # before a part of a provisioner
SQUARES = "🟦🟪🟩🟧🟨🟫⬛🟥⬜"
BAR_BLOCKS = 40


def lines(view: View, out: Output) -> Iterator[str]:
    """Its parts, an empty line between them.

    Args:
        view: what is shown.
        out: its width, and what can be shown there.
    """
    begun = False
    for part in view.parts():
        for place, line in enumerate(_LINES_OF[type(part)](part, out)):
            yield f"\n{line}\n" if begun and place == 0 else f"{line}\n"
            begun = True


def plain(text: str) -> str:
    """`text` with nothing in it that Markdown or HTML would act on."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{char}" if char in "\\`*_[]|~#!" else char for char in escaped)


def _title(title: Title, _out: Output) -> Iterable[str]:
    yield f"## {plain(title.text)}" + (f": {title.status}" if title.status else "")
    if title.facts:
        yield ""
        yield from (f"- {plain(label)}: {plain(text)}" for label, text in title.facts)


def _table(table: Table, out: Output) -> Iterable[str]:
    yield _row(plain(head.name) for head in table.heads)
    yield "|" + "|".join("---:" if head.right else "---" for head in table.heads) + "|"
    for row in table.rows:
        yield _row(plain(cell_text(cell, out)) for cell in row)
    if table.legend:
        yield from ("", f"*{plain(table.legend)}*")


def _timeline(build: Timeline, _out: Output) -> Iterable[str]:
    last = ", ended last" if build.critical else ""
    yield f"### {plain(build.name)}: {plain(build.result)}, {plain(build.took)}{last}"
    yield ""
    if build.why and build.why != build.error:
        yield from (f"**why: {' / '.join(map(plain, build.why))}**", "")
    if build.error:
        yield from (f"error: {' / '.join(map(plain, build.error))}", "")
    if build.output:
        yield from ("The failed provisioner's last lines:", "", *(f"    {line}" for line in build.output), "")
    if build.stretches:
        yield _row(("after", "took", "runner CPU %", "VM CPU %", "what"))
        yield "|---:|---:|---:|---:|---|"
        for row in build.stretches:
            yield _stretch(row)
            yield from _inner(row)
        yield from ("", TIMELINE_LEGEND)


def _stretch(row: Stretch) -> str:
    cpu = (number(figures.get("cpu_percent")) for figures in (row.runner, row.hypervisor))
    label = f"**{plain(row.shown)}**" if row.mark else plain(row.shown)
    return _row((duration(row.start_s), rounded(row.duration_s, row.grain_s), *cpu, label))


def _inner(stretch: Stretch) -> Iterable[str]:
    """The parts of a provisioner below its row."""
    for row in stretch.inner:
        took = "" if row.duration_s is None else rounded(row.duration_s, stretch.grain_s)
        yield _row((duration(row.start_s), took, "", "", f"{INNER}{plain(row.label)}"))
    if stretch.inner_cut:
        yield _row(("", "", "", "", f"{INNER}and {stretch.inner_cut} more"))


def _steps(steps: Steps, _out: Output) -> Iterable[str]:
    if not steps.rows:
        return
    known = {name for row in steps.rows for name, value in row.metrics.items() if value is not None}
    columns = [column for column in PAGE_COLUMNS if column.name not in OWN or column.name in known]
    yield from ("### Steps", "")
    yield _row(("step", "status", *(column.page for column in columns)))
    yield "|---|---|" + "---:|" * len(columns)
    yield from (_step(row, columns) for row in steps.rows)
    yield from ("", f"*{whole_machine(known)}; bold: above its threshold*")


def _inside(inside: Inside, out: Output) -> Iterable[str]:
    yield from (f"#### {plain(inside.heading)}", "")
    if inside.table is not None:
        yield from (*_table(inside.table, out), "")
    yield from (f"- {plain(label)}: {plain(text)}" for label, text in inside.facts)


def _step(row: StepRow, columns: list[Words]) -> str:
    cells = [plain(row.name), plain(row.status if row.of_packer is None else f"{row.status} ({row.of_packer})")]
    for column in columns:
        text = figure(column.name, row.metrics.get(column.name), row.grain_s)
        cells.append(f"**{text}**" if column.name in row.marked else text)
    return _row(cells)


def _causes(causes: Causes, _out: Output) -> Iterable[str]:
    """A bar of coloured squares, the sentence, and what each colour is."""
    yield from (f"### {plain(causes.build)}: what {rounded(causes.total_s, causes.grain_s)} were spent on", "")
    yield "".join(SQUARES[at % len(SQUARES)] * count for at, count in enumerate(causes.counts(BAR_BLOCKS)))
    yield from ("", plain(causes_sentence(causes)), "")
    yield _row(("", "cause", "time", "share", "told by"))
    yield "|---|---|---:|---:|---|"
    for at, row in enumerate(causes.rows):
        figures = (rounded(row.seconds, causes.grain_s), f"{row.percent:.1f} %")
        yield _row((SQUARES[at % len(SQUARES)], plain(row.words), *figures, plain(row.told_by)))


def _items(items: Items, _out: Output) -> Iterable[str]:
    yield from (f"### {items.heading}", "")
    for item in items.items:
        yield f"- **{plain(item.severity)}: {plain(item.where)}**: {plain(item.words)}"
        if item.saves:
            yield f"  - saves: {plain(item.saves)}"
        yield f"  - try: {plain(item.help)}"
        yield from (f"  - note: {plain(note)}" for note in item.notes)
    if items.notes:
        yield from ("", *(f"*all of these: {plain(note)}*" for note in items.notes))


def _notes(notes: Notes, _out: Output) -> Iterable[str]:
    if notes.heading:
        yield from (f"### {notes.heading}", "")
    yield from (f"- {plain(text)}" for text in notes.texts)


def _sentence(sentence: Sentence, _out: Output) -> Iterable[str]:
    yield plain(sentence.text)


def _reason(reason: Reason, _out: Output) -> Iterable[str]:
    yield f"### {plain(reason.title)}"
    yield ""
    yield f"**{' / '.join(map(plain, reason.why))}**"
    if reason.output:
        yield from ("", "Its last lines:", "", *(f"    {line}" for line in reason.output))


def _checks(checks: Checks, _out: Output) -> Iterable[str]:
    yield _row(("state", "what", "said", "fix"))
    yield "|---|---|---|---|"
    for check in checks.checks:
        yield _row(plain(text) for text in (check.state, check.about, check.said, check.fix))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


_LINES_OF: dict[type[Part], Callable[[Any, Output], Iterable[str]]] = {
    Title: _title, Table: _table, Timeline: _timeline, Steps: _steps, Inside: _inside, Causes: _causes, Items: _items,
    Notes: _notes, Sentence: _sentence, Reason: _reason, Checks: _checks,
}  # fmt: skip
