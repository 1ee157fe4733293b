"""Applies one event of an agent to the drafts: what `start`, `beat`, `end` and the others mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from buildtel.measure.drafts import MachineDraft, MarkDraft, Point, StepDraft
from buildtel.measure.record_fields import Record
from buildtel.measure.series import Samples, unpack
from buildtel.timeline.provisioner_run import ProvisionerRun

MAX_STEPS = 12_000
MAX_MARKS = 2_000
MAX_BYES = 100
MAX_LEAVES = 1_500_000  # numbers kept in all counters, series and samples together
KEPT_FROM_SERIES = MAX_LEAVES // 2  # what series leave to the counters, of which the figures are made
KEPT_FROM_SAMPLES = MAX_LEAVES // 4


@dataclass(frozen=True, slots=True)
class AgentEvent:
    """An event, its body checked, with where and how it came.

    `unit` is the provisioner it came through, None outside of any; `whole` is False if parts are missing;
    `authentic` is None where no key tells; `behind` tells that a record made well after it came before.
    """

    machine: MachineDraft
    record: Record
    body: dict[str, Any]
    point: Point
    unit: ProvisionerRun | None
    whole: bool
    authentic: bool | None = None
    behind: bool = False

    @property
    def step(self) -> str:
        """The id of the step that the event names, or one of its own."""
        return self.body.get("step") or f"{self.record.sid}#{self.record.seq}"


class Limits:
    """How much a document may still grow; `note` is told once of each bound that is met."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._steps, self._marks, self._leaves = MAX_STEPS, MAX_MARKS, MAX_LEAVES

    def afford(self, ev: str, body: dict[str, Any]) -> None:
        """Drop from an event's `body` the measurements that no longer fit; a beat replaces the one before.

        Args:
            ev: the kind of event.
            body: its fields; those that do not fit are removed.
        """
        if ev == "beat":
            return
        for name, kept in (("c", 0), ("cmds", 0), ("inside", KEPT_FROM_SERIES), ("waits", KEPT_FROM_SERIES),
                           ("series", KEPT_FROM_SERIES)):
            if name in body and not self.room(_leaves(body[name]), kept):
                del body[name]

    def room(self, leaves: int, kept: int) -> bool:
        """True if that many more numbers fit, `kept` ones left for what matters more.

        Args:
            leaves: how many numbers are to be added.
            kept: how many numbers must stay free.
        """
        fits = self._leaves - leaves >= kept
        if fits:
            self._leaves -= leaves
        else:
            self._note("The log holds more measurements than a document may: some are left out.")
        return fits

    def step(self) -> bool:
        """True if one more step fits."""
        self._steps -= 1
        if self._steps < 0:
            self._note(f"More than {MAX_STEPS} steps: the rest is left out.")
        return self._steps >= 0

    def mark(self) -> bool:
        """True if one more mark fits."""
        self._marks -= 1
        if self._marks < 0:
            self._note(f"More than {MAX_MARKS} marks: the rest is left out.")
        return self._marks >= 0


def apply(event: AgentEvent, limits: Limits) -> None:
    """Take one event into its machine's draft.

    Args:
        event: the event.
        limits: how much the document may still grow.
    """
    HANDLERS[event.record.ev](event, limits)


def _hello(event: AgentEvent, limits: Limits) -> None:
    facts = event.machine.facts
    facts.update({**event.body, **facts} if event.authentic is False else event.body)
    _setup(event, limits)


def _setup(event: AgentEvent, limits: Limits) -> None:
    if event.unit is not None:
        event.unit.saw_setup = True


def _bye(event: AgentEvent, limits: Limits) -> None:
    if len(event.machine.byes) < MAX_BYES:
        event.machine.byes.append(event.point)
    if event.unit is not None:
        event.unit.saw_bye = True
    _setup(event, limits)


def _start(event: AgentEvent, limits: Limits) -> None:
    draft = _draft(event, event.step, limits)
    if draft is not None and draft.start is None:
        draft.start = event.point
        draft.name = event.body.get("name") or draft.name
        draft.parent = event.body.get("parent") or draft.parent
        draft.by = event.body.get("by")


