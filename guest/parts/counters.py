# --- What is counted, and which figures are made of it -------------------------------------------------


# The groups of `c`: what it has a list for ("" for one of the whole machine), its source, how many numbers every agent
# of protocol 1 gives, and its numbers in order, new ones last: name, unit, counter or gauge (which may fall), where it
# stands in the source, and the Linux that has it.
COUNTERS = {
    "cpu": ("", "/proc/stat", 8, (
        ("user", "ticks", "counter", 1, ""), ("nice", "ticks", "counter", 2, ""), ("system", "ticks", "counter", 3, ""),
        ("idle", "ticks", "counter", 4, ""), ("iowait", "ticks", "counter", 5, "2.6"),
        ("irq", "ticks", "counter", 6, "2.6"), ("softirq", "ticks", "counter", 7, "2.6"),
        ("steal", "ticks", "counter", 8, "2.6.11"),
    )),
    "cpus": ("", "/proc/stat", 1, (("online", "CPUs", "gauge", "cpuN", ""),)),
    "tasks": ("", "/proc/stat", 4, (
        ("running", "", "gauge", "procs_running", "2.6"), ("blocked", "", "gauge", "procs_blocked", "2.6"),
        ("switches", "", "counter", "ctxt", ""), ("forks", "", "counter", "processes", ""),
    )),
    "mem": ("", "/proc/meminfo", 2, (
        ("total_kb", "kB", "gauge", "MemTotal", ""), ("available_kb", "kB", "gauge", "MemAvailable", "3.14"),
        ("free_buffers_cached_kb", "kB", "gauge", "MemFree + Buffers + Cached", ""),
    )),
    "disk": ("device", "/proc/diskstats", 8, (
        ("reads", "", "counter", 3, ""), ("read_sectors", "512 bytes", "counter", 5, ""),
        ("read_ms", "ms", "counter", 6, ""), ("writes", "", "counter", 7, ""),
        ("written_sectors", "512 bytes", "counter", 9, ""), ("write_ms", "ms", "counter", 10, ""),
        ("io_ms", "ms", "counter", 12, ""), ("weighted_io_ms", "ms", "counter", 13, ""),
        ("flushes", "", "counter", 18, "5.5"), ("flush_ms", "ms", "counter", 19, "5.5"),
    )),
    "net": ("device", "/proc/net/dev", 2, (
        ("rx_bytes", "bytes", "counter", 0, ""), ("tx_bytes", "bytes", "counter", 8, ""),
    )),
    "psi": ("resource", "/proc/pressure/*", 2, (
        ("some_us", "us", "counter", "some", "4.20"), ("full_us", "us", "counter", "full", "4.20"),
    )),
    "vm": ("", "/proc/vmstat", 4, (
        ("swap_in_kb", "kB", "counter", "pswpin", ""), ("swap_out_kb", "kB", "counter", "pswpout", ""),
        ("pgmajfault", "", "counter", "pgmajfault", ""), ("oom_kill", "", "counter", "oom_kill", "4.13"),
        ("allocstall", "", "counter", "allocstall", ""),
        ("direct_scan_kb", "kB", "counter", "pgscan_direct", ""),
        ("refault_file_kb", "kB", "counter", "workingset_refault_file", "3.15"),
        ("refault_anon_kb", "kB", "counter", "workingset_refault_anon", "5.9"),
        ("dirty_kb", "kB", "gauge", "nr_dirty", ""),
    )),
    "cgroup": ("", "cpu.stat, memory.events", 6, (
        ("periods", "", "counter", "nr_periods", ""), ("throttled_periods", "", "counter", "nr_throttled", ""),
        ("throttled_us", "us", "counter", "throttled_usec", ""), ("memory_high", "", "counter", "high", ""),
        ("memory_max", "", "counter", "max", ""), ("oom_kill", "", "counter", "oom_kill", "4.13"),
    )),
    "tcp": ("", "/proc/net/snmp, /proc/net/netstat", 7, (
        ("in_segments", "", "counter", "InSegs", ""), ("out_segments", "", "counter", "OutSegs", ""),
        ("retransmitted", "", "counter", "RetransSegs", ""), ("resets", "", "counter", "EstabResets", ""),
        ("timeouts", "", "counter", "TCPTimeouts", ""),
        ("syn_retransmitted", "", "counter", "TCPSynRetrans", "3.15"),
        ("out_of_order", "", "counter", "TCPOFOQueue", "3.4"),
    )),
    "fs": ("", "statvfs", 2, (("used_kb", "kB", "gauge", "", ""), ("free_kb", "kB", "gauge", "", ""))),
}  # type: dict[str, tuple[str, str, int, tuple[tuple[str, str, str, int | str, str], ...]]]  # fmt: skip
# What other kernels than the newest call a counter of /proc/vmstat: names whose sum it is, and which Linux has them.
# Source: include/linux/vm_event_item.h and mm/vmstat.c. (`pgscan_direct_throttle` counts no pages.)
OTHER_NAMES = {
    "allocstall": (("allocstall_dma allocstall_dma32 allocstall_normal allocstall_high allocstall_movable "
                    "allocstall_device", "since 4.8"),),
    "pgscan_direct": (("pgscan_direct_dma pgscan_direct_dma32 pgscan_direct_normal pgscan_direct_high "
                       "pgscan_direct_movable", "until 4.7"),),
    "workingset_refault_file": (("workingset_refault", "3.15 to 5.8: of files only"),),
}  # type: dict[str, tuple[tuple[str, str], ...]]  # fmt: skip
DISK_AT = [int(field[3]) for field in COUNTERS["disk"][3]]
DISK_MS = tuple([at for at, field in enumerate(COUNTERS["disk"][3]) if field[1] == "ms"])
NET_AT = [int(field[3]) for field in COUNTERS["net"][3]]
VM_NAMES = [
    " ".join([str(field[3]), *[names for names, _ in OTHER_NAMES.get(str(field[3]), ())]]).split()
    for field in COUNTERS["vm"][3]
]
VM_KEYS = [
    ([b"%s " % name.encode() for name in names], field[1] == "kB")  # kB: it is in pages
    for names, field in zip(VM_NAMES, COUNTERS["vm"][3])
]
TCP_KEYS = [str(field[3]).encode() for field in COUNTERS["tcp"][3]]
TASKS_KEYS = [b"%s " % str(field[3]).encode() for field in COUNTERS["tasks"][3]]


