"""The drafts of a whole log made one document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import fields as dataclass_fields
from datetime import datetime, timezone

from buildtel.job.attribute import attributed_steps, shell_local_steps
from buildtel.job.caveats import caveats
from buildtel.job.endings import ended
from buildtel.job.folded import Folded, Span
from buildtel.job.model import (
    SCHEMA,
    BootClock,
    Clock,
    Integrity,
    JobDocument,
    Machine,
    Mark,
    Meta,
    Samples,
    Status,
    Step,
)
from buildtel.job.parts import Parts
from buildtel.job.runner import facts_of, joined, meta_fields, ordered
from buildtel.job.steps import finish_step, time_of
from buildtel.job.stretches import measured
from buildtel.job.verdicts import judged, units_of
from buildtel.measure.clock import BootClock as BootClockDraft
from buildtel.measure.drafts import RUNNER, MachineDraft, Measured
from buildtel.measure.records import clean
from buildtel.measure.series import chart
from buildtel.timeline.packer_model import Build, PackerReport
from buildtel.timeline.report import report
from buildtel.timeline.unit import SHELL_LOCAL

NO_TIMES = "the log has no times: host and guest can't be put on one axis"
NO_ZONE = "the log's times have no zone: the guest's clock can't be compared with the host's"
NO_LOG = "there is no log: its times are by its own clock"
WITHOUT_LOG = "Made without a log: what Packer did is not known, and `timestamp` is when this was collected."
NO_ACCOUNT = (
    "{}: order, names and Packer's own durations are known, how long each phase and provisioner "
    "took is not. `buildtel-host packer build` gives times, and `packer build -timestamp-ui` does."
)
PREFIX_UNKNOWN = (
    "The log has Packer's words behind a prefix that buildtel could not recognise: its builds were not read. "
    "Collect the log without that prefix, or report the prefix as a bug."
)
NO_ZONE_STATED = (
    "The log's stamps have no time zone: `timestamp` is its local date and time, durations are known, "
    "`job_start` and `job_end` are not."
)
IN_SPOOL = (
    "{}: the records of this build are in the spool (`buildtel_records`), which was not downloaded or not given: "
    "names, times and results of its provisioners are Packer's words. Add the download of `local.buildtel_spool` to "
    "the template (docs/wiring.md), and `--spool FILE` to the command."
)
MAX_DAMAGE_NOTES = 10


def finish(folded: Folded, meta: Meta) -> JobDocument:
    """The document of all that was folded."""
    folded.number_runs()
    log = of_log(folded, meta)
    fields = {field.name: getattr(log, field.name) for field in dataclass_fields(log)}
    if folded.runner is not None:
        runner = of_runner(folded.runner)
        fields |= joined(log, runner, facts_of(runner, log, meta))
    return JobDocument(schema=SCHEMA, **meta_fields(meta), **fields)


def of_log(folded: Folded, meta: Meta) -> Parts:
    """What Packer's words, and the records in the log and its spools, make of a document."""
    around = None if folded.runner is None else next((machine for _, machine in folded.runner.machines()), None)
    packer = report(folded.timeline, packer_started_s(around))
    packer = packer if around is None else measured(packer, around)
    machines, clocks, steps = of_records(folded.measured, packer, folded.logged)
    if around is not None:
        steps += shell_local_steps(around, packer, measured_units(folded))
    start_s = folded.span.first.get(True)
    return Parts(
        timestamp=timestamp(folded.span, meta),
        job_start=start_s,
        job_end=folded.span.last.get(True),
        job_duration_s=job_duration_s(folded.span, packer),
        steps=ordered(steps),
        status=job_status(packer),
        machines=machines,
        packer=packer,
        clock=clocks,
        integrity=integrity(folded.measured),
        notes=[*notes(folded, packer, clocks, start_s), *caveats(machines, steps)],
    )


def of_runner(told: Measured) -> Parts:
    """What the records of the wrapper around Packer make of a document."""
    machines, clocks, steps = of_records(told, PackerReport(), True)
    found = [*told.notes, *doubts(told), *losses(told, Counter())]
    return Parts(steps=ordered(steps), machines=machines, clock=clocks, integrity=integrity(told), notes=found)


def of_records(
    told: Measured, packer: PackerReport, logged: bool
) -> tuple[dict[str, Machine], dict[str, Clock], list[Step]]:
    """The machines of all records, their clocks and steps.

    Args:
        told: what the records told.
        packer: what Packer's words did.
        logged: False where there was no log.
    """
    machines: dict[str, Machine] = {}
    clocks: dict[str, Clock] = {}
    steps: list[Step] = []
    for section, draft in told.machines():
        key = machine_key(draft, machines)
        machines[key] = finish_machine(draft)
        clocks[key] = finish_clock(draft, logged)
        units = units_of(draft, packer)
        found = [finish_step(step, draft, key, section) for step in draft.steps.values()]
        steps += judged(ended(found, draft, units), draft, units)
        steps += [] if draft.is_runner else attributed_steps(draft, key, packer)
    return machines, clocks, steps


