"""The readers and the formulas, on files that can be followed by eye."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import buildtel_agent as agent

PROC = Path(__file__).parents[2] / "fixtures" / "proc"
SECONDS = 10.0


def counters(case: str) -> dict:
    """The counters of a fixture; the root file system is this machine's own, so it is left out."""
    read = agent.Kernel(str(PROC / case), str(PROC / "no-sys")).counters()
    return {key: value for key, value in read.items() if key != "fs"}


def test_counters_are_the_kernels_numbers_of_whole_disks_and_real_interfaces():
    """Partitions, loop, device-mapper, CD-ROM, loopback and bridges are not counted."""
    assert counters("debian12-start") == {
        "cpu": [1000, 0, 500, 20000, 300, 0, 40, 60],
        "mem": [2048000, 1638400],
        "disk": {"vda": [1000, 20480, 500, 2000, 40960, 1000, 900, 1500], "vdb": [10, 80, 5, 0, 0, 0, 5, 5]},
        "net": {"eth0": [10485760, 1048576]},
        "vm": [0, 1024, 100, 0],
        "psi": {"cpu": [1000000, 0], "memory": [1000000, 0], "io": [1000000, 0]},
    }


def test_an_old_kernel_has_no_pressure_and_nulls_for_what_it_lacks():
    """Absent is absent: Linux 3.10 knows neither MemAvailable nor oom_kill nor PSI."""
    read = counters("rhel7-3.10")

    assert "psi" not in read
    assert read["mem"] == [1014960, None]
    assert read["vm"] == [4, 8, 3, None]
    assert sorted(read["disk"]) == ["mmcblk0", "nvme0n1", "xvda1", "xvdb"]


def test_a_machine_without_proc_gives_no_groups(tmp_path):
    """An unreadable /proc is no error and no zero."""
    assert set(agent.Kernel(str(tmp_path), str(tmp_path)).counters()) <= {"fs"}


def test_the_figures_of_ten_seconds_are_the_designs_formulas():
    """Each figure follows from the fixture's round numbers."""
    figures = agent.metrics(counters("debian12-start"), counters("debian12-end"), SECONDS, peak_kb=1024000)

    assert figures == {
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
        "net_rx_mb": 60.0,
        "net_tx_mb": 1.0,
        "net_rx_rate_mbs": 6.0,
        "net_tx_rate_mbs": 0.1,
        "psi_cpu_some_percent": 5.0,
        "psi_cpu_full_percent": 0.0,
        "psi_memory_some_percent": 0.0,
        "psi_memory_full_percent": 0.0,
        "psi_io_some_percent": 60.0,
        "psi_io_full_percent": 50.0,
        "swap_in_mb": 2.0,
        "swap_out_mb": 0.0,
        "major_faults": 30,
        "oom_kills": 1,
    }