class Metric:
    """One figure of a step: the registry's row. `formula` gives None where the figure can't be had."""

    __slots__ = ("decimals", "formula", "name", "source", "unit")

    def __init__(
        self, name: "str", unit: "str", decimals: "int", source: "str", formula: "Callable[[Delta], float | None]"
    ) -> "None":
        self.name, self.unit, self.decimals, self.source, self.formula = name, unit, decimals, source, formula


METRICS = (
    Metric("duration_s", "s", 3, "CLOCK_BOOTTIME", lambda d: d.seconds),
    Metric("cpu_percent", "%", 1, "/proc/stat", lambda d: _ratio(d.busy, d.total, 100)),
    Metric("cpu_user_percent", "%", 1, "/proc/stat",
           lambda d: None if d.cpu[0] is None or d.cpu[1] is None else _ratio(d.cpu[0] + d.cpu[1], d.total, 100)),
    Metric("cpu_system_percent", "%", 1, "/proc/stat", lambda d: _ratio(d.cpu[2], d.total, 100)),
    Metric("cpu_iowait_percent", "%", 1, "/proc/stat", lambda d: _ratio(d.cpu[4], d.total, 100)),
    Metric("cpu_steal_percent", "%", 1, "/proc/stat", lambda d: _ratio(d.cpu[7], d.total, 100)),
    Metric("memory_used_mb", "MB", 1, "/proc/meminfo", lambda d: _ratio(used_kb(d.end), 1024)),
    Metric("memory_delta_mb", "MB", 1, "/proc/meminfo",
           lambda d: _ratio(_change(used_kb(d.start), used_kb(d.end)), 1024)),
    Metric("memory_peak_mb", "MB", 1, "/proc/meminfo", lambda d: _ratio(d.peak_kb, 1024)),
    Metric("disk_read_mb", "MB", 2, "/proc/diskstats", lambda d: _ratio(d.sum("disk", 1), 2048)),
    Metric("disk_write_mb", "MB", 2, "/proc/diskstats", lambda d: _ratio(d.sum("disk", 4), 2048)),
    Metric("disk_read_ops", "", 0, "/proc/diskstats", lambda d: d.sum("disk", 0)),
    Metric("disk_write_ops", "", 0, "/proc/diskstats", lambda d: d.sum("disk", 3)),
    Metric("disk_read_rate_mbs", "MB/s", 2, "/proc/diskstats", lambda d: _ratio(d.sum("disk", 1), d.seconds * 2048)),
    Metric("disk_write_rate_mbs", "MB/s", 2, "/proc/diskstats", lambda d: _ratio(d.sum("disk", 4), d.seconds * 2048)),
    Metric("disk_util_percent", "%", 1, "/proc/diskstats",
           lambda d: d.percent_of_time(max(d.each("disk", 6) or [], default=None))),
    Metric("await_ms", "ms", 2, "/proc/diskstats", lambda d: _ratio(d.sum("disk", 2, 5), d.sum("disk", 0, 3))),
    Metric("queue_depth", "", 2, "/proc/diskstats", lambda d: _ratio(d.sum("disk", 7), d.seconds * 1000)),
    Metric("disk_flushes", "", 0, "/proc/diskstats", lambda d: d.sum("disk", 8)),
    Metric("disk_flush_ms", "ms", 0, "/proc/diskstats", lambda d: d.sum("disk", 9)),
    Metric("net_rx_mb", "MB", 2, "/proc/net/dev", lambda d: _ratio(d.sum("net", 0), MB)),
    Metric("net_tx_mb", "MB", 2, "/proc/net/dev", lambda d: _ratio(d.sum("net", 1), MB)),
    Metric("net_rx_rate_mbs", "MB/s", 2, "/proc/net/dev", lambda d: _ratio(d.sum("net", 0), d.seconds * MB)),
    Metric("net_tx_rate_mbs", "MB/s", 2, "/proc/net/dev", lambda d: _ratio(d.sum("net", 1), d.seconds * MB)),
    Metric("tcp_retransmitted_percent", "%", 2, "/proc/net/snmp, /proc/net/netstat",
           lambda d: _ratio(_less(d.of("tcp", 2), d.of("tcp", 5)), d.of("tcp", 1), 100)),
    Metric("tcp_out_of_order_percent", "%", 2, "/proc/net/snmp, /proc/net/netstat",
           lambda d: _ratio(d.of("tcp", 6), d.of("tcp", 0), 100)),
    Metric("tcp_timeouts", "", 0, "/proc/net/snmp, /proc/net/netstat", lambda d: d.of("tcp", 4)),
    Metric("tcp_syn_retransmitted", "", 0, "/proc/net/snmp, /proc/net/netstat", lambda d: d.of("tcp", 5)),
    Metric("tcp_resets", "", 0, "/proc/net/snmp, /proc/net/netstat", lambda d: d.of("tcp", 3)),
    Metric("cgroup_throttled_percent", "%", 1, "cpu.stat, memory.events",
           lambda d: _ratio(d.of("cgroup", 1), d.of("cgroup", 0), 100)),
    Metric("cgroup_throttled_ms", "ms", 0, "cpu.stat, memory.events", lambda d: _ratio(d.of("cgroup", 2), 1000)),
    Metric("cgroup_memory_high", "", 0, "cpu.stat, memory.events", lambda d: d.of("cgroup", 3)),
    Metric("cgroup_memory_max", "", 0, "cpu.stat, memory.events", lambda d: d.of("cgroup", 4)),
    Metric("cgroup_oom_kills", "", 0, "cpu.stat, memory.events", lambda d: d.of("cgroup", 5)),
    Metric("psi_cpu_some_percent", "%", 1, "/proc/pressure/cpu", lambda d: d.stalled_percent("cpu", 0)),
    Metric("psi_memory_some_percent", "%", 1, "/proc/pressure/memory", lambda d: d.stalled_percent("memory", 0)),
    Metric("psi_memory_full_percent", "%", 1, "/proc/pressure/memory", lambda d: d.stalled_percent("memory", 1)),
    Metric("psi_io_some_percent", "%", 1, "/proc/pressure/io", lambda d: d.stalled_percent("io", 0)),
    Metric("psi_io_full_percent", "%", 1, "/proc/pressure/io", lambda d: d.stalled_percent("io", 1)),
    Metric("swap_in_mb", "MB", 2, "/proc/vmstat", lambda d: _ratio(d.of("vm", 0), 1024)),
    Metric("swap_out_mb", "MB", 2, "/proc/vmstat", lambda d: _ratio(d.of("vm", 1), 1024)),
    Metric("major_faults", "", 0, "/proc/vmstat", lambda d: d.of("vm", 2)),
    Metric("oom_kills", "", 0, "/proc/vmstat", lambda d: d.of("vm", 3)),
    Metric("direct_reclaims", "", 0, "/proc/vmstat", lambda d: d.of("vm", 4)),
    Metric("direct_scan_mb", "MB", 2, "/proc/vmstat", lambda d: _ratio(d.of("vm", 5), 1024)),
    Metric("refault_file_mb", "MB", 2, "/proc/vmstat", lambda d: _ratio(d.of("vm", 6), 1024)),
    Metric("refault_anon_mb", "MB", 2, "/proc/vmstat", lambda d: _ratio(d.of("vm", 7), 1024)),
    Metric("dirty_mb", "MB", 1, "/proc/vmstat", lambda d: _ratio(_at(d.end.get("vm"), 8), 1024)),
    Metric("tasks_running_mean", "", 2, "/proc/stat", lambda d: d.load[0] if d.load else None),
    Metric("tasks_running_peak", "", 0, "/proc/stat", lambda d: d.load[1] if d.load else None),
    Metric("tasks_blocked_mean", "", 2, "/proc/stat", lambda d: d.load[2] if d.load else None),
    Metric("tasks_blocked_peak", "", 0, "/proc/stat", lambda d: d.load[3] if d.load else None),
    Metric("context_switches_per_s", "1/s", 1, "/proc/stat", lambda d: _ratio(d.of("tasks", 2), d.seconds)),
    Metric("forks_per_s", "1/s", 1, "/proc/stat", lambda d: _ratio(d.of("tasks", 3), d.seconds)),
    Metric("disk_used_delta_mb", "MB", 1, "statvfs",
           lambda d: _ratio(_change(_at(d.start.get("fs"), 0), _at(d.end.get("fs"), 0)), 1024)),
)  # fmt: skip