def packer_started_s(runner: MachineDraft | None) -> float | None:
    """When the process of Packer began, by the wrapper around it."""
    starts = [time_of(step.start, runner) for step in runner.steps.values()] if runner else []
    return next((start for start in starts if start is not None), None)


def timestamp(span: Span, meta: Meta) -> str:
    """When the job began: by the log's zoned times, else by its local date and time, else when it was collected."""
    start_s, local_s = span.first.get(True), span.first.get(False)
    if start_s is not None:
        return iso(start_s)
    if local_s is not None and span.dated:
        return iso(local_s).removesuffix("+00:00")
    return meta.collected_at.isoformat(timespec="seconds")


def iso(unix_s: float) -> str:
    """ISO 8601 in UTC, whole seconds."""
    return datetime.fromtimestamp(unix_s, timezone.utc).isoformat(timespec="seconds")


def measured_units(folded: Folded) -> set[tuple[str | None, int]]:
    """(build, place) of the provisioners that measured themselves."""
    steps = ((draft.target, step.unit) for _, draft in folded.measured.machines() for step in draft.steps.values())
    return {(target, unit.index) for target, unit in steps if unit is not None}


def machine_key(draft: MachineDraft, taken: dict[str, Machine]) -> str:
    """Packer's target; a later run of the same log gets `#2`, `#3` behind it. The runner is the runner."""
    if draft.is_runner:
        return RUNNER
    name = draft.target or "guest"
    key = name if draft.section.number == 0 else f"{name}#{draft.section.number + 1}"
    return key if key not in taken else f"{key}#{len(taken) + 1}"


def finish_machine(draft: MachineDraft) -> Machine:
    """What a machine said of itself, its samples and its marks."""
    facts = dict(draft.facts)
    facts.pop("records", None)
    memory_kb, disk_kb = facts.pop("memory_total_kb", None), facts.pop("disk_total_kb", None)
    return Machine(
        origin="runner" if draft.is_runner else "guest",
        target=None if draft.is_runner else draft.target,
        run=draft.section.number + 1,
        memory_total_mb=None if memory_kb is None else round(memory_kb / 1024),
        disk_total_gb=None if disk_kb is None else round(disk_kb / 1024**2, 1),
        boots=list(draft.boots),
        samples=finish_samples(draft),
        marks=[
            Mark(name=mark.name, time=time_of(mark.point, draft) or 0.0, parent=mark.parent) for mark in draft.marks
        ],
        **facts,
    )


def finish_samples(draft: MachineDraft) -> list[Samples]:
    """The whole-life samples of each boot, as a chart shows them."""
    found = []
    for boot, samples in draft.samples.items():
        if len(samples):
            clock = draft.boots[boot]
            m_ns = samples.times_ms[0] * 1_000_000
            t_ns = round(clock.wall_first_s * 1e9) + m_ns
            start = round(clock.host_s(m_ns, t_ns), 3)
            found.append(Samples(boot=boot, start_time=start, columns=chart(samples.chart_columns())))
    return found


def finish_clock(draft: MachineDraft, logged: bool) -> Clock:
    """A machine's clock against the host's: that of its last boot with times stands for it."""
    boots = [boot_clock(clock) for clock in draft.boots.values()]
    known = [boot for boot in boots if boot.offset_s is not None]
    if not known:
        timed = any(clock.unzoned.zero() for clock in draft.boots.values())
        return Clock(note=NO_LOG if not logged else NO_ZONE if timed else NO_TIMES, boots=boots)
    return Clock(offset_s=known[-1].offset_s, error_s=known[-1].error_s, boots=boots)


def boot_clock(clock: BootClockDraft) -> BootClock:
    """One boot's clock, as of its first record."""
    zero = clock.zero()
    stepped_s = clock.stepped_s
    return BootClock(
        boot=clock.boot,
        offset_s=None if zero is None else round(clock.wall_first_s - zero[0], 3),
        error_s=None if zero is None else round(zero[1], 3),
        stepped_s=None if stepped_s is None else round(stepped_s, 3),
        records=clock.records,
    )


def job_status(packer: PackerReport) -> Status:
    """How the job went, by Packer's word on its builds; `unknown` where one has none."""
    results = {build.result for run in packer.runs for build in run.builds}
    if "failure" in results or any(run.error for run in packer.runs):
        return "failure"
    if "cancelled" in results:
        return "cancellation"
    return "success" if results == {"success"} else "unknown"


def job_duration_s(span: Span, packer: PackerReport) -> float | None:
    """Last time minus first of the log; without times what Packer says that its only run took."""
    for known in (True, False):
        if known in span.first and span.last[known] > span.first[known]:
            return round(span.last[known] - span.first[known], 3)
    return packer.runs[0].total_s if len(packer.runs) == 1 else None


