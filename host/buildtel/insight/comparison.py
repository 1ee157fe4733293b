"""Compares two documents: matches steps by name, machine and occurrence; the largest change first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from buildtel.insight.step_names import told_once
from buildtel.insight.stretches import build_stretches
from buildtel.insight.top_steps import DISK, busiest_step, disk_mb, slowest_step
from buildtel.insight.trend import relative
from buildtel.job import JobDocument
from buildtel.job.model import ORIGINAL_METRICS
from buildtel.metrics import COSTS
from buildtel.text import safe

RUNNER = "runner"
INLINE = re.compile(r"\S*/packer-shell\d+")
FORMULA_CHANGED = (
    "One of the two is a file of the original system: its cpu_percent was a rougher formula, so the "
    "difference of CPU figures is not only the build's."
)
# What is worth a word beside a step's duration: the metric, and from which difference in its unit on.
NOTABLE = {
    "disk_write_mb": 10, "disk_read_mb": 10, "net_rx_mb": 5, "net_tx_mb": 5, "cpu_percent": 5, "memory_used_mb": 100,
    "memory_peak_mb": 100, "disk_util_percent": 10, "await_ms": 2, "queue_depth": 1,
}  # fmt: skip
NOTABLE_PERCENT = 10
MAX_NOTABLE = 2
SUMMED = ("duration_s", *DISK, "disk_read_ops", "disk_write_ops", "net_rx_mb", "net_tx_mb")


@dataclass(frozen=True, slots=True)
class Change:
    """A figure in both documents; None where it is not known."""

    metric: str
    before: float | None
    after: float | None

    @property
    def difference(self) -> float | None:
        """After minus before."""
        if self.before is None or self.after is None:
            return None
        return round(self.after - self.before, 6)

    @property
    def percent(self) -> float | None:
        """The difference in percent of what was before."""
        return relative(self.before, self.after)


@dataclass(frozen=True, slots=True)
class Pair:
    """A step, phase or sum that is in `before`, in `after` or in both; its duration is the first of its figures."""

    name: str
    machine: str
    occurrence: int
    state: str
    changes: tuple[Change, ...]

    @property
    def duration(self) -> Change:
        """How long it took."""
        return self.changes[0]

    @property
    def weight_s(self) -> float:
        """By how many seconds it moved the build: all of a step that came or went."""
        change = self.duration
        if self.state == "both":
            return abs(change.difference or 0.0)
        return change.after or change.before or 0.0

    @property
    def notable(self) -> list[Change]:
        """The figures beside the duration that moved most, in relation to what they were."""
        known = {change.metric: change for change in self.changes}
        found = []
        for metric, least in NOTABLE.items():
            change = known.get(metric)
            if change is None or change.difference is None or abs(change.difference) < least:
                continue
            relative_change = abs(change.percent) if change.percent is not None else float("inf")
            if relative_change >= NOTABLE_PERCENT:
                found.append((relative_change, change))
        return [change for _, change in sorted(found, key=lambda pair: -pair[0])[:MAX_NOTABLE]]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: its name, and what is known of it."""

    name: str
    facts: dict[str, str | float | None]


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that is said of two documents."""

    before: Side
    after: Side
    total: Change
    steps: list[Pair]
    packer: list[Pair]
    totals: list[Pair]
    notes: list[str]


Figures = dict[tuple[str, str, int], dict[str, float | int | None]]


def compare(before: JobDocument, after: JobDocument, before_name: str, after_name: str) -> Comparison:
    """What changed from one document to the other, in either version of the document.

    Args:
        before: the document that is compared with.
        after: the document that is compared.
        before_name: how the user named the first.
        after_name: how the user named the other.
    """
    return Comparison(
        before=Side(safe(before_name), _facts(before)),
        after=Side(safe(after_name), _facts(after)),
        total=Change("job_duration_s", before.job_duration_s, after.job_duration_s),
        steps=_pairs(_steps(before), _steps(after)),
        packer=_pairs(packer_figures(before), packer_figures(after)),
        totals=_pairs(_sums(before), _sums(after)),
        notes=list(_notes(before, after)),
    )


def _facts(document: JobDocument) -> dict[str, str | float | None]:
    """What the documents are; names made safe to print."""
    slowest, busiest = slowest_step(document), busiest_step(document)
    known = {
        "job": document.job, "version": document.version, "timestamp": document.timestamp, "status": document.status,
        "runner": document.runner, "git_sha": document.git_sha, "git_ref": document.git_ref,
        "run_number": document.run_number,
        "packer": document.packer.version if document.packer else None,
        "slowest_step": None if slowest is None else _name(slowest.name),
        "most_disk_io": None if busiest is None else _name(busiest.name),
    }  # fmt: skip
    figures = {
        "slowest_step_s": None if slowest is None else slowest.seconds,
        "most_disk_io_mb": None if busiest is None else disk_mb(busiest),
        "steps": len(told_once(document.steps)),
        "cpus": document.system.cpus,
        "memory_total_mb": document.system.memory_total_mb,
    }
    return {**{name: None if text is None else safe(text) for name, text in known.items()}, **figures}


def _name(name: str | None) -> str:
    return INLINE.sub("packer-shell", name) if name else "(no name)"


def _steps(document: JobDocument) -> Figures:
    """The figures of each step under what makes it the same step in another build."""
    seen: Counter[tuple[str, str]] = Counter()
    found: Figures = {}
    for step in told_once(document.steps):
        identity = (_name(step.name), step.machine or RUNNER)
        seen[identity] += 1
        found[(*identity, seen[identity])] = {n: v for n, v in step.metrics.items() if n not in COSTS}
    return found


def packer_figures(document: JobDocument) -> Figures:
    """How long each phase and provisioner of each build took, and all that nothing explains."""
    seen: Counter[tuple[str, str]] = Counter()
    found: Figures = {}
    for build in build_stretches(document):
        for stretch in build.stretches:
            identity = (INLINE.sub("packer-shell", stretch.label), build.name)
            if stretch.kind == "unattributed":
                sums = found.setdefault((*identity, 1), {"duration_s": 0.0})
                sums["duration_s"] = round((sums["duration_s"] or 0.0) + (stretch.duration_s or 0.0), 3)
                continue
            seen[identity] += 1
            found[(*identity, seen[identity])] = {"duration_s": stretch.duration_s}
    return found


def _sums(document: JobDocument) -> Figures:
    """Sums by machine over the steps that are in no other step of the same machine."""
    machines = {step.id: step.machine for step in document.steps if step.id}
    found: Figures = {}
    for step in document.steps:
        if step.parent is None or machines.get(step.parent) != step.machine:
            sums = found.setdefault(("all steps", step.machine or RUNNER, 1), {})
            for name in SUMMED:
                value = step.metrics.get(name)
                if value is not None:
                    sums[name] = round((sums.get(name) or 0.0) + value, 3)
    return found


def _pairs(before: Figures, after: Figures) -> list[Pair]:
    """Matched, the largest change of duration first; those that never took time keep their order."""
    pairs = [
        _pair(identity, before.get(identity), after.get(identity)) for identity in dict.fromkeys([*before, *after])
    ]
    return sorted(pairs, key=lambda pair: -pair.weight_s)


def _pair(
    identity: tuple[str, str, int],
    before: dict[str, float | int | None] | None,
    after: dict[str, float | int | None] | None,
) -> Pair:
    name, machine, occurrence = identity
    state = "added" if before is None else "removed" if after is None else "both"
    changes = tuple(_changes(before or {}, after or {}))
    return Pair(safe(name), safe(machine), occurrence, state, changes)


def _changes(before: dict[str, float | int | None], after: dict[str, float | int | None]) -> Iterator[Change]:
    known = [name for name in [*before, *after] if before.get(name) is not None or after.get(name) is not None]
    for name in ["duration_s", *_in_order(set(known) - {"duration_s"})]:
        yield Change(name, before.get(name), after.get(name))


def _in_order(names: Iterable[str]) -> list[str]:
    """The original's figures first, in its order."""
    places = {name: place for place, name in enumerate(ORIGINAL_METRICS)}
    return sorted(names, key=lambda name: (places.get(name, len(places)), name))


def _notes(before: JobDocument, after: JobDocument) -> Iterator[str]:
    if (before.schema is None) != (after.schema is None):
        yield FORMULA_CHANGED
    if before.job != after.job:
        yield f"They are different jobs: {safe(before.job)} and {safe(after.job)}."
    systems = (
        ("CPUs", before.system.cpus, after.system.cpus),
        ("MB of memory", before.system.memory_total_mb, after.system.memory_total_mb),
    )
    for word, one, other in systems:
        if one is not None and other is not None and one != other:
            yield f"The runners differ: {one:.0f} and {other:.0f} {word}."
    for side, document in (("before", before), ("after", after)):
        if document.status not in (None, "success"):
            yield f"The build {side} did not succeed ({document.status}): steps it never reached are missing here."
