"""The samples of a machine in order of time, with what its steps tell of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise

from buildtel.insight.own_cpu import is_one_command, own_cpus
from buildtel.insight.sample import Sample, samples_of, samples_of_step
from buildtel.job.model import Machine, Samples, Step

LEAST_BEST_MBS = 1.0  # a machine that never received faster does not tell how fast its line is
_OF_RUNNER = ("psi_cpu_some_percent", "psi_memory_some_percent", "cgroup_throttled_percent", "beside_builds")


class Sampled:
    """The samples of a machine in order of time, none over another.

    `reboots` are the times, in Unix milliseconds, from the last sample of a boot to the first of the next one.
    """

    def __init__(self, machine: Machine, steps: list[Step]) -> None:
        self.reboots = tuple(_reboots(machine.samples))
        whole = [sample for samples in machine.samples for sample in samples_of(samples, machine.cpus)]
        inner = [sample for step in steps for sample in samples_of_step(step, machine.cpus)]
        self.samples = _apart(sorted(whole, key=_start_ms), sorted(inner, key=_start_ms))
        self._starts = [sample.start_ms for sample in self.samples]
        for step in steps:
            self._take_waits(step)
        units = {step.id for step in steps if step.provisioner is not None}
        within = [step for step in steps if step.provisioner is not None or step.parent in units]
        for step in sorted(within, key=lambda step: -(step.metrics.get("duration_s") or 0)):
            self._take_own(step, machine.cpus)
        best = max((sample.figures.get("net_rx_mbs", 0.0) for sample in self.samples), default=0.0)
        for sample in self.samples if best >= LEAST_BEST_MBS else ():
            sample.figures["rx_of_best_percent"] = 100 * sample.figures.get("net_rx_mbs", 0.0) / best

    def _take_waits(self, step: Step) -> None:
        """Gives the samples of a step the shares of their time in which its commands waited."""
        zero_ms = None if step.start_time is None else round(step.start_time * 1000)
        for row in (step.waits or ()) if zero_ms is not None else ():
            first = (zero_ms or 0) + round(row.start_s * 1000)
            last = first + round(row.duration_s * 1000)
            for sample in self.between(first, last):
                within_ms = min(last, sample.end_ms) - max(first, sample.start_ms)
                share = 100 * within_ms / (sample.end_ms - sample.start_ms)
                name = f"wait_{row.kind}_percent"
                sample.figures[name] = min(sample.figures.get(name, 0.0) + share, 100.0)
                if row.holder and row.kind == "lock":
                    sample.holder = row.holder

    def _take_own(self, step: Step, cpus: int | None) -> None:
        """Gives the samples of a step its own CPU in place of the machine's, where others used some, too.

        That of a step within another is the narrower one, and comes last.
        """
        if step.start_time is None or step.end_time is None or not cpus:
            return
        samples = list(self.between(round(step.start_time * 1000), round(step.end_time * 1000)))
        one = {"one_command": 1.0} if is_one_command(step) else {}
        for at, own in own_cpus(step, samples).items():
            figures = samples[at].figures
            all_cpus = figures["busy_cpus"] + figures.get("others_cpus", 0.0)
            others = max(all_cpus - own, 0.0)
            figures |= {"busy_cpus": own, "cpu_percent": 100 * own / cpus, "others_cpus": others, **one}

    def between(self, start_ms: int, end_ms: int) -> Iterator[Sample]:
        """The samples that touch a stretch of time, in order.

        Args:
            start_ms: its start, in Unix milliseconds.
            end_ms: its end, in Unix milliseconds.
        """
        at = max(bisect_right(self._starts, start_ms) - 1, 0)
        while at < len(self.samples) and self.samples[at].start_ms < end_ms:
            if self.samples[at].end_ms > start_ms:
                yield self.samples[at]
            at += 1

    def of_runner_at(self, time_ms: int) -> dict[str, float]:
        """What a guest's sample takes over from the runner's at an instant; empty where there is none."""
        at = bisect_right(self._starts, time_ms) - 1
        if at < 0 or self.samples[at].end_ms <= time_ms:
            return {}
        figures = self.samples[at].figures
        return {f"runner_{name}": figures[name] for name in _OF_RUNNER if name in figures}


def _reboots(lives: list[Samples]) -> Iterator[tuple[int, int]]:
    known = [(life, [time for time in life.columns.get("t_s", []) if time is not None]) for life in lives]
    spans = sorted(
        (life.start_time + times[0], life.start_time + times[-1], life.boot)
        for life, times in known
        if life.start_time is not None and life.boot is not None and times
    )
    for (_, last_s, boot), (first_s, _, other) in pairwise(spans):
        if boot != other and last_s < first_s:
            yield round(last_s * 1000), round(first_s * 1000)


def _start_ms(sample: Sample) -> int:
    return sample.start_ms


def _apart(whole: list[Sample], inner: list[Sample]) -> list[Sample]:
    """Those of the whole life, and those of steps where there are none of them."""
    kept = list(whole)
    starts = [sample.start_ms for sample in whole]
    end_ms = 0
    for sample in inner:
        at = bisect_right(starts, sample.start_ms) - 1
        is_free = at < 0 or whole[at].end_ms <= sample.start_ms
        if is_free and (at + 1 >= len(whole) or whole[at + 1].start_ms >= sample.end_ms) and sample.start_ms >= end_ms:
            kept.append(sample)
            end_ms = sample.end_ms
    return sorted(kept, key=_start_ms)
