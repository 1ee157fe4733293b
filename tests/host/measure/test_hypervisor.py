"""The hypervisor's process beside the build whose machine it was, from the runner's samples."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from buildtel import parse
from buildtel.events import AgentRecord, When
from buildtel.job import JobDocument, Meta
from buildtel.job.fold import document as fold
from buildtel.job.runner import ON, RUNNER
from buildtel_agent import flatten, pack_columns

from ..samples import START, Guest, Line, counters, log, say

META = Meta(collected_at=datetime(2026, 2, 1, tzinfo=timezone.utc))
A, B = "qemu.a", "qemu.b"
MIB = 1_048_576
EVERY_S = range(-1, 61)
Process = dict[str, list[int | None]]  # by `hyp.NAME:PID.N`, a value for each of EVERY_S


def process(
    pid: int, began_s: float, *, ended_s: float = 60, cores: float = 1.0, files: bool = True, **without: bool
) -> Process:
    """One that takes `cores`, 100 MB that grow by 1 MB a second, and reads 1 and writes 2 MiB a second."""
    columns: Process = {f"hyp.qemu:{pid}.{number}": [] for number in range(5)}
    for at_s in EVERY_S:
        age_s = at_s - began_s if began_s <= at_s <= ended_s else None
        row = [
            (began_s - BOOTED_S) * 1000, None if age_s is None else 100 * cores * age_s,
            None if age_s is None else 1024 * (100 + age_s), None if age_s is None else MIB * age_s,
            None if age_s is None else 2 * MIB * age_s,
        ]  # fmt: skip
        for number, value in enumerate(row):
            absent = age_s is None or value is None or without.get(NUMBERS[number], False) or (number > 2 and not files)
            columns[f"hyp.qemu:{pid}.{number}"].append(None if absent else round(value))
    return columns


NUMBERS = ("no_start", "no_ticks", "no_memory", "no_read", "no_written")
BOOTED_S = -1000.0


def runner_records(*processes: Process, hz: int | None = 100) -> list[AgentRecord]:
    """What the wrapper around Packer writes: itself, its step, and its samples with the hypervisors'."""
    host = Guest(boot="host", run=None, ahead_s=0, booted_s=BOOTED_S)
    columns: Process = {"m_ms": [round((at_s - BOOTED_S) * 1000) for at_s in EVERY_S]}
    rows = [dict(flatten(counters(busy=at_s * 100, idle=at_s * 100))) for at_s in EVERY_S]
    columns |= {name: [row[name] for row in rows] for name in rows[0]}
    for one in processes:
        columns |= one
    sent = pack_columns(list(columns), [list(row) for row in zip(*columns.values(), strict=True)])
    made = [
        (-1.0, {**host.hello("a1", -1), "hz": hz}),
        (-1.0, host.fields("start", "a2", -1, step="a2.1", name="packer", c=counters())),
        (60.0, host.fields("samples", "a1", 60, src="a1", cols=sent)),
        (60.0, host.fields("end", "a2", 60, step="a2.1", name="packer", c=counters(), exit=0)),
    ]
    return [
        AgentRecord(
            line=number, at=When(START.timestamp() + at_s, 0.001, True), target=None, fields={**fields, ON: RUNNER}
        )
        for number, (at_s, fields) in enumerate(made, 1)
    ]


def building(*builds: tuple[str, float]) -> list[Line]:
    """A log of builds that boot at these seconds, provision 10 s later, shut down at 50 s and end at 55 s."""
    lines = [say(0, "Retrieving ISO", name) for name, _ in builds]
    for name, boots_s in builds:
        lines += [say(boots_s, "Starting VM, booting disk image", name),
                  say(boots_s + 10, "Provisioning with shell script: a.sh", name),
                  say(50, "Gracefully halting virtual machine...", name),
                  (55, f"Build '{name}' finished after 55 seconds.")]  # fmt: skip
    return sorted(lines, key=lambda line: line[0])


def read(lines: list[Line], records: list[AgentRecord]) -> JobDocument:
    """The document of a log and of what the wrapper wrote."""
    return fold([*records, *parse.read([log(lines)])], META)


def taken(document: JobDocument, name: str) -> dict[str, dict[str, Any] | None]:
    """The hypervisor's figures of each stretch of a build that is long enough to have some."""
    assert document.packer is not None
    (build,) = (build for build in document.packer.runs[0].builds if build.name == name)
    return {part.name: part.hypervisor for part in build.account if part.duration_s >= 1}


