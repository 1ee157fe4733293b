"""Machines that are larger than their build needs: memory that was never used, CPUs that were never busy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from buildtel.job import JobDocument
from buildtel.job.model import Machine

SHORTEST_S = 120.0  # of samples: a shorter life tells little of what a build needs
LEAST_MEMORY_MB = 2048
LEAST_CPUS = 4
SPARE_PERCENT = 40.0  # of memory, at most in use
_GUEST = "guest"


@dataclass(frozen=True, slots=True)
class Size:
    """A machine that is larger than it needs to be: what it has, and the most that was in use, in `unit`.

    `figure` is the figure of its samples that tells it.
    """

    id: str
    machine: str
    figure: str
    has: float
    most: float
    unit: str
    seconds: float


def too_large(document: JobDocument) -> Iterator[Size]:
    """The guests of a document that are too large, by the samples of their whole life."""
    for name, machine in document.machines.items():
        seconds = _seconds(machine)
        if machine.origin == _GUEST and seconds >= SHORTEST_S:
            yield from _of_machine(name, machine, seconds)


def _of_machine(name: str, machine: Machine, seconds: float) -> Iterator[Size]:
    memory_mb, most_mb = machine.memory_total_mb or 0, _most(machine, "memory_used_mb")
    if memory_mb >= LEAST_MEMORY_MB and most_mb is not None and most_mb * 100 < SPARE_PERCENT * memory_mb:
        yield Size("spare_memory", name, "memory_used_mb", float(memory_mb), most_mb, "MB", seconds)
    cpus, most_percent = machine.cpus or 0, _most(machine, "cpu_percent")
    if cpus >= LEAST_CPUS and most_percent is not None and most_percent < 50:
        yield Size("spare_cpus", name, "cpu_percent", float(cpus), most_percent * cpus / 100, "CPUs", seconds)


def _seconds(machine: Machine) -> float:
    return sum((samples.columns.get("t_s") or [0])[-1] or 0 for samples in machine.samples)


def _most(machine: Machine, column: str) -> float | None:
    """The largest value of a column; None where no sample has one."""
    values = (value for samples in machine.samples for value in samples.columns.get(column, ()) if value is not None)
    return max(values, default=None)
