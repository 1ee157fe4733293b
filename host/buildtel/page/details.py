"""What a page tells of one entry: facts, figures, the processes that were busiest, parts inside, last output lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from buildtel.insight.failures import MOST_LINES
from buildtel.insight.inner_rows import label_of_part
from buildtel.insight.thresholds import exceeded
from buildtel.job.accounts import SAMPLED
from buildtel.metrics import OWN, WORDS, label_of, with_unit
from buildtel.page.entries import Entry
from buildtel.report.inside_view import inside_of
from buildtel.report.view import Inside
from buildtel.text import duration, number, rounded, safe
from buildtel.timeline.packer_model import ProvisionerPart

MOST_INNER = 60
MOST_PROCESSES = 8
_ORDER = {words.name: place for place, words in enumerate(WORDS)}


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure in words; `word` says which threshold it is above."""

    label: str
    text: str
    word: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures below a heading that says of which machine they are."""

    heading: str
    rows: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Inner:
    """A part of a provisioner: what it is, from when on, how long."""

    label: str
    start: str
    took: str


@dataclass(frozen=True, slots=True)
class Detail:
    """All that is known of an entry."""

    entry: Entry
    facts: tuple[tuple[str, str], ...]
    figures: tuple[Figures, ...]
    processes: tuple[tuple[str, str, str], ...]
    inner: tuple[Inner, ...]
    inner_cut: int
    ran: Inside | None
    output: tuple[str, ...]


def detail_of(entry: Entry, zero_s: float) -> Detail:
    """What is known of an entry.

    Args:
        entry: the entry.
        zero_s: the instant that starts are counted from, in Unix seconds.
    """
    unit, step = entry.unit, entry.step
    parts = () if unit is None else unit.parts
    grain_s = None if entry.stretch is None else entry.stretch.grain_s
    busy = () if step is None else (step.processes or ())[:MOST_PROCESSES]
    return Detail(
        entry=entry,
        facts=tuple(_facts(entry)),
        figures=tuple(_figures(entry)),
        processes=tuple((safe(row.name), duration(row.cpu_s), number(row.io_mb)) for row in busy),
        inner=tuple(_inner(part, zero_s, grain_s) for part in parts[:MOST_INNER]),
        inner_cut=max(len(parts) - MOST_INNER, 0),
        ran=inside_of(step) if step is not None and (step.commands or step.inside) else None,
        output=() if unit is None else tuple(map(safe, unit.output[-MOST_LINES:])),
    )


def _inner(part: ProvisionerPart, zero_s: float, grain_s: float | None) -> Inner:
    begun, ended = part.started_at, part.ended_at
    start = "" if begun is None else duration(begun - zero_s)
    took = "" if begun is None or ended is None else rounded(ended - begun, grain_s)
    return Inner(label_of_part(part), start, took)


def _facts(entry: Entry) -> Iterator[tuple[str, str]]:
    yield "where", entry.where
    if entry.start_s is not None:
        yield "from", duration(entry.start_s)
    yield "took", entry.took
    if entry.status:
        yield "status", safe(entry.status)
    step, unit = entry.step, entry.unit
    exit_code = step.exit_code if step is not None and step.exit_code is not None else unit.exit_code if unit else None
    if exit_code is not None:
        yield "exit status", str(exit_code)
    if step is None:
        return
    if entry.stretch is not None and step.name and safe(step.name) not in entry.name:
        yield "step", safe(step.name)
    if step.unfinished:
        yield "its end", safe(step.unfinished)
    if step.measured == "from samples":
        yield "figures", "estimated from the machine's samples"


def _figures(entry: Entry) -> Iterator[Figures]:
    step, stretch = entry.step, entry.stretch
    if step is not None:
        machine = {name: value for name, value in step.metrics.items() if name not in OWN}
        own = {name: value for name, value in step.metrics.items() if name in OWN}
        yield from _group(f"on {safe(step.machine or 'runner')}, the whole machine", machine)
        yield from _group(f"the step's own processes{' (sampled)' if step.accounts_from == SAMPLED else ''}", own)
    if stretch is not None:
        yield from _group("the runner meanwhile", stretch.runner)
        yield from _group("the VM's process meanwhile (100% is one core)", stretch.hypervisor)


def _group(heading: str, metrics: Mapping[str, float | int | None]) -> Iterable[Figures]:
    above = {row.metric: row for row in exceeded(metrics)}
    names = sorted((name for name, value in metrics.items() if value is not None), key=_place)
    rows = tuple(
        Figure(
            safe(label_of(name)).replace("_", " "),
            with_unit(name, metrics[name]),
            f"above {with_unit(name, above[name].limit)}" if name in above else "",
        )
        for name in names
        if name != "duration_s"
    )
    return [Figures(heading, rows)] if rows else []


def _place(name: str) -> tuple[int, str]:
    return _ORDER.get(name, len(_ORDER)), name
