"""The samples of a machine on the host's time axis, each with the figures that rules of causes ask for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from buildtel.job.model import Machine, Samples, Step

LONGEST_S = 90.0  # a sample over more than this says nothing of a second of it
LEAST_BEST_MBS = 1.0  # a machine that never received faster does not tell how fast its line is
_CHARTED = (
    "cpu_percent", "cpu_iowait_percent", "cpu_steal_percent", "psi_cpu_some_percent", "psi_memory_some_percent",
    "psi_io_some_percent", "psi_memory_full_percent", "psi_io_full_percent", "net_rx_mbs", "net_tx_mbs",
    "disk_read_mbs", "disk_write_mbs", "tasks_running",
)  # fmt: skip
# Of which only what is more than 0 tells something: a column without it is not looked at.
_RARE = (
    "oom_kills_per_s", "direct_scan_mbs", "refault_anon_mbs", "refault_file_mbs", "disk_flushes_per_s",
    "tcp_retransmitted_percent", "tcp_out_of_order_percent", "tcp_timeouts_per_s", "cgroup_throttled_percent",
    "beside_packers", "beside_machines",
)  # fmt: skip
# Figures of a whole step by the names that they have of a sample; further ones have one name.
_WHOLE = {
    "net_rx_rate_mbs": "net_rx_mbs", "net_tx_rate_mbs": "net_tx_mbs",
    "disk_read_rate_mbs": "disk_read_mbs", "disk_write_rate_mbs": "disk_write_mbs",
}  # fmt: skip
_OF_RUNNER = ("psi_cpu_some_percent", "psi_memory_some_percent", "cgroup_throttled_percent", "beside_builds")


@dataclass(slots=True)
class Sample:
    """What a machine did from `start_ms` to `end_ms` (Unix milliseconds), in the figures of `causes.FIGURES`.

    `holder` is the command that held the lock for which a step waited, empty where none is known.
    """

    start_ms: int
    end_ms: int
    figures: dict[str, float]
    holder: str = ""


class Sampled:
    """The samples of a machine in order of time, none over another.

    `reboots` are the times, in Unix milliseconds, from the last sample of a boot to the first of the next one.
    """

    def __init__(self, machine: Machine, steps: list[Step]) -> None:
        self.reboots = tuple(_reboots(machine.samples))
        whole = [sample for samples in machine.samples for sample in _samples(samples, machine.cpus)]
        inner = [sample for step in steps for sample in _of_step(step, machine.cpus)]
        self.samples = _apart(sorted(whole, key=_start_ms), sorted(inner, key=_start_ms))
        self._starts = [sample.start_ms for sample in self.samples]
        for step in steps:
            self._take_waits(step)
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
                if row.holder:
                    sample.holder = row.holder

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


def _of_step(step: Step, cpus: int | None) -> Iterator[Sample]:
    """The samples of a step; of one that was measured at its two ends only, by sh, the step is one sample."""
    if step.measured == "exactly":
        columns = step.series if step.series is not None else _of_ends(step)
        yield from _samples(Samples(start_time=step.start_time, columns=columns), cpus)


def _of_ends(step: Step) -> dict[str, list[float | None]]:
    figures = {_WHOLE.get(name, name): value for name, value in step.metrics.items()}
    kept = {name: [None, figures[name]] for name in _CHARTED if name in figures}
    lasted_s, kills = step.metrics.get("duration_s"), step.metrics.get("oom_kills")
    if lasted_s and kills:
        kept["oom_kills_per_s"] = [None, kills / lasted_s]
    return {"t_s": [0.0, lasted_s], **kept} if kept else {}


def _samples(samples: Samples, cpus: int | None) -> Iterator[Sample]:
    times = samples.columns.get("t_s", [])
    columns = samples.columns
    names = [*(name for name in _CHARTED if name in columns), *(name for name in _RARE if any(columns.get(name, ())))]
    charted = [(name, columns[name], name.endswith("_percent")) for name in names]
    always = {"no_psi": 1.0} if _lacks_psi(columns) else {}
    zero_ms = None if samples.start_time is None else round(samples.start_time * 1000)
    for at in range(1, len(times) if zero_ms is not None else 0):
        before_s, now_s = times[at - 1], times[at]
        if before_s is None or now_s is None or not 0 < now_s - before_s <= LONGEST_S:
            continue
        start_ms, end_ms = (zero_ms or 0) + round(before_s * 1000), (zero_ms or 0) + round(now_s * 1000)
        yield Sample(start_ms, end_ms, {**_figures(charted, at, cpus), **always})


def _lacks_psi(columns: Mapping[str, Sequence[float | None]]) -> bool:
    """Whether the kernel tells no pressure, and what of memory it tells in its place."""
    return "psi_memory_some_percent" not in columns and "direct_scan_mbs" in columns


def _figures(charted: list[tuple[str, list[float | None], bool]], at: int, cpus: int | None) -> dict[str, float]:
    """The figures of one sample, without those that its machine does not tell.

    A column has its name, its values (in a forged document too few), and whether it is a share: pressure is counted
    late, so that of a second there may be more than a second's.
    """
    found = {}
    for name, column, is_share in charted:
        value = column[at] if at < len(column) else None
        if value is not None:
            found[name] = 100.0 if is_share and value > 100 else value
    iowait = found.pop("cpu_iowait_percent", None)
    if cpus is not None and "cpu_percent" in found:
        found["busy_cpus"] = found["cpu_percent"] * cpus / 100
        found["idle_cpus_percent"] = 100 - found["cpu_percent"]
    received, sent = found.get("net_rx_mbs"), found.get("net_tx_mbs")
    if received is not None and sent is not None and received + sent > 0:
        found["sent_percent"] = 100 * sent / (received + sent)
    if cpus is not None and iowait is not None:
        found["iowait_cpus"] = iowait * cpus / 100
    if found.get("refault_file_mbs") and found.get("disk_read_mbs"):
        found["read_again_percent"] = min(100 * found["refault_file_mbs"] / found["disk_read_mbs"], 100.0)
    beside = found.pop("beside_packers", 0.0) + found.pop("beside_machines", 0.0)
    if beside:
        found["beside_builds"] = beside
    return found
