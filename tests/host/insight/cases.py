"""Figures of samples with the cause that each must have, as documents of one step."""

from __future__ import annotations

import json
from typing import Any

from buildtel.job import JobDocument
from buildtel.job.load import load_document

ZERO_S = 1769256000.0
# What a sample of a guest with 4 CPUs and of its runner tells, and the cause of its second.
CASES: dict[str, tuple[dict[str, float], dict[str, float], str]] = {
    "all CPUs": ({"cpu_percent": 96}, {}, "computing_all"),
    "one thread": ({"cpu_percent": 25}, {}, "computing_one"),
    "two threads": ({"cpu_percent": 51}, {}, "computing_some"),
    "too few CPUs": ({"cpu_percent": 70, "psi_cpu_some_percent": 40}, {}, "computing_all"),
    "steal": ({"cpu_percent": 60, "cpu_steal_percent": 22}, {}, "starved_steal"),
    "a busy runner": ({"cpu_percent": 90}, {"psi_cpu_some_percent": 70}, "starved_runner"),
    "a busy runner, an idle guest": ({"cpu_percent": 1}, {"psi_cpu_some_percent": 70}, "unknown"),
    "a runner short of memory": ({"cpu_percent": 30}, {"psi_memory_some_percent": 30}, "starved_memory"),
    "memory": ({"cpu_percent": 30, "psi_memory_some_percent": 40}, {}, "memory"),
    "disk": ({"cpu_percent": 8, "psi_io_some_percent": 80, "psi_io_full_percent": 66}, {}, "disk"),
    "disk without full pressure": ({"cpu_percent": 8, "psi_io_some_percent": 80}, {}, "disk"),
    "a little disk beside a compiler": ({"cpu_percent": 97, "psi_io_some_percent": 30}, {}, "computing_all"),
    "disk without pressure": ({"cpu_percent": 2, "cpu_iowait_percent": 24}, {}, "disk"),
    "a download": ({"cpu_percent": 5, "net_rx_mbs": 30.0}, {}, "network_line"),
    "a trickle": ({"cpu_percent": 1, "net_rx_mbs": 0.02}, {}, "network_slow"),
    "sending": ({"cpu_percent": 1, "net_rx_mbs": 0.0, "net_tx_mbs": 3.0}, {}, "network_out"),
    "a lock": ({"cpu_percent": 1}, {}, "lock"),
    "a prompt": ({"cpu_percent": 1}, {}, "user"),
    "no answer": ({"cpu_percent": 1}, {}, "network_silent"),
    "a daemon": ({"cpu_percent": 1}, {}, "daemon"),
    "a sleep": ({"cpu_percent": 1, "net_rx_mbs": 0.006}, {}, "sleep"),
    "a silent connection": ({"cpu_percent": 1}, {}, "network_remote"),
    "a sleep beside a loop": ({"cpu_percent": 26, "psi_io_full_percent": 60}, {}, "sleep"),
    "an odd wait beside a loop": ({"cpu_percent": 26}, {}, "unknown"),
    "a download that waits for each packet": ({"cpu_percent": 90, "net_rx_mbs": 30}, {}, "network_line"),
    "an upload that waits for each packet": (
        {"cpu_percent": 4, "net_rx_mbs": 0.04, "net_tx_mbs": 5.5}, {}, "network_out"
    ),
    "a download with its receipts": ({"cpu_percent": 4, "net_rx_mbs": 0.5, "net_tx_mbs": 0.03}, {}, "network_slow"),
    "a kill for want of memory": ({"cpu_percent": 25, "oom_kills_per_s": 1.0}, {}, "memory"),
    "swapped in again, without pressure figures": (
        {"cpu_percent": 25, "direct_scan_mbs": 0, "refault_anon_mbs": 3}, {}, "memory"
    ),
    "memory searched for, without pressure figures": ({"cpu_percent": 25, "direct_scan_mbs": 40}, {}, "memory"),
    "memory searched for, and nobody waits": (
        {"cpu_percent": 25, "direct_scan_mbs": 40, "psi_memory_some_percent": 1}, {}, "computing_one"
    ),
    "files read again for want of memory": (
        {"cpu_percent": 5, "psi_io_full_percent": 45, "psi_memory_some_percent": 8, "disk_read_mbs": 400,
         "refault_file_mbs": 390}, {}, "memory",
    ),
    "files read again, without pressure figures": (
        {"cpu_percent": 5, "cpu_iowait_percent": 20, "disk_read_mbs": 400, "refault_file_mbs": 390,
         "direct_scan_mbs": 0}, {}, "memory",
    ),
    "files read again, and nobody waits": (
        {"cpu_percent": 25, "psi_memory_some_percent": 1, "disk_read_mbs": 20, "refault_file_mbs": 15}, {},
        "computing_one",
    ),
    "files read, some of them again": (
        {"cpu_percent": 5, "psi_io_full_percent": 45, "psi_memory_some_percent": 1, "disk_read_mbs": 400,
         "refault_file_mbs": 30}, {}, "disk",
    ),
    "flushes of small files": (
        {"cpu_percent": 60, "psi_io_some_percent": 20, "disk_flushes_per_s": 2000}, {}, "disk"
    ),
    "flushes that nobody waits for": (
        {"cpu_percent": 25, "psi_io_some_percent": 2, "disk_flushes_per_s": 2000}, {}, "computing_one"
    ),
    "a quota": ({"cpu_percent": 5, "cgroup_throttled_percent": 90}, {}, "starved_throttled"),
    "a quota that is hardly met": ({"cpu_percent": 25, "cgroup_throttled_percent": 4}, {}, "computing_one"),
    "a runner with a quota": ({"cpu_percent": 25}, {"cgroup_throttled_percent": 60}, "starved_throttled"),
    "a busy runner with another build": (
        {"cpu_percent": 90}, {"psi_cpu_some_percent": 70, "beside_packers": 1, "beside_machines": 0}, "starved_runner"
    ),
    "one thread beside four tasks": ({"cpu_percent": 25, "tasks_running": 4}, {}, "computing_one"),
    "a download with gaps": ({"cpu_percent": 5, "net_rx_mbs": 3.0, "tcp_out_of_order_percent": 30}, {}, "network_loss"),
    "an upload sent again": (
        {"cpu_percent": 5, "net_tx_mbs": 3.0, "tcp_retransmitted_percent": 4}, {}, "network_loss"
    ),
    "a wait for a connection with gaps": (
        {"cpu_percent": 5, "net_rx_mbs": 3.0, "tcp_out_of_order_percent": 30}, {}, "network_loss"
    ),
    "a wait for a connection that times out": ({"cpu_percent": 1, "tcp_timeouts_per_s": 1.0}, {}, "network_loss"),
    "a download with one gap": (
        {"cpu_percent": 5, "net_rx_mbs": 30.0, "tcp_out_of_order_percent": 0.2}, {}, "network_line"
    ),
    "nothing": ({"cpu_percent": 1, "net_rx_mbs": 0.0}, {}, "unknown"),
    "no figure at all": ({}, {}, "unknown"),
}
SECONDS = 60
# What the step's commands waited for in some of the cases.
WAITS = {"a lock": "lock", "a prompt": "user", "no answer": "silent", "a daemon": "daemon", "a sleep": "sleep",
         "a silent connection": "remote", "a sleep beside a loop": "sleep", "an odd wait beside a loop": "other",
         "a download that waits for each packet": "remote", "an upload that waits for each packet": "remote",
         "a download with its receipts": "remote", "a wait for a connection with gaps": "remote",
         "a wait for a connection that times out": "remote"}  # fmt: skip


