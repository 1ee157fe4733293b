"""Devices that come and go, and kernels' caveats: from a log with whole-life samples to the document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from buildtel.cli import main
from tests.host.samples import Guest, Line, counters, log, packed, said, say

TIMES_S = [float(second) for second in range(0, 130, 5)]
Row = dict[str, Any]


def with_disk(row: Row, name: str, sectors: int) -> Row:
    """The same counters with another disk."""
    return {**row, "disk": {**row["disk"], name: [10, sectors, 5, 10, sectors, 5, 5, 5]}}


def with_interface(row: Row, name: str, received: int) -> Row:
    """The same counters with another interface."""
    return {**row, "net": {**row["net"], name: [received, received]}}


def row_at(second: float) -> Row:
    """Half of two CPUs busy, 1 MB a second written and received."""
    ticks = int(second * 100)
    return {**counters(written_mb=second, busy=ticks, idle=ticks, rx=int(second * 2**20)), "cpus": [2]}


def built(rows: dict[float, Row], kernel: str = "6.1.0") -> list[Line]:
    """A build with a script from second 20 to 60 that has no records, and the samples sent at its end."""
    guest = Guest()
    hello = {**guest.hello("a1", 0.4), "kernel": kernel}
    kinds: dict[tuple[str, ...], dict[float, Row]] = {}
    for second, row in rows.items():
        kinds.setdefault((*row["disk"], *row["net"]), {})[second] = row
    sent = [
        (125.0, guest.fields("samples", "a1", 125, src="a", cols=packed(list(some.values()), list(some), guest)))
        for some in kinds.values()
    ]
    return [
        say(0, "Using SSH communicator to connect: 127.0.0.1"),
        say(0, "Provisioning with shell script: install.sh"),
        *said([(0.4, hello)]),
        say(20, "Provisioning with shell script: work.sh"),
        say(60, "Provisioning with shell script: finish.sh"),
        *said(sent),
        (130.0, "Build 'qemu.debian' finished after 2 minutes 10 seconds."),
    ]


def collected(lines: list[Line], folder: Path) -> dict[str, Any]:
    """The document, by the command."""
    path, found = folder / "packer.log", folder / "job.json"
    path.write_bytes(log(lines))
    assert main(["collect", str(path), "--job", "late", "--quiet", "-o", str(found)]) == 0
    document: dict[str, Any] = json.loads(found.read_text())
    return document


def step_of(document: dict[str, Any], name: str) -> dict[str, Any]:
    """A step by its name."""
    return next(step for step in document["steps"] if step["name"] == name)


LATE = {
    "a disk from second 95": {s: with_disk(row_at(s), "vdb", 9_000_000) if s >= 95 else row_at(s) for s in TIMES_S},
    "a disk in the middle of the script": {
        s: with_disk(row_at(s), "vdb", 9_000_000) if s >= 40 else row_at(s) for s in TIMES_S
    },
    "a disk that goes in the middle of the script": {
        s: with_disk(row_at(s), "vdb", 9_000_000) if s < 40 else row_at(s) for s in TIMES_S
    },
    "an interface from second 95": {
        s: with_interface(row_at(s), "eth1", 2**33) if s >= 95 else row_at(s) for s in TIMES_S
    },
    "a head of NVMe and its path that does not count": {
        s: with_disk(with_disk(row_at(s), "nvme0n1", 0), "nvme0c0n1", 0) for s in TIMES_S
    },
}


@pytest.mark.parametrize("late", LATE)
def test_a_device_that_comes_late_costs_no_figure_of_what_was_before(tmp_path: Path, late: str) -> None:
    """Steps and charts have the figures of the devices that were there all the time."""
    document = collected(built(LATE[late]), tmp_path)
    step = step_of(document, "work.sh")
    charts = document["machines"]["qemu.debian"]["samples"][0]["columns"]

    assert step["disk_write_mb"] == pytest.approx(40, rel=0.05)
    assert step["net_rx_mb"] == pytest.approx(40, rel=0.05)
    assert step["cpu_percent"] == pytest.approx(50, abs=3)
    assert None not in [step[name] for name in ("await_ms", "queue_depth", "disk_util_percent", "disk_write_ops")]
    assert [rate for rate in charts["disk_write_mbs"][1:] if rate != pytest.approx(1, abs=0.1)] == []
    assert [rate for rate in charts["net_rx_mbs"][1:] if rate != pytest.approx(1, abs=0.1)] == []


def test_no_counter_of_a_device_that_is_not_there_is_in_the_document(tmp_path: Path) -> None:
    """Absent is absent: not a row of nulls."""
    document = collected(built(LATE["a disk from second 95"]), tmp_path)

    assert set(step_of(document, "work.sh")["counters"]["end"]["disk"]) == {"vda"}


def test_times_that_wrap_between_two_samples_give_figures_of_the_stretch(tmp_path: Path) -> None:
    """A script that begins in the middle of the wrap has the part of it that is its own."""
    rows = {s: row_at(s) for s in TIMES_S}
    for second, row in rows.items():
        row["disk"]["vda"][5] = (2**32 - 20_200 + int(second * 1000)) % 2**32  # wraps at 20.2 s
    step = step_of(collected(built(rows), tmp_path), "work.sh")

    assert step["await_ms"] == pytest.approx(40_000 / (step["disk_read_ops"] + step["disk_write_ops"]), rel=0.02)


@pytest.mark.parametrize(
    ("kernel", "noted"),
    [("6.1.0-18-amd64", True), ("5.0.0", True), ("5.15.0-97-generic", True), ("6.9.12", True), ("6.10.0", False),
     ("6.18.44", False), ("4.18.0-553.el8", False), ("3.10.0", False), ("7.2.13", False), ("unknown", False)],
)  # fmt: skip
def test_disk_util_of_kernels_that_sample_it_carries_a_note(tmp_path: Path, kernel: str, noted: bool) -> None:
    """Linux 5.0 to 6.9 count the busy time of a disk by samples; nobody is to decide by it alone."""
    document = collected(built(LATE["a disk from second 95"], kernel), tmp_path)
    notes = [note for note in document["notes"] if "disk_util_percent" in note]

    assert notes == [
        f"qemu.debian: Linux {kernel} measures disk_util_percent roughly (all of 5.0 to 6.9 do), too low or too high: "
        "see psi_io_*, queue_depth and await_ms, too."
    ] * noted


def test_disk_util_that_nobody_measured_needs_no_note(tmp_path: Path) -> None:
    """A build of which only Packer's lines are known."""
    lines = built({s: row_at(s) for s in TIMES_S})
    document = collected([line for line in lines if "samples" not in line[1]], tmp_path)

    assert [note for note in document["notes"] if "disk_util_percent" in note] == []
