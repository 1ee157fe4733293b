"""Findings: what took long, why, what it would save, in each format."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from buildtel.cli import main
from buildtel.insight.causes import CAUSE
from buildtel.insight.findings import findings

from .cases import CASES, SECONDS, WAITS, document


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case[2] not in ("unknown",)])
def test_a_finding_goes_with_its_evidence(name: str) -> None:
    """Without the figures that a finding names, the document has no such finding; their values are the document's."""
    guest, runner, cause = CASES[name]
    found = document(guest, runner or {"cpu_percent": 1.0}, waits=WAITS.get(name))
    (finding,) = [one for one in findings(found) if one.cause == cause]
    assert finding.evidence
    for row in finding.evidence:
        known = {**{f"runner_{name}": value for name, value in runner.items()}, **guest}
        assert row.value == pytest.approx(known.get(row.figure, row.value))

    figures = {row.figure.removeprefix("runner_") for row in finding.evidence} | {"cpu_percent", "cpu_iowait_percent"}
    bare = {name: value for name, value in guest.items() if name not in figures and name != "net_rx_mbs"}
    assert cause not in [one.cause for one in findings(document(bare, {"cpu_percent": 1.0}))]


def test_nothing_short_is_blamed() -> None:
    """Four seconds of a full disk, or one percent of a build, are no finding."""
    disk = {"cpu_percent": 1.0, "psi_io_full_percent": 90.0}

    assert findings(document(disk, seconds=4)) == []
    assert [one.cause for one in findings(document(disk, seconds=5))] == ["disk"]


def test_a_saving_lies_between_full_and_some_pressure() -> None:
    """A minute at 50 % full and 80 % some: 30 s at least, 48 s at most."""
    (finding,) = findings(document({"cpu_percent": 1, "psi_io_full_percent": 50, "psi_io_some_percent": 80}))

    assert finding.saves_s == (30, 48)
    assert finding.severity == "severe"


def test_a_saving_is_not_0_where_no_figure_tells_it() -> None:
    """A kernel without pressure figures: memory may have cost all of its time."""
    (finding,) = findings(document({"cpu_percent": 10, "refault_anon_mbs": 20.0, "direct_scan_mbs": 5.0}))

    assert (finding.cause, finding.saves_s, finding.severity) == ("memory", (0.0, SECONDS), "severe")


def test_a_conversion_on_one_thread_has_advice_of_its_own() -> None:
    """Told by the runner, since no guest runs any more."""
    part = {"name": "convert", "text": "Converting hard drive...", "provisioner": None}
    found = findings(document({}, {"cpu_percent": 25}, part=part, unit={"started_at": None, "ended_at": None}))

    assert [(one.cause, "disk_compression" in one.advice) for one in found if one.cause == "computing_one"] == [
        ("computing_one", True)
    ]


def test_a_healthy_machine_is_never_more_than_low() -> None:
    """It computes, or downloads as fast as its line can."""
    for name in ("all CPUs", "one thread", "two threads", "a download"):
        found = findings(document(CASES[name][0]))
        assert [(one.severity, CAUSE[one.cause].avoidable) for one in found] == [("low", False)]


def test_diagnose_says_it_in_each_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A sentence, the finding with what it saves and what helps; JSON has the same figures."""
    file = tmp_path / "x.json"
    file.write_text(document({"cpu_percent": 1, "psi_io_full_percent": 50, "psi_io_some_percent": 80}).to_json())

    assert main(["diagnose", str(file)]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "1:00 100.0% waiting for the disk (the machine's samples)" in text
    assert "severe: shell a.sh: waiting for the disk for 1:00 (io pressure (full) 50%)" in text
    assert "saves: at least 30.0 s, at most 48.0 s try: use a faster disk" in text

    assert main(["diagnose", str(file), "--format", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["builds"] == [{"name": "qemu.box", "total_s": 60.0, "causes": [
        {"cause": "disk", "words": "waiting for the disk", "seconds": 60.0, "told_by": ["guest"]}]}]  # fmt: skip
    assert [(one["cause"], one["saves_s"]) for one in data["findings"]] == [("disk", [30.0, 48.0])]

    assert main(["diagnose", str(file), "--format", "markdown"]) == 0
    assert "**severe: shell a.sh**: waiting for the disk" in capsys.readouterr().out


def test_nothing_to_say_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A short build without a finding says so."""
    file = tmp_path / "x.json"
    file.write_text(document({"cpu_percent": 99}, seconds=3).to_json())

    assert main(["diagnose", str(file)]) == 0
    assert "Nothing to report: " in capsys.readouterr().out


def test_a_machine_that_is_too_large_is_told() -> None:
    """Memory and CPUs that nothing used in two minutes and more; nothing of a machine that needs them once."""
    large = document({"cpu_percent": 20.0, "memory_used_mb": 900.0}, seconds=120)
    object.__setattr__(large.machines["qemu.box"], "memory_total_mb", 8192)
    spare = [one for one in findings(large) if one.cause.startswith("spare_")]
    assert [(one.cause, one.words) for one in spare] == [
        ("spare_memory", "has 8192 MB, at most 900 were in use"), ("spare_cpus", "has 4 CPUs, at most 0.8 were in use"),
    ]  # fmt: skip

    columns = large.machines["qemu.box"].samples[0].columns
    columns["cpu_percent"][30], columns["memory_used_mb"][30] = 51.0, 3300.0
    assert not [one for one in findings(large) if one.cause.startswith("spare_")]
