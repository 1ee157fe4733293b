"""Makes a step of the document from its draft: times on one axis, figures from counters."""

from __future__ import annotations

from buildtel.job.accounts import accounts_of
from buildtel.job.model import Process, Status, Step, StepCounters, StepProvisioner
from buildtel.measure.charts import chart
from buildtel.measure.drafts import LogSection, MachineDraft, Point, StepDraft
from buildtel.measure.figures import Figures, cost_metrics, own_metrics, step_metrics, tcp_metrics
from buildtel.measure.guest_clock import BootClock
from buildtel.timeline.provisioner_run import ProvisionerRun

TIMEOUT_WORDS = ("timeout", "timed out", "deadline exceeded")
NO_START = "its start is not in the log"
LOG_ENDS = "the log ends before the step does"
SPOOL_ENDS = "no record of its end is there"


def finish_step(draft: StepDraft, machine: MachineDraft, key: str, section: LogSection) -> Step:
    """The step of a draft. A step without an end is marked, and has the figures of its last beat.

    Args:
        draft: what the records of the step told.
        machine: the machine that it ran on.
        key: that machine's key in the document.
        section: the part of the log that it is in.
    """
    status, why = step_status(draft, machine, section)
    return Step(
        name=draft.label,
        start_time=time_of(draft.start, machine),
        end_time=time_of(draft.end, machine),
        metrics=_metrics(draft, machine),
        id=draft.id,
        machine=key,
        parent=draft.parent,
        origin="runner" if machine.is_runner else "guest",
        measured="exactly",
        authentic=draft.authentic,
        status=status,
        ended_from=None if draft.end is None else "agent",
        exit_code=draft.exit_code,
        exit_from=None if draft.exit_code is None else draft.exit_from or "agent",
        signal=draft.signal,
        unfinished=why,
        last_seen=time_of(draft.beat or draft.start, machine) if draft.end is None else None,
        provisioner=step_provisioner(draft.unit),
        series=chart(draft.columns) if draft.columns is not None else None,
        counters=step_counters(draft.start, draft.end or draft.beat),
        processes=_processes(draft.processes), neighbours=_processes(draft.neighbours),
        begun_by=draft.by,
        **accounts_of(draft),
    )


def _metrics(draft: StepDraft, machine: MachineDraft) -> Figures:
    """The machine's figures, the step's own, and what measuring them cost."""
    last = draft.end or draft.beat
    whole = step_metrics(draft.start, last, draft.peak_kb, draft.load)
    sampled = tcp_metrics(draft.start, last, machine.samples.get(last.boot) if last is not None else None)
    return {**whole, **sampled, **own_metrics(draft.own, draft.start, draft.end), **cost_metrics(draft.cost)}


def step_provisioner(unit: ProvisionerRun | None) -> StepProvisioner | None:
    """The document's words for a provisioner unit."""
    return None if unit is None else StepProvisioner(index=unit.index, kind=unit.kind, detail=unit.detail)


def time_of(point: Point | None, machine: MachineDraft) -> float | None:
    """Unix seconds of a point, by the host's clock if the machine's offset is known; None without a point.

    Args:
        point: clocks and counters of one record.
        machine: the machine that made it.
    """
    if point is None:
        return None
    clock = machine.boots.get(point.boot)
    return round(point.t_ns / 1e9 if clock is None else clock.host_s(point.m_ns, point.t_ns), 3)


def step_counters(start: Point | None, end: Point | None) -> StepCounters | None:
    """The raw counters of both ends of a step; None if neither was read.

    Args:
        start: the point at which it began.
        end: the point at which it ended.
    """
    first, last = start.counters if start else None, end.counters if end else None
    return None if first is None and last is None else StepCounters(start=first, end=last)


def _processes(rows: list[tuple[str, float | None, float | None]] | None) -> list[Process] | None:
    return None if rows is None else [Process(name=name, cpu_s=cpu_s, io_mb=io_mb) for name, cpu_s, io_mb in rows]


def step_status(draft: StepDraft, machine: MachineDraft, section: LogSection) -> tuple[Status, str | None]:
    """The status of a step, and why its end is unknown (None if it is known).

    Args:
        draft: what the records of the step told.
        machine: the machine that it ran on.
        section: the part of the log that it is in.
    """
    if draft.end is not None:
        known = draft.exit_code is not None
        status: Status = ("success" if draft.exit_code == 0 else "failure") if known else "unknown"
        return status, NO_START if draft.start is None else None
    if is_cut_by_reboot(draft, machine):
        return "unknown", "the machine rebooted"
    if section.interrupted_line is not None and section.interrupted_line > draft.line:
        return "cancellation", "the build was interrupted"
    over = section.end_of(machine.target)
    if over is not None and over.line > draft.line:
        return _ended_with_build(over.error)
    if draft.unit is not None and _next_unit_began(draft.unit, machine, section):
        return "unknown", "its end record is not in the log"
    return "unknown", LOG_ENDS if draft.line else SPOOL_ENDS


def _ended_with_build(error: str | None) -> tuple[Status, str]:
    if error is None:
        return "unknown", "its end record is not in the log"
    if any(word in error.lower() for word in TIMEOUT_WORDS):
        return "timeout", "the build failed in it: a timeout"
    return "unknown", "the build failed in it"


def is_cut_by_reboot(draft: StepDraft, machine: MachineDraft) -> bool:
    """True if a later record of the machine has another boot id than the step's last record.

    Args:
        draft: the step.
        machine: the machine that it ran on.
    """
    point = draft.beat or draft.start
    return point is not None and any(
        boot != point.boot and _speaks_after(clock, point) for boot, clock in machine.boots.items()
    )


def _speaks_after(clock: BootClock, point: Point) -> bool:
    """True if a boot's first record came behind `point`: by the log's lines, or by the guest's clock without them."""
    if clock.first_line and point.line:
        return clock.first_line > point.line
    return clock.first_t_ns > point.t_ns


def _next_unit_began(unit: ProvisionerRun, machine: MachineDraft, section: LogSection) -> bool:
    return len(section.units(machine.target)) > unit.index + 1
