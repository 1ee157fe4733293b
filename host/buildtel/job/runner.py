"""Joins the runner's steps with the document of a log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from buildtel.events import AgentRecord
from buildtel.job.caveats import caveats
from buildtel.job.facts import JobFacts
from buildtel.job.model import Integrity, JobDocument, Machine, Meta, Status, Step, System
from buildtel.job.parts import Parts, Source
from buildtel.job.steps import LOG_ENDS
from buildtel.measure.drafts import RUNNER
from buildtel.timeline.packer_model import PackerReport

ON = "on"  # the field of a record that says whose it is
GRAIN_S = 1.0  # Packer's log may have whole seconds, cut off, not rounded
OPEN_JOB = "The job was not finalized."
NOT_ENDED = "no end recorded (job cancelled or runner lost)"


def is_runners(event: AgentRecord) -> bool:
    """Whether the wrapper around Packer made this record; one that came through a build is none of its."""
    return event.target is None and event.fields.get(ON) == RUNNER


def facts_of(runner: Source, document: Source, meta: Meta) -> JobFacts:
    """The facts of the job around a log that the wrapper wrote.

    Args:
        runner: what the runner's records tell.
        document: what the log told.
        meta: which job it is, and when it was collected.
    """
    starts = [step.start_time for step in runner.steps if step.start_time is not None]
    started_at = min(starts, default=document.job_start or meta.collected_at.timestamp())
    ended_at = max(filter(None, (last_time(runner.steps), document.job_end)), default=None) if runner.steps else None
    began = datetime.fromtimestamp(started_at, timezone.utc)
    return JobFacts(meta=replace(meta, collected_at=began), started_at=started_at, ended_at=ended_at)


def with_runner(document: JobDocument | None, runner: JobDocument, facts: JobFacts) -> JobDocument:
    """`document` (what the log told, None without one) and the runner's steps as one.

    Args:
        document: what the log told, maybe with runner's steps of an earlier collect; None without a log.
        runner: what the runner's records tell.
        facts: what is known of the job.
    """
    base = document if document is not None else empty(facts.meta)
    return replace(base, **meta_fields(facts.meta), **joined(document, runner, facts))


def meta_fields(meta: Meta) -> dict[str, Any]:
    """The fields of a document that no log tells."""
    return {name: value for name, value in vars(meta).items() if name != "collected_at"}


def joined(log: Source | None, runner: Source, facts: JobFacts) -> dict[str, Any]:
    """The fields of the document of a log and the runner's steps.

    Runner steps that `log` has already (from an earlier collect, or by the wrapper around Packer) stay,
    replaced where `runner`, as folded from the runner's records, has them.

    Args:
        log: what the log told, None without one.
        runner: what the runner's records tell.
        facts: what is known of the job.
    """
    base = log if log is not None else Parts()
    fresh = [runner_step(step) for step in runner.steps]
    known = {step.id for step in fresh}
    steps = nested([step for step in base.steps if step.origin == RUNNER and step.id not in known] + fresh)
    guests = [step for step in base.steps if step.origin != RUNNER]
    machine = around(base.machines.get(RUNNER), next(iter(runner.machines.values()), None))
    machines = {key: value for key, value in base.machines.items() if key != RUNNER}
    ended_at = facts.ended_at or last_time(steps) or base.job_end
    return {
        "timestamp": facts.meta.collected_at.isoformat(timespec="seconds"),
        "job_start": round(facts.started_at, 3),
        "job_end": ended_at,
        "job_duration_s": None if ended_at is None else round(ended_at - facts.started_at, 3),
        "steps": ordered([*steps, *under(guests, steps, base.packer)]),
        "status": job_status(base, steps, facts),
        "system": system(machine),
        "machines": {**({} if machine is None else {RUNNER: runner_machine(machine)}), **machines},
        "integrity": added(base.integrity, runner.integrity),
        "notes": [*notes(log, runner, facts, steps), *own_caveats(machine, steps, base)],
    }


def around(known: Machine | None, machine: Machine | None) -> Machine | None:
    """The runner as the newest records tell it, with the samples that are known of it.

    Args:
        known: the runner in the log's document, None without one.
        machine: the runner as its newest records tell it, None without any.
    """
    if known is None or machine is None:
        return machine or known
    return replace(machine, samples=machine.samples or known.samples)


def empty(meta: Meta) -> JobDocument:
    """A document of a job without a log."""
    return JobDocument(schema="buildtel.job/1", **meta_fields(meta))


def runner_step(step: Step) -> Step:
    """A step as folded from the runner's records, with the runner's words."""
    unfinished = NOT_ENDED if step.unfinished == LOG_ENDS else step.unfinished
    return replace(step, machine=RUNNER, origin="runner", provisioner=None, unfinished=unfinished)


def nested(steps: list[Step]) -> list[Step]:
    """The runner's steps, each under the innermost step that began before it and ended after it.

    Steps that overlap, or whose end is not known, are nobody's children of each other.
    """
    whole = [step for step in steps if step.start_time is not None and step.end_time is not None]
    parents: dict[str | None, str | None] = {}
    around: list[Step] = []
    for step in sorted(whole, key=lambda step: (step.start_time or 0.0, -(step.end_time or 0.0))):
        around = [other for other in around if (other.end_time or 0.0) > (step.start_time or 0.0)]
        holders = [other for other in around if (other.end_time or 0.0) >= (step.end_time or 0.0)]
        parents[step.id] = holders[-1].id if holders else None
        around.append(step)
    return [replace(step, parent=parents.get(step.id)) for step in steps]


def runner_machine(machine: Machine) -> Machine:
    """The runner's facts."""
    return replace(machine, origin="runner", target=None)


