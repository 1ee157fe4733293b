"""The thresholds of the original: a figure of a step above one is marked in reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Threshold:
    """A metric above `limit`, in the metric's unit, is marked."""

    metric: str
    limit: float


THRESHOLDS = (
    Threshold("duration_s", 60),
    Threshold("cpu_percent", 80),
    Threshold("cpu_steal_percent", 5),
    Threshold("memory_used_mb", 8192),
    Threshold("disk_write_mb", 1024),
    Threshold("disk_util_percent", 80),
    Threshold("await_ms", 10),
    Threshold("queue_depth", 4),
    Threshold("net_rx_mb", 500),
)  # fmt: skip
SHORTEST_S = 1.0  # the kernel counts CPU time in ticks: below this the figures are chance
FEWEST_OPS = 50  # below this the time that one of them took is chance, too


def exceeded(metrics: Mapping[str, float | None]) -> list[Threshold]:
    """The thresholds that a step's figures are above; an unknown figure, or one that is chance, is above none."""
    duration_s = metrics.get("duration_s")
    if duration_s is not None and duration_s < SHORTEST_S:
        return []
    chance = by_chance(metrics)
    return [row for row in THRESHOLDS if row.metric not in chance and (metrics.get(row.metric) or 0) > row.limit]


def by_chance(metrics: Mapping[str, float | None]) -> frozenset[str]:
    """The figures of a step that too few events made: they say nothing."""
    reads, writes = metrics.get("disk_read_ops"), metrics.get("disk_write_ops")
    return frozenset({"await_ms"} if reads is not None and writes is not None and reads + writes < FEWEST_OPS else ())

