"""Events to a document: what a log tells, and what it does not, is said."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buildtel import parse
from buildtel.events import (
    AgentRecord,
    BuildFinished,
    BuildSeen,
    DamagedRecord,
    Event,
    Interrupted,
    ProvisionerStarted,
    RunStarted,
    When,
)
from buildtel.job import JobDocument, Meta, load_document
from buildtel.job.fold import Fold, document

from ..samples import START, Guest, arrived, counters, log, numbered, packed, qemu_build

META = Meta(job="build", version="1.2", collected_at=datetime(2026, 2, 1, tzinfo=timezone.utc))
TARGET = "qemu.debian"
S = START.timestamp()


def read(data: bytes) -> JobDocument:
    """The document of a log's bytes."""
    return fold([*parse.read([data])], META)


def fold(events: Iterable[Event], meta: Meta) -> JobDocument:
    """The document of events made by hand."""
    return document(numbered(events), meta)


def at(seconds: float) -> When:
    """The host's time, to the second."""
    return When(S + seconds, 1.0, True)


def provisioner(line: int, detail: str, seconds: float | None = None) -> ProvisionerStarted:
    """The line that announces one."""
    return ProvisionerStarted(
        line=line, at=None if seconds is None else at(seconds), target=TARGET, index=0, kind="shell", detail=detail
    )


def step_events(guest: Guest, line: int, sid: str = "aaaa00000001", **how: Any) -> list[AgentRecord]:
    """A whole step, as the reader hands it on."""
    rows = guest.step(sid, how.pop("name", "one"), how.pop("start_s", 10.0), how.pop("end_s", 20.0), **how)
    return [arrived(fields, line + number, at_s) for number, (at_s, fields) in enumerate(rows)]


def test_a_whole_build_is_read_as_it_was() -> None:
    """Steps, machine, clock, packer and integrity of a build whose every figure is known."""
    document = read(log(qemu_build()))

    first, second, upload = (*[step for step in document.steps if step.measured == "exactly"], None)
    assert (document.status, document.version, document.timestamp) == ("success", "1.2", "2026-01-24T12:00:00+00:00")
    assert first is not None and second is not None and upload is None
    assert (first.name, first.status, first.exit_code) == ("install-docker", "success", 0)
    assert first.metrics["duration_s"] == pytest.approx(95.1, abs=0.01)
    assert first.metrics["disk_write_mb"] == 1500
    assert first.metrics["agent_rss_mb"] == pytest.approx(8.9)
    assert first.processes is not None and first.processes[0].name == "dpkg"
    assert (second.name, second.exit_code, second.status) == ("/tmp/packer-shell123456", 3, "success")
    assert second.provisioner is not None and second.provisioner.index == 3
    assert document.machines[TARGET].memory_total_mb == 977
    assert document.integrity is not None and document.integrity.records == 5
    assert document.job_duration_s == 230


def test_the_agents_own_provisioner_is_marked() -> None:
    """A provisioner that did nothing but install the agent is ours, even under a name that does not say so."""
    guest = Guest()
    document = fold(
        [provisioner(1, "/tmp/packer-shell1"), arrived(guest.hello("a1", 5), 2), provisioner(3, "x.sh"),
         *step_events(guest, 4)],
        META,
    )  # fmt: skip

    assert document.packer is not None
    assert [item.own for item in document.packer.runs[0].builds[0].provisioners] == [True, False]


@pytest.mark.parametrize("ahead_s", [0.0, 7.25, -3600.0, 86_400.0])
def test_the_clock_is_within_its_stated_error(ahead_s: float) -> None:
    """The offset of a guest's clock is off by no more than the document says, and steps stand on the host's axis."""
    document = read(log(qemu_build(Guest(ahead_s=ahead_s))))
    clock = document.clock[TARGET]

    assert clock.offset_s is not None and clock.error_s is not None
    assert abs(clock.offset_s - ahead_s) <= clock.error_s <= 1.5
    start = next(step.start_time for step in document.steps if step.name == "install-docker")
    assert start == pytest.approx(S + 44.8, abs=clock.error_s)


