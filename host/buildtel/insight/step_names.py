"""Tells which step a provisioner is: by which name the user knows it, and which steps are told twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from buildtel.job import JobDocument
from buildtel.job.model import Step
from buildtel.timeline.packer_model import Build
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
    recorded = [row for row in rows if row.origin == "runner" and row.provisioner is None and row.is_recorded]
    found = {}
    for row in rows:
        inner = _outermost(recorded, row.start_time, row.end_time) if _is_estimate(row) else []
        if len(inner) == 1 and row.id is not None and _seconds(inner[0]) >= LEAST_PART * _seconds(row):
            found[row.id] = inner[0]
    claims = Counter(id(step) for step in found.values())  # of scripts side by side nobody knows whose it is
    return {row_id: step for row_id, step in found.items() if claims[id(step)] == 1}


def _outermost(steps: Iterable[Step], from_s: float | None, to_s: float | None) -> list[Step]:
    """The steps that lie between two times, as exactly as stamps tell, and within no other of them."""
    within = [step for step in steps if _is_within(step, from_s, to_s)]
    inner = {step.id for step in within}
    return [step for step in within if step.parent not in inner]


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
        outer = _outermost(known, unit.started_at, unit.ended_at) if unit.kind == SHELL_LOCAL else []
        if len(outer) == 1 and outer[0].name:
            found[place] = outer[0].name
    return found


def _is_within(step: Step, from_s: float | None, to_s: float | None) -> bool:
    if step.start_time is None or step.end_time is None or from_s is None or to_s is None:
        return False
    is_near = from_s - STAMP_S <= step.start_time and step.end_time <= to_s + STAMP_S
    return is_near and from_s <= (step.start_time + step.end_time) / 2 <= to_s  # a short one may be the next script's
