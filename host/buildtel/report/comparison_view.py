"""The view of two compared builds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from buildtel.insight.comparison import Change, Comparison, Pair, Side
from buildtel.job import JobDocument
from buildtel.metrics import figure, label_of, moved
from buildtel.report.view import Head, Notes, Part, Records, Table, Title
from buildtel.text import duration, number, percent

MAX_ROWS = 60
SHOWN_TOTALS = ("duration_s", "disk_read_mb", "disk_write_mb", "net_rx_mb")
CSV_NAMES = ("part", "name", "machine", "occurrence", "state", "metric", "before", "after", "difference", "percent")
FACTS = (
    ("timestamp", "time"), ("status", "status"), ("runner", "runner"), ("git_sha", "commit"), ("git_ref", "ref"),
    ("run_number", "run"), ("packer", "packer"), ("cpus", "CPUs"), ("memory_total_mb", "memory MB"), ("steps", "steps"),
)  # fmt: skip
STEP_HEADS = (
    Head("step", flexible=True), Head("before", right=True), Head("after", right=True), Head("change", right=True),
    Head("%", right=True), Head("what else changed", flexible=True),
)  # fmt: skip
LEGEND = (
    "before, after: how long it took; change, %: after less before; what else changed: figures of the whole machine"
)
PHASE_HEADS = (Head("Packer", flexible=True), *STEP_HEADS[1:5])
TOTAL_HEADS = (Head("total", flexible=True), *STEP_HEADS[1:5])


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """Two builds side by side; a page shows their documents, too, the older one first."""

    comparison: Comparison
    narrowest: int = 0
    documents: tuple[JobDocument, JobDocument] | None = None

    def parts(self) -> Iterator[Part]:
        """Facts of both; tables of steps, of Packer's own phases and of totals, largest change first; notes."""
        found = self.comparison
        yield Title(f"{found.before.name} and {found.after.name}", page_only=True)
        yield facts_table(found)
        yield Table(STEP_HEADS, _rows(found.steps, lambda pair: (_words(pair),)), LEGEND)
        if found.packer:
            yield Table(PHASE_HEADS, _rows(found.packer, lambda pair: ()))
        if found.totals:
            yield Table(TOTAL_HEADS, [row for pair in found.totals for row in _totals(pair)])
        if found.notes:
            yield Notes("", tuple(found.notes))

    def records(self) -> Records:
        """A row for each figure of each pair."""
        return Records(CSV_NAMES, ([record.get(name) for name in CSV_NAMES] for record in _records(self.comparison)))

    def data(self) -> Any:
        """All of it."""
        return as_data(self.comparison)


def as_data(comparison: Comparison) -> dict[str, Any]:
    """The comparison as JSON has it."""
    return {
        "before": {"build": comparison.before.name, **comparison.before.facts},
        "after": {"build": comparison.after.name, **comparison.after.facts},
        "total": _change(comparison.total),
        "steps": [_pair(pair) for pair in comparison.steps],
        "packer": [_pair(pair) for pair in comparison.packer],
        "totals": [_pair(pair) for pair in comparison.totals],
        "notes": comparison.notes,
    }


def _pair(pair: Pair) -> dict[str, Any]:
    named = {"name": pair.name, "machine": pair.machine, "occurrence": pair.occurrence, "state": pair.state}
    return {**named, "changes": [_change(change) for change in pair.changes]}


def _change(change: Change) -> dict[str, Any]:
    known = {"metric": change.metric, "before": change.before, "after": change.after}
    return {**known, "difference": change.difference, "percent": change.percent}


def _records(comparison: Comparison) -> Iterator[dict[str, Any]]:
    yield {"part": "job", **_change(comparison.total)}
    for part, pairs in (("step", comparison.steps), ("packer", comparison.packer), ("total", comparison.totals)):
        for pair in pairs:
            named = {"part": part, "name": pair.name, "machine": pair.machine, "state": pair.state}
            for change in pair.changes:
                yield {**named, "occurrence": pair.occurrence, **_change(change)}


def facts_table(comparison: Comparison) -> Table:
    """What the two builds are, side by side; what is known of neither is left out."""
    before, after = comparison.before, comparison.after
    rows: list[tuple[str, ...]] = [("build", before.name, after.name, "")]
    for name, label in FACTS:
        values = (before.facts[name], after.facts[name])
        if values != (None, None):
            rows.append((label, *(_fact(value) for value in values), ""))
    total = comparison.total
    change = f"{moved('duration_s', total.difference)}  {percent(total.percent)}"
    rows.append(("duration", duration(total.before), duration(total.after), change))
    for label, name, unit in (("slowest step", "slowest_step", "s"), ("most disk I/O", "most_disk_io", "mb")):
        texts = (_step_fact(side, name, unit) for side in (before, after))
        rows.append((label, *texts, ""))
    return Table((Head(""), Head("before", flexible=True), Head("after", flexible=True), Head("")), rows)


def _fact(value: str | float | None) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else number(value)


def _step_fact(side: Side, name: str, unit: str) -> str:
    step, figure = side.facts[name], side.facts[f"{name}_{unit}"]
    if step is None or not isinstance(figure, (int, float)):
        return "-"
    return f"{step} ({duration(figure) if unit == 's' else f'{number(figure)} MB'})"


def _rows(pairs: list[Pair], more: Callable[[Pair], tuple[str, ...]]) -> list[tuple[str, ...]]:
    machines = {pair.machine for pair in pairs}
    rows = []
    for pair in pairs[:MAX_ROWS]:
        change = pair.duration
        where = f" ({pair.machine})" if len(machines) > 1 else ""
        again = f" #{pair.occurrence}" if pair.occurrence > 1 else ""
        both = pair.state == "both"
        moves = (moved(change.metric, change.difference), percent(change.percent)) if both else (pair.state, "")
        rows.append((f"{pair.name}{again}{where}", *_figures(change), *moves, *more(pair)))
    if len(pairs) > MAX_ROWS:
        width = len(rows[0])
        rows.append((f"and {len(pairs) - MAX_ROWS} that changed less", *[""] * (width - 1)))
    return rows


def _figures(change: Change) -> tuple[str, str]:
    return figure(change.metric, change.before), figure(change.metric, change.after)


def _totals(pair: Pair) -> Iterable[tuple[str, ...]]:
    for change in pair.changes:
        if change.metric not in SHOWN_TOTALS:
            continue
        texts = *_figures(change), moved(change.metric, change.difference)
        if pair.state != "both":
            texts = (*texts[:2], pair.state)
        yield (f"{change.metric} on {pair.machine}", *texts, percent(change.percent))


def _words(pair: Pair) -> str:
    return ", ".join(f"{label_of(change.metric)} {moved(change.metric, change.difference)}" for change in pair.notable)
