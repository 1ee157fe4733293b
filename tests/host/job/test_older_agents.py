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

# One build by each of them: install, four shell provisioners of which one is not wired, finish.
SAVED = sorted(path.stem for path in (FIXTURES / "agents").glob("0.*-???????*.log") if "null-local" not in path.stem)
# Since this one no command of the agent stands behind a step: its end is the kernel's word, or Packer's.
IN_PLACE = "0.2.0-e26fc69"
BUILDS = [name for name in SAVED if not name.startswith(IN_PLACE)]
KEY = "5f4dcc3b5aa765d61d8327deb882cf99c0ffee00c0ffee00"
STEPS = [
    ("a named step", 1, 0, "success"), ("inner", 1, 4, "failure"), (None, 2, 0, "success"), (None, 3, 7, "success"),
]  # fmt: skip


def test_every_form_of_records_has_a_log() -> None:
    """The first agent, each change of the records since, with and without Python, with and without a key."""
    assert len(BUILDS) >= 10
    assert {name.partition("-")[0] for name in BUILDS} == {"0.1.0", "0.2.0"}
    assert {name.removeprefix(IN_PLACE) for name in SAVED} >= {"", "-by-sh", "-signed"}
    assert sum(name.endswith("-by-sh") for name in BUILDS) == sum(name.endswith("-signed") for name in BUILDS) == 2


@pytest.mark.parametrize("name", BUILDS)
def test_a_build_of_an_older_agent_is_collected_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Steps, their names, provisioners, exit statuses and order; nothing lost, nothing doubted, ours told apart."""
    monkeypatch.setenv("BUILDTEL_KEY", KEY if name.endswith("-signed") else "")
    document = collected(FIXTURES / "agents" / f"{name}.log", tmp_path)
    exact = (step for step in document["steps"] if step.get("measured") == "exactly")
    recorded = sorted(exact, key=lambda step: step["start_time"])
    found = [(step["provisioner"]["index"], step["exit_code"], step["status"]) for step in recorded]
    (build,) = document["packer"]["runs"][0]["builds"]
    (machine,) = document["machines"].values()

    assert found == [row[1:] for row in STEPS]
    assert [step["name"] for step in recorded[:2]] == [row[0] for row in STEPS[:2]]
    assert recorded[1]["parent"] == recorded[0]["id"] and "parent" not in recorded[2]
    assert {(step["ended_from"], step["exit_from"]) for step in recorded} == {("agent", "agent")}
    assert {step.get("authentic") for step in recorded} == {True if name.endswith("-signed") else None}
    assert [word for word, number in document["integrity"].items() if number] == ["records"]
    assert [unit["own"] for unit in build["provisioners"]] == [True, False, False, False, False, True]
    assert machine["agent"] == name.partition("-")[0]
    assert [mark["name"] for mark in machine["marks"]] == ["halfway"]


# Place of the provisioner, exit status, status, what told the end, which command of the agent began it.
BY_KERNEL = [
    (1, 0, "success", "agent", None), (1, 4, "failure", "agent", "run"), (2, 0, "success", "agent", None),
    (3, 7, "success", "agent", None),
]  # fmt: skip
BY_PACKER = [
    (1, None, "success", "packer", None), (1, None, "unknown", None, "run"), (2, None, "success", "packer", None),
    (3, None, "success", "packer", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "told"),
    [(IN_PLACE, BY_KERNEL), (f"{IN_PLACE}-signed", BY_KERNEL), (f"{IN_PLACE}-by-sh", BY_PACKER)],
)
def test_a_build_whose_steps_run_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, told: list[tuple[Any, ...]]
) -> None:
    """The kernel tells the exit statuses; without Python Packer's words tell the ends of whole scripts."""
    monkeypatch.setenv("BUILDTEL_KEY", KEY if name.endswith("-signed") else "")
    document = collected(FIXTURES / "agents" / f"{name}.log", tmp_path)
    exact = (step for step in document["steps"] if step.get("measured") == "exactly")
    recorded = sorted(exact, key=lambda step: step["start_time"])
    (machine,) = document["machines"].values()

    assert [
        (step["provisioner"]["index"], step.get("exit_code"), step["status"], step.get("ended_from"),
         step.get("begun_by")) for step in recorded
    ] == told  # fmt: skip
    assert {step.get("authentic") for step in recorded} == {True if name.endswith("-signed") else None}
    assert [word for word, number in document["integrity"].items() if number] == ["records"]
    assert [mark["name"] for mark in machine["marks"]] == ["halfway"]


@pytest.mark.parametrize("name", BUILDS)
def test_what_is_not_wired_there_has_the_figures_of_the_samples(tmp_path: Path, name: str) -> None:
    """A provisioner without records has Packer's times and end, and the samples' figures if Python took samples."""
    document = collected(FIXTURES / "agents" / f"{name}.log", tmp_path)
    (found,) = (step for step in document["steps"] if step.get("measured") != "exactly")

    assert (found["provisioner"]["index"], found["status"], found["ended_from"]) == (4, "success", "packer")
    assert found.get("measured") == (None if name.endswith("-by-sh") else "from samples")
    assert (found["cpu_percent"] is None) == name.endswith("-by-sh") and found["duration_s"] >= 2
