"""The notes of a document: what a reader should know before using its figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from buildtel.job.fold_state import FoldState, Span
from buildtel.job.model import Clock
from buildtel.measure.drafts import Measured
from buildtel.measure.field_checks import clean
from buildtel.timeline.packer_model import Build, PackerReport
from buildtel.timeline.provisioner_run import SHELL_LOCAL

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


def notes(folded: FoldState, packer: PackerReport, clocks: dict[str, Clock], start_s: float | None) -> Iterable[str]:
    """The sentences that a reader should know before using the figures.

    Args:
        folded: the state of the fold.
        packer: what the log told.
        clocks: the clocks of the machines by their keys.
        start_s: the first zoned time of the log, Unix seconds; None without one.
    """
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


def lacks(folded: FoldState, packer: PackerReport, start_s: float | None) -> Iterable[str]:
    """A sentence for each thing that the log lacks.

    Args:
        folded: the state of the fold.
        packer: what the log told.
        start_s: the first zoned time of the log, Unix seconds; None without one.
    """
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


def of_times(span: Span, folded: FoldState, start_s: float | None) -> Iterable[str]:
    """A sentence for each thing that the log's time stamps lack.

    Args:
        span: the first and last times of the log.
        folded: tells whether zones are mixed.
        start_s: the first zoned time of the log, Unix seconds; None without one.
    """
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
        yield f"{number} record(s) had an invalid field, which was ignored: {field}."
