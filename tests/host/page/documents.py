"""Documents made to order for pages: of any length, with samples, parts inside, and any names."""

from __future__ import annotations

import json
import math
from typing import Any

from buildtel.job import JobDocument, load_document

START_S = 1769257200.0
POINTS = 480
CPU = {
    "cpu_percent": 0.8,
    "cpu_user_percent": 0.5,
    "cpu_system_percent": 0.2,
    "cpu_iowait_percent": 0.1,
    "cpu_steal_percent": 0.05,
}
PRESSURE = ("psi_cpu_some_percent", "psi_memory_some_percent", "psi_io_some_percent")
STILL = (  # what a machine without trouble tells
    "tasks_blocked", "oom_kills_per_s", "direct_scan_mbs", "refault_file_mbs", "refault_anon_mbs", "disk_flush_percent",
    "disk_flushes_per_s", "forks_per_s", "context_switches_per_s", "tcp_retransmitted_percent", "beside_cpus",
    "tcp_out_of_order_percent", "tcp_timeouts_per_s", "tcp_syn_retransmitted_per_s", "cgroup_throttled_percent",
    "beside_packers", "beside_machines",
)  # fmt: skip
RATES = ("disk_read_mbs", "disk_write_mbs", "net_rx_mbs", "net_tx_mbs")


def document(
    *,
    machines: int = 2,
    provisioners: int = 40,
    parts: int = 300,
    hours: float = 3.0,
    name: str = "",
    fails: bool = False,
    points: int = POINTS,
) -> JobDocument:
    """A job with this many builds beside each other.

    `provisioners` and `parts` (the commands inside) are those of all builds together; `name` stands in all names;
    with `fails` the last provisioner of the first build failed. Each machine has so many `points` of samples.
    """
    span_s = 3600 * hours
    each, inside = provisioners // machines, parts // max(provisioners, 1) + 1
    builds = [_build(place, each, inside, span_s * (1 - place / 20), name) for place in range(machines)]
    if fails:
        _fail(builds[0], name)
    whole = {
        "schema": "buildtel.job/1", "job": f"build{name}", "version": f"1.2{name}",
        "timestamp": "2026-01-24T12:20:00+00:00", "runner": f"runner{name}",
        "git_sha": None, "git_ref": None, "run_id": None, "run_number": None,
        "job_start": START_S, "job_end": START_S + span_s, "job_duration_s": span_s,
        "steps": [*_runner_steps(span_s, name), *(step for build in builds for step in _steps(build))],
        "system": {"cpus": 4, "memory_total_mb": 16000, "disk_total_gb": 100.0},
        "status": "failure" if fails else "success",
        "machines": {"runner": _machine("runner", None, span_s, points), **{
            build["name"]: _machine("guest", build["name"], span_s * 0.8, points) for build in builds}},
        "packer": {"version": "1.11.0", "runs": [
            {"builds": builds, "started_at": START_S, "ended_at": START_S + span_s}]},
        "notes": [f"a note{name}"],
    }  # fmt: skip
    return load_document(json.dumps(whole).encode(), "made")


def _build(place: int, count: int, inside: int, span_s: float, name: str) -> dict[str, Any]:
    """Start, wait for SSH, then provisioners of one length; the rest converts."""
    first_s, each_s = span_s * 0.05, span_s * 0.85 / max(count, 1)
    units = [_unit(number, inside, START_S + first_s + number * each_s, each_s, name) for number in range(count)]
    account = [_stretch("start", "", 0, first_s / 2)]
    account.append(_stretch("wait_ssh", f"Waiting for SSH{name}", first_s / 2, first_s))
    for number in range(count):
        begun_s = first_s + number * each_s
        account.append({**_stretch("provisioner", "", begun_s, begun_s + each_s), "provisioner": number,
                        "status": "success"})  # fmt: skip
    account.append(_stretch("convert", f"Converting hard drive{name}", first_s + count * each_s, span_s))
    return {
        "name": f"qemu.vm{place}{name}", "result": "success", "duration_s": span_s, "grain_s": 0.001,
        "critical": place == 0, "started_at": START_S, "began_at": START_S + 1, "ended_at": START_S + span_s,
        "provisioners": units,
        "artifacts": [f"VM files in output{name}"], "account": account,
    }  # fmt: skip


