"""When the scripts of a build's shell provisioners ran in its guest: before and behind them Packer works."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from buildtel.job import JobDocument
from buildtel.job.model import Step
from buildtel.timeline.packer_model import Build, Provisioner
from buildtel.timeline.provisioner_run import SHELL

# Packer uploads a script before and removes it behind, which takes less (logs with fine stamps: 0.3 to 0.6 of it).
# What takes longer by more than this, the grain of most stamps, is not its work alone.
MOST_LONGER_S = 1.0
NEVER_MS = 1 << 62


@dataclass(frozen=True, slots=True)
class ScriptTime:
    """When a provisioner's script ran, in Unix milliseconds on the document's axis.

    `end_ms` is None where its end is not known. `before_s` and `behind_s` are how long its provisioner took before and
    behind it, None where that is not known.
    """

    start_ms: int
    end_ms: int | None
    before_s: float | None
    behind_s: float | None

    @property
    def is_held(self) -> bool:
        """Whether something else than Packer's work kept the provisioner from ending."""
        return self.behind_s is not None and self.behind_s > (self.before_s or 0.0) + MOST_LONGER_S

    @property
    def over_ms(self) -> int:
        """From when on Packer works alone; never, where that is not known."""
        return NEVER_MS if self.end_ms is None or self.is_held else self.end_ms


def script_times(document: JobDocument, machine: str, build: Build) -> dict[int, ScriptTime]:
    """The times of a build's scripts, by the places of their provisioners.

    Known of a provisioner with one step that was begun around its script, and not by a command within it.

    Args:
        document: of this version or of the original.
        machine: the guest's name in the document.
        build: the guest's build.
    """
    known = document.machines.get(machine)
    if known is not None and len(known.boots) > 1 and not known.samples:
        return {}  # nothing tells when it booted
    own = [step for step in document.steps if step.machine == machine and step.is_recorded]
    ids = {step.id for step in own}
    found: defaultdict[int, list[Step]] = defaultdict(list)
    for step in own:
        is_outer = step.parent not in ids and step.begun_by is None
        if is_outer and step.provisioner is not None and step.provisioner.kind == SHELL:
            found[step.provisioner.index].append(step)
    return {
        place: _script_time(steps[0].start_time, steps[0].end_time, build.provisioners[place])
        for place, steps in found.items()
        if len(steps) == 1 and steps[0].start_time is not None and place < len(build.provisioners)
    }


def _script_time(start_s: float, end_s: float | None, unit: Provisioner) -> ScriptTime:
    before_s = None if unit.started_at is None else max(start_s - unit.started_at, 0.0)
    behind_s = None if unit.ended_at is None or end_s is None else max(unit.ended_at - end_s, 0.0)
    return ScriptTime(round(start_s * 1000), None if end_s is None else round(end_s * 1000), before_s, behind_s)
