"""What Packer's words on a provisioner say of the steps in it, and on which machine a step ran."""

from __future__ import annotations

from collections.abc import Iterable

from buildtel.job.model import Status, Step
from buildtel.job.packer_model import PackerReport, Provisioner

RUNNER = "runner"
SHELL_LOCAL = "shell-local"


def judged(steps: Iterable[Step], packer: PackerReport, run_index: int | None, target: str | None) -> list[Step]:
    """The steps of one machine, their status as Packer took it.

    An exit status that `valid_exit_codes` allows is a success; a step that Packer ended by a timeout, or that failed
    without a record of its end, is no unknown one.
    """
    builds = packer.runs[run_index].builds if run_index is not None else ()
    build = next((build for build in builds if build.name == target), None)
    units = build.provisioners if build is not None else ()
    within = {step.id for step in steps}
    return [
        step
        if step.provisioner is None or step.provisioner.index >= len(units) or step.parent in within
        else step.model_copy(update={"status": _status(step, units[step.provisioner.index])})
        for step in steps
    ]


def _status(step: Step, unit: Provisioner) -> Status | None:
    if unit.status == "success":
        return "success" if step.exit_code is not None or step.measured == "from samples" else step.status
    if step.status == "unknown" and unit.status != "unknown" and not _went_on(step):
        return unit.status
    return step.status


def _went_on(step: Step) -> bool:
    """Whether the step ended in a way that Packer's word on the whole provisioner does not explain."""
    return step.end_time is not None and step.exit_code is not None
