"""The readers and the formulas, on files that can be followed by eye."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from typing import Any

import pytest

import buildtel_agent as agent

from .conftest import PROC, ROOT

SECONDS = 10.0


def counters(case: str) -> dict:
    """The counters of a fixture; the root file system is this machine's own, so it is left out."""
    read = agent.Kernel(str(PROC / case), str(PROC / "no-sys")).counters()
    return {key: value for key, value in read.items() if key != "fs"}


def test_counters_are_the_kernels_numbers_of_whole_disks_and_real_interfaces():
    """Partitions, loop, device-mapper, CD-ROM, loopback and bridges are not counted."""
    assert counters("debian12-start") == {
        "cpu": [1000, 0, 500, 20000, 300, 0, 40, 60],
        "cpus": [2],
        "tasks": [1, 0, 654321, 1500],
        "mem": [2048000, 1638400],
        "disk": {
            "vda": [1000, 20480, 500, 2000, 40960, 1000, 900, 1500, 10, 40],
            "vdb": [10, 80, 5, 0, 0, 0, 5, 5, 0, 0],
        },
        "net": {"eth0": [10485760, 1048576]},
        "vm": [0, 1024, 100, 0, 10, 2000, 4000, 0, 1024],
        "psi": {"cpu": [1000000, 0], "memory": [1000000, 0], "io": [1000000, 0]},
    }


def test_an_old_kernel_has_no_pressure_and_nulls_for_what_it_lacks():
    """Absent is absent: Linux 3.10 knows neither MemAvailable nor oom_kill nor PSI."""
    read = counters("rhel7-3.10")

    assert "psi" not in read
    assert read["mem"] == [1014960, None, 802000]
    assert "tasks" not in read
    assert read["vm"] == [4, 8, 3, *[None] * 6]
    assert read["disk"]["xvdb"][8:] == [None, None]
    assert sorted(read["disk"]) == ["mmcblk0", "nvme0n1", "xvda1", "xvdb"]


def test_a_machine_without_proc_gives_no_groups(tmp_path):
    """An unreadable /proc is no error and no zero."""
    assert set(agent.Kernel(str(tmp_path), str(tmp_path)).counters()) <= {"fs"}


# The figures between the counters of debian12-start and debian12-end, with a peak of 1,024,000 kB and some tasks.
FIGURES_OF_TEN_SECONDS = {
    "duration_s": 10.0,
    "cpu_percent": 57.1,  # 100 * (2100 - 900) / 2100 ticks
    "cpu_user_percent": 42.9,
    "cpu_system_percent": 9.5,
    "cpu_iowait_percent": 9.5,
    "cpu_steal_percent": 4.8,
    "memory_used_mb": 900.0,  # 2,048,000 - 1,126,400 kB
    "memory_delta_mb": 500.0,
    "memory_peak_mb": 1000.0,
    "disk_read_mb": 100.0,  # 204,800 sectors of 512 bytes
    "disk_write_mb": 200.0,
    "disk_read_ops": 100,
    "disk_write_ops": 400,
    "disk_read_rate_mbs": 10.0,
    "disk_write_rate_mbs": 20.0,
    "disk_util_percent": 60.0,  # 6,000 of 10,000 ms, of the busiest disk
    "await_ms": 6.0,  # 3,000 ms over 500 operations
    "queue_depth": 1.0,
    "disk_flushes": 20,
    "disk_flush_ms": 200,
    "net_rx_mb": 60.0,
    "net_tx_mb": 1.0,
    "net_rx_rate_mbs": 6.0,
    "net_tx_rate_mbs": 0.1,
    "psi_cpu_some_percent": 5.0,
    "psi_memory_some_percent": 0.0,
    "psi_memory_full_percent": 0.0,
    "psi_io_some_percent": 60.0,
    "psi_io_full_percent": 50.0,
    "swap_in_mb": 2.0,
    "swap_out_mb": 0.0,
    "major_faults": 30,
    "oom_kills": 1,
    "direct_reclaims": 15,  # of all zones
    "direct_scan_mb": 3.0,  # 768 pages; times that reclaim was throttled are no pages
    "refault_file_mb": 2.0,
    "refault_anon_mb": 1.0,
    "dirty_mb": 2.0,
    "context_switches_per_s": 10000.0,
    "forks_per_s": 10.0,
    "tasks_running_mean": 1.5,
    "tasks_running_peak": 4,
    "tasks_blocked_mean": 0.25,
    "tasks_blocked_peak": 1,
}


