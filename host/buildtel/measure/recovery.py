"""Buffers the records of spools until the log ends, then uses those that the log lacks, in a fixed order.

So the result does not depend on the order of log and spools, on repetitions, or on how much they overlap.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest

from buildtel.events import AgentRecord
from buildtel.measure.drafts import Group, LogSection, MachineDraft, Measured, Point, StepDraft
from buildtel.measure.field_checks import Refused
from buildtel.measure.ledger import MAX_PROCESSES, SequenceSet
from buildtel.measure.record_fields import Record, apart, read_body, read_record
from buildtel.measure.series import Samples, unpack
from buildtel.timeline.provisioner_run import ProvisionerRun

MAX_HELD_BYTES = 48 << 20
MAX_HELD_BOOTS = 256
SHELLS = ("shell", "powershell", "shell-local")

Owner = tuple[Group, MachineDraft]
Known = dict[str, tuple[SequenceSet, Group]]


@dataclass(frozen=True, slots=True)
class SpoolRecord:
    """A record of a spool, packed."""

    record: Record  # without its body
    spool: int
    authentic: bool | None
    refused: tuple[str, ...]
    data: bytes

    def unpacked(self) -> tuple[Record, AgentRecord]:
        """The record, with its body and as an event."""
        fields = json.loads(zlib.decompress(self.data))
        event = AgentRecord(
            line=0, target=None, fields=fields, refused=self.refused, authentic=self.authentic, spool=self.spool
        )
        return checked(event), event


@dataclass(slots=True)
class Life:
    """The whole-life samples that one spool has of one boot, and the earliest record that brought some."""

    first: Record
    authentic: bool | None
    samples: Samples = field(default_factory=Samples)


def checked(event: AgentRecord) -> Record:
    """The record of an event, set apart if it is not authentic.

    Raises:
        Refused: no agent writes that.
    """
    record = read_record(event.fields)
    return apart(record) if event.authentic is False else record


@dataclass(slots=True)
class SpoolBuffer:
    """The distinct records of all spools, bounded; whole-life samples are thinned as they come."""

    seen: dict[str, SequenceSet] = field(default_factory=dict)
    rows: dict[tuple[str, int], SpoolRecord] = field(default_factory=dict)
    lives: dict[tuple[int, str | None], Life] = field(default_factory=dict)
    boots: dict[int, set[str]] = field(default_factory=dict)
    duplicate: int = 0
    left_out: int = 0
    _speaking: set[str] = field(default_factory=set)
    _bytes: int = 0

    def add(self, record: Record, event: AgentRecord) -> None:
        """Hold a record of `event.spool`, or count it.

        Args:
            record: the record.
            event: the event that it was read from.

        Raises:
            TooMany: more gaps in one process's numbers than any build has.
        """
        if self._bytes >= MAX_HELD_BYTES or (record.sid not in self.seen and len(self.seen) >= MAX_PROCESSES):
            self.left_out += 1
            return
        if not self.seen.setdefault(record.sid, SequenceSet()).add(record.seq):
            self.duplicate += 1
            return
        spool = event.spool or 0
        boots = self.boots.setdefault(spool, set())
        if record.boot is not None and len(boots) < MAX_HELD_BOOTS:
            boots.add(record.boot)
        if record.ev != "samples":
            self._speaking.add(record.sid)
        if not self._sampled(record, spool, event.authentic):
            self._keep(record, event, spool)

    def _sampled(self, record: Record, spool: int, authentic: bool | None) -> bool:
        if record.ev != "samples" or record.of > 1 or authentic is False:
            return False
        try:
            body = read_body("samples", record.body)[0]
            columns = body["cols"]
        except (Refused, KeyError):
            return False
        if len(self.lives) >= MAX_HELD_BOOTS and (spool, record.boot) not in self.lives:
            return False
        life = self.lives.setdefault((spool, record.boot), Life(record, authentic))
        life.first = min(life.first, record, key=lambda one: (one.m_ns, one.sid, one.seq))
        life.samples.add(unpack(columns))
        life.samples.intervals.add(body.get("cmds", ()))
        return True

    def _keep(self, record: Record, event: AgentRecord, spool: int) -> None:
        data = zlib.compress(json.dumps(event.fields).encode(), 1)
        self._bytes += len(data) + 500
        self.rows[record.sid, record.seq] = SpoolRecord(record.bare(), spool, event.authentic, event.refused, data)

    def fresh(self, known: Known) -> list[SpoolRecord]:
        """The records that are not `known`: boot by boot, each in the order of its clock."""
        rows = [row for (sid, seq), row in self.rows.items() if sid not in known or not known[sid][0].has(seq)]
        began: dict[str | None, int] = {}
        for row in rows:
            boot = row.record.boot
            began[boot] = min(began.get(boot, row.record.t_ns), row.record.t_ns)
        return sorted(
            rows,
            key=lambda row: (
                began[row.record.boot], row.record.boot or "", row.record.m_ns, row.record.sid, row.record.seq,
            ),
        )  # fmt: skip

    def new(self, known: Known) -> dict[str, list[int]]:
        """By process, the numbers of its records that are not `known`.

        A process that only printed samples which others took is no part of the build: it printed the spool.
        """
        found = {}
        for sid, seen in self.seen.items():
            log = known.get(sid)
            numbers = [seq for seq in seen.each() if log is None or not log[0].has(seq)]
            self.duplicate += len(seen) - len(numbers)
            if numbers and (log is not None or sid in self._speaking):
                found[sid] = numbers
        return found

    def together(self) -> dict[int, int]:
        """By spool, the first of those that share a boot with it: they are of one machine."""
        found: list[tuple[set[int], set[str]]] = []
        for spool, boots in sorted(self.boots.items()):
            near = [one for one in found if one[1] & boots]
            found = [one for one in found if not one[1] & boots]
            found.append(({spool}.union(*(one[0] for one in near)), boots.union(*(one[1] for one in near))))
        return {spool: min(spools) for spools, _ in found for spool in spools}


class MachineMatcher:
    """To which machine of the log a spool's records belong: told by their process, boot, spool or run."""

    def __init__(self, measured: Measured, buffer: SpoolBuffer, by_sid: dict[str, Owner]) -> None:
        self._measured, self._by_sid, self._together = measured, by_sid, buffer.together()
        groups = [group for section in measured.sections for group in section.groups]
        self._runs = {group.run for group in groups if group.run is not None}
        self._by_boot: dict[str, Owner] = {}
        for group in groups:
            for machine in group.machines.values():
                self._by_boot.update({boot: (group, machine) for boot in machine.boots if boot is not None})
        self._by_spool: dict[int, list[Owner]] = {}
        for spool, boots in buffer.boots.items():
            owners = [self._by_boot[boot] for boot in sorted(boots) if boot in self._by_boot]
            self._by_spool.setdefault(self._first(spool), []).extend(owners)
        for (sid, _), row in buffer.rows.items():
            if sid in by_sid:
                self._by_spool.setdefault(self._first(row.spool), []).append(by_sid[sid])

    def _first(self, spool: int) -> int:
        return self._together.get(spool, spool)

    def known(self, record: Record, spool: int) -> Owner | None:
        """Group and machine, where the log knows them.

        Args:
            record: a record of a spool.
            spool: the number of the spool.
        """
        near = self._by_spool.get(self._first(spool), [])
        return (
            self._by_sid.get(record.sid)
            or self._by_boot.get(record.boot or "")
            or (near[0] if near and all(owner[1] is near[0][1] for owner in near) else None)
            or self._only_machine(record.run)
        )

    def _only_machine(self, run: str | None) -> Owner | None:
        """The machine of the one build of this run, where there is but one."""
        for section in self._measured.sections if run is not None else ():
            for group in section.groups:
                if group.run == run and len(targets(section)) == len(group.machines) == 1:
                    return group, next(iter(group.machines.values()))
        return None

    def unmatched(self, section: LogSection, record: Record, spool: int) -> tuple[Group, str]:
        """The group of records that stand alone, and the key of their machine in it.

        Where the log knows its runs and theirs is none of them, they are foreign.

        Args:
            section: the section of the log that gets the group.
            record: a record of a spool.
            spool: the number of the spool.
        """
        foreign = record.run is not None and bool(self._runs) and record.run not in self._runs
        own = None if foreign or not self._runs else section.own_group()
        return own or section.group_of(record.run, record.boot), f"spool {self._first(spool)}"


