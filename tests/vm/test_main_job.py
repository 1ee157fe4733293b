"""The main job, end to end: a real packer, a real VM, and a document that agrees with the known work."""

import json
import os
import subprocess
import sys
from concurrent.futures import Future
from typing import Any

import pytest

from .conftest import FAILING_STATUS, Built

pytestmark = pytest.mark.vm

PAYLOAD_MB = 60
WRITTEN_MB = 200
ALLOCATED_MB = 300
SLEEPER = "./scripts/sleep-20-s.sh"

# What the template runs, in its order: kind, the step's name if a step measures it, ours or the user's.
PROVISIONERS = [
    ("shell", None, True),
    ("file-upload", None, False),
    ("shell", "verify-upload", False),
    ("shell", "write-200-mib", False),
    ("shell", "download-60-mib", False),
    ("shell", "burn-20-s", False),
    ("shell", SLEEPER, False),
    ("shell", "allocate-300-mib", False),
    ("shell", "reboot", False),
    ("shell", "reboot-2", False),
    ("shell", "reboot-3", False),
    ("shell", "after-reboot", False),
    ("shell", None, True),
]

# Lowest and highest value of a step's metric.
KNOWN_WORK = [
    ("write-200-mib", "disk_write_mb", WRITTEN_MB * 0.97, WRITTEN_MB * 1.03),
    ("download-60-mib", "net_rx_mb", PAYLOAD_MB, PAYLOAD_MB * 1.06),
    ("burn-20-s", "cpu_percent", 90, 100),
    ("burn-20-s", "duration_s", 20, 30),
    (SLEEPER, "cpu_percent", 0, 9.99),
    (SLEEPER, "duration_s", 20, 30),
]


def collect(built: Built) -> dict[str, Any]:
    """The document that `buildtel-host collect` makes of a build's log."""
    document = built.printed.with_name("job.json")
    environment = {**os.environ, "TELEMETRY_DIR": str(built.printed.with_name("collected"))}
    script = "import sys; from buildtel.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", script, "collect", str(built.log), "-o", str(document)]
    subprocess.run(command, env=environment, check=True)
    parsed: dict[str, Any] = json.loads(document.read_text(encoding="utf-8"))
    return parsed


@pytest.fixture(scope="module")
def wired(builds: dict[str, Future[Built]]) -> dict[str, Any]:
    """The document of the build that ran all its steps."""
    built = builds["wired"].result()
    assert built.exit_status == 0, built.log.read_text(errors="replace")[-4000:]
    return collect(built)


def guest_steps(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The steps that were measured inside the VM, by name; the template's names are all different."""
    guests = [step for step in document["steps"] if step["origin"] == "guest"]
    steps = [step for step in guests if step["measured"] == "exactly"]
    assert len({step["name"] for step in steps}) == len(steps)
    return {step["name"]: step for step in steps}


def the_build(document: dict[str, Any]) -> dict[str, Any]:
    """Packer's own account of the one build."""
    ((only,),) = [run["builds"] for run in document["packer"]["runs"]]
    build: dict[str, Any] = only
    return build


def test_every_provisioner_is_there_in_order(wired: dict[str, Any]) -> None:
    """Packer's provisioners and the guest's steps agree: which, how many, in which order, whose."""
    provisioners = the_build(wired)["provisioners"]
    assert [(one["kind"], one["own"]) for one in provisioners] == [(kind, own) for kind, _, own in PROVISIONERS]
    assert {name: step["provisioner"]["index"] for name, step in guest_steps(wired).items()} == {
        name: index for index, (_, name, _) in enumerate(PROVISIONERS) if name
    }
    started = [one["started_at"] for one in provisioners]
    assert started == sorted(started)


@pytest.mark.parametrize(("name", "metric", "lowest", "highest"), KNOWN_WORK)
def test_known_work_is_measured(wired: dict[str, Any], name: str, metric: str, lowest: float, highest: float) -> None:
    """Bytes, CPU and time of a step are those of the work it is known to do."""
    assert lowest <= guest_steps(wired)[name][metric] <= highest


def test_the_peak_of_memory_is_the_allocation(wired: dict[str, Any]) -> None:
    """Peak minus start is within 15 % of the 300 MiB that the step holds."""
    step = guest_steps(wired)["allocate-300-mib"]
    start_mb = step["memory_used_mb"] - step["memory_delta_mb"]
    assert step["memory_peak_mb"] - start_mb == pytest.approx(ALLOCATED_MB, rel=0.15)


def test_a_reboot_ends_its_step_unmeasured(wired: dict[str, Any]) -> None:
    """A step that reboots has no exit status and says why; all four boots are known; the next step is whole."""
    steps = guest_steps(wired)
    rebooted = [step for name, step in steps.items() if name.startswith("reboot")]
    assert [(step.get("exit_code"), step["unfinished"]) for step in rebooted] == [(None, "the machine rebooted")] * 3
    assert len(wired["machines"]["qemu.debian"]["boots"]) == 4
    assert steps["after-reboot"]["status"] == "success"


def test_all_other_steps_succeeded(wired: dict[str, Any]) -> None:
    """Success, for the build too, by Packer's word: before Linux 6.15 only root's sampler sees every exit status."""
    steps = {name: step for name, step in guest_steps(wired).items() if not name.startswith("reboot")}
    assert {step["status"] for step in steps.values()} == {"success"}
    assert {step.get("exit_code") for step in steps.values()} <= {0, None}
    assert (the_build(wired)["result"], wired["status"]) == ("success", "success")


def test_no_record_was_lost(wired: dict[str, Any]) -> None:
    """Every record of the agent arrived whole, once."""
    integrity = wired["integrity"]
    assert integrity["records"] > len(PROVISIONERS)
    assert [integrity[fault] for fault in ("duplicate", "missing", "damaged", "foreign")] == [0, 0, 0, 0]


def test_a_failing_build_keeps_its_exit_status(builds: dict[str, Future[Built]]) -> None:
    """The step that ends with 3 fails the build as it would unwired, and the document has the 3."""
    built = builds["failing"].result()
    assert built.exit_status == 1
    document = collect(built)
    step = guest_steps(document)["verify-upload"]
    assert (step["exit_code"], step["status"]) == (FAILING_STATUS, "failure")
    assert (the_build(document)["result"], document["status"]) == ("failure", "failure")
    assert f"exit status: {FAILING_STATUS}" in built.log.read_text(errors="replace")
