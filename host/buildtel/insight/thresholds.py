"""The thresholds of figures: what exceeding one means, and what helps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Threshold:
    """A metric above `limit`, in the metric's unit, is a `word`; `help` says what to try."""

    metric: str
    limit: float
    word: str
    help: str


THRESHOLDS = (
    Threshold("duration_s", 60, "long step", "look at what it waits for: the other marks say"),
    Threshold("cpu_percent", 80, "CPU-bound", "use more or faster CPUs, or run parts side by side"),
    Threshold("cpu_steal_percent", 5, "starved by its host", "run fewer machines on the host at once"),
    Threshold("memory_used_mb", 8192, "memory-intensive", "more RAM, or less work at once"),
    Threshold("disk_write_mb", 1024, "I/O-intensive", "write less, clean up in the same step"),
    Threshold("disk_util_percent", 80, "disk saturated", "use a faster disk, or write with fewer workers"),
    Threshold("await_ms", 10, "slow disk", "turn on the disk's cache, or queue fewer operations"),
    Threshold("queue_depth", 4, "I/O congestion", "write one after another instead of all at once"),
    Threshold("net_rx_mb", 500, "download-heavy", "keep a local mirror or cache of what is downloaded"),
)  # fmt: skip
# Of the runner, in a stretch of a build: the machine that is built waits because the one around it does.
STARVED = (
    Threshold("psi_cpu_some_percent", 40, "the host is short of CPU", "fewer builds at once, or a larger runner"),
    Threshold("psi_io_some_percent", 40, "the host waits for its disk", "a faster disk for Packer's output"),
    Threshold("psi_memory_some_percent", 10, "the host is short of memory", "smaller machines, or more RAM"),
)
LONG_S = THRESHOLDS[0].limit
STARVED_S = 5.0
SHORTEST_S = 1.0  # the kernel counts CPU time in ticks: below this the figures are chance
FEWEST_OPS = 50  # below this the time that one of them took is chance, too


def exceeded(metrics: Mapping[str, float | None]) -> list[Threshold]:
    """The thresholds that a step's figures are above; an unknown figure, or one that is chance, is above none."""
    duration_s = metrics.get("duration_s")
    if duration_s is not None and duration_s < SHORTEST_S:
        return []
    reads, writes = metrics.get("disk_read_ops"), metrics.get("disk_write_ops")
    chance = {"await_ms"} if reads is not None and writes is not None and reads + writes < FEWEST_OPS else set()
    return [row for row in THRESHOLDS if row.metric not in chance and (metrics.get(row.metric) or 0) > row.limit]

