"""The words of each metric: help, labels, units, rank of its column.

The agent's registry `METRICS` has name, unit, source and formula of a metric; a row here makes it readable.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from buildtel.text import duration, number, rounded
from buildtel_agent import METRICS


@dataclass(frozen=True, slots=True)
class Words:
    """A metric in words.

    Attributes:
        name: the metric's name in the document.
        help: how it comes about, for docs/format.md.
        rank: columns with the lowest rank stay when the terminal is narrow; None: no column.
        head: the column's heading on a terminal.
        about: what the column holds, for the legend below it.
        page: the column's heading where width is no matter (Markdown); empty: no column there.
        label: in a sentence about a figure; empty: `page`.
    """

    name: str
    help: str
    rank: float | None = None
    head: str = ""
    about: str = ""
    page: str = ""
    label: str = ""


WORDS = (
    Words("duration_s", "T", 0, "time", "length of the step", "time"),
    Words("cpu_percent", "100 · (1 − Δ(idle + iowait) / Δtotal), over all CPUs and checked as above; the original's "
          "formula was rougher", 1, "CPU%", "CPU in use", "CPU %"),
    Words("cpu_user_percent", "100 · Δ(user + nice) / Δtotal"),
    Words("cpu_system_percent", "100 · Δsystem / Δtotal"),
    Words("cpu_iowait_percent", "100 · Δiowait / Δtotal"),
    Words("cpu_steal_percent", "100 · Δsteal / Δtotal"),
    Words("memory_used_mb", "MemTotal − MemAvailable (or what stands for it) at the end", 2, "mem MB",
          "memory in use at the end", "memory MB", "mem MB"),
    Words("memory_delta_mb", "`memory_used_mb` at the end − at the start", 12, "+/- MB", "memory, end less start"),
    Words("memory_peak_mb", "the largest MemTotal − MemAvailable seen", 8, "peak", "largest memory in use",
          label="peak MB"),
    Words("disk_read_mb", "Δsectors read · 512, whole physical disks only", 4, "rd MB", "read from disks", "read MB"),
    Words("disk_write_mb", "Δsectors written · 512, whole physical disks only", 3, "wr MB", "written to disks",
          "write MB"),
    Words("disk_read_rate_mbs", "`disk_read_mb` / T", 16, "rd MB/s", "read per second"),
    Words("disk_write_rate_mbs", "`disk_write_mb` / T", 13, "wr MB/s", "written per second"),
    Words("disk_read_ops", "Δreads completed", 15, "rd ops", "reads"),
    Words("disk_write_ops", "Δwrites completed", 14, "wr ops", "writes"),
    Words("disk_util_percent", "100 · Δio_ms / T of the busiest disk. Linux 5.0 to 6.9 count Δio_ms by samples: then "
          "a note says so", 5, "util%", "time in which the busiest disk was busy", "util %"),
    Words("await_ms", "Δ(read_ms + write_ms) / Δ(reads + writes); none without I/O", 6, "await",
          "ms that one disk operation took", "await ms"),
    Words("queue_depth", "Δweighted_io_ms / T, sum over disks", 9, "queue", "disk operations under way", "queue"),
    Words("disk_flushes", "Δflushes completed, as of fsync; Linux 5.5", label="flushes"),
    Words("disk_flush_ms", "Δms that flushes took, sum over disks; Linux 5.5", label="flush time ms"),
    Words("net_rx_mb", "Δbytes received by real interfaces", 7, "rx MB", "received", "rx MB"),
    Words("net_tx_mb", "Δbytes sent by real interfaces", 10, "tx MB", "sent", "tx MB"),
    Words("net_rx_rate_mbs", "`net_rx_mb` / T", 17, "rx MB/s", "received per second"),
    Words("net_tx_rate_mbs", "`net_tx_mb` / T", 18, "tx MB/s", "sent per second"),
    Words("tcp_retransmitted_percent", "100 · Δ(RetransSegs − TCPSynRetrans) / ΔOutSegs: sent again, as the other "
          "side did not confirm it. This and what follows of TCP is of samples only"),
    Words("tcp_out_of_order_percent", "100 · ΔTCPOFOQueue / ΔInSegs: received with a gap before, as after a loss"),
    Words("tcp_timeouts", "Δ times that no confirmation came in time"),
    Words("tcp_syn_retransmitted", "Δ requests for a connection (SYN) that were sent again, because no answer came"),
    Words("tcp_resets", "Δ connections that the other side, or this one, broke off"),
    Words("cgroup_throttled_percent", "100 · Δnr_throttled / Δnr_periods: periods in which the quota of CPU time was "
          "used up. This and what follows of cgroups is of the agent's own or the nearest one above with a limit"),
    Words("cgroup_throttled_ms", "Δms for which CPUs did not run its tasks because of that, added up"),
    Words("cgroup_memory_high", "Δ times that it was above memory.high and was slowed down"),
    Words("cgroup_memory_max", "Δ times that it was at the limit of memory (v1: memory.failcnt)"),
    Words("cgroup_oom_kills", "Δ processes that the kernel ended at that limit"),
    Words("psi_cpu_some_percent", "100 · Δtotal_us / T of `some`; none without PSI. `full` of the CPU is always 0 of a "
          "whole machine, so there is no such figure", head="cpu psi%"),
    Words("psi_memory_some_percent", "100 · Δtotal_us / T of `some`; none without PSI"),
    Words("psi_memory_full_percent", "100 · Δtotal_us / T of `full`; none without PSI"),
    Words("psi_io_some_percent", "100 · Δtotal_us / T of `some`; none without PSI", 11, "io psi%",
          "time in which something waited for disks"),
    Words("psi_io_full_percent", "100 · Δtotal_us / T of `full`; none without PSI"),
    Words("swap_in_mb", "Δpages swapped in · page size"),
    Words("swap_out_mb", "Δpages swapped out · page size"),
    Words("major_faults", "Δ page faults that needed I/O"),
    Words("oom_kills", "Δ processes that the kernel ended for want of memory"),
    Words("direct_reclaims", "Δ times that a task had to free memory before it got some"),
    Words("direct_scan_mb", "Δpages that tasks looked at then · page size"),
    Words("refault_file_mb", "Δpages of files read again soon after they were dropped · page size; Linux 3.15"),
    Words("refault_anon_mb", "Δpages swapped in again soon after they were swapped out · page size; Linux 5.9"),
    Words("dirty_mb", "pages that wait to be written to disks, at the end · page size"),
    Words("tasks_running_mean", "tasks that ran or waited for a CPU, without the one that counts: mean over time of "
          "samples; none of a step shorter than 0.25 s"),
    Words("tasks_running_peak", "the largest number of them at a sample"),
    Words("tasks_blocked_mean", "tasks that waited for disks: mean as above"),
    Words("tasks_blocked_peak", "the largest number of them at a sample"),
    Words("context_switches_per_s", "Δctxt / T"),
    Words("forks_per_s", "Δ(processes and threads begun) / T"),
    Words("disk_used_delta_mb", "growth of the root file system: what the step adds to the image"),
)  # fmt: skip
# A step's own load, apart from the machine's.
OWN_WORDS = (
    Words("own_cpu_s", "CPU time of the step's processes", 2.5, "own CPU s", "CPU seconds of the step's own processes",
          "own CPU s"),
    Words("own_cpu_percent", "100 · `own_cpu_s` / (T · CPUs), as `cpu_percent` is"),
    Words("own_memory_peak_mb", "the largest anonymous memory of the step's processes together, sampled", 8.5,
          "own peak", "largest memory of the step's own processes", "own peak MB"),
    Words("own_disk_read_mb", "bytes that the step's processes really read", 11.3, "own rd MB",
          "read by the step's own processes"),
    Words("own_disk_write_mb", "bytes that the step's processes really wrote", 11.6, "own wr MB",
          "written by the step's own processes", "own write MB"),
)  # fmt: skip
OWN_UNITS = {
    "own_cpu_s": "s", "own_cpu_percent": "%", "own_memory_peak_mb": "MB", "own_disk_read_mb": "MB",
    "own_disk_write_mb": "MB",
}  # fmt: skip
OWN = {words.name: (OWN_UNITS[words.name], words.help) for words in OWN_WORDS}
# What measuring a step cost, by name: unit and help.
COSTS = {
    "agent_cpu_ms": ("ms", "CPU time of the agent process itself"),
    "agent_rss_mb": ("MB", "largest resident memory of the agent process"),
    "agent_bytes": ("bytes", "what the agent wrote into the log for this step"),
}
COLUMNS = tuple(words for words in (*WORDS, *OWN_WORDS) if words.rank is not None)
PAGE_COLUMNS = tuple(words for words in (*WORDS, *OWN_WORDS) if words.page)
_LABELS = {words.name: words.label or words.page or words.name for words in (*WORDS, *OWN_WORDS)}
_HEADS = {words.name: words.head for words in (*WORDS, *OWN_WORDS)}
_UNITS = {metric.name: metric.unit for metric in METRICS}
_UNITS |= {name: unit for name, (unit, _) in (*OWN.items(), *COSTS.items()) if name != "own_cpu_s"}  # seconds, no time


def whole_machine(names: Collection[str]) -> str:
    """What a legend says of figures of the whole machine.

    Args:
        names: of the metrics that are shown.
    """
    own = "" if OWN.keys().isdisjoint(names) else " and own ones"
    return f"all figures but the time{own} are of the whole machine"


def head_of(name: str) -> str:
    """The heading of a metric's column on a terminal; of one that has none, its name."""
    return _HEADS.get(name) or name


