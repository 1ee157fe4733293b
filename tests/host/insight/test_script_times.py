"""The time of a provisioner before and behind its script: what Packer does there, and when that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from buildtel.cli import main
from buildtel.insight.cause_account import cause_accounts
from buildtel.insight.findings import Finding, findings
from buildtel.job.load import load_document

from ..samples import Guest, Line, counters, log, packed, said, say

Row = tuple[float, dict[str, Any]]
SLEEPS = {"busy": 0}


def causes(rows: Iterable[Row], folder: Path, *further: Line) -> dict[str, int]:
    """Whole seconds by cause, by the command, of a provisioner from 50 s to 62 s with these records."""
    lines = [
        say(0.2, "Starting VM, booting disk image"), say(20.0, "Waiting for SSH to become available..."),
        say(40.1, "Connected to SSH!"), say(50.0, "Provisioning with shell script: a.sh"), *said(rows), *further,
        say(62.0, "Gracefully halting virtual machine..."), (70.0, "Build 'qemu.debian' finished after 1 minute."),
    ]  # fmt: skip
    written, found = folder / "packer.log", folder / "job.json"
    written.write_bytes(log(sorted(lines, key=lambda line: line[0])))
    assert main(["collect", str(written), "--version", "1", "--quiet", "-o", str(found)]) == 0
    (account,) = cause_accounts(load_document(found.read_bytes(), found.name))
    parts = [part for part in account.slices if account.build.account[part.stretch].provisioner == 0]
    return {cause: round(sum(part.seconds for part in parts if part.cause == cause)) for cause in
            {part.cause for part in parts}}  # fmt: skip


def test_around_its_script_a_provisioner_is_packers(tmp_path: Path) -> None:
    """Packer uploads the script and starts it, and removes it afterwards; within, the figures tell."""
    step = Guest().step("aaaa00000001", None, 54.0, 60.0, busy=1200)

    assert causes(step, tmp_path) == {"packer": 6, "computing_all": 6}


def test_a_script_that_waits_stays_unknown(tmp_path: Path) -> None:
    """Only the time around it is Packer's."""
    assert causes(Guest().step("aaaa00000001", "x", 54.0, 60.0, **SLEEPS), tmp_path) == {"packer": 6, "unknown": 6}


@pytest.mark.parametrize("by", ["run", "start"])
def test_around_a_part_of_a_script_the_script_goes_on(tmp_path: Path, by: str) -> None:
    """A step that a command within the script began says nothing of the time around it."""
    start, end = Guest().step("aaaa00000001", "x", 54.0, 60.0, **SLEEPS)
    start[1]["by"] = by

    assert causes([start, end], tmp_path) == {"unknown": 12}


def test_several_steps_are_parts_of_a_script(tmp_path: Path) -> None:
    """Older agents do not say which command began a step; a script of Packer's has one step around it at most."""
    guest = Guest()
    steps = [*guest.step("aaaa00000001", "x", 52.0, 54.0, **SLEEPS), *guest.step("aaaa00000002", "y", 56.0, 60.0)]

    assert causes(steps, tmp_path) == {"unknown": 12}


def test_a_step_within_the_scripts_step_changes_nothing(tmp_path: Path) -> None:
    """Its parent is the script's."""
    guest = Guest()
    outer = guest.step("aaaa00000001", "x", 54.0, 60.0, **SLEEPS)
    inner = guest.step("aaaa00000002", "y", 55.0, 56.0, **SLEEPS)
    inner[0][1].update(parent="aaaa00000001.1", by="run")

    assert causes([*outer, *inner], tmp_path) == {"packer": 6, "unknown": 6}


def test_a_script_without_an_end_is_open_to_the_end(tmp_path: Path) -> None:
    """Whatever Packer did behind it is not known."""
    start, _ = Guest().step("aaaa00000001", "x", 54.0, 60.0)
    told = causes([start], tmp_path)

    assert told.keys() == {"packer", "unknown"} and told["packer"] <= 5  # stamps of whole seconds


def test_a_machine_that_booted_again_at_an_unknown_time_is_not_packers(tmp_path: Path) -> None:
    """Without samples nothing tells which part of the time before a script was the reboot."""
    before, after = Guest(), Guest(boot="2b2e0000-0000-4000-8000-000000000002", booted_s=52.0)
    rows = [(50.5, before.hello("aaaa00000001", 50.5)), *after.step("aaaa00000002", None, 56.0, 61.0, **SLEEPS)]

    assert causes(rows, tmp_path) == {"unknown": 12}


def test_what_samples_tell_behind_a_script_is_not_held(tmp_path: Path) -> None:
    """A process that the script left computes on: that is the finding."""
    guest = Guest()
    times = [float(at) for at in range(50, 62)]
    cols = packed([counters(busy=200 * at) for at in range(12)], times, guest)
    rows = [*guest.step("aaaa00000001", None, 51.0, 53.0, busy=400),
            (61.5, guest.fields("samples", "bbbb00000001", 61.5, src="s", cols=cols))]  # fmt: skip

    assert [one.cause for one in diagnosed(rows, tmp_path)] == ["computing_all"]


def diagnosed(rows: Iterable[Row], folder: Path, *further: Line) -> list[Finding]:
    """The findings of the same document, but for those of its boot and of the whole."""
    causes(rows, folder, *further)
    found = findings(load_document((folder / "job.json").read_bytes(), "job.json"))
    return [one for one in found if one.cause not in ("boot_ssh", "unknown")]


def test_a_script_that_leaves_a_process_holds_packer(tmp_path: Path) -> None:
    """Packer waits for the end of its output: not Packer's work, but unknown, and a finding that says how long."""
    step = Guest().step("aaaa00000001", "x", 51.0, 53.0, **SLEEPS)
    (found,) = diagnosed(step, tmp_path)

    assert causes(step, tmp_path) == {"packer": 2, "unknown": 10}
    assert (found.cause, found.provisioner) == ("held_output", 0)
    assert found.seconds == pytest.approx(9, abs=1)  # stamps of whole seconds
    assert [row.figure for row in found.evidence] == ["before_script_s", "behind_script_s"]
    assert found.saves_s == (0, found.seconds)


def test_what_packer_did_behind_a_script_is_no_finding(tmp_path: Path) -> None:
    """It takes as long as what Packer did before; what the log names has a cause of its own."""
    step = Guest().step("aaaa00000001", "x", 54.0, 58.0, **SLEEPS)
    paused = Guest().step("aaaa00000001", "x", 51.0, 53.0, **SLEEPS)
    pause = say(53.2, "Pausing 8s after this provisioner...")

    assert [one.cause for one in diagnosed(step, tmp_path)] == []
    assert [one.cause for one in diagnosed(paused, tmp_path, pause)] == ["pause"]
