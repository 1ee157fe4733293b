"""When the scripts of a build's shell provisioners ran in its guest: around them Packer works."""

from __future__ import annotations

from collections import defaultdict

from buildtel.job import JobDocument
from buildtel.job.attribute import SHELL
from buildtel.job.model import Step

NO_END_MS = 1 << 62


def script_times(document: JobDocument, machine: str) -> dict[int, tuple[int, int]]:
    """By the place of a provisioner: from when to when its script ran, in Unix milliseconds on the document's axis.

    Known of a provisioner with one step, that was begun around its script and not by a command within it. Where the end
    of the step is not known it is `NO_END_MS`.

    Args:
        document: of this version or of the original.
        machine: the guest's name in the document.
    """
    own = [step for step in document.steps if step.machine == machine and step.is_recorded]
    ids = {step.id for step in own}
    found: defaultdict[int, list[Step]] = defaultdict(list)
    for step in own:
        if step.provisioner is not None and step.provisioner.kind == SHELL and step.parent not in ids:
            found[step.provisioner.index].append(step)
    return {
        place: (_ms(steps[0].start_time), NO_END_MS if steps[0].end_time is None else _ms(steps[0].end_time))
        for place, steps in found.items()
        if len(steps) == 1 and steps[0].begun_by is None and steps[0].start_time is not None
    }


def _ms(time_s: float) -> int:
    return round(time_s * 1000)
