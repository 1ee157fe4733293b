"""Real loads, and the counters of them: commands begun, flushes of disks, segments lost, a door that stays shut."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from buildtel.cli import main

from .conftest import AGENT, ROOT

CAN_DROP = (
    os.geteuid() == 0
    and shutil.which("nft")
    and subprocess.run(
        ["unshare", "-n", "nft", "add table inet x { chain y { numgen random mod 9 < 1 drop; }; }"], capture_output=True
    ).returncode == 0
)  # fmt: skip
FORKS = "end=$(($(date +%s) + 2)); while [ $(date +%s) -lt $end ]; do for i in 1 2 3 4 5 6 7 8; do (:); done; done"
FLUSHES = """
import os
file = os.open("flushed", os.O_CREAT | os.O_WRONLY)
for _ in range(400):
    os.pwrite(file, b"x" * 4096, 0)
    os.fsync(file)
"""
# In a network of its own: what is dropped, then what TCP does, and what the agent's reader saw of it.
LOADED = """
import socket, subprocess, sys, threading
import buildtel_agent as agent

def counted():
    return dict(zip(agent.TCP_KEYS, agent.Kernel().sampled()["tcp"]))

subprocess.run("ip link set lo up; nft 'add table inet t'; "
               "nft 'add chain inet t input { type filter hook input priority 0; }'", shell=True, check=True)
server = socket.create_server(("127.0.0.1", 5000))
before = counted()
subprocess.run(["nft", "add rule inet t input tcp " + sys.argv[1]], check=True)
if sys.argv[2] == "send":
    client = socket.create_connection(("127.0.0.1", 5000))
    one, _ = server.accept()
    threading.Thread(target=lambda: [client.sendall(bytes(1 << 22)), client.close()]).start()
    while one.recv(1 << 16):
        pass
else:
    try:
        socket.create_connection(("127.0.0.1", 5000), 1.5)
    except OSError:
        pass
after = counted()
print(*[f"{key.decode()} {after[key] - before[key]}" for key in after])
"""


def measured(folder: Path, *command: str) -> dict[str, Any]:
    """The step of the document of a command that the agent ran and measured, in a folder."""
    done = subprocess.run(["sh", AGENT, "run", "--step", "load", "--", *command], cwd=folder, capture_output=True,
                          check=True)  # fmt: skip
    (folder / "log").write_bytes(done.stdout)
    assert main(["collect", str(folder / "log"), "--job", "x", "--quiet", "-o", str(folder / "job.json")]) == 0
    (step,) = json.loads((folder / "job.json").read_text())["steps"]
    return dict(step)


def lost(rule: str, what: str) -> dict[str, int]:
    """By how much TCP's counters grew in a network that drops what a rule of nft says."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "guest")}
    done = subprocess.run(["unshare", "-n", sys.executable, "-c", LOADED, rule, what], env=environment, check=True,
                          capture_output=True, text=True, timeout=60)  # fmt: skip
    words = done.stdout.split()
    return {name: int(number) for name, number in zip(words[::2], words[1::2], strict=True)}


def test_a_loop_of_short_commands_is_told_by_forks_and_switches(tmp_path: Path) -> None:
    """One after another: as many as there were, and about one task runs."""
    step = measured(tmp_path, "sh", "-c", FORKS)

    assert step["forks_per_s"] > 100
    assert step["context_switches_per_s"] > step["forks_per_s"]
    assert 0.3 < step["tasks_running_mean"] <= step["tasks_running_peak"]


def test_a_loop_of_flushes_is_counted(tmp_path: Path) -> None:
    """Each fsync is a flush of the disk that the folder lies on."""
    if not counts_flushes(tmp_path):
        pytest.skip("this folder lies on no disk whose flushes the kernel counts")
    step = measured(tmp_path, sys.executable, "-c", FLUSHES)

    assert step["disk_flushes"] >= 300
    assert step["disk_flush_ms"] >= 0


def counts_flushes(folder: Path) -> bool:
    """Whether the kernel counts the flushes of the disk below a folder, and there were some."""
    number = folder.stat().st_dev
    rows = [line.split() for line in Path("/proc/diskstats").read_text().splitlines()]
    found = [row for row in rows if row[:2] == [str(os.major(number)), str(os.minor(number))]]
    return bool(found) and len(found[0]) >= 20 and int(found[0][18]) > 0


@pytest.mark.skipif(not CAN_DROP, reason="needs root, nft, and a kernel with numgen")
def test_lost_segments_are_sent_again_and_leave_gaps() -> None:
    """One of twenty is dropped on its way in: sender and receiver count it."""
    found = lost("dport 5000 numgen random mod 20 < 1 drop", "send")

    assert found["RetransSegs"] > found["TCPSynRetrans"]
    assert found["TCPOFOQueue"] > 0
    assert found["OutSegs"] > 50


@pytest.mark.skipif(not CAN_DROP, reason="needs root, nft, and a kernel with numgen")
def test_a_door_that_nobody_opens_is_no_loss() -> None:
    """Requests for a connection are sent again, and nothing else is."""
    found = lost("dport 5000 drop", "knock")

    assert found["TCPSynRetrans"] >= 1
    assert found["RetransSegs"] == found["TCPSynRetrans"]
    assert found["TCPTimeouts"] == found["TCPSynRetrans"]