def test_a_log_without_times_has_no_offset_and_says_why() -> None:
    """Without times the offset is null with a note, and durations still stand, by the guest's own clock."""
    document = read(log(qemu_build(), stamps=False))

    assert document.clock[TARGET].offset_s is None
    assert "no times" in (document.clock[TARGET].note or "")
    assert document.job_start is None and document.job_duration_s == 229
    assert document.steps[0].metrics["duration_s"] == pytest.approx(95.1, abs=0.01)


def test_times_without_a_zone_give_no_offset() -> None:
    """A stamp that states no zone does not put the guest on the host's axis."""
    fields = Guest().hello("a1", 5)
    event = AgentRecord(line=1, at=When(S + 5, 1.0, False), target=TARGET, fields=fields)

    document = fold([event], META)
    assert document.clock[TARGET].offset_s is None
    assert "no zone" in (document.clock[TARGET].note or "")
    assert document.job_start is None


def test_duplicates_are_dropped_and_gaps_counted() -> None:
    """A record seen twice counts once; a hole in a process's numbers is counted as missing."""
    guest = Guest()
    rows = [guest.fields("beat", "a1", at_s, step="a1.1", c=counters()) for at_s in (1, 2, 3, 4)]
    events = [arrived(rows[place], line) for line, place in enumerate([0, 0, 1, 3, 3])]

    integrity = fold(events, META).integrity
    assert integrity is not None
    assert (integrity.records, integrity.duplicate, integrity.missing) == (3, 2, 1)


def test_parts_are_one_event() -> None:
    """An event cut into records is the union of its parts, objects in objects too, in whatever order they come."""
    guest = Guest()
    whole = counters(written_mb=10)
    parts = [{"c": {"cpu": whole["cpu"]}, "exit": 0}, {"c": {"disk": whole["disk"]}}, {"step": "a1.1", "name": "x"}]
    start = guest.fields("start", "a1", 1, step="a1.1", name="x", c=counters())
    ends = [guest.fields("end", "a1", 5, part=number, of=3, **part) for number, part in enumerate(parts, 1)]
    events = [arrived(fields, line) for line, fields in enumerate([start, ends[2], ends[0], ends[1]])]

    step = fold(events, META).steps[0]
    assert (step.status, step.metrics["disk_write_mb"]) == ("success", 10)


def test_a_missing_part_is_counted_and_the_rest_used() -> None:
    """An event that lacks a part still ends its step."""
    guest = Guest()
    start = guest.fields("start", "a1", 1, step="a1.1", name="x", c=counters())
    end = guest.fields("end", "a1", 5, part=1, of=2, step="a1.1", exit=4)

    document = fold([arrived(start, 1), arrived(end, 2)], META)
    assert document.steps[0].exit_code == 4
    assert any("lack a part" in note for note in document.notes)


def old_log(section_first: bool) -> list[Event]:
    """A build of two measured provisioners; one of its steps, or the very first provisioner, prints an older log."""
    old, new = Guest(run="old", boot="old-boot"), Guest()
    printed = [event for number in range(20) for event in step_events(old, 100, f"old{number}", name="stale")]
    own = [provisioner(1, "a.sh"), *step_events(new, 2, "s1"), provisioner(5, "b.sh"), *step_events(new, 6, "s2")]
    return [provisioner(0, "cat.sh"), *printed, *own] if section_first else [*own[:2], *printed, *own[2:]]


@pytest.mark.parametrize("first", [True, False])
def test_records_of_another_run_are_set_apart(first: bool) -> None:
    """A step that prints an old log adds no steps, however many records the old log has."""
    document = fold(old_log(first), META)

    assert document.integrity is not None
    assert (document.integrity.foreign, document.integrity.records, document.integrity.missing) == (40, 4, 0)
    assert [step.name for step in document.steps if step.measured == "exactly"] == ["one", "one"]