def label_of(name: str) -> str:
    """What a metric is called in a sentence; of one that has no words, its name."""
    return _LABELS.get(name, name)


def bare_label_of(name: str) -> str:
    """The label of a metric without its unit, where the unit stands behind the value."""
    return label_of(name).removesuffix(" MB").removesuffix(" %").removesuffix(" ms")


def figure(name: str, value: float | None, grain_s: float | None = None) -> str:
    """A metric's value as text without its unit; a duration as `3:12`.

    Args:
        name: the metric's name.
        value: in the metric's unit; None gives `-`.
        grain_s: of a duration, how fine the time stamps are that it was computed from, in seconds; None: fine.
    """
    return rounded(value, grain_s) if _UNITS.get(name) == "s" else number(value)


def with_unit(name: str, value: float | None, grain_s: float | None = None) -> str:
    """A metric's value as text with its unit: `85%`, `12 MB`, `3:12`; arguments as for `figure`.

    Args:
        name: the metric.
        value: its value, None where it is not known.
        grain_s: the resolution of a duration, in seconds.
    """
    unit, text = _UNITS.get(name, ""), figure(name, value, grain_s)
    if unit in ("", "s"):
        return text
    return f"{text}{unit.removeprefix('1')}" if unit in ("%", "1/s") else f"{text} {unit}"


def moved(name: str, value: float | None) -> str:
    """A difference of a metric's values as text, with its sign; arguments as for `figure`.

    Args:
        name: the metric.
        value: the difference, None where it is not known.
    """
    if value is None:
        return "-"
    text = duration(abs(value)) if _UNITS.get(name) == "s" else number(abs(value))
    return f"{'-' if value < 0 else '+'}{text}"
