"""The status of a step, its machine and its provisioner, as Packer's output tells them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from buildtel.job.model import Status, Step
from buildtel.measure.drafts import MachineDraft
from buildtel.timeline.packer_model import PackerReport, Provisioner
from buildtel.timeline.provisioner_run import ProvisionerRun

PACKER = "packer"  # what told a step's end or exit status
Units = dict[tuple[str | None, int], Provisioner]


def units_of(draft: MachineDraft, packer: PackerReport) -> Units:
    """The provisioners of the run that a machine belongs to, by build and index.

    Args:
        draft: the machine.
        packer: what the log told.
    """
    index = draft.section.run_index
    builds = packer.runs[index].builds if index is not None else ()
    return {(build.name, place): unit for build in builds for place, unit in enumerate(build.provisioners)}


def unit_of(unit: ProvisionerRun | None, units: Units) -> Provisioner | None:
    """The provisioner that a step ran in, as Packer tells it; None if it is not known.

    Args:
        unit: the run of the provisioner as the step's records name it, None for a step outside of one.
        units: the provisioners of the machine's run.
    """
    return None if unit is None else units.get((unit.target, unit.index))


def tells_end(unit: Provisioner) -> bool:
    """Whether Packer's words prove that the command of a provisioner has ended."""
    return unit.status == "success" or (unit.status == "failure" and unit.exit_code is not None)


def judged(steps: Iterable[Step], draft: MachineDraft, units: Units) -> list[Step]:
    """The steps of one machine, with the status that Packer's output gives them.

    An exit status that `valid_exit_codes` allows is a success. A step that Packer ended by a timeout, or that failed
    without a record of its end, does not stay unknown.

    Args:
        steps: the steps by their own records.
        draft: the machine.
        units: the provisioners of its run.
    """
    found = []
    for step in steps:
        unit = None if step.parent in draft.steps else unit_of(draft.steps[step.id or ""].unit, units)
        found.append(step if unit is None else replace(step, status=_status(step, unit)))
    return found


def _status(step: Step, unit: Provisioner) -> Status | None:
    if unit.status == "success":
        return "success" if step.exit_code is not None else step.status
    if step.status == "unknown" and unit.status != "unknown" and not _went_on(step):
        return unit.status
    return step.status


def _went_on(step: Step) -> bool:
    """Whether the step ended in a way that Packer's word on the whole provisioner does not explain."""
    return step.end_time is not None and step.exit_code is not None