def test_the_figures_of_ten_seconds_are_the_designs_formulas():
    """Each figure follows from the fixture's round numbers."""
    figures = agent.metrics(counters("debian12-start"), counters("debian12-end"), SECONDS, 1024000, [1.5, 4, 0.25, 1])

    assert figures == FIGURES_OF_TEN_SECONDS


@pytest.mark.parametrize(
    ("group", "lost"),
    [
        ("cpu", {"cpu_percent", "cpu_user_percent", "cpu_iowait_percent"}),
        ("mem", {"memory_used_mb", "memory_delta_mb"}),
        ("disk", {"disk_read_mb", "disk_util_percent", "await_ms", "queue_depth", "disk_write_ops"}),
        ("net", {"net_rx_mb", "net_tx_rate_mbs"}),
        ("psi", {"psi_io_some_percent", "psi_memory_full_percent"}),
        ("vm", {"swap_in_mb", "oom_kills"}),
    ],
)
def test_a_group_that_is_absent_at_one_end_gives_no_figure(group, lost):
    """A figure needs both ends; without one it is missing, not 0."""
    whole = agent.metrics(counters("debian12-start"), counters("debian12-end"), SECONDS)
    start = {key: value for key, value in counters("debian12-start").items() if key != group}
    figures = agent.metrics(start, counters("debian12-end"), SECONDS)

    kept = {"memory_used_mb"} if group == "mem" else set()
    assert lost - kept <= set(whole) - set(figures)
    assert all(figures[name] == whole[name] for name in figures)


def test_tasks_are_counted_over_the_time_of_samples_without_the_one_that_counts():
    """A sample stands for the time before it: half a second of four, one and a half of none; one lacks the group."""
    load = agent.Load(0)
    for m_ns, tasks in ((5 * 10**8, [5, 2]), (10**9, None), (25 * 10**8, [1, 0]), (25 * 10**8, [9, 9])):
        load.add(m_ns, {} if tasks is None else {"tasks": tasks})

    assert load.figures() == [1.0, 4, 0.5, 2]
    assert agent.Load(0).figures() is None


def test_that_no_cpu_runs_anything_is_no_figure_of_a_whole_machine():
    """The kernel's `full` of the CPU is 0 by design, whatever it was between: it says nothing."""
    figures = agent.metrics(counters("debian12-start"), counters("debian12-end"), SECONDS)

    assert "psi_cpu_some_percent" in figures
    assert "psi_cpu_full_percent" not in figures


def test_a_counter_that_fell_gives_no_figure():
    """The end before the start: nothing that is a difference of counters can be told."""
    figures = agent.metrics(counters("debian12-end"), counters("debian12-start"), SECONDS)

    assert set(figures) <= {
        "duration_s", "memory_used_mb", "memory_delta_mb", "psi_memory_some_percent", "psi_memory_full_percent",
        "swap_out_mb", "dirty_mb",
    }  # fmt: skip


def test_iowait_alone_may_fall_as_the_kernels_does():
    """The kernel's iowait is known to step back: only its own figure is lost, the rest is of what is left."""
    start, end = counters("debian12-start"), counters("debian12-end")
    end["cpu"][4] = start["cpu"][4] - 5
    figures = agent.metrics(start, end, SECONDS)

    assert "cpu_iowait_percent" not in figures
    assert figures["cpu_percent"] == round(100 * 1200 / (1200 + 700), 1)


def test_no_time_and_no_operations_divide_by_nothing():
    """A step of no length has no rates, a step without I/O no wait per operation."""
    still = counters("debian12-start")
    figures = agent.metrics(still, still, 0.0)

    assert "await_ms" not in figures
    assert "disk_read_rate_mbs" not in figures
    assert figures["disk_read_mb"] == 0


def test_a_disk_that_appears_during_the_step_counts_from_its_appearance_on_nothing():
    """Only devices that both ends know have a difference."""
    start, end = counters("debian12-start"), counters("debian12-end")
    end["disk"]["vdz"] = [9999] * 8

    assert agent.metrics(start, end, SECONDS)["disk_write_mb"] == 200.0


