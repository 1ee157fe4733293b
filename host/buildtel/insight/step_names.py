"""Tells which step a provisioner is: by which name the user knows it, and which steps are told twice."""

from __future__ import annotations

from collections.abc import Iterable

from buildtel.job import JobDocument
from buildtel.job.model import Step
from buildtel.timeline.packer_model import Build, Provisioner
from buildtel.timeline.provisioner_run import SHELL_LOCAL

STAMP_S = 0.25  # so late may a stamp of Packer's output be on a busy machine
LEAST_PART = 0.5  # of a local script that the step within must take to stand for it


class StepNames:
    """The names that the user gave the steps that the provisioners of a document are."""

    def __init__(self, document: JobDocument) -> None:
        self._steps = document.steps
        self._recorded = _recorded(document)

    def of(self, build: Build, machine: str | None) -> dict[int, str]:
        """By the place of a build's provisioner: the name of the one step it is, where it has one.

        Args:
            build: of one of the document's runs.
            machine: the document's name of the build's machine, None where that was not measured.
        """
        return self._recorded.get(machine, {}) | _local(self._steps, build)


def told_within(steps: Iterable[Step]) -> dict[str, Step]:
    """By the id of a local script's step that is an estimate: the one recorded step within that is most of it.

    Args:
        steps: those of the document.
    """
    rows = list(steps)
    within: dict[str | None, list[Step]] = {}
    for row in rows:
        within.setdefault(row.parent, []).append(row)
    return {
        row.id: inner[0]
        for row in rows
        if row.id is not None and _is_estimate(row)
        for inner in (within.get(row.id, []),)
        if len(inner) == 1 and inner[0].is_recorded and _seconds(inner[0]) >= LEAST_PART * _seconds(row)
    }


def _is_estimate(step: Step) -> bool:
    return step.provisioner is not None and step.provisioner.kind == SHELL_LOCAL and not step.is_recorded


def told_once(steps: Iterable[Step]) -> list[Step]:
    """The steps without the estimates of local scripts for which a recorded step within stands.

    Args:
        steps: those of the document.
    """
    rows = list(steps)
    twice = told_within(rows)
    return [row for row in rows if row.id not in twice]


def _seconds(step: Step) -> float:
    return step.metrics.get("duration_s") or 0.0


def _recorded(document: JobDocument) -> dict[str | None, dict[int, str]]:
    """By machine and the provisioner's place: the name that the user gave the one step it is."""
    found: dict[str | None, dict[int, list[str]]] = {}
    within = {step.id: step.provisioner.index for step in document.steps if step.id and step.provisioner}
    for step in document.steps:
        place = step.provisioner
        if place is not None and step.is_recorded and within.get(step.parent or "") != place.index:
            named = step.name if step.name not in (place.detail, place.kind) else None
            found.setdefault(step.machine, {}).setdefault(place.index, []).append(named or "")
    return {
        machine: {index: names[0] for index, names in places.items() if len(names) == 1 and names[0]}
        for machine, places in found.items()
    }


def _local(steps: Iterable[Step], build: Build) -> dict[int, str]:
    """By the provisioner's place: the name of the one step that the runner measured within a shell-local."""
    found = {}
    runner = [step for step in steps if step.origin == "runner" and step.provisioner is None and step.name]
    # That of the wrapper began before the build did.
    known = [step for step in runner if (step.start_time or 0.0) > (build.started_at or 0.0)]
    for place, unit in enumerate(build.provisioners):
        within = [step for step in known if unit.kind == SHELL_LOCAL and _is_within(step, unit)]
        inner = {step.id for step in within}
        outer = [step.name for step in within if step.parent not in inner]
        if len(outer) == 1 and outer[0]:
            found[place] = outer[0]
    return found


def _is_within(step: Step, unit: Provisioner) -> bool:
    if step.start_time is None or step.end_time is None or unit.started_at is None or unit.ended_at is None:
        return False
    return unit.started_at - STAMP_S <= step.start_time and step.end_time <= unit.ended_at + STAMP_S