def begin_runs(section: LogSection, rows: list[SpoolRecord]) -> None:
    """Make the groups of all runs of `rows`, the newest first: without a log that one is the build's own.

    Args:
        section: the section of the log that gets the groups.
        rows: the records of the spools.
    """
    if section.groups:
        return
    newest: dict[str, int] = {}
    for row in rows:
        if row.record.run is not None:
            newest[row.record.run] = max(newest.get(row.record.run, 0), row.record.t_ns)
    for run in sorted(newest, key=lambda run: (-newest[run], run)):
        section.groups.append(Group(run))


def targets(section: LogSection) -> set[str | None]:
    """The builds that a run of Packer had, as far as the log tells."""
    machines = {machine.target for group in section.groups for machine in group.machines.values()}
    builds = section.run.builds.values() if section.run is not None else ()
    return {*(build.name for build in builds if build.units or build.ends), *machines}


def place(machine: MachineDraft) -> None:
    """Give steps the provisioner that was under way when they ran, if their records came through another or none."""
    for step in machine.steps.values():
        if step.unit is not None and not _may_be_late(step, step.unit, machine):
            step.unit.saw_step = True
    for step in machine.steps.values():
        if step.unit is not None and _may_be_late(step, step.unit, machine):
            step.unit = _own_unit(step, step.unit, machine)
    if machine.is_quiet:
        place_in_order(machine)
    _place_lost(machine)


def _place_lost(machine: MachineDraft) -> None:
    """Steps that came through no provisioner get the one that was under way, where the times leave one only."""
    units = machine.section.units(machine.target)
    lost = [step for step in machine.steps.values() if step.unit is None]
    for step in lost:
        fitting = [unit for unit in _around(points(step), machine, units) if not unit.saw_setup and not unit.saw_step]
        if len(fitting) == 1:
            step.unit = fitting[0]
    for step in lost:
        if step.unit is not None:
            step.unit.saw_step = True