def test_the_registry_names_every_figure_once_with_unit_and_source():
    """Unit, source and format of a figure stand in one place, and nowhere else."""
    names = [metric.name for metric in agent.METRICS]

    assert len(set(names)) == len(names)
    suffixes = {"%": "_percent", "MB": "_mb", "MB/s": "_mbs", "ms": "_ms", "s": "_s", "1/s": "_per_s"}
    assert all(m.name.endswith(suffixes[m.unit]) for m in agent.METRICS if m.unit)
    assert all(metric.source for metric in agent.METRICS)


def test_the_block_is_the_originals_line_for_line():
    """Text and order of the bash scripts' output, so that old log readers go on working."""
    figures = agent.metrics(counters("debian12-start"), counters("debian12-end"), SECONDS)
    text = agent.start_block("packer_build") + agent.end_block("packer_build", figures, [("Exit", "0")])
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d"

    assert re.sub(stamp, "TIME", text).splitlines() == [
        "═" * 71,
        "⏱️  [packer_build] START: TIME",
        "─" * 71,
        "─" * 71,
        "⏱️  [packer_build] END: TIME",
        "",
        "  Duration:      10.0s",
        "  CPU:           ~57% avg",
        "  Memory:        900MB used (delta 500MB)",
        "  Disk Read:     100MB (10MB/s, 100 ops)",
        "  Disk Write:    200MB (20MB/s, 400 ops)",
        "  Disk I/O:      util=60%, await=6ms, queue=1.0",
        "  Net RX:        60MB (6MB/s)",
        "  Net TX:        1MB (0MB/s)",
        "  Exit:          0",
        "═" * 71,
    ]


def test_figures_that_are_not_known_are_shown_as_such():
    """A block without figures says n/a, never 0."""
    text = agent.end_block("x", {}, [])

    assert "Net TX:        n/a (n/a)" in text
    assert "0" not in text.split("\n\n", 1)[1]


DOCUMENTED = {
    name: (cells[1].strip(), cells[3].strip().strip("`"))
    for line in (ROOT / "docs" / "format.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| `") and line.count("|") == 5
    for cells in [line.strip("|").split("|")]
    for name in re.findall(r"`(\w+)`", cells[0])
}
DECIMALS = {"s": {3}, "%": {1, 2}, "MB": {1, 2}, "MB/s": {2}, "ms": {0, 2}, "1/s": {1}, "": {0, 2}}


@pytest.mark.parametrize("metric", agent.METRICS, ids=lambda metric: metric.name)
def test_every_metric_is_in_the_docs_with_its_unit_and_source(metric: Any) -> None:
    """The registry and docs/format.md agree, row by row."""
    unit, source = DOCUMENTED[metric.name]

    assert metric.unit in unit.split(", ")
    assert fnmatch(metric.source, source) or metric.source in source
    assert metric.decimals in DECIMALS[metric.unit]


@pytest.mark.parametrize("metric", [metric for metric in agent.METRICS if metric.name.startswith("psi_")])
def test_every_pressure_has_its_own_file(metric: Any) -> None:
    """Linux has one for each kind."""
    assert metric.source == f"/proc/pressure/{metric.name.split('_')[1]}"