def test_appended_runs_are_each_their_own() -> None:
    """Two runs in one file keep their records: the second is not foreign, and its machine has a name of its own."""
    first, second = Guest(run="r1", boot="b1"), Guest(run="r2", boot="b2")
    done = BuildFinished(line=9, target=TARGET, result="success", duration_s=None)
    events = [RunStarted(line=1), provisioner(2, "a.sh"), *step_events(first, 3, "s1"), done,
              RunStarted(line=10), provisioner(11, "a.sh"), *step_events(second, 12, "s2"), done]  # fmt: skip

    document = fold(events, META)
    assert list(document.machines) == [TARGET, f"{TARGET}#2"]
    assert document.integrity is not None and document.integrity.foreign == 0
    assert [step.machine for step in document.steps] == [TARGET, f"{TARGET}#2"]


def unended(tail: list[Event], **beat: Any) -> Any:
    """The one step of a build that began, gave a beat, and then `tail` happened."""
    guest = Guest()
    start = guest.fields("start", "a1", 10, step="a1.1", name="x", c=counters())
    alive = guest.fields("beat", "a1", 40, step="a1.1", c=counters(written_mb=30), peak_kb=300_000)
    return fold([provisioner(1, "x.sh", 9), arrived(start, 2, 10), arrived(alive, 3, 40), *tail], META).steps[0]


def finished(error: str | None) -> BuildFinished:
    """The end of a failed build."""
    return BuildFinished(line=9, target=TARGET, result="failure", duration_s=None, error=error)


UNENDED = {
    "log cut off": ([], "unknown", "the log ends before the step does"),
    "reboot": ([arrived(Guest(boot="second").hello("b1", 90), 8)], "unknown", "the machine rebooted"),
    "interrupt": ([Interrupted(line=8)], "cancellation", "the build was interrupted"),
    "timeout": ([finished("context deadline exceeded")], "timeout", "the build failed in it: a timeout"),
    "failure": ([finished("Script disconnected")], "failure", "the build failed in it"),
    "lost end": ([provisioner(8, "y.sh", 60)], "unknown", "its end record is not in the log"),
}


@pytest.mark.parametrize(("tail", "status", "why"), UNENDED.values(), ids=UNENDED.keys())
def test_a_step_without_an_end_is_there_and_says_why(tail: list[Event], status: str, why: str) -> None:
    """It has no end time, the figures of its last beat, the time of it, and the reason."""
    step = unended(tail)

    assert (step.status, step.unfinished, step.end_time, step.exit_code) == (status, why, None, None)
    assert step.metrics["disk_write_mb"] == 30
    assert step.metrics["duration_s"] == 30
    assert step.last_seen == pytest.approx(S + 40, abs=1.1)


def test_an_end_without_a_step_id_ends_the_last_open_step_of_its_name() -> None:
    """`end NAME` of an agent that has forgotten its start pairs by name, the last begun first."""
    guest = Guest()
    events = [
        arrived(guest.fields("start", "a1", 1, step="a1.1", name="x", c=counters()), 1),
        arrived(guest.fields("start", "a2", 2, step="a2.1", name="x", c=counters()), 2),
        arrived(guest.fields("start", "a3", 3, step="a3.1", name="y", c=counters()), 3),
        arrived(guest.fields("end", "a4", 9, step=None, name="x", c=counters(), exit=0), 4),
    ]

    ended = [step.id for step in fold(events, META).steps if step.unfinished is None]
    assert ended == ["a2.1"]


def test_an_end_alone_is_a_step_without_a_start() -> None:
    """An end whose start never came is there, marked, without figures."""
    end = Guest().fields("end", "a4", 9, step=None, name="x", c=counters(), exit=0)

    step = fold([arrived(end, 1)], META).steps[0]
    assert (step.name, step.status, step.unfinished) == ("x", "success", "its start is not in the log")
    assert "duration_s" not in step.metrics and step.start_time is None


def test_a_step_across_a_reboot_has_a_duration_and_no_counters_figures() -> None:
    """Counters of two boots are never subtracted; the wall clock still gives the duration."""
    before, after = Guest(boot="b1"), Guest(boot="b2", booted_s=50)
    events = [
        arrived(before.fields("start", "a1", 10, step="a1.1", name="x", c=counters(written_mb=9)), 1),
        arrived(after.fields("end", "a2", 110, step="a1.1", name="x", c=counters(written_mb=10), exit=0), 2),
    ]

    step = fold(events, META).steps[0]
    assert step.metrics == {"duration_s": 100.0}


