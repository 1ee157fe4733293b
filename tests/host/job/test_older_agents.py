"""Logs of older agents: what they recorded is read for ever."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from buildtel.cli import main

FIXTURES = Path(__file__).parents[3] / "fixtures"
LOGS = {
    "0.1.0, wired, over SSH": (FIXTURES / "wired" / "null-build.log", "0.1.0", [0, 0, 7]),
    "0.1.0, by sh and by Python": (FIXTURES / "agents" / "0.1.0-null-local.log", "0.1.0", [0, 0]),
}
FIGURES = {
    "duration_s", "cpu_percent", "cpu_user_percent", "memory_used_mb", "memory_delta_mb", "disk_write_mb",
    "disk_write_ops", "disk_util_percent", "queue_depth", "net_rx_mb", "psi_io_some_percent", "major_faults",
}  # fmt: skip


def collected(log: Path, folder: Path) -> dict[str, Any]:
    """The document of a log, by the command."""
    found = folder / "job.json"
    assert main(["collect", str(log), "--job", "older", "--quiet", "-o", str(found)]) == 0
    document: dict[str, Any] = json.loads(found.read_text())
    return document


@pytest.mark.parametrize("name", LOGS)
def test_a_log_of_an_older_agent_still_gives_every_figure(tmp_path: Path, name: str) -> None:
    """Each record is used, and each measured step has its exit status and figures."""
    log, version, exits = LOGS[name]
    document = collected(log, tmp_path)
    measured = [step for step in document["steps"] if step["measured"] == "exactly"]

    assert {document["integrity"][name] for name in ("damaged", "missing", "foreign")} == {0}
    assert [machine["agent"] for machine in document["machines"].values()] == [version]
    assert [step["exit_code"] for step in measured] == exits
    assert [sorted(FIGURES - set(step)) for step in measured] == [[] for _ in measured]
