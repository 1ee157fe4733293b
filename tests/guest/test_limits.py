"""The limits of a cgroup: v2 and v1 as fixtures, and a real quota on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

import buildtel_agent as agent
from buildtel.cli import main

from .conftest import AGENT, records

V1 = Path("/sys/fs/cgroup")
V2_FILES = {
    "job/cpu.max": "150000 100000", "job/memory.max": "max", "job/memory.high": "1073741824",
    "job/cpu.stat": "usage_usec 900\nuser_usec 600\nnr_periods 40\nnr_throttled 30\nthrottled_usec 2500",
    "job/memory.events": "low 0\nhigh 7\nmax 2\noom 1\noom_kill 1\noom_group_kill 0",
}  # fmt: skip
V1_FILES = {
    "cpu,cpuacct/job/cpu.cfs_quota_us": "20000", "memory/job/memory.limit_in_bytes": "268435456",
    "cpu,cpuacct/job/cpu.stat": "nr_periods 40\nnr_throttled 30\nthrottled_time 2500999",
    "memory/job/memory.failcnt": "2", "memory/job/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1",
}  # fmt: skip
V1_LINES = ["5:cpu,cpuacct:/job", "4:memory:/job", "1:name=systemd:/", "0::/"]
HOSTS_PATH = "/kubepods/pod7/job"


class Machine:
    """A machine whose /proc tells of a cgroup, and whose /sys has it."""

    def __init__(self, folder: Path, lines: list[str], files: dict[str, str]) -> None:
        self.proc, self.sys = folder / "proc", folder / "sys"
        (self.proc / "self").mkdir(parents=True)
        (self.proc / "self/cgroup").write_text("".join(f"{line}\n" for line in lines))
        for name, text in files.items():
            file = self.sys / "fs/cgroup" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text + "\n")

    def group(self) -> list[int | None] | None:
        """The group `cgroup` of its counters, None without one."""
        counters = agent.Kernel(str(self.proc), str(self.sys)).counters()
        return counters.get("cgroup")  # type: ignore[no-any-return]


WHOLE = [40, 30, 2500, 7, 2, 1]
OF_V1 = [40, 30, 2500, None, 2, 1]
UNIFIED = {"cgroup.controllers": "cpu memory"}
AT_ROOT = {**UNIFIED, **{name.removeprefix("job/"): text for name, text in V2_FILES.items()}}
CASES = {
    "v2": (["0::/job"], {**UNIFIED, **V2_FILES}, WHOLE),
    "v2, below the one with the limit": (["0::/job/inner/most"], {**UNIFIED, **V2_FILES, "job/inner/cpu.max": "max 1"}, WHOLE),  # noqa: E501
    "v2, in a container that sees its own alone": (["0::/"], AT_ROOT, WHOLE),
    "v2, in a container whose path is the host's": ([f"0::{HOSTS_PATH}"], AT_ROOT, WHOLE),
    "v2, of memory alone": (
        ["0::/job"], {**UNIFIED, **V2_FILES, "job/cpu.max": "max 100000", "job/cpu.stat": "usage_usec 9"},
        [None, None, None, 7, 2, 1],
    ),
    "v2, without limits": (
        ["0::/job"], {**UNIFIED, **V2_FILES, "job/cpu.max": "max 100000", "job/memory.high": "max",
                      "job/cpu.stat": "usage_usec 900"}, None,
    ),
    "v2, a quota that may come": (
        ["0::/job"], {**UNIFIED, **V2_FILES, "job/cpu.max": "max 100000", "job/memory.high": "max"},
        [40, 30, 2500, None, None, None],
    ),
    "v2 beside v1": (["0::/job"], {f"unified/{name}": text for name, text in V2_FILES.items()}, WHOLE),
    "v1": (V1_LINES, V1_FILES, OF_V1),
    "v1, without limits": (
        V1_LINES, {**V1_FILES, "cpu,cpuacct/job/cpu.cfs_quota_us": "-1",
                   "memory/job/memory.limit_in_bytes": "9223372036854771712"}, [40, 30, 2500, None, None, None],
    ),
    "v1 of before Linux 4.13": (
        V1_LINES, {**V1_FILES, "memory/job/memory.oom_control": "oom_kill_disable 0\nunder_oom 0"},
        [40, 30, 2500, None, 2, None],
    ),
    "a path that leads out": (["0::/../../job"], {**UNIFIED, **V2_FILES}, None),
    "v1, the whole machine": (
        ["5:cpu,cpuacct:/", "4:memory:/"], {name.replace("job/", ""): text for name, text in V1_FILES.items()
                                            if "limit" not in name and "quota" not in name}, None,
    ),
    "no cgroups": ([], {}, None),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_limits_are_found_and_what_is_not_there_is_absent(case: str, tmp_path: Path) -> None:
    """By /proc/self/cgroup, in the nearest cgroup that has a limit; without one there is no group."""
    lines, files, wanted = CASES[case]

    assert Machine(tmp_path, lines, files).group() == wanted


def test_figures_of_a_limit(tmp_path: Path) -> None:
    """Periods throttled of all periods; milliseconds; the events of memory."""
    start, end = {"cgroup": [40, 30, 2500, 7, 2, 1]}, {"cgroup": [140, 105, 5_002_500, 9, 2, 2]}
    figures = agent.metrics(start, end, 10.0)

    assert {name: value for name, value in figures.items() if name.startswith("cgroup")} == {
        "cgroup_throttled_percent": 75.0, "cgroup_throttled_ms": 5000, "cgroup_memory_high": 2, "cgroup_memory_max": 0,
        "cgroup_oom_kills": 1,
    }  # fmt: skip


@contextmanager
def group(file: str, limit: str) -> Iterator[Path]:
    """A cgroup of this machine with a limit in a file of it."""
    if os.geteuid() != 0 or not (V1 / file).exists():
        pytest.skip("needs root and cgroup v1")
    made = (V1 / file).parent / f"buildtel-test-{os.getpid()}"
    made.mkdir()
    (made / Path(file).name).write_text(limit)
    yield made
    for _ in range(50):
        with suppress(OSError):
            made.rmdir()
            return
        time.sleep(0.1)


def measured(group: Path, words: str, folder: Path) -> dict[str, Any]:
    """The step of the document of a command that the agent runs within a cgroup."""
    script = f"echo $$ > {group}/cgroup.procs; exec sh {AGENT} run --step x -- {words}"
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=False)
    (folder / "log").write_bytes(done.stdout)
    assert [record["ev"] for record in records(done.stdout)][-1] == "end"
    assert main(["collect", str(folder / "log"), "--job", "x", "--quiet", "-o", str(folder / "job.json")]) == 0
    (step,) = json.loads((folder / "job.json").read_text())["steps"]
    return dict(step)


def test_a_real_quota_is_seen_from_within(tmp_path: Path) -> None:
    """A loop under a fifth of a CPU is throttled in almost all periods; the document says so."""
    with group("cpu/cpu.cfs_quota_us", "20000") as made:
        step = measured(made, "timeout 2 sh -c 'while :; do :; done'", tmp_path)

    assert step["cgroup_throttled_percent"] > 60
    assert step["cgroup_throttled_ms"] > 500
    assert "cgroup_memory_max" not in step


def test_a_real_limit_of_memory_is_seen_from_within(tmp_path: Path) -> None:
    """What wants more than it may have is killed: of the machine's count and of the limit's."""
    with group("memory/memory.limit_in_bytes", "64M") as made:
        step = measured(made, f"{sys.executable} -c 'bytearray(1 << 28)'", tmp_path)

    assert step["exit_code"] == 137
    assert step["oom_kills"] >= 1
    assert step["cgroup_oom_kills"] == 1
    assert step["cgroup_memory_max"] > 0
    assert "cgroup_throttled_percent" not in step