def _beat(event: AgentEvent, limits: Limits) -> None:
    draft = _draft(event, event.step, limits)
    if draft is not None and draft.end is None:
        draft.beat = event.point if draft.beat is None else later(draft.beat, event.point)
        _raise_peak(draft, event.body)


def later(one: Point, other: Point) -> Point:
    """The later of two instants: by the monotonic clock within a boot, else by the wall clock.

    Args:
        one: an instant.
        other: another instant of the same machine.
    """
    if one.boot == other.boot:
        return max(one, other, key=lambda point: point.m_ns)
    return max(one, other, key=lambda point: point.t_ns)


def _end(event: AgentEvent, limits: Limits) -> None:
    body, machine = event.body, event.machine
    step = body.get("step") or _last_open(machine, body.get("name")) or event.step
    draft = _draft(event, step, limits)
    if draft is None or draft.end is not None:
        return
    draft.end, draft.whole = event.point, event.whole
    draft.name = draft.name if draft.name is not None else body.get("name")
    draft.exit_code, draft.exit_from, draft.signal = body.get("exit"), body.get("exit_from"), body.get("signal")
    draft.columns = unpack(body["series"]) if "series" in body else None
    draft.own, draft.commands = body.get("own", {}), body.get("cmds")
    draft.inside, draft.waits, draft.load = body.get("inside"), body.get("waits"), body.get("tasks")
    draft.processes, draft.neighbours, draft.cost = body.get("procs"), body.get("near"), body.get("cost", {})
    _raise_peak(draft, body)
    machine.open_ids.pop(step, None)


def _mark(event: AgentEvent, limits: Limits) -> None:
    if limits.mark():
        event.machine.marks.append(MarkDraft(event.body.get("name"), event.body.get("parent"), event.point))
    if event.unit is not None:
        event.unit.saw_step = True


def _samples(event: AgentEvent, limits: Limits) -> None:
    columns, intervals = event.body.get("cols"), event.body.get("cmds")
    if columns is not None or intervals is not None:
        samples = Samples()
        samples.intervals.add(intervals or ())
        if columns is not None:
            samples.add(unpack(columns))
        add_samples(event.machine, event.record.boot, samples, event.authentic, limits)


def add_samples(
    machine: MachineDraft, boot: str | None, samples: Samples, authentic: bool | None, limits: Limits
) -> None:
    """Add whole-life samples to those of the boot; authentic ones take the place of others.

    Args:
        machine: the machine.
        boot: the boot id, None where it is not known.
        samples: the samples to add.
        authentic: whether their `mac` is right, None without a key.
        limits: how much the document may still grow.
    """
    if boot not in machine.boots:
        return
    if boot not in machine.samples or (authentic and not machine.sampled[boot]):
        if not limits.room(samples.most_numbers, KEPT_FROM_SAMPLES):
            return
        machine.samples[boot] = Samples()
        machine.sampled[boot] = authentic
    elif authentic is False and machine.sampled[boot]:
        return
    machine.samples[boot].merge(samples)


def _draft(event: AgentEvent, step: str, limits: Limits) -> StepDraft | None:
    """The step `step`, made if it is new; None when there are too many."""
    machine, body = event.machine, event.body
    draft = machine.steps.get(step)
    if draft is None and limits.step():
        draft = StepDraft(step, body.get("name"), body.get("parent"), event.unit, event.point.line)
        draft.authentic, draft.came_behind = event.authentic, event.behind
        machine.steps[step] = draft
        machine.open_ids[step] = None
    return draft


def _last_open(machine: MachineDraft, name: str | None) -> str | None:
    """The step begun last under `name` and not ended yet."""
    return next((step for step in reversed(machine.open_ids) if machine.steps[step].name == name), None)


def _raise_peak(draft: StepDraft, body: dict[str, Any]) -> None:
    peak_kb = body.get("peak_kb")
    if peak_kb is not None:
        draft.peak_kb = max(draft.peak_kb or 0, peak_kb)


def _leaves(value: Any) -> int:
    if isinstance(value, dict):
        return sum(_leaves(item) for item in value.values())
    return len(value) if isinstance(value, list) else 1


HANDLERS: dict[str, Callable[[AgentEvent, Limits], None]] = {
    "hello": _hello,
    "start": _start,
    "beat": _beat,
    "end": _end,
    "mark": _mark,
    "samples": _samples,
    "bye": _bye,
}
