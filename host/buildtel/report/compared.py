"""A comparison as text: for the terminal, Markdown, JSON and CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from textwrap import wrap
from typing import Any

from rich.cells import cell_len

from buildtel.insight.comparison import Change, Comparison, Pair, Side
from buildtel.report.table import Head, Table, csv_text, json_text, markdown_lines, plain, text_lines
from buildtel.text import difference, duration, number, percent

MAX_ROWS = 60
MAX_WORDS = 2
SHOWN_TOTALS = ("duration_s", "disk_read_mb", "disk_write_mb", "net_rx_mb")
TELLING_PERCENT = 10
# What is said of a step beside its duration: the metric, its word, and from which difference on.
TELLING = (
    ("disk_write_mb", "write MB", 10), ("disk_read_mb", "read MB", 10), ("net_rx_mb", "rx MB", 5),
    ("net_tx_mb", "tx MB", 5), ("cpu_percent", "CPU %", 5), ("memory_used_mb", "mem MB", 100),
    ("memory_peak_mb", "peak MB", 100), ("disk_util_percent", "util %", 10), ("await_ms", "await ms", 2),
    ("queue_depth", "queue", 1),
)  # fmt: skip
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


def render_comparison(comparison: Comparison, form: str, width: int) -> str:
    """The comparison in the form asked for."""
    if form == "json":
        return json_text(as_data(comparison))
    if form == "csv":
        return csv_text(CSV_NAMES, _records(comparison))
    lines = _markdown(comparison) if form == "markdown" else _text(comparison, width)
    return "".join(f"{line}\n" for line in lines)


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


def _text(comparison: Comparison, width: int) -> Iterator[str]:
    yield from text_lines(facts_table(comparison), width)
    for table in _tables(comparison):
        yield ""
        yield from text_lines(table, width)
    if comparison.notes:
        yield ""
        for note in comparison.notes:
            yield from _wrapped(note, width)


def _markdown(comparison: Comparison) -> Iterator[str]:
    yield f"## {plain(comparison.before.name)} and {plain(comparison.after.name)}"
    for table in (facts_table(comparison), *_tables(comparison)):
        yield ""
        yield from markdown_lines(table)
    if comparison.notes:
        yield ""
        yield from (f"- {plain(note)}" for note in comparison.notes)


def _tables(comparison: Comparison) -> Iterator[Table]:
    yield Table(STEP_HEADS, _rows(comparison.steps, lambda pair: (_words(pair),)), LEGEND)
    if comparison.packer:
        yield Table(PHASE_HEADS, _rows(comparison.packer, lambda pair: ()))
    if comparison.totals:
        yield Table(TOTAL_HEADS, [row for pair in comparison.totals for row in _totals(pair)])


def facts_table(comparison: Comparison) -> Table:
    """What the two builds are, side by side; what is known of neither is left out."""
    before, after = comparison.before, comparison.after
    rows: list[tuple[str, ...]] = [("build", before.name, after.name, "")]
    for name, label in FACTS:
        values = (before.facts[name], after.facts[name])
        if values != (None, None):
            rows.append((label, *(_fact(value) for value in values), ""))
    total = comparison.total
    rows.append(
        ("duration", duration(total.before), duration(total.after), f"{_moved(total)}  {percent(total.percent)}")
    )
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
        moved = (_moved(change), percent(change.percent)) if pair.state == "both" else (pair.state, "")
        rows.append(
            (f"{pair.name}{again}{where}", duration(change.before), duration(change.after), *moved, *more(pair))
        )
    if len(pairs) > MAX_ROWS:
        width = len(rows[0])
        rows.append((f"and {len(pairs) - MAX_ROWS} that changed less", *[""] * (width - 1)))
    return rows


def _totals(pair: Pair) -> Iterable[tuple[str, ...]]:
    for change in pair.changes:
        if change.metric not in SHOWN_TOTALS:
            continue
        if change.metric == "duration_s":
            texts = duration(change.before), duration(change.after), _moved(change)
        else:
            moved = difference(change.difference, number(abs(change.difference or 0.0)))
            texts = number(change.before), number(change.after), moved
        if pair.state != "both":
            texts = (*texts[:2], pair.state)
        yield (f"{change.metric} on {pair.machine}", *texts, percent(change.percent))


def _moved(change: Change) -> str:
    return difference(change.difference, duration(abs(change.difference or 0.0)))


def _words(pair: Pair) -> str:
    """The figures beside the duration that moved most, in relation to what they were."""
    known = {change.metric: change for change in pair.changes}
    found = []
    for metric, word, least in TELLING:
        change = known.get(metric)
        moved = change.difference if change is not None else None
        if change is None or moved is None or abs(moved) < least:
            continue
        relative = abs(change.percent) if change.percent is not None else float("inf")
        if relative >= TELLING_PERCENT:
            found.append((relative, f"{word} {difference(moved, number(abs(moved)))}"))
    return ", ".join(text for _, text in sorted(found, key=lambda pair: -pair[0])[:MAX_WORDS])


def _wrapped(text: str, width: int) -> Iterator[str]:
    room = width if cell_len(text) == len(text) else width // 2  # a character takes two cells at most
    yield from wrap(text, room, initial_indent="- ", subsequent_indent="  ")
