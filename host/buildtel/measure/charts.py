"""Charts: the document's lists of figures over time, made of cumulative columns and gauges."""

from __future__ import annotations

from collections.abc import Sequence

Column = list[int | None]
Columns = dict[str, Column]
MIB = 1_048_576
SECTOR_MIB = 512 / MIB

# Name in the document: columns of the record, factor; the difference of the columns by a second's time.
RATES: dict[str, tuple[str, float]] = {
    "disk_read_mbs": ("disk_read_sectors", SECTOR_MIB),
    "disk_write_mbs": ("disk_write_sectors", SECTOR_MIB),
    "net_rx_mbs": ("net_rx_bytes", 1 / MIB),
    "net_tx_mbs": ("net_tx_bytes", 1 / MIB),
    "psi_cpu_some_percent": ("psi_cpu_us", 1e-4),
    "psi_memory_some_percent": ("psi_memory_us", 1e-4),
    "psi_io_some_percent": ("psi_io_us", 1e-4),
    "psi_memory_full_percent": ("psi.memory.1", 1e-4),
    "psi_io_full_percent": ("psi.io.1", 1e-4),
    "disk_flushes_per_s": ("disk_flushes", 1.0),
    "disk_flush_percent": ("disk_flush_ms", 0.1),
    "context_switches_per_s": ("tasks.2", 1.0),
    "forks_per_s": ("tasks.3", 1.0),
    "oom_kills_per_s": ("vm.3", 1.0),
    "direct_scan_mbs": ("vm.5", 1 / 1024),
    "refault_file_mbs": ("vm.6", 1 / 1024),
    "refault_anon_mbs": ("vm.7", 1 / 1024),
    "tcp_timeouts_per_s": ("tcp_timed_out", 1.0),
    "tcp_syn_retransmitted_per_s": ("tcp.5", 1.0),
    "beside_cpus": ("beside.2", 1e-3),
}
# Name in the document: a column, and another one of which its growth is a share in percent.
PARTS = {
    "tcp_retransmitted_percent": ("tcp_lost", "tcp.1"), "tcp_out_of_order_percent": ("tcp.6", "tcp.0"),
    "cgroup_throttled_percent": ("cgroup.1", "cgroup.0"),
}  # fmt: skip
# Name in the document: a gauge; the first has the task that took the sample, too.
GAUGES = {
    "tasks_running": ("tasks.0", 1), "tasks_blocked": ("tasks.1", 0), "beside_packers": ("beside.0", 0),
    "beside_machines": ("beside.1", 0),
}  # fmt: skip
# Counters that samples have and a step's series has not, charted from the samples alone.
OF_SAMPLES = (
    "psi.memory.1", "psi.io.1", "cpu.0", "cpu.1", "cpu.2", "tasks.0", "tasks.1", "tasks.2", "tasks.3", "vm.3", "vm.5",
    "vm.6", "vm.7", "tcp.0", "tcp.1", "tcp.2", "tcp.4", "tcp.5", "tcp.6", "cgroup.0", "cgroup.1",
    "beside.0", "beside.1", "beside.2",
)  # fmt: skip
# Sums over devices that samples have and a step's series has not: group, number.
OF_DEVICES = {"disk_flushes": ("disk", 8), "disk_flush_ms": ("disk", 9)}
# Name in the document: columns whose sum is a share of all CPU time.
SHARES = {
    "cpu_percent": ("cpu_busy",), "cpu_iowait_percent": ("cpu_iowait",), "cpu_steal_percent": ("cpu_steal",),
    "cpu_user_percent": ("cpu.0", "cpu.1"), "cpu_system_percent": ("cpu.2",),
}  # fmt: skip
# What TCP counts together with the same of requests for a connection, to which maybe nobody listens: that is no loss.
WITH_REQUESTS = {"tcp_lost": "tcp.2", "tcp_timed_out": "tcp.4"}
REQUESTS = "tcp.5"


def chart(columns: Columns) -> dict[str, list[float | None]]:
    """The document's series of a step's columns: `t_s` from the first point, then one list a figure.

    A figure at a point is that of the stretch since the point before it, so the first is None;
    a counter that fell, a clock that did not move and what can't be (less than no memory, more than all CPUs) give
    None. Absent columns give no list.
    """
    times = [(value or 0) / 1000 for value in columns["m_ms"]]
    lists: dict[str, list[float | None]] = {"t_s": [round(time - times[0], 3) for time in times]}
    total = columns.get("cpu_total")
    for name, sources in SHARES.items():
        if total is not None and all(source in columns for source in sources):
            summed = _summed([columns[source] for source in sources])
            lists[name] = [_share(value) for value in _ratios(summed, total, 100.0)]
    if "memory_used_kb" in columns:
        used = columns["memory_used_kb"]
        lists["memory_used_mb"] = [None if kb is None or kb < 0 else round(kb / 1024, 1) for kb in used]
    for name, (source, factor) in RATES.items():
        if source in columns:
            lists[name] = _ratios(columns[source], times, factor)
    for name, (part, whole) in PARTS.items():
        if part in columns and whole in columns:
            lists[name] = [_share(value) for value in _ratios(columns[part], columns[whole], 100.0)]
    for name, (source, own) in GAUGES.items():
        if source in columns:
            lists[name] = [None if value is None else float(max(value - own, 0)) for value in columns[source]]
    return lists


def without_requests(columns: Columns) -> Columns:
    """`columns` with those of `WITH_REQUESTS` less the requests for a connection that were sent again."""
    found = {}
    for name, source in WITH_REQUESTS.items():
        whole = columns.get(source, [])
        pairs = zip(whole, columns.get(REQUESTS) or [0] * len(whole), strict=True)
        found[name] = [None if number is None else number - (requests or 0) for number, requests in pairs]
    return {**columns, **found}


def _ratios(parts: Sequence[int | None], wholes: Sequence[float | None], factor: float) -> list[float | None]:
    found: list[float | None] = [None]
    for at in range(1, len(parts)):
        part, whole = _grown(parts[at - 1], parts[at]), _grown(wholes[at - 1], wholes[at])
        found.append(None if part is None or not whole else round(factor * part / whole, 3))
    return found


def _summed(columns: Sequence[Column]) -> Column:
    """The sum of columns, None where one of them has none."""
    return columns[0] if len(columns) == 1 else [_sum(row) for row in zip(*columns, strict=True)]


def _sum(row: Sequence[int | None]) -> int | None:
    known = [value for value in row if value is not None]
    return sum(known) if len(known) == len(row) else None


def _share(percent: float | None) -> float | None:
    return percent if percent is None or percent <= 100 else None


def _grown(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None or after < before else after - before
