"""A log cut at any byte gives a document whose figures are among the whole log's.

What this means, exactly, for the document of a prefix against that of the whole log:

- A step that has ended there (it has an exit status or an end) has the same figures, exit status, series, counters
  and processes; one whose end record came in parts may lack some of them.
- A step that has not: the same start, and figures up to its last beat, no longer than the whole's.
- A step from samples: the same figures.
- Times and lengths of runs, builds, phases, provisioners and stretches of the account: the same, or not there yet.
  Only the last stretch of an account is shorter: it lasts to where the log ends.
- Times of steps on the host's axis: within both clocks' error, which later records narrow.

Texts of the last line (a script's name) may be cut as the line is; texts are no figures.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from buildtel.job import JobDocument
from buildtel.job.model import Step
from buildtel.timeline.packer_model import Build

from .test_recovery import ROWS, document, log_with, logged

WIRED = Path(__file__).parents[3] / "fixtures" / "wired" / "null-build.log"
STRIDE = 1 if os.environ.get("BUILDTEL_EVERY_BYTE") else 29
LOGS = {
    "a real build": WIRED.read_bytes(),
    "beats and parts": log_with(ROWS),
}


def within(part: Mapping[str, Any], whole: Mapping[str, Any]) -> bool:
    """Whether all that is known in `part` is the same in `whole`."""
    return all(value is None or whole.get(name) == value for name, value in part.items())


def wrong_steps(part: JobDocument, whole: JobDocument) -> Iterator[str]:
    """The steps that say something else than the whole log's, in which samples may give figures to one without any."""
    known = {(step.machine, step.id, step.measured): step for step in whole.steps}
    known |= {(step.machine, step.id, None): step for step in whole.steps}
    for step in part.steps:
        other = known.get((step.machine, step.id, step.measured))
        if other is None:
            yield f"{step.id} is no step"
        elif step.unfinished and step.end_time is None:
            yield from wrong_unfinished(step, other)
        else:
            names = ("exit_code", "signal", "processes")
            plain = {name: getattr(step, name) for name in names}
            if not within(plain, {name: getattr(other, name) for name in names}):
                yield f"{step.id} ended otherwise"
            if not within(step.metrics, other.metrics) or not within(step.series or {}, other.series or {}):
                yield f"{step.id} has other figures"


def wrong_unfinished(step: Step, other: Step) -> Iterator[str]:
    """A step without an end: it began as the whole's, and lasted no longer."""
    if step.counters and other.counters and not within(step.counters.start or {}, other.counters.start or {}):
        yield f"{step.id} began otherwise"
    if (step.metrics.get("duration_s") or 0) > (other.metrics.get("duration_s") or 0):
        yield f"{step.id} lasted longer"


def wrong_packer(part: JobDocument, whole: JobDocument) -> Iterator[str]:
    """What Packer is said to have done, and did not."""
    runs = part.packer.runs if part.packer else ()
    others = whole.packer.runs if whole.packer else ()
    for run, other in zip(runs, others, strict=False):
        if run.total_s not in (None, other.total_s):
            yield f"a run of {run.total_s} s"
        builds = {build.name: build for build in other.builds}
        for build in run.builds:
            yield from wrong_build(build, builds[build.name])
    if len(runs) > len(others):
        yield "a run too many"


def wrong_build(part: Build, whole: Build) -> Iterator[str]:
    """Times and lengths of one build."""
    if part.duration_s not in (None, whole.duration_s):
        yield f"a build of {part.duration_s} s"
    for mine, theirs in ((part.phases, whole.phases), (part.provisioners, whole.provisioners)):
        if len(mine) > len(theirs):
            yield "more phases or provisioners"
        for one, other in zip(mine, theirs, strict=False):
            times = {"started_at": one.started_at, "ended_at": one.ended_at}
            if not within(times, {"started_at": other.started_at, "ended_at": other.ended_at}):
                yield f"another time of {one}"
    for stretch in (part.account or [])[:-1]:
        if stretch not in (whole.account or []):
            yield f"another stretch {stretch.name}"


def wrong_times(part: JobDocument, whole: JobDocument) -> Iterator[str]:
    """Steps that stand farther from the whole's than both clocks' errors."""
    known = {(step.machine, step.id): step.start_time for step in whole.steps}
    for step in part.steps:
        errors = [found.clock[step.machine or ""].error_s for found in (part, whole)]
        other = known.get((step.machine, step.id))
        both = None not in errors and step.start_time is not None and other is not None
        if both and abs((step.start_time or 0) - (other or 0)) > sum(error or 0 for error in errors) + 0.01:
            yield f"{step.id} began at another time"


@pytest.mark.parametrize("data", LOGS.values(), ids=LOGS)
def test_the_figures_of_every_prefix_are_the_whole_logs(data: bytes) -> None:
    """Cut anywhere (BUILDTEL_EVERY_BYTE=1: everywhere), there is a document, and nothing in it is made up."""
    whole = document(logged(data))
    assert len([step for step in whole.steps if step.measured == "exactly"]) >= 2

    for cut in {*range(0, len(data), STRIDE), *range(len(data) - 300, len(data))}:
        part = document(logged(data[:cut]))
        wrong = [*wrong_steps(part, whole), *wrong_packer(part, whole), *wrong_times(part, whole)]
        assert not wrong, (cut, data[max(0, cut - 80) : cut], wrong)
        assert part.integrity is not None and whole.integrity is not None
        assert part.integrity.records <= whole.integrity.records