def integrity(told: Measured) -> Integrity:
    """What became of the records."""
    own = {id(section.own_group()) for section in told.sections}
    groups = [group for section in told.sections for group in section.groups]
    return Integrity(
        records=sum(group.records for group in groups if id(group) in own),
        foreign=sum(group.records for group in groups if id(group) not in own),
        duplicate=told.counts["duplicate"],
        missing=told.counts["missing"],
        damaged=told.counts["damaged"],
        recovered=sum(group.recovered for group in groups if id(group) in own),
        unauthentic=sum(group.unauthentic for group in groups if id(group) in own),
    )


def doubts(told: Measured) -> Iterable[str]:
    """Which records were not made with the key, by the steps that they tell of."""
    groups = [group for section in told.sections if (group := section.own_group())]
    number = sum(group.unauthentic for group in groups)
    if not number:
        return
    drafts = (step for _, machine in told.machines() for step in machine.steps.values())
    steps = [step for step in drafts if step.authentic is False]
    names = [clean(step.label or step.id, 60) for step in steps[:MAX_DAMAGE_NOTES]]
    more = f" and {len(steps) - len(names)} more" if len(steps) > len(names) else ""
    of = f", of these steps: {', '.join(names)}{more}" if names else ""
    yield f"{number} record(s) not authentic (`mac` missing, or made with another key){of}."


def notes(folded: Folded, packer: PackerReport, clocks: dict[str, Clock], start_s: float | None) -> Iterable[str]:
    """What a reader should know before trusting the figures."""
    yield from folded.measured.notes
    yield from lacks(folded, packer, start_s) if folded.logged else (WITHOUT_LOG,)
    if not clocks and any(_has_machine(build) for run in packer.runs for build in run.builds):
        yield "Nothing was measured inside the VM. To measure it: `buildtel-host wire DIR`."
    for key, clock in clocks.items():
        if clock.note:
            yield f"{key}: {clock.note}."
        for boot in clock.boots:
            if boot.stepped_s is not None:
                yield f"{key}: its wall clock was set by {boot.stepped_s:.1f} s while it ran."
    for _, draft in folded.measured.machines():
        if draft.lacks_spool:
            yield IN_SPOOL.format(draft.target or "guest")
    yield from doubts(folded.measured)
    yield from losses(folded.measured, folded.unreadable)


def _has_machine(build: Build) -> bool:
    """Whether a build is of a machine, as far as the log tells: not one that does nothing but run things locally."""
    return build.ssh_wait or not build.provisioners or any(unit.kind != SHELL_LOCAL for unit in build.provisioners)


def lacks(folded: Folded, packer: PackerReport, start_s: float | None) -> Iterable[str]:
    """What the log lacks."""
    builds = [build for run in packer.runs for build in run.builds]
    if folded.prefix_unknown:
        yield PREFIX_UNKNOWN
    elif not builds and not any(run.error for run in packer.runs):
        yield "No Packer build is in this log."
    elif any(build.result == "unknown" for build in builds):
        yield "The log ends before Packer reported a result: it was cut off, or Packer was killed."
    if any(build.artifact_cut for build in builds):
        yield "The log ends within the line of the last artifact: its text may be incomplete."
    yield from of_times(folded.span, folded, start_s)
    if not folded.span.first and builds:
        yield NO_ACCOUNT.format("The log has no times")
    elif any((build.phases or build.provisioners) and not build.account for build in builds):
        yield NO_ACCOUNT.format("Packer's output has no times here, only the debug lines between have")


def of_times(span: Span, folded: Folded, start_s: float | None) -> Iterable[str]:
    """What the stamps of the log do not tell."""
    if folded.is_mixed and folded.ahead_s is None:
        yield "Some stamps of the log have no time zone and fit none of the others: they were not used."
    if start_s is not None:
        return
    if not span.first:
        yield "The log has no usable time stamps: `timestamp` is the time of collection."
    elif span.dated:
        yield NO_ZONE_STATED
    else:
        yield "The log's stamps have no date: `timestamp` is the time of collection, only durations are known."


def losses(told: Measured, unreadable: Counter[str]) -> Iterable[str]:
    """What of a log could not be used, by reason.

    Args:
        told: what its records told.
        unreadable: how many of its lines were not read, by reason.
    """
    if told.counts["missing_parts"]:
        yield f"{told.counts['missing_parts']} event(s) lack a part and are used as far as they go."
    for reason, number in unreadable.most_common(MAX_DAMAGE_NOTES):
        yield f"{number} line(s) of the log not read: {reason}."
    for reason, number in told.damage.most_common(MAX_DAMAGE_NOTES):
        yield f"{number} record(s) damaged and not used: {reason}."
    for field, number in told.partly.most_common(MAX_DAMAGE_NOTES):
        yield f"{number} record(s) used without a field that no agent writes so: {field}."
