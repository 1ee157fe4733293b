"""The share of the host that each build's hypervisor process used.

The runner's samples hold, for each such process, columns `hyp.NAME:PID.N`: the boot time of its start (ms),
CPU ticks, resident memory (kB), bytes read and bytes written (`/proc/PID/stat`, `/proc/PID/io`), whether it runs by
KVM, and the microseconds for which its threads waited for a CPU; the last two are missing in documents of before.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from buildtel.measure.drafts import MachineDraft

MIB = 1_048_576
EARLY_S, LATE_S = 0.5, 5.0  # how far a process may start before and after the text that announces it
_START, _CPU, _RSS, _READ, _WRITTEN, _KVM, _CPU_WAIT = range(7)


@dataclass(frozen=True, slots=True)
class Process:
    """One process over its life: the instants of its samples (Unix seconds) and, at each, its numbers."""

    started_s: float
    times_s: list[float]
    columns: list[list[int | None]]

    def grown(self, number: int, from_s: float, to_s: float) -> float | None:
        """How far a counter that began at 0 with the process grew between two instants.

        Args:
            number: the index of the value in a sample.
            from_s: the start, in seconds on the host's axis.
            to_s: the end, in seconds on the host's axis.
        """
        column = self.columns[number]
        if not any(value is not None for value in column):
            return None
        return self._at(column, to_s) - self._at(column, from_s)

    def largest(self, number: int, from_s: float, to_s: float) -> int | None:
        """The largest value sampled between two instants.

        Args:
            number: the index of the value in a sample.
            from_s: the start, in seconds on the host's axis.
            to_s: the end, in seconds on the host's axis.
        """
        inside = zip(self.times_s, self.columns[number], strict=True)
        return max((value for time, value in inside if value is not None and from_s <= time <= to_s), default=None)

    def last(self, number: int) -> int | None:
        """The newest known value of a number that is no counter."""
        return next((value for value in reversed(self.columns[number]) if value is not None), None)

    def _at(self, column: Sequence[int | None], time_s: float) -> float:
        points = [(self.started_s, 0.0)]
        points += [(at, float(value)) for at, value in zip(self.times_s, column, strict=True) if value is not None]
        after = bisect_right(points, (time_s, float("inf")))
        if after == 0 or after == len(points):
            return points[0 if after == 0 else -1][1]
        (low_s, low), (high_s, high) = points[after - 1], points[after]
        return low + (high - low) * (time_s - low_s) / (high_s - low_s)


@dataclass(slots=True)
class Hypervisor:
    """The processes that were one build's machine; more than one where the machine was started again."""

    hz: int
    processes: list[Process] = field(default_factory=list)

    def figures(self, from_s: float, to_s: float) -> dict[str, float | int | None] | None:
        """CPU (100 % is one core), memory and disk of a stretch; None before and after the machine's life.

        Args:
            from_s: the start, in seconds on the host's axis.
            to_s: the end, in seconds on the host's axis.
        """
        alive = [one for one in self.processes if one.started_s < to_s and one.times_s[-1] > from_s]
        if not alive:
            return None
        found = {
            "cpu_percent": _scaled(_total(one.grown(_CPU, from_s, to_s) for one in alive),
                                   100 / self.hz / (to_s - from_s), 1),
            "memory_peak_mb": _scaled(_total(one.largest(_RSS, from_s, to_s) for one in alive), 1 / 1024, 1),
            "disk_read_mb": _scaled(_total(one.grown(_READ, from_s, to_s) for one in alive), 1 / MIB, 2),
            "disk_write_mb": _scaled(_total(one.grown(_WRITTEN, from_s, to_s) for one in alive), 1 / MIB, 2),
            "cpu_wait_percent": _scaled(_total(one.grown(_CPU_WAIT, from_s, to_s) for one in alive),
                                        1e-4 / (to_s - from_s), 1),
            "kvm": min((value for one in alive if (value := one.last(_KVM)) is not None), default=None),
        }  # fmt: skip
        return {name: value for name, value in found.items() if value is not None}


def _total(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _scaled(value: float | None, factor: float, decimals: int) -> float | None:
    return None if value is None else round(value * factor, decimals)


def hypervisors_of(boots: Mapping[str, Sequence[float]], runner: MachineDraft) -> dict[str, Hypervisor]:
    """By build: its hypervisor. A process that may belong to more than one build counts for none.

    Args:
        boots: the builds of a run; of each when its machine was started, Unix seconds.
        runner: the machine that Packer ran on, with its samples.
    """
    found: dict[str, Hypervisor] = {}
    hz = runner.facts.get("hz")
    for process in _processes(runner) if hz else ():
        owners = [build for build, times in boots.items() if len(boots) == 1 or _may_own(times, process)]
        if len(owners) == 1:
            found.setdefault(owners[0], Hypervisor(hz or 1)).processes.append(process)
    return found


def _may_own(boots: Iterable[float], process: Process) -> bool:
    return any(-EARLY_S <= process.started_s - boot_s <= LATE_S for boot_s in boots)


def _processes(runner: MachineDraft) -> list[Process]:
    found = []
    for boot, samples in runner.samples.items():
        zero_s = runner.boots[boot].log_s(0)
        names = sorted({name.rpartition(".")[0] for name in samples.columns if name.startswith("hyp.")})
        for name in names if zero_s is not None else ():
            absent: list[int | None] = [None] * len(samples.times_ms)
            columns = [samples.columns.get(f"{name}.{number}", absent) for number in range(7)]
            started = next((value for value in columns[_START] if value is not None), None)
            lived = [at for at, value in enumerate(columns[_CPU]) if value is not None]
            if started is not None and lived:
                first, last = lived[0], lived[-1] + 1
                times_s = [(zero_s or 0.0) + time / 1000 for time in samples.times_ms[first:last]]
                start_s = (zero_s or 0.0) + started / 1000
                found.append(Process(start_s, times_s, [column[first:last] for column in columns]))
    return found