def test_provisioners_without_records_get_figures_from_the_samples() -> None:
    """Level 1: the whole-life samples are shared out over the provisioners by the log's times."""
    guest = Guest()
    times = [float(second) for second in range(0, 100, 5)]
    rows = [counters(written_mb=second, busy=int(second * 100), idle=int(second * 100)) for second in times]
    sent = guest.fields("samples", "a1", 100, src="a1", cols=packed(rows, times, guest))
    events = [provisioner(1, "install.py", 0), arrived(guest.hello("a1", 0.4), 2, 0.4), provisioner(3, "work.sh", 20),
              provisioner(4, "finish", 60), arrived(sent, 5, 100)]  # fmt: skip

    step = next(step for step in fold(events, META).steps if step.name == "work.sh")
    assert (step.measured, step.metrics["duration_s"], step.machine) == ("from samples", 40, TARGET)
    assert step.metrics["disk_write_mb"] == pytest.approx(40, rel=0.03)
    assert step.metrics["cpu_percent"] == pytest.approx(50, rel=0.05)


def test_no_event_gives_an_honest_document() -> None:
    """A log that says nothing gives a document that says so."""
    document = fold([], META)

    assert (document.status, document.steps, document.job_start) == ("unknown", [], None)
    assert "No Packer build is in this log." in document.notes
    assert document.timestamp == "2026-02-01T00:00:00+00:00"


def test_an_impossible_time_is_no_time() -> None:
    """A stamp of the year 300,000 is left out of the axis instead of breaking it."""
    document = fold([BuildSeen(line=1, at=When(1e16, 1.0, True), target=TARGET)], META)

    assert document.job_start is None


def test_damage_is_counted_by_reason() -> None:
    """Lines that can't be trusted are counted, and the notes say what was wrong with them."""
    document = fold([DamagedRecord(line=1, target=None, reason="cut")] * 3, META)

    assert document.integrity is not None and document.integrity.damaged == 3
    assert "3 record(s) damaged and not used: cut." in document.notes


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=4)
    | st.sampled_from(["\ud800", "cpu", "m_ms", "a1.1"]),
    lambda inner: st.lists(inner, max_size=9) | st.dictionaries(
        st.sampled_from(["cpu", "mem", "disk", "net", "psi", "vm", "fs", "vda", "m_ms", "cpu.0", "cpu_busy", "x"]), inner,  # noqa: E501
        max_size=4,
    ),
    max_leaves=25,
)  # fmt: skip
FIELDS = {
    "ev": st.sampled_from(["hello", "start", "beat", "end", "mark", "samples", "bye", "new"]),
    "sid": st.sampled_from(["a1", "a2"]) | JSON,
    "seq": st.integers(1, 9) | JSON,
    "t": st.integers(0, 2**64) | JSON,
    "m": st.integers(0, 2**64) | JSON,
    "boot": st.sampled_from(["b1", "b2"]) | JSON,
    "run": st.sampled_from(["r1", "r2"]) | JSON,
}
BODY = dict.fromkeys(("step", "name", "parent", "c", "peak_kb", "exit", "signal", "series", "procs", "cost", "cols", "same", "cpus", "psi", "part", "of", "last"), JSON)  # fmt: skip  # noqa: E501


@settings(max_examples=60, deadline=None)
@given(st.lists(st.fixed_dictionaries(FIELDS, optional=BODY), max_size=12))
def test_no_record_breaks_the_fold(rows: list[dict[str, Any]]) -> None:
    """Whatever an intact record holds, there is a document, and it is valid JSON that reads back."""
    folding = Fold()
    for line, fields in enumerate(rows):
        folding.add(arrived({"v": 1, **fields}, line, float(line)))

    document = folding.document(META)
    assert load_document(document.to_json().encode(), "x").to_json() == document.to_json()
    assert document.integrity is not None
    used = document.integrity.records + document.integrity.duplicate + document.integrity.foreign
    assert used + document.integrity.damaged >= len(rows)
