"""Finds bottlenecks: steps above a threshold, long phases of Packer's, a runner short of a resource."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from buildtel.insight.stretches import BuildStretches, Stretch
from buildtel.insight.thresholds import LONG_S, SHORTEST_S, STARVED, STARVED_S, Threshold, exceeded
from buildtel.insight.top_steps import grains_of_steps, leaves, step_name
from buildtel.job import JobDocument
from buildtel.job.model import Step
from buildtel.timeline.provisioner_run import SHELL_LOCAL

MAX_STEPS = 1000
MAX_BOTTLENECKS = 20


@dataclass(frozen=True, slots=True)
class Exceeded:
    """A figure of a step above its threshold; `grain_s` of a duration is that of its stamps, None where it is fine."""

    threshold: Threshold
    value: float
    grain_s: float | None = None


@dataclass(frozen=True, slots=True)
class LongPhase:
    """A phase of Packer's own that took long."""

    stretch: Stretch


@dataclass(frozen=True, slots=True)
class LongestProvisioner:
    """The longest provisioner of a job in whose machines nothing was measured."""

    stretch: Stretch
    build: BuildStretches


@dataclass(frozen=True, slots=True)
class Starved:
    """What the runner lacked while it made a build: for how long, and most in which of its stretches."""

    threshold: Threshold
    seconds: float
    worst: Stretch


Cause = Exceeded | LongPhase | LongestProvisioner | Starved


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """A step, phase or build that is worth a look; its name is safe to print."""

    name: str
    seconds: float
    causes: tuple[Cause, ...]


def bottlenecks(document: JobDocument, builds: list[BuildStretches]) -> list[Bottleneck]:
    """The longest first, before them the longest provisioner where nothing was measured inside.

    Args:
        document: of this version or of the original.
        builds: the stretches of its builds.
    """
    grains = grains_of_steps(document)
    found = [_of_step(step, grains.get(step.id)) for step in leaves(document)[:MAX_STEPS] if exceeded(step.metrics)]
    for build in builds:
        found += _long_phases(build)
        found += _starved(build)
    found.sort(key=lambda bottleneck: -bottleneck.seconds)
    return [*_unmeasured_longest(document, builds), *found][:MAX_BOTTLENECKS]


def _of_step(step: Step, grain_s: float | None) -> Bottleneck:
    causes = tuple(
        Exceeded(row, step.metrics[row.metric] or 0.0, grain_s if row.metric == "duration_s" else None)
        for row in exceeded(step.metrics)
    )
    return Bottleneck(step_name(step), step.metrics.get("duration_s") or 0.0, causes)


def _long_phases(build: BuildStretches) -> Iterator[Bottleneck]:
    for stretch in build.stretches:
        seconds = stretch.duration_s or 0.0
        if stretch.kind == "phase" and seconds > LONG_S:
            yield Bottleneck(stretch.label, seconds, (LongPhase(stretch),))


def _unmeasured_longest(document: JobDocument, builds: list[BuildStretches]) -> Iterator[Bottleneck]:
    """The longest provisioner of a job in whose machines nothing was measured: what a reader wants to know first."""
    if any(step.origin == "guest" for step in document.steps):
        return
    rows = [
        (stretch, build)
        for build in builds
        for stretch in build.stretches
        if stretch.kind == "provisioner" and not stretch.label.startswith(SHELL_LOCAL)
    ]
    if rows:
        longest, build = max(rows, key=lambda row: row[0].duration_s or 0.0)
        seconds = longest.duration_s or 0.0
        if seconds >= SHORTEST_S:
            yield Bottleneck(longest.label, seconds, (LongestProvisioner(longest, build),))


def _starved(build: BuildStretches) -> Iterator[Bottleneck]:
    """What the runner lacked while it built this, with the seconds for which it did."""
    for row in STARVED:
        short = [stretch for stretch in build.stretches if not stretch.own and row in starved(stretch)]
        if short:
            worst = max(short, key=lambda stretch: stretch.runner[row.metric] or 0.0)
            seconds = sum(stretch.duration_s or 0.0 for stretch in short)
            yield Bottleneck(build.name, seconds, (Starved(row, seconds, worst),))


def starved(stretch: Stretch) -> list[Threshold]:
    """What the runner lacked in a stretch of a build, by its own figures."""
    if (stretch.duration_s or 0.0) < STARVED_S:
        return []
    return [row for row in STARVED if (stretch.runner.get(row.metric) or 0) > row.limit]
