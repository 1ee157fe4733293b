"""Takes a step's missing end or exit status from Packer's output.

A provisioner that Packer passed has ended with an exit status that it allows, and one that failed with the status that
Packer prints. That is the end of the one step that is the provisioner; steps within it, or beside each other, may have
ended in another way. A machine that went down, a lost connection or a cancelled build ended no step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from buildtel.job.boundaries import Boundaries
from buildtel.job.model import Step, StepCounters
from buildtel.job.steps import NO_START, is_cut_by_reboot
from buildtel.job.verdicts import PACKER, Units, tells_end, unit_of
from buildtel.measure.drafts import MachineDraft, StepDraft
from buildtel.measure.figures import LEAST_S, window
from buildtel.timeline.packer_model import Provisioner


def ended(steps: Iterable[Step], draft: MachineDraft, units: Units) -> list[Step]:
    """The steps of a machine with the ends and exit statuses that only Packer's output tells.

    Args:
        steps: its steps as its own records tell them.
        draft: the machine.
        units: the provisioners of its run.
    """
    only, around = _only_steps(draft), Boundaries(draft)
    return [_ended(step, draft.steps[step.id or ""], around, units) if step.id in only else step for step in steps]


def _only_steps(draft: MachineDraft) -> set[str]:
    """The ids of steps that are their provisioners: begun around the script, else all that ran, but for inner steps."""
    outer = [step for step in draft.steps.values() if step.unit is not None and step.parent not in draft.steps]
    whole = [step for step in outer if step.by is None]
    number, wholes = Counter(id(step.unit) for step in outer), Counter(id(step.unit) for step in whole)
    only = {step.id for step in outer if number[id(step.unit)] == 1}
    return only | {step.id for step in whole if wholes[id(step.unit)] == 1}


def _ended(step: Step, recorded: StepDraft, around: Boundaries, units: Units) -> Step:
    found = unit_of(recorded.unit, units)
    if found is None or not tells_end(found):
        return step
    known: dict[str, Any] = {}
    if step.exit_code is None and found.exit_code is not None:
        known = {"exit_code": found.exit_code, "exit_from": PACKER}
    if recorded.end is None:
        if is_cut_by_reboot(recorded, around.machine):
            return step
        why = NO_START if recorded.start is None else None
        known |= {"ended_from": PACKER, "unfinished": why, "status": found.status}
        known |= _measured(step, recorded, around, found)
    elif step.exit_code is None:
        known["status"] = found.status
    return replace(step, **known)


def _measured(step: Step, recorded: StepDraft, around: Boundaries, unit: Provisioner) -> dict[str, Any]:
    """End time and figures of a step whose end Packer tells, as far as stamps and samples of its machine go.

    Packer's next words come after the step's end: its end is never before what is known of it. Without samples up to
    there its figures are up to the last beat; where there was none, up to the next record behind its provisioner, if
    that came soon.
    """
    draft = around.machine
    clock = draft.boots.get(recorded.start.boot) if recorded.start is not None else None
    zero_s = None if clock is None else clock.log_s(0)
    if recorded.start is None or clock is None or zero_s is None or unit.ended_at is None or step.start_time is None:
        return {} if recorded.beat is not None else {"last_seen": None}
    start_s = zero_s + recorded.start.m_ns / 1e9
    last = recorded.beat or recorded.start
    lasted_s = max(unit.ended_at - start_s, (last.m_ns - recorded.start.m_ns) / 1e9, 0.0)
    known = {"end_time": round(step.start_time + lasted_s, 3)}
    metrics = {**step.metrics, "duration_s": round(lasted_s, 3)}
    samples = draft.samples.get(clock.boot)
    covered = window(clock, samples, start_s, start_s + lasted_s) if samples and lasted_s >= LEAST_S else None
    if covered is None and recorded.beat is None:
        covered = around.until_next(recorded, lasted_s)
    if covered is None:
        return {**known, "metrics": metrics, "last_seen": step.last_seen if recorded.beat is not None else None}
    peak_kb = max((kb for kb in (covered.peak_kb, recorded.peak_kb) if kb is not None), default=None)
    sampled = replace(covered, peak_kb=peak_kb).figures(lasted_s)
    counters = StepCounters(start=covered.start, end=covered.end)
    return {**known, "metrics": sampled, "counters": counters, "measured": "from samples", "last_seen": None}