def document(
    guest: dict[str, float], runner: dict[str, float] | None = None, *, seconds: int = SECONDS, **more: Any
) -> JobDocument:
    """A build with one provisioner of so many seconds, in which guest and runner tell the same in each second."""

    def machine(origin: str, figures: dict[str, float]) -> dict[str, Any]:
        columns = {name: [None, *[value] * seconds] for name, value in figures.items()}
        samples = [{"boot": origin, "start_time": ZERO_S, "columns": {"t_s": [*range(seconds + 1)], **columns}}]
        target = {"target": "qemu.box"} if origin == "guest" else {}
        return {"origin": origin, "cpus": 4, "boots": [origin], "samples": samples, **target}

    time = {"started_at": ZERO_S, "ended_at": ZERO_S + seconds}
    row = {"start_s": 0, "duration_s": seconds, "kind": more.get("waits"), "command": "cmd", "holder": "apt-get"}
    step = {"name": "x", "start_time": ZERO_S, "machine": "qemu.box", "origin": "guest", "waits": [row],
            "provisioner": {"index": 0, "kind": "shell", "detail": "a.sh"}}  # fmt: skip
    part = {**time, "duration_s": seconds, "name": "provisioner", "text": "x", "provisioner": 0}
    unit = {**time, "kind": "shell", "detail": "a.sh"}
    build = {**time, "name": "qemu.box", "result": "success", "provisioners": [{**unit, **more.get("unit", {})}],
             "account": [{**part, **more.get("part", {})}]}  # fmt: skip
    machines = {"qemu.box": machine("guest", guest)} | ({"runner": machine("runner", runner)} if runner else {})
    steps = [step] if more.get("waits") else []
    text = {"schema": "buildtel.job/1", "job": "build", "version": "1", "job_duration_s": seconds, "steps": steps,
            "machines": machines, "packer": {"runs": [{"builds": [build]}]}}  # fmt: skip
    return load_document(json.dumps(text).encode(), "x.json")