T_S = 7.3
BEGAN: dict[str, Any] = {
    "cpu": [1_000_003, 2_003, 30_011, 4_000_037, 50_021, 6_007, 7_001, 8_009], "mem": [8_123_457, 5_000_011],
    "disk": {"a": [101, 1_003, 10_007, 211, 2_003, 20_011, 3_001, 40_009, 37, 41],
             "b": [7, 11, 13, 17, 19, 23, 29, 31, 3, 5]},
    "net": {"e": [1_000_003, 2_000_003], "f": [5, 7]}, "vm": [1_009, 2_003, 3_001, 4, 61, 67, 71, 73, 79],
    "tasks": [3, 1, 5_003, 601], "tcp": [2_011, 3_011, 17, 5, 19, 7, 3], "cgroup": [11, 7, 1_009, 2, 3, 1],
    "psi": {"cpu": [11, 13], "memory": [17, 19], "io": [23, 29]}, "fs": [1_000_003, 9],
}  # fmt: skip
GREW: dict[str, Any] = {
    "cpu": [123_457, 1_237, 45_677, 777_781, 98_887, 1_009, 2_003, 2_624], "mem": [0, -1_234_577],
    "disk": {"a": [12_347, 98_765_431, 345_679, 23_459, 87_654_323, 456_791, 6_789, 567_899, 4_567, 12_347],
             "b": [1_009, 1_234_577, 2_003, 3_001, 2_345_687, 4_001, 5_003, 6_007, 233, 1_237]},
    "net": {"e": [987_654_321, 123_456_791], "f": [10_000_019, 20_000_003]},
    "vm": [7_654_321, 9_876_543, 345_677, 3, 8_765, 1_234_577, 2_345_687, 3_456_797, -37],
    "tasks": [2, -1, 345_679, 4_567], "tcp": [54_323, 65_437, 1_237, 41, 47, 13, 787],
    "cgroup": [71, 43, 3_456_789, 13, 17, 2],
    "psi": {"cpu": [1_251_958, 237_258], "memory": [3_456_558, 456_258], "io": [5_683_058, 682_558]},
    "fs": [3_456_789, -3_456_789],
}  # fmt: skip
TICKS = sum(GREW["cpu"])
READ, WRITTEN = 98_765_431 + 1_234_577, 87_654_323 + 2_345_687
RX, TX = 987_654_321 + 10_000_019, 123_456_791 + 20_000_003
EXACTLY: dict[str, tuple[float, int | None]] = {  # the figure before it is rounded, and to how many places it is
    "duration_s": (T_S, 3),
    "cpu_percent": (100 - 100 * (777_781 + 98_887) / TICKS, 1),
    "cpu_user_percent": (100 * (123_457 + 1_237) / TICKS, 1), "cpu_system_percent": (100 * 45_677 / TICKS, 1),
    "cpu_iowait_percent": (100 * 98_887 / TICKS, 1), "cpu_steal_percent": (100 * 2_624 / TICKS, 1),
    "memory_used_mb": ((8_123_457 - 5_000_011 + 1_234_577) / 1024, 1), "memory_delta_mb": (1_234_577 / 1024, 1),
    "memory_peak_mb": (7_777_777 / 1024, 1),
    "disk_read_mb": (READ / 2048, 2), "disk_write_mb": (WRITTEN / 2048, 2),
    "disk_read_ops": (12_347 + 1_009, None), "disk_write_ops": (23_459 + 3_001, None),
    "disk_read_rate_mbs": (READ / 2048 / T_S, 2), "disk_write_rate_mbs": (WRITTEN / 2048 / T_S, 2),
    "disk_util_percent": (100 * 6_789 / 7_300, 1),
    "await_ms": ((345_679 + 2_003 + 456_791 + 4_001) / (12_347 + 1_009 + 23_459 + 3_001), 2),
    "queue_depth": ((567_899 + 6_007) / 7_300, 2),
    "net_rx_mb": (RX / 2**20, 2), "net_tx_mb": (TX / 2**20, 2),
    "net_rx_rate_mbs": (RX / 2**20 / T_S, 2), "net_tx_rate_mbs": (TX / 2**20 / T_S, 2),
    "psi_cpu_some_percent": (1_251_958 / 73_000, 1),
    "psi_memory_some_percent": (3_456_558 / 73_000, 1), "psi_memory_full_percent": (456_258 / 73_000, 1),
    "psi_io_some_percent": (5_683_058 / 73_000, 1), "psi_io_full_percent": (682_558 / 73_000, 1),
    "swap_in_mb": (7_654_321 / 1024, 2), "swap_out_mb": (9_876_543 / 1024, 2),
    "disk_flushes": (4_567 + 233, None), "disk_flush_ms": (12_347 + 1_237, None),
    "tcp_retransmitted_percent": (100 * (1_237 - 13) / 65_437, 2), "tcp_out_of_order_percent": (100 * 787 / 54_323, 2),
    "tcp_timeouts": (47, None), "tcp_syn_retransmitted": (13, None), "tcp_resets": (41, None),
    "cgroup_throttled_percent": (100 * 43 / 71, 1), "cgroup_throttled_ms": (3_456.789, None),
    "cgroup_memory_high": (13, None), "cgroup_memory_max": (17, None), "cgroup_oom_kills": (2, None),
    "direct_reclaims": (8_765, None), "direct_scan_mb": (1_234_577 / 1024, 2), "refault_file_mb": (2_345_687 / 1024, 2),
    "refault_anon_mb": (3_456_797 / 1024, 2), "dirty_mb": ((79 - 37) / 1024, 1),
    "tasks_running_mean": (2.377, 2), "tasks_running_peak": (9, None), "tasks_blocked_mean": (0.123, 2),
    "tasks_blocked_peak": (3, None), "context_switches_per_s": (345_679 / T_S, 1), "forks_per_s": (4_567 / T_S, 1),
    "major_faults": (345_677, None), "oom_kills": (3, None), "disk_used_delta_mb": (3_456_789 / 1024, 1),
}  # fmt: skip


