"""Figures of the runner and the hypervisor for each part of a build's time."""

from __future__ import annotations

from dataclasses import replace

from buildtel.measure.drafts import MachineDraft
from buildtel.measure.figures import LEAST_S, Figures, window
from buildtel.measure.hypervisor import Hypervisor, hypervisors_of
from buildtel.timeline.packer_model import Build, PackerReport, Stretch

BOOT = "boot"


def measured(packer: PackerReport, runner: MachineDraft) -> PackerReport:
    """`packer` with figures in the accounts of its last run.

    Args:
        packer: what the log told, with accounts.
        runner: the machine that the last run was on, with its samples.
    """
    if not packer.runs:
        return packer
    *before, run = packer.runs
    machines = hypervisors_of({build.name: _boots(build) for build in run.builds}, runner)
    builds = tuple(_build(build, runner, machines.get(build.name)) for build in run.builds)
    return replace(packer, runs=(*before, replace(run, builds=builds)))


def _boots(build: Build) -> list[float]:
    return [phase.started_at for phase in build.phases if phase.name == BOOT and phase.started_at is not None]


def _build(build: Build, runner: MachineDraft, machine: Hypervisor | None) -> Build:
    account = tuple(
        part if part.ended_at - part.started_at < LEAST_S else _stretch(part, runner, machine) for part in build.account
    )
    return replace(build, account=account)


def _stretch(part: Stretch, runner: MachineDraft, machine: Hypervisor | None) -> Stretch:
    from_s, to_s = part.started_at, part.ended_at
    return replace(
        part,
        runner=_runner_figures(runner, from_s, to_s),
        hypervisor=None if machine is None else machine.figures(from_s, to_s),
    )


def _runner_figures(runner: MachineDraft, from_s: float, to_s: float) -> Figures | None:
    for boot, samples in runner.samples.items():
        found = window(runner.boots[boot], samples, from_s, to_s)
        if found is not None:
            return found.figures(to_s - from_s)
    return None
