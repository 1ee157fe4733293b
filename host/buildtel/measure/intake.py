"""Takes each record once, joins its parts, and assigns it to its machine.

What is kept is bounded, whatever the number of records; where a bound is met, a note says so. What spools bring is held
until the log is over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from buildtel.events import AgentRecord, DamagedRecord
from buildtel.measure.agent_events import AgentEvent, Limits, add_samples, apply
from buildtel.measure.drafts import RUNNER, Group, LogSection, MachineDraft, Measured, Point
from buildtel.measure.field_checks import Refused, clean
from buildtel.measure.guest_clock import BootClock
from buildtel.measure.ledger import MAX_PENDING, MAX_PROCESSES, PartialEvent, SequenceSet, TooMany
from buildtel.measure.record_fields import BODIES, Record, read_body
from buildtel.measure.recovery import Life, MachineMatcher, Owner, SpoolBuffer, begin_runs, checked, place
from buildtel.timeline.provisioner_run import SHELL_LOCAL, ProvisionerRun

MAX_GROUP_UNITS = 50_000
MAX_MACHINES = 64
MAX_BOOTS = 64
MAX_GROUPS = 64
MAX_MISSING_NOTES = 10


class Intake:
    """Takes records one by one into `measured`; `close` tells that no more come."""

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        self._seen: dict[str, tuple[SequenceSet, Group]] = {}
        self._pending: dict[tuple[str, int], PartialEvent] = {}
        self._limits = Limits(measured.note_once)
        self._machines = self._groups = 0
        self._spooled = SpoolBuffer()
        self._owners: dict[str, Owner] = {}

    @property
    def _section(self) -> LogSection:
        return self._measured.sections[-1]

    def add(self, event: AgentRecord, unit: ProvisionerRun | None) -> None:
        """Take a record that came through `unit`, None outside of any provisioner.

        Args:
            event: the record.
            unit: the provisioner that it came through, None outside of any.
        """
        try:
            record = checked(event)
        except Refused as refused:
            self._refuse(f"an invalid record ({refused})")
            return
        try:
            if event.spool is not None:
                self._spooled.add(record, event)
                return
            group = self._new_in(record)
        except TooMany:
            self._refuse("more agent processes or gaps than any build has")
            return
        if group is None:
            self._measured.counts["duplicate"] += 1
            return
        group.records += 1
        group.unauthentic += event.authentic is False
        if record.boot is not None and len(group.boots) < MAX_BOOTS:
            group.boots.add(record.boot)
        self._collect(record, event, unit)

    def add_damaged(self, event: DamagedRecord) -> None:
        """Count what was a record."""
        self._refuse(clean(event.reason, 80))

    def close(self) -> None:
        """Use what spools brought and what came in parts."""
        if self._spooled.seen or self._spooled.left_out:
            self._recover()
        for pending in list(self._pending.values()):
            self._measured.counts["missing_parts"] += 1
            self._event(pending)
        self._pending.clear()

    def place(self) -> None:
        """Give each step its provisioner, and count what is missing, once the times are final."""
        for _, machine in self._measured.machines():
            place(machine)
        own = {id(section.own_group()) for section in self._measured.sections}
        missing: Counter[str] = Counter()
        for sid, (seen, group) in self._seen.items():
            if id(group) in own and seen.missing and not self._is_kept_back(sid):
                self._measured.counts["missing"] += seen.missing
                missing[self._whose(sid)] += seen.missing
        for whose, number in missing.most_common(MAX_MISSING_NOTES):
            self._measured.note_once(f"{number} record(s) of {whose} are missing.")

    def _is_kept_back(self, sid: str) -> bool:
        """Whether the records of a process that are not here are in a spool, by its machine's own word."""
        _, machine = self._owners.get(sid, (None, None))
        return machine is not None and machine.lacks_spool

    def _whose(self, sid: str) -> str:
        """In words: of what the missing records of a process would have told."""
        _, machine = self._owners.get(sid, (None, None))
        if machine is None:
            return "an agent"
        steps = [step for step in machine.steps.values() if step.id.rpartition(".")[0] == sid]
        name = steps[0].label or steps[0].id if steps else f"agent {sid}"
        return f"`{clean(name, 60)}` ({clean(machine.target or 'guest', 60)})"

    def _refuse(self, reason: str) -> None:
        self._measured.counts["damaged"] += 1
        self._measured.damage[reason] += 1

    def _leave_out(self, ev: str, names: Iterable[str]) -> None:
        """Count a record of which some fields are not used."""
        for name in names:
            self._measured.partly[f"`{name}` of `{ev}`"] += 1
        self._measured.counts["damaged"] += bool(names)

    def _new_in(self, record: Record) -> Group | None:
        """The group of a record not seen before, None for a duplicate."""
        known = self._seen.get(record.sid)
        if known is None:
            if len(self._seen) >= MAX_PROCESSES:
                raise TooMany
            group = self._group(record)
            known = self._seen[record.sid] = (SequenceSet(), group)
        return known[1] if known[0].add(record.seq) else None

    def _group(self, record: Record) -> Group:
        if self._groups >= MAX_GROUPS and self._section.groups:
            return self._section.groups[-1]
        before = len(self._section.groups)
        group = self._section.group_of(record.run, record.boot)
        self._groups += len(self._section.groups) - before
        return group

    def _collect(
        self, record: Record, event: AgentRecord, unit: ProvisionerRun | None, machine: MachineDraft | None = None
    ) -> None:
        """Hold an event's parts until all are there."""
        self._leave_out(record.ev, [name if name in BODIES[record.ev] else "?" for name in event.refused])
        first = (record.sid, record.seq - record.part + 1)
        pending = self._pending.get(first)
        if pending is None:
            pending = PartialEvent(record, event, unit, machine)
            if record.of > 1:
                self._make_room()
                self._pending[first] = pending
        pending.parts[record.part] = record.body
        if pending.whole:
            self._pending.pop(first, None)
            self._event(pending)

    def _make_room(self) -> None:
        if len(self._pending) >= MAX_PENDING:
            oldest = self._pending.pop(next(iter(self._pending)))
            self._measured.counts["missing_parts"] += 1
            self._event(oldest)

    def _event(self, pending: PartialEvent) -> None:
        """One whole event of an agent, or what came of it."""
        record, event = pending.first, pending.event
        body, refused = read_body(record.ev, pending.body())
        self._leave_out(record.ev, refused)
        group, unit, machine = self._seen[record.sid][1], pending.unit, self._settled(pending)
        if machine is None:
            return
        clock = machine.boots.get(record.boot)
        behind = clock is not None and clock.is_behind(record.m_ns)
        if unit is not None and len(group.units) < MAX_GROUP_UNITS:
            group.units.add((event.target, unit.index))
        self._clock(machine, record, event, unit)
        self._limits.afford(record.ev, body)
        point = Point(record.t_ns, record.m_ns, record.boot, event.line, body.get("c"))
        apply(AgentEvent(machine, record, body, point, unit, pending.whole, event.authentic, behind), self._limits)

    def _settled(self, pending: PartialEvent) -> MachineDraft | None:
        """The machine of an event, from now on known as its process's."""
        sid, unit = pending.first.sid, pending.unit
        group = self._seen[sid][1]
        on_runner = unit is not None and unit.kind == SHELL_LOCAL
        machine = pending.machine or self._machine(group, pending.event.target, RUNNER if on_runner else None)
        if machine is not None:
            self._owners[sid] = (group, machine)
        return machine

    def _machine(self, group: Group, target: str | None, key: str | None = None) -> MachineDraft | None:
        machine = group.machines.get(key or target)
        if machine is None:
            if self._machines >= MAX_MACHINES:
                self._measured.note_once(f"More than {MAX_MACHINES} machines: the records of the rest are left out.")
                return None
            self._machines += 1
            machine = group.machines[key or target] = MachineDraft(target, self._section, key == RUNNER)
        return machine

    def _clock(self, machine: MachineDraft, record: Record, event: AgentRecord, unit: ProvisionerRun | None) -> None:
        clock = machine.boots.get(record.boot)
        doubted = event.authentic is False
        if clock is None or (clock.doubted and not doubted):
            if clock is None and len(machine.boots) >= MAX_BOOTS:
                return
            clock = machine.boots[record.boot] = BootClock(record.boot, doubted, machine.is_runner)
        elif doubted and not clock.doubted:
            return
        is_late = next(reversed(machine.boots)) != record.boot  # a later boot spoke already
        clock.add(record.t_ns, record.m_ns, event.line, event.at, None if is_late else unit)

    # What spools brought

    def _recover(self) -> None:
        """Take from the spools what the log lacks, each record to the machine that the log knows it by."""
        if self._spooled.left_out:
            left_out = f"{self._spooled.left_out} record(s) of the spools left out"
            self._measured.note_once(f"{left_out}: more than any build has.")
        for pending in self._pending.values():  # what the log has of them names their machine
            self._settled(pending)
        matcher = MachineMatcher(self._measured, self._spooled, self._owners)
        rows, numbers = self._spooled.fresh(self._seen), self._spooled.new(self._seen)
        begin_runs(self._section, rows)
        for row in rows:
            owner = self._owner(matcher, row.record, row.spool)
            if owner is not None:
                owner[1].spooled = True
                self._recovered(owner, row.record, numbers.pop(row.record.sid, []), row.authentic)
                self._collect(*row.unpacked(), None, owner[1])
        for (spool, _), life in sorted(self._spooled.lives.items(), key=lambda item: item[1].first.t_ns):
            owner = self._owner(matcher, life.first, spool)
            if owner is not None:
                owner[1].spooled = True
                self._recovered(owner, life.first, numbers.pop(life.first.sid, []), life.authentic)
                self._lived(owner[1], life)
        self._measured.counts["duplicate"] += self._spooled.duplicate

    def _owner(self, matcher: MachineMatcher, record: Record, spool: int) -> Owner | None:
        """Group and machine of a process's records; None if there are too many machines."""
        known = matcher.known(record, spool)
        if known is not None:
            return known
        group, key = matcher.unmatched(self._section, record, spool)
        machine = self._machine(group, None, key)
        return None if machine is None else (group, machine)

    def _recovered(self, owner: Owner, record: Record, numbers: list[int], authentic: bool | None) -> None:
        """Count the records of one process that only the spools have, the first time one of them comes."""
        group = owner[0]
        if not numbers:
            self._seen.setdefault(record.sid, (SequenceSet(), group))
            return
        seen, group = self._seen.setdefault(record.sid, (SequenceSet(), group))
        for seq in numbers:
            seen.add(seq)
        group.records += len(numbers)
        group.recovered += len(numbers)
        group.unauthentic += len(numbers) if authentic is False else 0

    def _lived(self, machine: MachineDraft, life: Life) -> None:
        boot, record = life.first.boot, life.first
        if boot not in machine.boots:
            self._clock(machine, record, AgentRecord(line=0, target=None, fields={}), None)
        add_samples(machine, boot, life.samples, life.authentic, self._limits)
