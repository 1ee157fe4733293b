"""The entries of a page: a row of its table, and a place with all that is known, for each stretch and each step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from buildtel.insight.step_names import told_once, told_within
from buildtel.insight.stretches import BuildStretches, Stretch
from buildtel.insight.top_steps import grains_of_steps, step_name
from buildtel.job import JobDocument
from buildtel.job.model import Step
from buildtel.measure.drafts import RUNNER
from buildtel.text import rounded, safe
from buildtel.timeline.packer_model import Provisioner
from buildtel.timeline.provisioner_run import SHELL_LOCAL

MOST_STEPS = 1000
KINDS = {"phase": "phase", "provisioner": "provisioner", "unattributed": "unattributed"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: a stretch of a build with the step that it is, or a step alone; names are safe to print.

    `start_s` counts from the page's zero, None without times; `anchor` names it within the page.
    """

    anchor: str
    name: str
    kind: str
    where: str
    start_s: float | None
    seconds: float | None
    took: str
    status: str
    stretch: Stretch | None = None
    unit: Provisioner | None = None
    step: Step | None = None


@dataclass(frozen=True, slots=True)
class Entries:
    """Those of each build, in the order of its stretches, and those of the steps that are no whole provisioner."""

    of_builds: tuple[tuple[Entry, ...], ...]
    of_steps: tuple[Entry, ...]

    def __iter__(self) -> Iterator[Entry]:
        """All of them."""
        for entries in self.of_builds:
            yield from entries
        yield from self.of_steps


def entries_of(document: JobDocument, builds: list[BuildStretches], zero_s: float, prefix: str = "") -> Entries:
    """The entries of a document.

    Args:
        document: of this version or of the original.
        builds: the stretches of its builds.
        zero_s: the instant that starts are counted from, in Unix seconds.
        prefix: begins their anchors; tells two documents on one page apart.
    """
    whole = _whole_provisioners(document)
    of_builds = tuple(
        tuple(
            _of_stretch(f"{prefix}b{place}-{at}", found, row, whole, zero_s) for at, row in enumerate(found.stretches)
        )
        for place, found in enumerate(builds)
    )
    used = {id(entry.step) for entries in of_builds for entry in entries if entry.step is not None}
    grains = grains_of_steps(document)
    others = [step for step in told_once(document.steps) if id(step) not in used][:MOST_STEPS]
    of_steps = tuple(_of_step(f"{prefix}s{at}", step, grains.get(step.id), zero_s) for at, step in enumerate(others))
    return Entries(of_builds, of_steps)


def _whole_provisioners(document: JobDocument) -> dict[tuple[str | None, int], Step]:
    """The step that a provisioner is, by machine and the provisioner's place; none where there are several."""
    found: dict[tuple[str | None, int], list[Step]] = {}
    within = {step.id: step.provisioner.index for step in document.steps if step.id and step.provisioner}
    for step in document.steps:
        place = step.provisioner
        if place is not None and within.get(step.parent or "") != place.index:
            found.setdefault((step.machine, place.index), []).append(step)
    recorded = told_within(document.steps)
    return {key: recorded.get(steps[0].id or "", steps[0]) for key, steps in found.items() if len(steps) == 1}


def _of_stretch(
    anchor: str, found: BuildStretches, stretch: Stretch, whole: dict[tuple[str | None, int], Step], zero_s: float
) -> Entry:
    build = found.build
    unit = None if stretch.provisioner is None else build.provisioners[stretch.provisioner]
    begun_s = None if stretch.start_s is None or build.started_at is None else build.started_at - zero_s
    step = None
    if unit is not None and stretch.provisioner is not None:
        on = RUNNER if unit.kind == SHELL_LOCAL else found.machine
        step = whole.get((on, stretch.provisioner)) if on is not None else None
    return Entry(
        anchor=anchor,
        name=stretch.label,
        kind=KINDS[stretch.kind],
        where=found.name,
        start_s=None if begun_s is None else begun_s + (stretch.start_s or 0.0),
        seconds=stretch.duration_s,
        took=rounded(stretch.duration_s, stretch.grain_s),
        status=stretch.mark or ("" if unit is None or unit.status == "unknown" else unit.status),
        stretch=stretch,
        unit=unit,
        step=step,
    )


def _of_step(anchor: str, step: Step, grain_s: float | None, zero_s: float) -> Entry:
    seconds = step.metrics.get("duration_s")
    return Entry(
        anchor=anchor,
        name=step_name(step),
        kind="step",
        where=safe(step.machine or RUNNER),
        start_s=None if step.start_time is None else step.start_time - zero_s,
        seconds=seconds,
        took=rounded(seconds, grain_s),
        status=step.status or "",
        step=step,
    )
