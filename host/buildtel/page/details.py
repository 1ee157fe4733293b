"""What a page tells of one entry: facts, figures, the processes that were busiest, parts inside, last output lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from buildtel.insight.cause_account import CauseAccount
from buildtel.insight.failures import MOST_LINES
from buildtel.insight.findings import Finding, findings
from buildtel.insight.inner_rows import label_of_part
from buildtel.insight.thresholds import exceeded
from buildtel.job import JobDocument
from buildtel.job.accounts import SAMPLED
from buildtel.job.model import InsideRow, Step
from buildtel.metrics import OWN, WORDS, bare_label_of, label_of, with_unit
from buildtel.page.bars import named
from buildtel.page.entries import Entry
from buildtel.report.diagnosis_parts import item_of
from buildtel.report.inside_view import inside_of
from buildtel.report.view import Item
from buildtel.text import duration, number, rounded, safe
from buildtel.timeline.packer_model import InnerPart

MOST_INNER = 60
MOST_PROCESSES = 8
_UNIT = re.compile(r"_(?:percent|mbs?|ms|per_s)$")
_ORDER = {words.name: place for place, words in enumerate(WORDS)}

TOLD_IN_TABLES = ("commands", "elsewhere")


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure in words; `above`: it is above its threshold."""

    label: str
    text: str
    above: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures below a heading that says of which machine they are; `zero` are the labels of those that are 0."""

    heading: str
    rows: tuple[Figure, ...]
    zero: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inner:
    """A part of a provisioner: what it is, from when on, how long."""

    label: str
    start: str
    took: str


@dataclass(frozen=True, slots=True)
class Busiest:
    """What used most below a heading: name, how often, seconds of CPU, MB of I/O."""

    heading: str
    rows: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Detail:
    """All that is known of an entry."""

    entry: Entry
    findings: tuple[Item, ...]
    facts: tuple[tuple[str, str], ...]
    figures: tuple[Figures, ...]
    busiest: tuple[Busiest, ...]
    inner: tuple[Inner, ...]
    inner_cut: int
    ran: tuple[tuple[str, str], ...]
    output: tuple[str, ...]


def details_of(
    document: JobDocument, accounts: list[CauseAccount], entries: Iterable[Entry], zero_s: float
) -> tuple[Detail, ...]:
    """What is known of each entry.

    Args:
        document: the document of the entries.
        accounts: its accounts of causes.
        entries: the entries.
        zero_s: the instant that starts are counted from, in Unix seconds.
    """
    found = findings(document, accounts)
    return tuple(_detail(entry, [one for one in found if _is_of(one, entry)], zero_s) for entry in entries)


def _is_of(finding: Finding, entry: Entry) -> bool:
    """Whether a finding is one of a stretch."""
    if entry.stretch is None or finding.build != entry.where:
        return False
    same = finding.provisioner == entry.stretch.provisioner
    return same and (finding.provisioner is not None or finding.where == entry.name)


def _detail(entry: Entry, found: list[Finding], zero_s: float) -> Detail:
    unit, step = entry.unit, entry.step
    parts = () if entry.stretch is None else entry.stretch.parts
    grain_s = None if entry.stretch is None else entry.stretch.grain_s
    rows = () if step is None else tuple(row for row in step.inside or () if row.start_s is not None)
    inner = [*(_inner(part, zero_s, grain_s) for part in parts), *(_command_inside(row) for row in rows)]
    return Detail(
        entry=entry,
        findings=tuple(item_of(finding) for finding in found),
        facts=tuple(_facts(entry)),
        figures=tuple(_figures(entry)),
        busiest=() if step is None else tuple(_busiest(step)),
        inner=tuple(inner[:MOST_INNER]),
        inner_cut=max(len(inner) - MOST_INNER, 0),
        ran=() if step is None or not (step.commands or step.inside) else _ran(step),
        output=() if unit is None else tuple(map(safe, unit.output[-MOST_LINES:])),
    )


def _busiest(step: Step) -> Iterator[Busiest]:
    """The commands of a step where accounts of them are known, else the processes that samples saw."""
    for heading, commands in (("commands", step.commands), ("commands elsewhere meanwhile", step.other_commands)):
        if commands:
            rows = (
                (safe(row.name) or "others", str(row.count), number(row.cpu_s), number(row.io_mb)) for row in commands
            )
            yield Busiest(heading, tuple(rows))
    if step.processes and not step.commands:
        rows = ((safe(row.name), "", number(row.cpu_s), number(row.io_mb)) for row in step.processes[:MOST_PROCESSES])
        yield Busiest("busiest processes", tuple(rows))


def _command_inside(row: InsideRow) -> Inner:
    """A command on the time line inside a step; its start counts from the step's."""
    status = f" (exit status {row.exit_code})" if row.exit_code else ""
    return Inner(f"{named(row)}{status}", f"+{duration(row.start_s)}", duration(row.duration_s))


def _ran(step: Step) -> tuple[tuple[str, str], ...]:
    """The step's own load, what its commands waited for, and where that is known from; tables have the commands."""
    return tuple((label, text) for label, text in inside_of(step).facts if label not in TOLD_IN_TABLES)


def _inner(part: InnerPart, zero_s: float, grain_s: float | None) -> Inner:
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
    above = {row.metric for row in exceeded(metrics)}
    known = [(name, value) for name, value in metrics.items() if value is not None and name != "duration_s"]
    known.sort(key=lambda row: _place(row[0]))
    rows = tuple(Figure(_label(name), with_unit(name, value), name in above) for name, value in known if value)
    zero = tuple(_label(name) for name, value in known if not value)
    return [Figures(heading, rows, zero)] if rows or zero else []


def _label(name: str) -> str:
    """A figure's label without its unit, which stands behind the value."""
    label = safe(label_of(name))
    if label == safe(name):
        return safe(_UNIT.sub("", name).replace("_", " "))
    return safe(bare_label_of(name))


def _place(name: str) -> tuple[int, str]:
    return _ORDER.get(name, len(_ORDER)), name