def place_in_order(machine: MachineDraft) -> None:
    """Give steps without a provisioner the one that their order leaves, of a machine whose log has only failing steps.

    Each shell provisioner has one step of its own at most, and both come in the same order. What times and order leave
    open stays open. Steps within another have its provisioner.
    """
    units = machine.section.units(machine.target)
    outer = (step for step in machine.steps.values() if step.parent not in machine.steps)
    steps = [step for step in outer if step.by is None and step.start is not None]
    for step in steps:  # what came by `spool`, printed into the log
        step.unit = None if step.unit is not None and step.unit.is_agents else step.unit
    steps.sort(key=lambda step: _when(step, machine))
    choices = [_choices(step, machine, units) for step in steps]
    first = _first_fit(choices)
    backwards = _first_fit([[-place for place in reversed(places)] for places in reversed(choices)])
    last = [-place for place in reversed(backwards)]
    for step, low, high in zip(steps, first, last, strict=False):
        if step.unit is None and low == high:
            step.unit = units[low]
            step.unit.saw_step = True
    for step in machine.steps.values():
        around = machine.steps.get(step.parent or "")
        step.unit = around.unit if step.unit is None and around is not None else step.unit


def _when(step: StepDraft, machine: MachineDraft) -> tuple[int, int]:
    """Where a step stands among all of its machine's, by its boot's first time."""
    point = step.start
    clock = machine.boots.get(point.boot) if point is not None else None
    return (clock.first_t_ns if clock is not None else 0, point.m_ns if point is not None else 0)


def _choices(step: StepDraft, machine: MachineDraft, units: list[ProvisionerRun]) -> list[int]:
    """The places of the provisioners that a step can have run in, in order."""
    if step.unit is not None:
        return [place for place, unit in enumerate(units) if unit is step.unit]
    begun = [point for point in (step.start,) if point is not None]  # it may go on behind its provisioner
    around = {id(unit) for unit in _around(begun, machine, units)} if _has_times(step, machine) else None
    free = ((place, unit) for place, unit in enumerate(units) if not unit.is_agents and not unit.saw_step)
    return [place for place, unit in free if unit.kind == SHELLS[0] and (around is None or id(unit) in around)]


def _has_times(step: StepDraft, machine: MachineDraft) -> bool:
    clock = machine.boots.get(step.start.boot) if step.start is not None else None
    return clock is not None and clock.log_s(0) is not None


def _first_fit(choices: list[list[int]]) -> list[int]:
    """For each its first choice behind that of the one before; none at all where one has none."""
    found: list[int] = []
    for places in choices:
        fitting = [place for place in places if not found or place > found[-1]]
        if not fitting:
            return []
        found.append(fitting[0])
    return found


def _may_be_late(step: StepDraft, unit: ProvisionerRun, machine: MachineDraft) -> bool:
    """Whether the first record of a step that came may have been made before the provisioner it came through began."""
    return step.came_behind or unit.saw_bye or _came_late(step, unit, machine)


def _came_late(step: StepDraft, unit: ProvisionerRun, machine: MachineDraft) -> bool:
    point = step.start or step.beat or step.end
    clock = machine.boots.get(point.boot) if point is not None else None
    return point is not None and clock is not None and clock.came_late(point.m_ns, unit)


def _own_unit(step: StepDraft, unit: ProvisionerRun, machine: MachineDraft) -> ProvisionerRun | None:
    """The provisioner that a step ran in whose records may have come late, through `unit`.

    Where the times leave several it is the one in which no other step ran; else the one that its records came through,
    unless that is no step's, or began later.
    """
    units = machine.section.units(unit.target)
    fitting = [one for one in _around(points(step), machine, units) if not one.saw_bye]
    free = [one for one in fitting if one.kind in SHELLS and not one.saw_setup and not one.saw_step]
    found = fitting[0] if len(fitting) == 1 else free[0] if len(free) == 1 else None
    if found is not None or unit.saw_bye or _came_late(step, unit, machine):
        return found
    return unit


def points(step: StepDraft) -> list[Point]:
    """The instants that are known of a step."""
    return [point for point in (step.start, step.beat, step.end) if point is not None]


def _around(points: list[Point], machine: MachineDraft, units: list[ProvisionerRun]) -> Iterator[ProvisionerRun]:
    """The units in which all of a step's instants may be, by the log's times and how far they can be off."""
    clock = machine.boots.get(points[0].boot) if points else None
    zero = (clock.zero() or clock.unzoned.zero()) if clock is not None else None
    if zero is None or any(point.boot != points[0].boot for point in points):
        return
    first_s, last_s = (zero[0] + pick(point.m_ns for point in points) / 1e9 for pick in (min, max))
    for unit, following in zip_longest(units, units[1:]):
        if unit.at is None or unit.at.unix_s - zero[1] > first_s:
            continue
        after = following.at if following is not None else None
        if after is None or last_s <= after.unix_s + after.resolution_s + zero[1]:
            yield unit
