"""Divides the wall time of each build into causes: every millisecond has exactly one, without gap or overlap.

A part of the time that Packer's log names, such as the wait for SSH, has the cause of its name. Within provisioners
each sample of the guest tells the cause of its own time, by the rules of `causes.py`; without a guest's samples the
runner's do, where the work is the runner's. Before and behind the script of a provisioner, whose start and end its
records tell, Packer works, if no sample tells another cause. What no rule tells is `unknown`; no cause is drawn out to
time without a sample.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from buildtel.insight.causes import CAUSES, OF_KIND, OF_PHASE, OF_WORK, UNKNOWN, WORKING, Rule, cause_of
from buildtel.insight.sampled import Sampled
from buildtel.insight.script_times import ScriptTime, script_times
from buildtel.job import JobDocument
from buildtel.measure.drafts import RUNNER
from buildtel.timeline.account import UNATTRIBUTED
from buildtel.timeline.packer_model import Build, Provisioner, Stretch
from buildtel.timeline.provisioner_run import SHELL_LOCAL

Source = Literal["log", "guest", "runner"]


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a build's time with one cause; `source` told it: the log, or samples of the guest or the runner.

    `stretch` is its place in the build's account. `rule` and `figures` are those of its sample, none for the log's.
    """

    cause: str
    source: Source
    start_ms: int
    end_ms: int
    stretch: int
    figures: dict[str, float] = field(default_factory=dict)
    rule: Rule | None = None
    holder: str = ""

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.end_ms - self.start_ms) / 1000


@dataclass(frozen=True, slots=True)
class Row:
    """The time of one cause in a build: seconds, and what told it."""

    cause: str
    seconds: float
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class CauseAccount:
    """The wall time of a build in slices that touch each other, in order.

    `machine` is the document's name of its guest, None without one; `has_others`: its run had other builds. `scripts`
    tells by the place of a provisioner when its script ran.
    """

    build: Build
    slices: tuple[Slice, ...]
    machine: str | None = None
    has_others: bool = False
    scripts: dict[int, ScriptTime] = field(default_factory=dict)

    @property
    def total_s(self) -> float:
        """The build's wall time: the sum of all slices."""
        return sum(part.end_ms - part.start_ms for part in self.slices) / 1000

    @property
    def rows(self) -> tuple[Row, ...]:
        """The causes that took time, the longest first, the unknown last."""
        lengths_ms: Counter[str] = Counter()
        sources: dict[str, dict[Source, None]] = {}
        for part in self.slices:
            lengths_ms[part.cause] += part.end_ms - part.start_ms
            sources.setdefault(part.cause, {})[part.source] = None
        causes = [cause.id for cause in CAUSES if lengths_ms[cause.id]]
        found = [Row(cause, lengths_ms[cause] / 1000, tuple(sources[cause])) for cause in causes]
        return tuple(sorted(found, key=lambda row: (row.cause == UNKNOWN, -row.seconds)))


