"""Makes steps of provisioners without records, from the VM's samples or from Packer's output."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import replace

from buildtel.job.accounts import accounts_between
from buildtel.job.model import Step, StepCounters, StepProvisioner
from buildtel.job.verdicts import PACKER, tells_end
from buildtel.measure.drafts import RUNNER, MachineDraft
from buildtel.measure.figures import LEAST_S, window
from buildtel.timeline.packer_model import PackerReport, Provisioner
from buildtel.timeline.provisioner_run import SHELL, SHELL_LOCAL


def attributed_steps(draft: MachineDraft, key: str, packer: PackerReport) -> Iterator[Step]:
    """A step for each of the user's provisioners that no record measured and the machine's samples cover.

    If other steps of the machine have records, or may have some in a spool, a shell provisioner that has ended and is
    not covered gives a step without figures.

    Args:
        draft: the machine.
        key: its key in the document.
        packer: what the log told.
    """
    measured = {step.unit.index for step in draft.steps.values() if step.unit is not None}
    index = draft.section.run_index
    for build in packer.runs[index].builds if index is not None else ():
        for place, provisioner in enumerate(build.provisioners if build.name == draft.target else ()):
            if place not in measured and not provisioner.own and provisioner.kind != SHELL_LOCAL:
                step = _step(draft, key, place, provisioner)
                has_more = bool(draft.steps) or draft.is_quiet
                if step is None and has_more and provisioner.kind == SHELL and tells_end(provisioner):
                    step = _bare(draft, key, place, provisioner)
                if step is not None:
                    yield step


def shell_local_steps(
    runner: MachineDraft, packer: PackerReport, measured: Container[tuple[str | None, int]]
) -> Iterator[Step]:
    """A step for each provisioner that ran on the runner itself, by the runner's samples.

    Args:
        runner: its samples.
        packer: what the log told.
        measured: (build, place) of the provisioners that measured themselves.
    """
    for build in packer.runs[-1].builds if packer.runs else ():
        for place, provisioner in enumerate(build.provisioners):
            if provisioner.kind == SHELL_LOCAL and (build.name, place) not in measured and not provisioner.own:
                step = _step(runner, RUNNER, place, provisioner)
                if step is not None:
                    yield replace(step, id=f"{build.name}/{place}", origin="runner")


def _step(draft: MachineDraft, key: str, index: int, provisioner: Provisioner) -> Step | None:
    start_s, end_s = provisioner.started_at, provisioner.ended_at
    if start_s is None or end_s is None or end_s - start_s < LEAST_S:
        return None
    for boot, samples in draft.samples.items():
        found = window(draft.boots[boot], samples, start_s, end_s)
        if found is not None:
            return replace(
                _bare(draft, key, index, provisioner),
                metrics=found.figures(end_s - start_s),
                measured="from samples",
                authentic=draft.sampled.get(boot),
                counters=StepCounters(start=found.start, end=found.end),
                **accounts_between(draft.boots[boot], samples, start_s, end_s),
            )
    return None


def _bare(draft: MachineDraft, key: str, index: int, provisioner: Provisioner) -> Step:
    """A provisioner as Packer alone tells it, its times where they are on the axis of the machine's other steps."""
    start_s, end_s = provisioner.started_at, provisioner.ended_at
    known = any(clock.known.zero() for clock in draft.boots.values())
    lasted = {} if start_s is None or end_s is None else {"duration_s": round(end_s - start_s, 3)}
    return Step(
        name=provisioner.detail or provisioner.kind,
        start_time=start_s if known else None,
        end_time=end_s if known else None,
        metrics=dict(lasted),
        id=f"{key}/{index}",
        machine=key,
        origin="guest",
        status=provisioner.status,
        ended_from=PACKER,
        exit_code=provisioner.exit_code,
        exit_from=None if provisioner.exit_code is None else PACKER,
        provisioner=StepProvisioner(index=index, kind=provisioner.kind, detail=provisioner.detail),
    )