def _stretch(name: str, text: str, start_s: float, end_s: float) -> dict[str, Any]:
    return {
        "name": name, "text": text, "started_at": round(START_S + start_s, 3), "ended_at": round(START_S + end_s, 3),
        "duration_s": round(end_s - start_s, 3), "runner": {"cpu_percent": 51.5, "psi_io_some_percent": 3.25},
        "hypervisor": {"cpu_percent": 99.5},
    }  # fmt: skip


def _unit(number: int, inside: int, at_s: float, length_s: float, name: str) -> dict[str, Any]:
    each_s = length_s / max(inside, 1)
    parts = [
        {"name": f"[task {number}.{part}{name}]", "kind": "task", "started_at": at_s + part * each_s,
         "ended_at": at_s + (part + 1) * each_s}
        for part in range(inside)
    ]  # fmt: skip
    return {
        "kind": "shell", "detail": f"scripts/{number}{name}.sh", "status": "success", "started_at": at_s,
        "ended_at": at_s + length_s, "parts": parts,
    }  # fmt: skip


def _fail(build: dict[str, Any], name: str) -> None:
    """The last provisioner printed something and ended with 3."""
    output = [f"E: Unable to locate package{name}", f"last words{name}"]
    build["provisioners"][-1] |= {"status": "failure", "exit_code": 3, "output": output}
    build["account"][-2]["status"] = "failure"
    build |= {"result": "failure", "error": f"Script exited with non-zero exit status: 3{name}"}


def _runner_steps(span_s: float, name: str) -> list[dict[str, Any]]:
    metrics = {"duration_s": span_s, "cpu_percent": 60.5, "disk_write_mb": 2000, "await_ms": 12.5}
    step = {"id": "r.1", "machine": "runner", "origin": "runner", "measured": "exactly", "status": "success"}
    return [{"name": f"packer build{name}", "start_time": START_S, "end_time": START_S + span_s, **metrics, **step}]


def _steps(build: dict[str, Any]) -> list[dict[str, Any]]:
    """The step of each provisioner."""
    return [
        {
            "name": unit["detail"], "start_time": unit["started_at"] + 1, "end_time": unit["ended_at"],
            "duration_s": unit["ended_at"] - unit["started_at"] - 1, "cpu_percent": 50.0 + number,
            "memory_used_mb": 900, "disk_write_mb": 10 * number, "id": f"{build['name']}.{number}",
            "machine": build["name"], "origin": "guest", "measured": "exactly",
            "status": unit["status"], "exit_code": unit.get("exit_code", 0),
            "provisioner": {"index": number, "kind": "shell", "detail": unit["detail"]},
            "processes": [{"name": "dpkg", "cpu_s": 12.5, "io_mb": 104.0}],
        }
        for number, unit in enumerate(build["provisioners"])
    ]  # fmt: skip


def _machine(origin: str, target: str | None, span_s: float, points: int) -> dict[str, Any]:
    step_s = span_s / (points - 1)
    wave = [50 + 49 * math.sin(at / 9) for at in range(points)]
    columns = {name: [None, *(round(value * share, 3) for value in wave[1:])] for name, share in CPU.items()}
    columns |= {name: [None, *(round(value / 3, 3) for value in wave[1:])] for name in (*PRESSURE, *RATES)}
    columns["t_s"] = [round(at * step_s, 3) for at in range(points)]
    columns |= {name: [None, *[0.0] * (points - 1)] for name in STILL}
    columns["tasks_running"] = [float(at % 5) for at in range(points)]
    columns["memory_used_mb"] = [900 + at for at in range(points)]
    samples = {"boot": "b", "start_time": START_S, "columns": columns}
    return {"origin": origin, "target": target, "run": 1, "cpus": 4, "memory_total_mb": 16000, "samples": [samples]}
