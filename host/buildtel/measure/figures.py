"""Computes the figures between two sets of counters, with the agent's formulas."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from buildtel.measure.drafts import Point
from buildtel.measure.guest_clock import BootClock
from buildtel.measure.series import Samples
from buildtel_agent import metrics, own_figures

MOST_LACKING = 0.05  # of a stretch: its rates are of its whole time
LEAST_S = 1.0  # a stretch shorter than this has no figures from samples
Figures = dict[str, float | int | None]


def figures(
    start: dict[str, Any], end: dict[str, Any], seconds: float, peak_kb: int | None, load: list[float] | None = None
) -> Figures:
    """The agent's formulas on two sets of counters, finite figures only.

    Args:
        start: the counters at the beginning.
        end: the counters at the end.
        seconds: the time between both.
        peak_kb: the peak of memory between both, None where it is not known.
        load: how many tasks ran and waited for disks, None where it is not known.
    """
    found = metrics(start, end, seconds, peak_kb, load)
    return {name: value for name, value in found.items() if math.isfinite(value)}


@dataclass(frozen=True, slots=True)
class Window:
    """What samples tell of a stretch: counters at both ends, and of the time between the peak of memory and the load.

    `peak_kb` is None where it is not known; `load` is what the agent's `Load` gives, None without samples between.
    """

    start: dict[str, Any]
    end: dict[str, Any]
    peak_kb: int | None = None
    load: list[float] | None = None

    def figures(self, seconds: float) -> Figures:
        """The agent's formulas on it, finite figures only.

        Args:
            seconds: the time between both ends.
        """
        return figures(self.start, self.end, seconds, self.peak_kb, self.load)


def step_metrics(
    start: Point | None, end: Point | None, peak_kb: int | None, load: list[float] | None = None
) -> Figures:
    """The figures between two points; across a reboot only the wall clock's duration can be had.

    Args:
        start: the first point.
        end: the last point.
        peak_kb: the largest memory use sampled between, in KiB, None without samples.
        load: how many tasks ran and waited for disks, None without samples.
    """
    if start is None or end is None:
        return {}
    if start.boot != end.boot or end.m_ns < start.m_ns:
        wall_s = (end.t_ns - start.t_ns) / 1e9
        return {"duration_s": round(wall_s, 3)} if wall_s >= 0 else {}
    seconds = (end.m_ns - start.m_ns) / 1e9
    return figures(start.counters or {}, end.counters or {}, seconds, peak_kb, load)


def own_metrics(own: dict[str, int], start: Point | None, end: Point | None) -> Figures:
    """The figures of the step's own load, apart from the rest of the machine; empty where nothing is known of it.

    Args:
        own: what the record of its end tells.
        start: the first point.
        end: the last point.
    """
    is_one_boot = start is not None and end is not None and start.boot == end.boot
    seconds = (end.m_ns - start.m_ns) / 1e9 if is_one_boot and start is not None and end is not None else 0.0
    cpus = ((end.counters or {}).get("cpus") or [None])[0] if end is not None else None
    return {name: value for name, value in own_figures(own, seconds, cpus).items() if math.isfinite(value)}


def tcp_metrics(start: Point | None, end: Point | None, samples: Samples | None) -> Figures:
    """The figures of TCP between two points of one boot, of which only samples tell; empty where they do not.

    Args:
        start: the first point.
        end: the last point.
        samples: the machine's samples of that boot.
    """
    if start is None or end is None or start.boot != end.boot or end.m_ns - start.m_ns < LEAST_S * 1e9 or not samples:
        return {}
    before, after = (samples.counters_at(point.m_ns / 1e6) for point in (start, end))
    if before is None or after is None or "tcp" not in before:
        return {}
    found = figures({"tcp": before["tcp"]}, {"tcp": after.get("tcp")}, (end.m_ns - start.m_ns) / 1e9, None)
    return {name: value for name, value in found.items() if name.startswith("tcp_")}


def cost_metrics(cost: dict[str, int]) -> Figures:
    """What the agent used, in the document's names and units."""
    rss_kb = cost.get("rss_kb")
    found = {
        "agent_cpu_ms": cost.get("cpu_ms"),
        "agent_rss_mb": None if rss_kb is None else round(rss_kb / 1024, 1),
        "agent_bytes": cost.get("bytes"),
    }
    return {name: value for name, value in found.items() if value is not None}


def window(clock: BootClock, samples: Samples, start_s: float, end_s: float) -> Window | None:
    """What samples tell of a stretch of the log; None if it is not covered.

    A beginning that is before the machine's first sample by less than the error of the stamps, which may be of whole
    seconds, and than MOST_LACKING of the stretch, is that sample's. (An end is not: more samples may come.)

    Args:
        clock: the clock of the boot that the samples are of.
        samples: the machine's samples of that boot.
        start_s: the beginning, in seconds, by the log's stamps.
        end_s: the end, by the same.
    """
    zero_s = clock.log_s(0)
    if zero_s is None or not samples.times_ms:
        return None
    asked_ms, to_ms = (start_s - zero_s) * 1000, (end_s - zero_s) * 1000
    from_ms = max(asked_ms, samples.times_ms[0])
    lacks_s = (from_ms - asked_ms) / 1000
    if lacks_s > min(clock.error_s, MOST_LACKING * (end_s - start_s)):
        return None
    before, after = samples.counters_at(from_ms), samples.counters_at(to_ms)
    if before is None or after is None:
        return None
    return Window(before, after, samples.peak_kb(from_ms, to_ms), samples.load(from_ms, to_ms))
