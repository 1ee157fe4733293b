"""Makes a machine of the document from its draft: facts, samples, marks, clock."""

from __future__ import annotations

from buildtel.job.model import BootClock, Clock, Machine, Mark, Samples
from buildtel.job.steps import time_of
from buildtel.measure.charts import chart
from buildtel.measure.drafts import RUNNER, MachineDraft
from buildtel.measure.guest_clock import BootClock as BootClockDraft

NO_TIMES = "the log has no times: host and guest can't be put on one axis"
NO_ZONE = "the log's times have no zone: the guest's clock can't be compared with the host's"
NO_LOG = "there is no log: its times are by its own clock"


def machine_key(draft: MachineDraft, taken: dict[str, Machine]) -> str:
    """The key of a machine in the document: `runner`, or Packer's target.

    A later run of the same log appends `#2`, `#3`.

    Args:
        draft: the machine.
        taken: the machines that have their keys already.
    """
    if draft.is_runner:
        return RUNNER
    name = draft.target or "guest"
    key = name if draft.section.number == 0 else f"{name}#{draft.section.number + 1}"
    return key if key not in taken else f"{key}#{len(taken) + 1}"


def finish_machine(draft: MachineDraft) -> Machine:
    """What a machine said of itself, its samples and its marks."""
    facts = dict(draft.facts)
    facts.pop("records", None)
    memory_kb, disk_kb = facts.pop("memory_total_kb", None), facts.pop("disk_total_kb", None)
    return Machine(
        origin="runner" if draft.is_runner else "guest",
        target=None if draft.is_runner else draft.target,
        run=draft.section.number + 1,
        memory_total_mb=None if memory_kb is None else round(memory_kb / 1024),
        disk_total_gb=None if disk_kb is None else round(disk_kb / 1024**2, 1),
        boots=list(draft.boots),
        samples=finish_samples(draft),
        marks=[
            Mark(name=mark.name, time=time_of(mark.point, draft) or 0.0, parent=mark.parent) for mark in draft.marks
        ],
        **facts,
    )


def finish_samples(draft: MachineDraft) -> list[Samples]:
    """The whole-life samples of each boot, as a chart shows them."""
    found = []
    for boot, samples in draft.samples.items():
        if len(samples):
            clock = draft.boots[boot]
            m_ns = samples.times_ms[0] * 1_000_000
            t_ns = round(clock.wall_first_s * 1e9) + m_ns
            start = round(clock.host_s(m_ns, t_ns), 3)
            found.append(Samples(boot=boot, start_time=start, columns=chart(samples.chart_columns())))
    return found


def finish_clock(draft: MachineDraft, logged: bool) -> Clock:
    """A machine's clock against the host's: the last boot with times stands for all.

    Args:
        draft: the machine.
        logged: False if there was no log, only spools; the note says so.
    """
    boots = [boot_clock(clock) for clock in draft.boots.values()]
    known = [boot for boot in boots if boot.offset_s is not None]
    if not known:
        timed = any(clock.unzoned.zero() for clock in draft.boots.values())
        return Clock(note=NO_LOG if not logged else NO_ZONE if timed else NO_TIMES, boots=boots)
    return Clock(offset_s=known[-1].offset_s, error_s=known[-1].error_s, boots=boots)


def boot_clock(clock: BootClockDraft) -> BootClock:
    """One boot's clock, as of its first record."""
    zero = clock.zero()
    stepped_s = clock.stepped_s
    return BootClock(
        boot=clock.boot,
        offset_s=None if zero is None else round(clock.wall_first_s - zero[0], 3),
        error_s=None if zero is None else round(zero[1], 3),
        stepped_s=None if stepped_s is None else round(stepped_s, 3),
        records=clock.records,
    )