def test_of_one_build_the_process_is_its_machine() -> None:
    """CPU, memory and disk of each stretch; none before it began, and a stretch that it began in has its part."""
    found = taken(read(building((A, 10)), runner_records(process(42, 10.0, cores=1.5))), A)

    assert found["retrieve_image"] is None
    assert found["boot"] == pytest.approx(
        {"cpu_percent": 150.0, "memory_peak_mb": 110.0, "disk_read_mb": 10.0, "disk_write_mb": 20.0}, abs=1.1
    )
    assert found["provisioner"] == pytest.approx(
        {"cpu_percent": 150.0, "memory_peak_mb": 140.0, "disk_read_mb": 30.0, "disk_write_mb": 60.0}, abs=1.1
    )


def test_the_runners_own_figures_stand_beside() -> None:
    """Each stretch that the runner's samples cover has the runner's figures; one that they do not has none."""
    document = read([*building((A, 10)), say(70, "Removing temporary things", A)], runner_records())
    assert document.packer is not None
    parts = {part.name: part.runner for part in document.packer.runs[0].builds[0].account if part.duration_s >= 1}

    assert parts["boot"] is not None and parts["boot"]["cpu_percent"] == pytest.approx(50, abs=0.5)
    late = read([say(0, "Retrieving ISO", A), say(100, "Converting hard drive...", A)], runner_records())
    assert late.packer is not None
    assert late.packer.runs[0].builds[0].account[-1].runner is None


def test_two_builds_are_told_apart_by_when_they_boot() -> None:
    """A process belongs to the one build that said within seconds that it starts its machine."""
    machines = (process(1, 5.2, cores=0.5), process(2, 20.3, cores=2.0))
    document = read(building((A, 5), (B, 20)), runner_records(*machines))

    first, second = taken(document, A)["provisioner"], taken(document, B)["provisioner"]
    assert first is not None and first["cpu_percent"] == pytest.approx(50, abs=0.5)
    assert second is not None and second["cpu_percent"] == pytest.approx(200, abs=0.5)


NOBODYS: dict[str, tuple[list[Line], list[AgentRecord]]] = {
    "two builds boot at once": (building((A, 5), (B, 6)), runner_records(process(1, 6.2))),
    "neither of two boots then": (building((A, 5), (B, 6)), runner_records(process(1, 40.0))),
    "no clock ticks are known": (building((A, 5)), runner_records(process(1, 5.0), hz=None)),
    "when it began is not known": (building((A, 5)), runner_records(process(1, 5.0, no_start=True))),
    "its time was never read": (building((A, 5)), runner_records(process(1, 5.0, no_ticks=True))),
    "it was gone before the build": (building((A, 5)), runner_records(process(1, -0.9, ended_s=-0.9))),
    "there is none": (building((A, 5)), runner_records()),
}


@pytest.mark.parametrize(("lines", "records"), NOBODYS.values(), ids=NOBODYS.keys())
def test_what_could_be_of_two_builds_or_of_none_is_nobodys(lines: list[Line], records: list[AgentRecord]) -> None:
    """No figure is better than another machine's."""
    document = read(lines, records)
    assert document.packer is not None
    for build in document.packer.runs[0].builds:
        assert set(taken(document, build.name).values()) == {None}


def test_a_machine_that_was_started_again_is_the_sum_of_its_processes() -> None:
    """Of a process that ended, what it had taken by then; a stretch that saw both has both."""
    records = runner_records(process(1, 5.0, ended_s=20.0), process(2, 30.0, ended_s=49.0))
    found = taken(read(building((A, 5)), records), A)["provisioner"]

    assert found is not None
    assert (found["disk_read_mb"], found["disk_write_mb"]) == pytest.approx((5 + 19, 10 + 38), abs=0.2)
    assert found["cpu_percent"] == pytest.approx(100 * (5 + 19) / 35, abs=0.5)


def test_what_may_not_be_read_is_absent() -> None:
    """Another user's `/proc/PID/io` gives no disk figures, a process without its memory no memory: never 0."""
    closed = taken(read(building((A, 5)), runner_records(process(1, 5.0, files=False))), A)["provisioner"]
    unsized = taken(read(building((A, 5)), runner_records(process(1, 5.0, no_memory=True))), A)["provisioner"]

    assert closed is not None and set(closed) == {"cpu_percent", "memory_peak_mb"}
    assert unsized is not None and set(unsized) == {"cpu_percent", "disk_read_mb", "disk_write_mb"}