def sums(one: Any, other: Any) -> Any:
    """Both, number by number."""
    if isinstance(one, dict):
        return {key: sums(value, other[key]) for key, value in one.items()}
    return [sums(*pair) for pair in zip(one, other, strict=True)] if isinstance(one, list) else one + other


@pytest.mark.parametrize("name", [metric.name for metric in agent.METRICS])
def test_every_figure_is_right_to_its_last_digit(name: str) -> None:
    """Of numbers that are round in no unit, to as many places as the registry says."""
    found = agent.metrics(BEGAN, sums(BEGAN, GREW), T_S, 7_777_777, [2.377, 9, 0.123, 3])[name]
    value, places = EXACTLY[name]

    assert found == (round(value, places) if places is not None else int(value))
    assert isinstance(found, int if places is None else float)


VM = (
    "swap_in_mb", "swap_out_mb", "major_faults", "oom_kills", "direct_reclaims", "direct_scan_mb", "refault_file_mb",
    "refault_anon_mb",
)  # fmt: skip
ALL_CPU = {name for name in EXACTLY if name.startswith("cpu_")}
LACKING = [
    *(("cpu", place, ALL_CPU) for place in range(5)),
    *(("cpu", place, {"cpu_steal_percent"}) for place in (5, 6, 7)),  # they are what a machine may not have
    *(("vm", place, {VM[place]}) for place in range(len(VM))),
    ("tasks", 2, {"context_switches_per_s"}), ("tasks", 3, {"forks_per_s"}),
]


@pytest.mark.parametrize("at_end", [False, True])
@pytest.mark.parametrize(("group", "place", "lost"), LACKING)
def test_one_number_that_is_missing_costs_only_what_is_made_of_it(
    group: str, place: int, lost: set[str], at_end: bool
) -> None:
    """Absent at either end, it gives no figure; the others stand."""
    ends = [BEGAN, sums(BEGAN, GREW)]
    whole = agent.metrics(*ends, T_S)
    row = [None if at == place else value for at, value in enumerate(ends[at_end][group])]
    ends[at_end] = {**ends[at_end], group: row}
    figures = agent.metrics(*ends, T_S)

    assert set(whole) - set(figures) <= lost and (group == "cpu" or lost.isdisjoint(figures))
    assert ("cpu_percent" in figures) is ("cpu_percent" not in lost)
    assert all(figures[name] == pytest.approx(whole[name], abs=0.5 if name in ALL_CPU else 0) for name in figures)


def test_a_row_that_is_too_short_lacks_what_it_does_not_have() -> None:
    """An older agent may have written fewer numbers."""
    ends = [{**one, "vm": one["vm"][:3]} for one in (BEGAN, sums(BEGAN, GREW))]
    figures = agent.metrics(*ends, T_S)

    assert "major_faults" in figures and "oom_kills" not in figures


def test_a_step_of_some_milliseconds_has_all_its_figures() -> None:
    """Only one of no length, or less than none, has no rates."""
    ends = BEGAN, sums(BEGAN, GREW)
    short = {**GREW, "psi": {kind: [3, 2] for kind in GREW["psi"]}, "disk": {"a": [1] * 10, "b": [1] * 10}}

    assert set(agent.metrics(BEGAN, sums(BEGAN, short), 0.0001)) == set(agent.metrics(*ends, T_S))
    for none_s in (0.0, -1.0):
        lost = set(agent.metrics(*ends, T_S)) - set(agent.metrics(*ends, none_s))
        assert lost == {name for name in EXACTLY if name.endswith("_rate_mbs") or name.startswith("psi_")} | {
            "disk_util_percent", "queue_depth", "context_switches_per_s", "forks_per_s",
        }  # fmt: skip
