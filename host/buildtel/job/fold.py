"""Events to one job document: a pure function, fed one event at a time so that no log is ever held.

What is kept is bounded, whatever the log's length; where a bound is met, the document says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from buildtel.events import (
    AgentRecord,
    DamagedRecord,
    Event,
    LastStamp,
    LaterStamp,
    PrefixUnknown,
    RunStarted,
    UnreadableLine,
    ZoneLearned,
)
from buildtel.job.finish import finish
from buildtel.job.model import JobDocument, Meta
from buildtel.job.runner import ON, facts_of, is_runners, with_runner
from buildtel.job.steps import step_name
from buildtel.job.times import settle_times
from buildtel.job.verdicts import RUNNER, SHELL_LOCAL
from buildtel.measure.arrivals import Arrival, Limits, add_samples, take
from buildtel.measure.clock import BootClock
from buildtel.measure.drafts import Folded, Group, MachineDraft, Point, Section
from buildtel.measure.ledger import MAX_PENDING, MAX_PROCESSES, Full, Pending, Seen
from buildtel.measure.records import BODIES, Record, Refused, clean, read_body
from buildtel.measure.recovery import Held, Home, Homes, Life, begin_runs, checked, place
from buildtel.timeline.unit import Unit

MAX_LATER_STAMPS = 50_000
LATEST_TIME_S = 253_402_300_000  # the year 9999
MAX_GROUP_UNITS = 50_000
MAX_RUNS = 10_000
MAX_MACHINES = 64
MAX_BOOTS = 64
MAX_GROUPS = 64
MAX_MISSING_NOTES = 10


def document(events: Iterable[Event], meta: Meta, *, logged: bool = True) -> JobDocument:
    """The document of the events of a log and its spools.

    Args:
        events: in the order of the log, those of spools behind them.
        meta: what the log can't tell.
        logged: False where there was no log, only spools.
    """
    folding = Fold()
    for event in events:
        folding.add(event)
    return folding.document(meta, logged=logged)


class Fold:
    """The fold, one event at a time: `add` each, then `document`."""

    def __init__(self) -> None:
        self._folded = Folded()
        self._section = self._folded.sections[0]
        self._seen: dict[str, tuple[Seen, Group]] = {}
        self._pending: dict[tuple[str, int], Pending] = {}
        self._limits = Limits(self._folded.note_once)
        self._machines = self._groups = 0
        self._runner: Fold | None = None
        self._held = Held()
        self._homes: dict[str, Home] = {}
        self._handlers: dict[type[Event], Callable[[Any], None]] = {
            AgentRecord: self._record,
            DamagedRecord: self._damaged,
            RunStarted: self._run_started,
            LastStamp: self._last_stamp,
            UnreadableLine: self._unreadable,
            LaterStamp: self._later_stamp,
            ZoneLearned: self._zone_learned,
            PrefixUnknown: self._prefix_unknown,
        }

    def add(self, event: Event) -> None:
        """Take one event in, in the log's order."""
        if event.at is not None and not 0 <= event.at.unix_s < LATEST_TIME_S:
            event = replace(event, at=None)
        if event.at is not None and not isinstance(event, LastStamp):
            self._folded.span.add(event.at)
        if isinstance(event, AgentRecord) and is_runners(event):
            self._runner = self._runner or Fold()
            self._runner.add(replace(event, fields={**event.fields, ON: None}))
            return
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)
        else:
            self._packers(event)

    def document(self, meta: Meta, *, logged: bool = True) -> JobDocument:
        """The document of all events so far; the fold is over then. `logged` is False where there was no log."""
        self._folded.logged = logged
        self._settle()
        if self._runner is None:
            return finish(self._folded, meta)
        runner = self._runner.document(meta)
        of_log = finish(self._folded, meta, self._runner._folded)
        return with_runner(of_log, runner, facts_of(runner, of_log, meta))

    def _settle(self) -> None:
        """Use what spools brought and what came in parts, and count what is missing."""
        if self._held.seen or self._held.left_out:
            self._recover()
        for pending in list(self._pending.values()):
            self._folded.counts["missing_parts"] += 1
            self._event(pending)
        self._pending.clear()
        settle_times(self._folded)
        for _, machine in self._folded.machines():
            place(machine)
        own = {id(section.own_group()) for section in self._folded.sections}
        missing: Counter[str] = Counter()
        for sid, (seen, group) in self._seen.items():
            if id(group) in own and seen.missing and not self._is_kept_back(sid):
                self._folded.counts["missing"] += seen.missing
                missing[self._whose(sid)] += seen.missing
        for whose, number in missing.most_common(MAX_MISSING_NOTES):
            self._folded.note_once(f"{number} record(s) of {whose} are missing.")

    def _is_kept_back(self, sid: str) -> bool:
        """Whether the records of a process that are not here are in a spool, by its machine's own word."""
        _, machine = self._homes.get(sid, (None, None))
        return machine is not None and machine.lacks_spool

    def _whose(self, sid: str) -> str:
        """In words: of what the missing records of a process would have told."""
        _, machine = self._homes.get(sid, (None, None))
        if machine is None:
            return "an agent"
        steps = [step for step in machine.steps.values() if step.id.rpartition(".")[0] == sid]
        name = step_name(steps[0].name, steps[0].unit) or steps[0].id if steps else f"agent {sid}"
        return f"`{clean(name, 60)}` ({clean(machine.target or 'guest', 60)})"

    # Packer's side

    def _run_started(self, event: RunStarted) -> None:
        if len(self._folded.sections) >= MAX_RUNS:
            self._folded.note_once(f"More than {MAX_RUNS} runs of Packer: the rest count as the last of them.")
        elif self._section.is_told or self._section.groups:
            self._section = Section(len(self._folded.sections))
            self._folded.sections.append(self._section)
        else:
            self._section.run = None
        self._packers(event)

    def _packers(self, event: Event) -> None:
        timeline = self._folded.timeline
        timeline.add(event)
        if timeline.is_full:
            self._folded.note_once("The log has more of Packer's lines than any build: the rest is left out.")
        if self._section.run is None and timeline.runs:
            self._section.run = timeline.runs[-1]

    def _last_stamp(self, event: LastStamp) -> None:
        run = self._section.run
        if event.at is not None and (event.of_text or (run is not None and run.is_told and not run.is_over)):
            self._folded.span.add(event.at)
        self._packers(event)

    def _later_stamp(self, event: LaterStamp) -> None:
        if event.at is not None and len(self._folded.later_stamps) < MAX_LATER_STAMPS:
            self._folded.later_stamps.setdefault(event.line, event.at)

    def _zone_learned(self, event: ZoneLearned) -> None:
        self._folded.is_mixed, self._folded.ahead_s = True, event.ahead_s

    def _prefix_unknown(self, _event: PrefixUnknown) -> None:
        self._folded.prefix_unknown = True

    def _unreadable(self, event: UnreadableLine) -> None:
        self._folded.unreadable[event.reason] += 1

    # The agent's side

    def _damaged(self, event: DamagedRecord) -> None:
        self._folded.counts["damaged"] += 1
        self._folded.damage[clean(event.reason, 80)] += 1

    def _refuse(self, reason: str) -> None:
        self._folded.counts["damaged"] += 1
        self._folded.damage[reason] += 1

    def _leave_out(self, ev: str, names: Iterable[str]) -> None:
        """Count a record of which some fields are not used."""
        for name in names:
            self._folded.partly[f"`{name}` of `{ev}`"] += 1
        self._folded.counts["damaged"] += bool(names)

    def _record(self, event: AgentRecord) -> None:
        try:
            record = checked(event)
        except Refused as refused:
            self._refuse(f"a record that no agent writes ({refused})")
            return
        try:
            if event.spool is not None:
                self._held.add(record, event)
                return
            group = self._new_in(record)
        except Full:
            self._refuse("more agent processes or gaps than any build has")
            return
        if group is None:
            self._folded.counts["duplicate"] += 1
            return
        group.records += 1
        group.unauthentic += event.authentic is False
        if record.boot is not None and len(group.boots) < MAX_BOOTS:
            group.boots.add(record.boot)
        self._collect(record, event)

    def _new_in(self, record: Record) -> Group | None:
        """The group of a record not seen before, None for a duplicate."""
        known = self._seen.get(record.sid)
        if known is None:
            if len(self._seen) >= MAX_PROCESSES:
                raise Full
            group = self._group(record)
            known = self._seen[record.sid] = (Seen(), group)
        return known[1] if known[0].add(record.seq) else None

    def _group(self, record: Record) -> Group:
        if self._groups >= MAX_GROUPS and self._section.groups:
            return self._section.groups[-1]
        before = len(self._section.groups)
        group = self._section.group_of(record.run, record.boot)
        self._groups += len(self._section.groups) - before
        return group

    def _collect(self, record: Record, event: AgentRecord, machine: MachineDraft | None = None) -> None:
        """Hold an event's parts until all are there."""
        self._leave_out(record.ev, [name if name in BODIES[record.ev] else "?" for name in event.refused])
        first = (record.sid, record.seq - record.part + 1)
        pending = self._pending.get(first)
        if pending is None:
            build = self._folded.timeline.build(event.target)
            unit = None if build is None else build.unit(event.provisioner)
            pending = Pending(record, event, unit, machine)
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
            self._folded.counts["missing_parts"] += 1
            self._event(oldest)

    def _event(self, pending: Pending) -> None:
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
        take(Arrival(machine, record, body, point, unit, pending.whole, event.authentic, behind), self._limits)

    def _settled(self, pending: Pending) -> MachineDraft | None:
        """The machine of an event, from now on known as its process's."""
        sid, unit = pending.first.sid, pending.unit
        group = self._seen[sid][1]
        on_runner = unit is not None and unit.kind == SHELL_LOCAL
        machine = pending.machine or self._machine(group, pending.event.target, RUNNER if on_runner else None)
        if machine is not None:
            self._homes[sid] = (group, machine)
        return machine

    def _machine(self, group: Group, target: str | None, key: str | None = None) -> MachineDraft | None:
        machine = group.machines.get(key or target)
        if machine is None:
            if self._machines >= MAX_MACHINES:
                self._folded.note_once(f"More than {MAX_MACHINES} machines: the records of the rest are left out.")
                return None
            self._machines += 1
            machine = group.machines[key or target] = MachineDraft(target, self._section, key == RUNNER)
        return machine

    def _clock(self, machine: MachineDraft, record: Record, event: AgentRecord, unit: Unit | None) -> None:
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
        if self._held.left_out:
            self._folded.note_once(f"{self._held.left_out} record(s) of the spools left out: more than any build has.")
        for pending in self._pending.values():  # what the log has of them names their machine
            self._settled(pending)
        homes = Homes(self._folded, self._held, self._homes)
        rows, numbers = self._held.fresh(self._seen), self._held.new(self._seen)
        begin_runs(self._section, rows)
        for row in rows:
            home = self._home(homes, row.record, row.spool)
            if home is not None:
                home[1].spooled = True
                self._recovered(home, row.record, numbers.pop(row.record.sid, []), row.authentic)
                self._collect(*row.unpacked(), home[1])
        for (spool, _), life in sorted(self._held.lives.items(), key=lambda item: item[1].first.t_ns):
            home = self._home(homes, life.first, spool)
            if home is not None:
                home[1].spooled = True
                self._recovered(home, life.first, numbers.pop(life.first.sid, []), life.authentic)
                self._lived(home[1], life)
        self._folded.counts["duplicate"] += self._held.duplicate

    def _home(self, homes: Homes, record: Record, spool: int) -> Home | None:
        """Group and machine of a process's records; None if there are too many machines."""
        known = homes.known(record, spool)
        if known is not None:
            return known
        group, key = homes.stranger(self._section, record, spool)
        machine = self._machine(group, None, key)
        return None if machine is None else (group, machine)

    def _recovered(self, home: Home, record: Record, numbers: list[int], authentic: bool | None) -> None:
        """Count the records of one process that only the spools have, the first time one of them comes."""
        group = home[0]
        if not numbers:
            self._seen.setdefault(record.sid, (Seen(), group))
            return
        seen, group = self._seen.setdefault(record.sid, (Seen(), group))
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
