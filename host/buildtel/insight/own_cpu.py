"""Tells how many CPUs the step itself used in each sample of its machine, if the step's own CPU time is known."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence

from buildtel.insight.sample import Sample
from buildtel.job.model import Step

LEAST_OTHERS_CPUS = 0.3  # less beside a step are the system's own tasks, or an error of counting
MOST_OF_IT = 0.8  # of a step's own CPU time
LEAST_PART = 0.5  # of a sample's time that must be the step's


def own_cpus(step: Step, samples: Sequence[Sample]) -> dict[int, float]:
    """By the place of a sample: the CPUs that the step's own commands used in it; empty where nobody else used some.

    The CPU time of each command is divided among the samples of its time, in proportion to what the machine used; that
    of commands whose time is not known among all samples of the step.

    Args:
        step: a step with a start and an end.
        samples: those that touch its time, in order.
    """
    own_s, start_s, end_s = step.metrics.get("own_cpu_s"), step.start_time, step.end_time
    if own_s is None or start_s is None or end_s is None or end_s <= start_s:
        return {}
    used_s = dict(_used(samples, start_s, end_s))
    if sum(used_s.values()) - own_s < LEAST_OTHERS_CPUS * (end_s - start_s):
        return {}
    told_s: dict[int, float] = defaultdict(float)
    for first_s, last_s, cpu_s in _parts(step, own_s, start_s, end_s):
        within_s = dict(_used(samples, first_s, last_s))
        total_s = sum(within_s.values())
        for at, part_s in within_s.items():
            told_s[at] += cpu_s * part_s / total_s
    return {
        at: min(told_s[at], all_s) / _within_s(samples[at], start_s, end_s)
        for at, all_s in used_s.items()
        if _within_s(samples[at], start_s, end_s) >= LEAST_PART * samples[at].seconds
    }


def is_one_command(step: Step) -> bool:
    """Whether one command, that ran once, used most of a step's own CPU: as a thread it needs one CPU at most.

    Args:
        step: of which its own CPU is known.
    """
    least_s = MOST_OF_IT * (step.metrics.get("own_cpu_s") or 0.0)
    return any(row.count == 1 and (row.cpu_s or 0.0) >= least_s for row in step.commands or ())


def _parts(step: Step, own_s: float, start_s: float, end_s: float) -> Iterator[tuple[float, float, float]]:
    """Start and end of each command, in Unix seconds, and its CPU time; the rest has the time of the step."""
    rest_s = own_s
    for row in step.inside or ():
        if row.start_s is not None and row.duration_s and row.cpu_s:
            cpu_s = min(row.cpu_s, rest_s)
            rest_s -= cpu_s
            yield start_s + row.start_s, start_s + row.start_s + row.duration_s, cpu_s
    yield start_s, end_s, rest_s


def _used(samples: Sequence[Sample], first_s: float, last_s: float) -> Iterator[tuple[int, float]]:
    """By the place of a sample: the CPU seconds that the machine used in a stretch of time, where it used some."""
    first = bisect_right(samples, first_s * 1000, key=lambda sample: sample.end_ms)
    for at in range(first, len(samples)):
        if samples[at].start_ms >= last_s * 1000:
            return
        used_s = samples[at].figures.get("busy_cpus", 0.0) * _within_s(samples[at], first_s, last_s)
        if used_s > 0:
            yield at, used_s


def _within_s(sample: Sample, first_s: float, last_s: float) -> float:
    return max(min(sample.end_ms / 1000, last_s) - max(sample.start_ms / 1000, first_s), 0.0)
