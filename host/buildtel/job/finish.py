"""Turns the state of a fold into the job document."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields as dataclass_fields
from datetime import datetime, timezone

from buildtel.job.attribute import attributed_steps, shell_local_steps
from buildtel.job.caveats import caveats
from buildtel.job.endings import ended
from buildtel.job.fold_state import FoldState, Span
from buildtel.job.machines import finish_clock, finish_machine, machine_key
from buildtel.job.model import (
    SCHEMA,
    Clock,
    Integrity,
    JobDocument,
    Machine,
    Meta,
    Status,
    Step,
)
from buildtel.job.notes import doubts, losses, notes
from buildtel.job.parts import Parts
from buildtel.job.runner import facts_of, joined, meta_fields, ordered
from buildtel.job.runner_figures import measured
from buildtel.job.steps import finish_step, time_of
from buildtel.job.verdicts import judged, units_of
from buildtel.measure.drafts import MachineDraft, Measured
from buildtel.timeline.packer_model import PackerReport
from buildtel.timeline.packer_report import report


def finish(folded: FoldState, meta: Meta) -> JobDocument:
    """The document of all that was folded.

    Args:
        folded: the state of the fold; all its events are in.
        meta: which job it is, and when it was collected.
    """
    folded.number_runs()
    log = of_log(folded, meta)
    fields = {field.name: getattr(log, field.name) for field in dataclass_fields(log)}
    if folded.runner is not None:
        runner = of_runner(folded.runner)
        fields |= joined(log, runner, facts_of(runner, log, meta))
    return JobDocument(schema=SCHEMA, **meta_fields(meta), **fields)


def of_log(folded: FoldState, meta: Meta) -> Parts:
    """The part of a document that comes from Packer's output and from the records in the log and its spools.

    Args:
        folded: the state of the fold.
        meta: gives the time of collection, for a log without times.
    """
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
    """When the job began, ISO 8601: by the log's zoned times, else by its local date and time, else by the collection.

    Args:
        span: the first and last times of the log.
        meta: gives the time of collection.
    """
    start_s, local_s = span.first.get(True), span.first.get(False)
    if start_s is not None:
        return iso(start_s)
    if local_s is not None and span.dated:
        return iso(local_s).removesuffix("+00:00")
    return meta.collected_at.isoformat(timespec="seconds")


def iso(unix_s: float) -> str:
    """ISO 8601 in UTC, whole seconds."""
    return datetime.fromtimestamp(unix_s, timezone.utc).isoformat(timespec="seconds")


def measured_units(folded: FoldState) -> set[tuple[str | None, int]]:
    """(build, place) of the provisioners that measured themselves."""
    steps = ((draft.target, step.unit) for _, draft in folded.measured.machines() for step in draft.steps.values())
    return {(target, unit.index) for target, unit in steps if unit is not None}


def job_status(packer: PackerReport) -> Status:
    """How the job went, by Packer's word on its builds; `unknown` where one has none."""
    results = {build.result for run in packer.runs for build in run.builds}
    if "failure" in results or any(run.error for run in packer.runs):
        return "failure"
    if "cancelled" in results:
        return "cancellation"
    return "success" if results == {"success"} else "unknown"


def job_duration_s(span: Span, packer: PackerReport) -> float | None:
    """Seconds from the first to the last time of the log; without times what Packer says that its only run took.

    Args:
        span: the first and last times of the log.
        packer: what the log told.
    """
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