@dataclass(frozen=True, slots=True)
class _Machines:
    """The samples of a build's guest and of the runner, None without any; whether they are one machine.

    `scripts` tells by the place of a provisioner when its script ran in the guest.
    """

    guest: Sampled | None
    runner: Sampled | None
    is_same: bool = False
    scripts: dict[int, ScriptTime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Teller:
    """What tells the causes of a stretch: samples, and `rest` for the time that they do not tell.

    `further` are figures of the whole stretch, `runner` the runner's samples beside a guest's, `causes` other names of
    causes where the runner works for Packer.
    """

    sampled: Sampled | None
    source: Source
    rest: str = UNKNOWN
    further: dict[str, float] = field(default_factory=dict)
    runner: Sampled | None = None
    causes: dict[str, str] = field(default_factory=dict)


def cause_accounts(document: JobDocument) -> list[CauseAccount]:
    """The account of causes of each build whose times are known, in the document's order.

    Args:
        document: of this version or of the original.
    """
    runs = document.packer.runs if document.packer else ()
    keys = {(machine.run, machine.target): key for key, machine in document.machines.items()}
    runner, found = _sampled(document, RUNNER), []
    for number, run in enumerate(runs, 1):
        for build in run.builds:
            key = keys.get((number, build.name))
            if build.account:
                machines = _machines(document, key, runner, build)
                slices = tuple(_slices(build, machines))
                found.append(CauseAccount(build, slices, key, len(run.builds) > 1, machines.scripts))
    return found


def _machines(document: JobDocument, key: str | None, runner: Sampled | None, build: Build) -> _Machines:
    """The samples of a build's guest, named `key`, and of the runner around it; a guest may be the runner itself."""
    guest, around = document.machines.get(key or ""), document.machines.get(RUNNER)
    is_same = guest is not None and around is not None and bool({*guest.boots} & {*around.boots} - {None})
    scripts = {} if key is None else script_times(document, key, build)
    return _Machines(_sampled(document, key), runner, is_same, scripts)


def _sampled(document: JobDocument, key: str | None) -> Sampled | None:
    machine = document.machines.get(key or "")
    if machine is None:
        return None
    found = Sampled(machine, [step for step in document.steps if step.machine == key])
    return found if found.samples else None


def _slices(build: Build, machines: _Machines) -> Iterator[Slice]:
    for at, stretch in enumerate(build.account):
        yield from (part for part in _of_stretch(build, at, stretch, machines) if part.end_ms > part.start_ms)


def _of_stretch(build: Build, at: int, stretch: Stretch, machines: _Machines) -> Iterator[Slice]:
    """The slices of one part of a build's account."""
    start_ms, end_ms = round(stretch.started_at * 1000), round(stretch.ended_at * 1000)
    unit = None if stretch.provisioner is None else build.provisioners[stretch.provisioner]
    named = _named(stretch, unit)
    if named is not None:
        yield Slice(named, "log", start_ms, end_ms, at)
        return
    teller = _teller(stretch, unit, machines)
    script = None if stretch.provisioner is None else machines.scripts.get(stretch.provisioner)
    for piece in _by_locks(unit, at, start_ms, end_ms):
        yield from _by_script(piece, teller, script) if piece.cause == UNKNOWN else (piece,)


def _by_script(piece: Slice, teller: _Teller, script: ScriptTime | None) -> Iterator[Slice]:
    """A piece of a provisioner's time: before and behind its script Packer works, where no sample tells more."""
    first, last = (piece.start_ms, piece.end_ms) if script is None else (script.start_ms, script.over_ms)
    first = min(max(first, piece.start_ms), piece.end_ms)
    last = min(max(last, first), piece.end_ms)
    packers = replace(teller, rest="packer")
    yield from _by_samples(replace(piece, end_ms=first), packers)
    yield from _by_samples(replace(piece, start_ms=first, end_ms=last), teller)
    yield from _by_samples(replace(piece, start_ms=last), packers)


def _named(stretch: Stretch, unit: Provisioner | None) -> str | None:
    """The cause that the log's words tell alone; None where samples may tell more."""
    if unit is not None:
        return "packer" if unit.own else OF_KIND.get(unit.kind) or OF_KIND.get(unit.type or "")
    if stretch.name == UNATTRIBUTED or stretch.name in WORKING:
        return None
    return OF_PHASE.get(stretch.name, "packer")


def _teller(stretch: Stretch, unit: Provisioner | None, machines: _Machines) -> _Teller:
    """What tells the causes of a stretch: of a provisioner the guest, of Packer's own work the runner.

    The runner tells of a guest without samples where the guest's hypervisor runs on it.
    """
    if unit is None:
        rest = UNKNOWN if stretch.name == UNATTRIBUTED else "packer"
        return _Teller(machines.runner, "runner", rest, causes=OF_WORK)
    if unit.kind == SHELL_LOCAL:
        return _Teller(machines.runner, "runner")
    kvm = (stretch.hypervisor or {}).get("kvm")
    further = {} if kvm is None else {"emulated": float(not kvm)}
    if machines.guest is not None:
        return _Teller(machines.guest, "guest", UNKNOWN, further, None if machines.is_same else machines.runner)
    runner = machines.runner if stretch.hypervisor else None
    return _Teller(runner, "runner", UNKNOWN, further, runner)


def _by_locks(unit: Provisioner | None, at: int, start_ms: int, end_ms: int) -> Iterator[Slice]:
    """The stretch in pieces: the waits for locks that its output tells, and what is between them, still unknown."""
    cursor = start_ms
    for part in unit.parts if unit is not None else ():
        if part.kind != "lock" or part.started_at is None or part.ended_at is None:
            continue
        first = min(max(round(part.started_at * 1000), cursor), end_ms)
        last = min(max(round(part.ended_at * 1000), first), end_ms)
        yield Slice(UNKNOWN, "log", cursor, first, at)
        yield Slice("lock", "log", first, last, at, holder=part.name)
        cursor = last
    yield Slice(UNKNOWN, "log", cursor, end_ms, at)


def _by_samples(piece: Slice, teller: _Teller) -> Iterator[Slice]:
    """A piece of time by the samples that touch it; what no sample covers, or no rule tells, is the rest."""
    cursor = piece.start_ms
    samples = teller.sampled.between(piece.start_ms, piece.end_ms) if teller.sampled is not None else ()
    for sample in samples:
        first, last = max(sample.start_ms, cursor), min(sample.end_ms, piece.end_ms)
        yield from _between_samples(cursor, first, piece.stretch, teller)
        around = teller.runner.of_runner_at((first + last) // 2) if teller.runner is not None else {}
        figures = {**sample.figures, **teller.further, **around}
        found, rule = cause_of(figures)
        cause = teller.rest if rule is None else teller.causes.get(found, found)
        source = teller.source if rule is not None or cause == UNKNOWN else "log"
        yield Slice(cause, source, first, last, piece.stretch, figures, rule, sample.holder)
        cursor = last
    yield from _between_samples(cursor, piece.end_ms, piece.stretch, teller)


def _between_samples(start_ms: int, end_ms: int, stretch: int, teller: _Teller) -> Iterator[Slice]:
    """A stretch of time that no sample covers: from a machine's last one before a reboot to its first behind, it boots.

    All else is the rest.
    """
    cursor = start_ms
    for begun_ms, up_ms in teller.sampled.reboots if teller.sampled is not None else ():
        first, last = max(begun_ms, cursor), min(up_ms, end_ms)
        if first < last:
            yield Slice(teller.rest, "log", cursor, first, stretch)
            yield Slice("boot_ssh", teller.source, first, last, stretch)
            cursor = last
    yield Slice(teller.rest, "log", cursor, end_ms, stretch)
