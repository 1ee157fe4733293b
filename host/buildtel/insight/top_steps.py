"""The slowest step and the step with the most disk I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from buildtel.insight.step_names import told_once
from buildtel.insight.stretches import build_stretches
from buildtel.job import JobDocument
from buildtel.job.model import Step
from buildtel.job.runner import step_around
from buildtel.job.verdicts import PACKER
from buildtel.measure.drafts import RUNNER
from buildtel.text import safe

DISK = ("disk_read_mb", "disk_write_mb")
NO_NAME = "(no name)"
REBOOT_FACTOR = 1.5


@dataclass(frozen=True, slots=True)
class Timed:
    """A step or a provisioner by its name, how long it took, and the grain of the stamps that tell it (None: fine)."""

    name: str | None
    seconds: float
    grain_s: float | None = None


def slowest_step(document: JobDocument) -> Timed | None:
    """What took longest: of the steps with no step inside and the provisioners, the reboot in them included."""
    return max([*_steps(document), *_provisioners(document)], key=lambda timed: timed.seconds, default=None)


def _steps(document: JobDocument) -> Iterator[Timed]:
    grains = grains_of_steps(document)
    for step in leaves(document):
        seconds = step.metrics.get("duration_s")
        if seconds is not None:
            yield Timed(step.name, seconds, grains.get(step.id))


def grains_of_steps(document: JobDocument) -> dict[str | None, float | None]:
    """By a step's id the grain in seconds of the stamps that tell its end, for those that ended by Packer's words."""
    runs = document.packer.runs if document.packer else ()
    builds = {(number, str(build.name)): build.grain_s for number, run in enumerate(runs, 1) for build in run.builds}
    machines = {key: builds.get((machine.run, str(machine.target))) for key, machine in document.machines.items()}
    return {step.id: machines.get(step.machine or "") for step in document.steps if step.ended_from == PACKER}


def _provisioners(document: JobDocument) -> Iterator[Timed]:
    """The provisioners that took longer than what was measured in them, and those in which nothing was."""
    steps = {step.name: step.metrics.get("duration_s") for step in document.steps}
    for build in build_stretches(document):
        for row in build.stretches:
            if row.kind == "provisioner" and row.duration_s is not None:
                kind, _, name = row.label.partition(" ")
                inside_s = steps.get(name) or steps.get(row.label)
                if inside_s is None or row.duration_s > REBOOT_FACTOR * inside_s:
                    yield Timed(name or kind, row.duration_s, row.grain_s)


def busiest_step(document: JobDocument) -> Step | None:
    """The step that read and wrote most on disks among those with no step inside; None if none is known to."""
    found = max(leaves(document), key=disk_mb, default=None)
    return found if found is not None and disk_mb(found) > 0 else None


def disk_mb(step: Step) -> float:
    """What a step read and wrote; 0 where nothing is known."""
    return sum(step.metrics.get(name) or 0.0 for name in DISK)


def step_name(step: Step) -> str:
    """The step's name made harmless; what stands for one where it has none."""
    return safe(step.name or NO_NAME)


def leaves(document: JobDocument) -> list[Step]:
    """The steps with no step inside; the one around Packer has its builds inside."""
    parents = {step.parent for step in document.steps}
    if document.packer is not None and any(run.builds for run in document.packer.runs):
        around = step_around([step for step in document.steps if step.origin == RUNNER], document.packer)
        parents |= {around.id} if around is not None and around.id is not None else set()
    return [step for step in told_once(document.steps) if step.id is None or step.id not in parents]