def system(machine: Machine | None) -> System:
    """The original's facts of the runner; null where it was not measured."""
    if machine is None:
        return System()
    return System(cpus=machine.cpus, memory_total_mb=machine.memory_total_mb, disk_total_gb=machine.disk_total_gb)


def under(guests: list[Step], steps: list[Step], packer: PackerReport | None) -> list[Step]:
    """The guests' outermost steps as children of the runner's step that ran Packer, if the times tell which one it is.

    Args:
        guests: the steps of guests.
        steps: the runner's steps.
        packer: what the log told, None without one.
    """
    parent = step_around(steps, packer)
    known = {step.id for step in guests}
    return [step if step.parent in known else replace(step, parent=parent.id if parent else None) for step in guests]


def step_around(steps: Iterable[Step], packer: PackerReport | None) -> Step | None:
    """The shortest step that holds all of Packer's runs, as exactly as the log's times tell; None if there is none.

    Args:
        steps: the runner's steps.
        packer: what the log told, None without one.
    """
    times = [time for run in (packer.runs if packer else ()) for time in (run.started_at, run.ended_at)]
    known = [time for time in times if time is not None]
    if not known:
        return None
    first, last = min(known), max(known)
    middle = (first + last + GRAIN_S) / 2
    around = [
        step
        for step in steps
        if step.start_time is not None
        and step.start_time <= min(first + GRAIN_S, middle)
        and (step.end_time is None or step.end_time >= max(last, middle))
    ]
    return min(around, key=lambda step: (step.end_time or float("inf")) - (step.start_time or 0), default=None)


def ordered(steps: list[Step]) -> list[Step]:
    """By start; those without one at the end."""
    return sorted(steps, key=lambda step: (step.start_time is None, step.start_time or 0.0))


def last_time(steps: list[Step]) -> float | None:
    """The last time that any of these steps was seen."""
    times = [time for step in steps for time in (step.end_time, step.last_seen, step.start_time) if time is not None]
    return max(times, default=None)


def job_status(base: Source, steps: list[Step], facts: JobFacts) -> Status:
    """Failure if Packer or a step failed; success only of a finalized job whose steps have all ended.

    Without Packer's result the exit status of every step must be known, too.

    Args:
        base: what the log told.
        steps: the runner's steps.
        facts: what is known of the job.
    """
    told = base.status if base.packer is not None and any(run.builds for run in base.packer.runs) else None
    if told in ("failure", "cancellation"):
        return told
    if any(step.status in ("failure", "error") for step in steps):
        return "failure"
    if told == "unknown" or any(step.unfinished for step in steps):
        return "unknown"
    if told is None and any(step.status == "unknown" for step in steps):
        return "unknown"
    return "success" if told == "success" or facts.ended_at is not None else "unknown"


def added(one: Integrity | None, other: Integrity | None) -> Integrity:
    """The sums of two counts of records.

    Args:
        one: the log's, None without one.
        other: the runner's, None without one.
    """
    parts = [part for part in (one, other) if part is not None]
    return Integrity(**{name: sum(getattr(part, name) for part in parts) for name in vars(Integrity())})


def own_caveats(machine: Machine | None, steps: list[Step], base: Source) -> list[str]:
    """What a reader should know of the runner's figures and `base` does not say.

    Args:
        machine: the runner, None if it was not measured.
        steps: its steps.
        base: what the log told.
    """
    found = caveats({} if machine is None else {RUNNER: machine}, steps)
    return [note for note in found if note not in base.notes]


def notes(log: Source | None, runner: Source, facts: JobFacts, steps: list[Step]) -> Iterable[str]:
    """What a reader should know before using the figures. Without a log, nothing that only a log could tell.

    Args:
        log: what the log told, None without one.
        runner: what the runner's records tell.
        facts: what is known of the job.
        steps: the runner's steps.
    """
    if log is not None:
        yield from (note for note in log.notes if note != OPEN_JOB)
    yield from (note for note in runner.notes if "record(s)" in note)
    if facts.ended_at is None:
        yield OPEN_JOB
    unplaced = log is not None and any(step.origin != RUNNER and step.parent is None for step in log.steps)
    if log is not None and unplaced and steps and step_around(steps, log.packer) is None:
        yield "Packer's log has no times, or no runner step was open around it: the guest's steps stand by themselves."
