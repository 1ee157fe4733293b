"""The steps that a reader looks at first: which took longest, which used the disks most."""

from __future__ import annotations

from buildtel.job import JobDocument
from buildtel.job.model import Step
from buildtel.job.runner import step_around
from buildtel.job.verdicts import RUNNER

DISK = ("disk_read_mb", "disk_write_mb")


def slowest_step(document: JobDocument) -> Step | None:
    """The step that took longest among those with no step inside."""
    timed = [step for step in leaves(document) if step.metrics.get("duration_s") is not None]
    return max(timed, key=lambda step: step.metrics["duration_s"] or 0.0, default=None)


def busiest_step(document: JobDocument) -> Step | None:
    """The step that read and wrote most on disks among those with no step inside; None if none is known to."""
    found = max(leaves(document), key=disk_mb, default=None)
    return found if found is not None and disk_mb(found) > 0 else None


def disk_mb(step: Step) -> float:
    """What a step read and wrote; 0 where nothing is known."""
    return sum(step.metrics.get(name) or 0.0 for name in DISK)


def leaves(document: JobDocument) -> list[Step]:
    """The steps with no step inside; the one around Packer has its builds inside."""
    parents = {step.parent for step in document.steps}
    if document.packer is not None and any(run.builds for run in document.packer.runs):
        around = step_around([step for step in document.steps if step.origin == RUNNER], document.packer)
        parents |= {around.id} if around is not None and around.id is not None else set()
    return [step for step in document.steps if step.id is None or step.id not in parents]