@pytest.mark.parametrize(
    ("group", "lost"),
    [
        ("cpu", {"cpu_percent", "cpu_user_percent", "cpu_iowait_percent"}),
        ("mem", {"memory_used_mb", "memory_delta_mb"}),
        ("disk", {"disk_read_mb", "disk_util_percent", "await_ms", "queue_depth", "disk_write_ops"}),
        ("net", {"net_rx_mb", "net_tx_rate_mbs"}),
        ("psi", {"psi_io_some_percent", "psi_cpu_full_percent"}),
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


def test_a_counter_that_fell_gives_no_figure():
    """The end before the start: nothing that is a difference of counters can be told."""
    figures = agent.metrics(counters("debian12-end"), counters("debian12-start"), SECONDS)

    assert set(figures) <= {
        "duration_s", "memory_used_mb", "memory_delta_mb", "psi_memory_some_percent", "psi_memory_full_percent",
        "psi_cpu_full_percent", "swap_out_mb",
    }  # fmt: skip


def test_iowait_alone_may_fall_as_the_kernels_does():
    """The kernel's iowait is known to step back: only its own figure is lost."""
    start, end = counters("debian12-start"), counters("debian12-end")
    end["cpu"][4] = start["cpu"][4] - 5
    figures = agent.metrics(start, end, SECONDS)

    assert "cpu_iowait_percent" not in figures
    assert figures["cpu_percent"] == round(100 * 1200 / (1200 + 695), 1)


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


@pytest.mark.parametrize(
    ("name", "whole"),
    [("sda", True), ("sda1", False), ("sdaa", True), ("nvme0n1", True), ("nvme0n1p2", False), ("mmcblk0", True),
     ("mmcblk0p1", False), ("vdb", True), ("vdb15", False), ("xvdc1", True), ("dm-0", False), ("md127", False),
     ("loop3", False), ("zram0", False), ("sr0", False), ("md127p1", False), ("dasda", True), ("dasda1", False)],
)  # fmt: skip
def test_whole_disks_are_told_from_their_partitions_by_name(name, whole):
    """A partition's name continues a disk's; a lone `xvdc1` is a disk."""
    names = "sda sda1 sdaa nvme0n1 nvme0n1p2 mmcblk0 mmcblk0p1 vdb vdb15 xvdc1 dm-0 md127 md127p1 loop3 dasda dasda1"
    assert agent.is_whole_disk(name, names.split()) is whole


def test_interfaces_that_only_hand_bytes_on_are_not_counted(tmp_path):
    """By name, and by what the kernel says of a bridge with any name."""
    (tmp_path / "class/net/lan0/bridge").mkdir(parents=True)
    real = [name for name in ("eth0", "ens3", "wlan0", "lan0", "lo", "veth12", "docker0", "br-1f", "tun0", "eth0.100")
            if agent.is_real_interface(name, str(tmp_path))]  # fmt: skip

    assert real == ["eth0", "ens3", "wlan0"]


def test_the_registry_names_every_figure_once_with_unit_and_source():
    """Unit, source and format of a figure stand in one place, and nowhere else."""
    names = [metric.name for metric in agent.METRICS]

    assert len(set(names)) == len(names)
    suffixes = {"%": "_percent", "MB": "_mb", "MB/s": "_mbs", "ms": "_ms", "s": "_s"}
    assert all(m.name.endswith(suffixes[m.unit]) for m in agent.METRICS if m.unit)
    assert all(metric.source for metric in agent.METRICS)


NUMBERS = st.integers(0, 2**63)


@given(st.lists(st.lists(NUMBERS | st.none(), min_size=3, max_size=3), max_size=20))
def test_columns_come_back_as_they_were_packed(rows):
    """Difference coding loses nothing but columns that hold nothing."""
    packed = json.loads(agent.dumps(agent.pack_columns("abc", rows)))

    columns = {name: [row[at] for row in rows] for at, name in enumerate("abc")}
    held = {name: column for name, column in columns.items() if any(value is not None for value in column)}
    assert agent.unpack_columns(packed) == held


@given(st.text())
def test_any_text_becomes_valid_ascii_json(text):
    """Names are anything that a user's environment holds."""
    text = text.encode("utf-8", "replace").decode()
    assert json.loads(agent.dumps({"name": text}).encode("ascii")) == {"name": text}


@given(st.dictionaries(st.sampled_from(["disk", "net", "c", "x"]),
                       st.dictionaries(st.text("abc", min_size=1), st.lists(NUMBERS, min_size=8, max_size=8),
                                       min_size=1, max_size=64), max_size=3))  # fmt: skip
def test_parts_fit_their_room_and_their_union_is_the_whole(fields):
    """Whatever the number of disks, a record stays under its limit and nothing is lost."""
    room = 1200
    parts = agent.split_fields(fields, room)
    union: dict = {}
    for part in parts:
        assert len(agent.dumps(part)) <= room
        for key, value in part.items():
            union.setdefault(key, {}).update(value)

    assert union == fields


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
