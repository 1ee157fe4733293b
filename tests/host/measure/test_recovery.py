"""Log and spools, in any mix and order: nothing twice, nothing lost that one of them has, and what is missing named."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timezone
from itertools import permutations
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from buildtel import parse
from buildtel.events import Event
from buildtel.job import JobDocument, Meta
from buildtel.job.fold import Fold
from buildtel.job.machines import NO_LOG
from buildtel.job.model import Step
from buildtel.job.notes import WITHOUT_LOG
from buildtel.measure.series import MAX_KEPT, Samples

from ..samples import BOOT, START, Guest, Line, counters, log, packed, qemu_build, record_line, said, say

META = Meta(job="build", version="1.2", collected_at=datetime(2026, 2, 1, tzinfo=timezone.utc))
TARGET = "qemu.debian"
FIGURES = ("name", "metrics", "exit_code", "series", "counters", "processes")
Row = tuple[float, dict[str, Any]]


def logged(data: bytes) -> list[Event]:
    """The events of a log."""
    return [*parse.read([data])]


def spooled(rows: Iterable[Row] | bytes, number: int = 0) -> list[Event]:
    """The events of a spool."""
    data = rows if isinstance(rows, bytes) else b"".join(record_line(fields).encode() + b"\n" for _, fields in rows)
    return [*parse.read_spool([data], number)]


def document(*sources: list[Event], logged: bool = True) -> JobDocument:
    """The document of sources, in this order."""
    fold = Fold()
    for events in sources:
        for event in events:
            fold.add(event)
    return fold.document(META, logged=logged)


def figures(step: Step) -> dict[str, Any]:
    """What was measured of a step, without where its clock stands on the host's."""
    return {name: getattr(step, name) for name in FIGURES}


def by_id(found: JobDocument) -> dict[str | None, dict[str, Any]]:
    """The figures of the steps with records."""
    return {step.id: figures(step) for step in found.steps if step.measured == "exactly"}


def rows_of_a_build(guest: Guest) -> list[Row]:
    """All records of a build: setup, a step with beats, samples, a step whose end came in parts, the last words."""
    first, last = guest.step("bbbb00000001", "install", 44.8, 139.9, busy=17_000, written_mb=1500)
    beats = [
        (at_s, {**guest.fields("beat", "bbbb00000001", at_s, step="bbbb00000001.1", c=counters(busy=99)), "seq": seq})
        for seq, at_s in ((2, 75.0), (3, 105.0))
    ]
    last[1]["seq"] = 4
    times = [42.0 + second for second in range(0, 108, 4)]
    cols = packed([counters(busy=int(time) * 9, idle=int(time) * 20) for time in times], times, guest)
    sent = guest.fields("samples", "cccc00000001", 149.9, src="s", cols=cols)
    begin, end = guest.step("cccc00000001", None, 150.1, 152.4, exit_code=3)
    whole = end[1]["c"]
    for row, ops in ((begin, 5), (end, 500)):
        row[1]["c"]["disk"]["vdb"] = [ops] * 8
    shared = {key: end[1][key] for key in ("v", "ev", "sid", "boot", "run", "t", "m", "step")}
    halves = (
        {"c": {"cpu": whole["cpu"], "disk": {"vda": whole["disk"]["vda"]}}, "exit": 3},
        {"c": {"mem": whole["mem"], "disk": {"vdb": whole["disk"]["vdb"]}}, "peak_kb": 400_000, "last": True},
    )
    parts = [{**shared, "seq": 2 + part, "part": part, "of": 2, **half} for part, half in enumerate(halves, 1)]
    return [
        (42.3, guest.hello("aaaa00000001", 42.3)),
        first, *beats, last, (149.9, sent), begin, (152.4, parts[0]), (152.4, parts[1]),
        (153.0, guest.fields("bye", "dddd00000001", 153.0, c=counters(), last=True)),
    ]  # fmt: skip


ROWS = rows_of_a_build(Guest())
UNITS = [
    say(40.5, "Provisioning with shell script: ./agent.py"), say(43.6, "Provisioning with shell script: install.sh"),
    say(149.0, "Provisioning with shell script: second.sh"), say(152.7, "Provisioning with shell script: finish"),
]  # fmt: skip


def log_with(rows: Iterable[Row], tail: Iterable[Line] = ()) -> bytes:
    """A build's log with these records in it."""
    lines = sorted([*UNITS, *said(rows)], key=lambda line: line[0])
    return log(
        [say(0.2, "Starting VM"), *lines, *tail, (230.0, f"Build '{TARGET}' finished after 3 minutes 49 seconds.")]
    )


WHOLE = document(logged(log_with(ROWS)))


@settings(max_examples=60, deadline=None)
@example([*[{"a"}] * 7, {"log"}, {"a"}, {"a"}])  # of one event of two records, one is all that the log has
@given(st.lists(st.sets(st.sampled_from(["log", "a", "b"]), min_size=1), min_size=len(ROWS), max_size=len(ROWS)))
def test_any_mix_in_any_order_gives_the_same_document(places: list[set[str]]) -> None:
    """Wherever each record is, as long as it is somewhere: the same document, with the whole log's figures."""
    rows = {name: [row for row, where in zip(ROWS, places, strict=True) if name in where] for name in ("log", "a", "b")}
    sources = [logged(log_with(rows["log"])), spooled(rows["a"], 0), spooled(rows["b"], 1)]
    documents = [document(*order) for order in permutations(sources)]

    assert all(found == documents[0] for found in documents)
    counts = documents[0].integrity
    assert counts is not None
    assert (counts.records, counts.missing, counts.damaged, counts.foreign) == (len(ROWS), 0, 0, 0)
    assert counts.recovered == sum("log" not in where for where in places)
    assert counts.duplicate == sum(len(where) - 1 for where in places)
    if any("log" in where for where in places):
        found, whole = by_id(documents[0]), by_id(WHOLE)
        assert {key: {**value, "name": None} for key, value in found.items()} == {
            key: {**value, "name": None} for key, value in whole.items()
        }
        assert list(documents[0].machines) == [TARGET]


def test_a_spool_that_the_log_knows_nothing_of_still_finds_its_provisioner() -> None:
    """A step of which the log has nothing stands in the provisioner that the times leave, and takes its name."""
    lost = [row for row in ROWS if not row[1]["sid"].startswith("cccc")]
    found = document(logged(log_with(lost)), spooled(ROWS))

    step = next(step for step in found.steps if step.id == "cccc00000001.1")
    assert (step.name, step.machine, step.exit_code) == ("second.sh", TARGET, 3)
    assert step.provisioner is not None and step.provisioner.index == 2
    assert not [step for step in found.steps if step.measured == "from samples" and step.name == "second.sh"]


def test_a_spool_alone_stands_alone() -> None:
    """Without a log there are the machine, its steps and samples, by the guest's clock."""
    found = document(spooled(ROWS))

    assert by_id(found) == {key: {**value, "name": value["name"] if key != "cccc00000001.1" else None}
                            for key, value in by_id(WHOLE).items()}  # fmt: skip
    assert list(found.machines) == ["guest"] and found.machines["guest"].samples
    assert found.integrity is not None and found.integrity.recovered == len(ROWS)


def test_a_document_without_a_log_says_that_and_asks_nothing_of_the_log() -> None:
    """One sentence on what is not known, in place of what would be wrong with a log; what was damaged is still said."""
    found = document(spooled(ROWS), spooled(b"BUILDTEL:{}\n", 1), logged=False)

    assert found.notes[:1] == [WITHOUT_LOG]
    assert found.clock["guest"].note == NO_LOG
    assert not [note for note in found.notes if "Packer build is" in note or "log states" in note or "log has" in note]
    assert any("damaged" in note for note in found.notes)
    assert WITHOUT_LOG not in document(spooled(ROWS)).notes
    assert document(logged=False).notes[:1] == [WITHOUT_LOG]


def test_samples_of_a_dump_are_no_records_of_the_build() -> None:
    """Rows that another process printed add points, however often they come, and no records."""
    guest = Guest(seqs={"eeee00000001": 0, "ffff00000001": 0})
    times = [43.0 + second for second in range(100)]
    rows = [counters(busy=int(time), idle=2 * int(time)) for time in times]
    dumps = [
        (200.0, guest.fields("samples", sid, 200.0, src="s", cols=packed(rows, times, guest)))
        for sid in ("eeee00000001", "ffff00000001")
    ]
    one = document(logged(log_with(ROWS)), spooled(dumps[:1]))
    both = document(spooled(dumps[1:], 3), logged(log_with(ROWS)), spooled(dumps[:1], 2))

    assert one == both
    assert one.integrity == WHOLE.integrity
    more, fewer = (found.machines[TARGET].samples[0].columns["t_s"] for found in (one, WHOLE))
    assert len(more) > 3 * len(fewer)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3_000), st.randoms(use_true_random=False))
def test_samples_are_the_same_in_any_order(number: int, random: Any) -> None:
    """Whatever the order, the pieces and how often: the same points, bounded, the first and the last among them."""
    points = [(random.randrange(2_000_000), random.randrange(3)) for _ in range(number)]
    whole, pieces = Samples(), [Samples(), Samples(), Samples()]
    shuffled = [*points, *points[: len(points) // 3]]
    random.shuffle(shuffled)
    for time_ms, piece in points:
        whole.add({"m_ms": [time_ms], "cpu.0": [time_ms], "cpu.1": [None]})
        pieces[piece].add({"m_ms": [time_ms], "cpu.0": [time_ms]})
    again = Samples()
    for time_ms, _ in shuffled:
        again.add({"m_ms": [time_ms], "cpu.0": [time_ms]})
    united = Samples()
    for piece in pieces[::-1]:
        united.merge(piece)

    assert whole.rows == again.rows == united.rows
    assert len(whole) <= MAX_KEPT + 1
    assert [whole.rows[0][0], whole.rows[-1][0]] == [min(points)[0], max(points)[0]]


def test_a_spool_of_another_build_is_foreign() -> None:
    """Where the log knows its run, records of another one are counted and not used."""
    other = Guest(run="another", boot="other-boot")
    found = document(logged(log_with(ROWS)), spooled(other.step("9999", "stale", 1, 2)))

    assert found.integrity is not None and (found.integrity.foreign, found.integrity.records) == (2, len(ROWS))
    assert by_id(found) == by_id(WHOLE)


def test_two_builds_under_one_target_name() -> None:
    """Two runs in one file, each with its own machine: each spool goes to its own."""
    builds = [Guest(run=f"r{number}", boot=f"b{number}") for number in (1, 2)]
    text, spools, when = b"", [], 0.0
    for number, guest in enumerate(builds):
        rows = [(50.0, guest.hello(f"aaa{number}", 50.0)), *guest.step(f"bbb{number}", "work", 60, 70 + number)]
        text += log([(when, f"{TARGET}: output will be in this color."),
                     say(when + 40, "Provisioning with shell script: w.sh"),
                     *said(rows[:2]), (when + 90, f"Build '{TARGET}' finished after 1 minute.")])  # fmt: skip
        spools.append(spooled(rows, number))
    found = document(spools[1], logged(text), spools[0])

    assert list(found.machines) == [TARGET, f"{TARGET}#2"]
    steps = [(step.machine, step.metrics["duration_s"], step.status) for step in found.steps]
    assert sorted(steps) == [(TARGET, 10, "success"), (f"{TARGET}#2", 11, "success")]
    assert found.integrity is not None and (found.integrity.recovered, found.integrity.foreign) == (2, 0)


def unfinished(found: JobDocument, key: str = "bbbb00000001.1") -> tuple[Any, ...]:
    """What is known of a step whose end is not."""
    step = next(step for step in found.steps if step.id == key)
    return step.status, step.unfinished, step.exit_code, step.metrics.get("duration_s"), step.machine


BEGUN = [row for row in ROWS if row[0] < 110 and row[1]["ev"] != "samples"]


def test_a_reboot_in_the_middle_of_a_step() -> None:
    """The step is there up to its last beat; the machine has two boots, the second known from the spool alone."""
    after = Guest(boot="second", booted_s=120)
    later = [(130.0, after.hello("e1", 130.0)), *after.step("e2", "second", 150.5, 151.5)]
    in_log = document(logged(log_with([*BEGUN, *later])))
    in_spool = document(spooled(later), logged(log_with(BEGUN)))

    for found in (in_log, in_spool):
        assert unfinished(found)[:2] == ("unknown", "the machine rebooted")
        assert unfinished(found)[3:] == (pytest.approx(60.2), TARGET)
        assert found.machines[TARGET].boots == [BOOT, "second"]
        assert next(step for step in found.steps if step.id == "e2.1").metrics["duration_s"] == 1


def test_the_machine_is_killed() -> None:
    """The build fails in the step; what a spool saved of it before is used."""
    failed = log(
        [*UNITS[:2], *said(BEGUN[:2]), (170.0, f"Build '{TARGET}' errored after 2 minutes: Script disconnected")]
    )

    assert unfinished(document(logged(failed))) == ("failure", "the build failed in it", None, None, TARGET)
    saved = document(logged(failed), spooled(BEGUN))
    assert unfinished(saved)[1::2] == ("the build failed in it", pytest.approx(60.2))


def test_the_agent_is_killed() -> None:
    """No end comes: Packer's next words tell it, and the build's other steps are whole."""
    killed = [row for row in ROWS if (row[1]["sid"], row[1]["ev"]) != ("bbbb00000001", "end")]
    found = document(logged(log_with(killed)), spooled(killed))

    killed_step = next(step for step in found.steps if step.id == "bbbb00000001.1")
    assert unfinished(found) == ("success", None, None, pytest.approx(104.2, abs=1.5), TARGET)
    assert (killed_step.ended_from, killed_step.exit_from) == ("packer", None)
    assert by_id(found)["cccc00000001.1"] == by_id(WHOLE)["cccc00000001.1"]


def test_the_clock_is_set_back_an_hour() -> None:
    """Durations, order and the host's axis go by the monotonic clock; the step of the clock is said."""

    def back(row: Row) -> Row:
        late = row[0] > 100
        return row[0], {**row[1], "t": row[1]["t"] - late * 3_600 * 10**9}

    moved = [back(row) for row in ROWS]
    for found in (document(logged(log_with(moved))), document(spooled(moved[4:]), logged(log_with(moved[:4])))):
        assert {key: value["metrics"] for key, value in by_id(found).items()} == {
            key: value["metrics"] for key, value in by_id(WHOLE).items()
        }
        starts = [step.start_time for step in found.steps if step.measured == "exactly"]
        assert starts == [pytest.approx(START.timestamp() + at_s, abs=1.5) for at_s in (44.8, 150.1)]
        assert any("wall clock was set by 3600.0 s" in note for note in found.notes)


def test_the_disk_of_the_spool_is_full() -> None:
    """A record that was cut, the next one glued to it: counted as damaged; all others are used."""
    lines = [record_line(fields).encode() + b"\n" for _, fields in ROWS]
    full = b"".join([*lines[:3], lines[3][:200], lines[4], lines[6][:90]])
    found = document(logged(log_with(ROWS[:2])), spooled(full))

    assert found.integrity is not None
    assert (found.integrity.records, found.integrity.recovered, found.integrity.damaged) == (3, 1, 2)
    assert sum("damaged" in note for note in found.notes) >= 1


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_a_log_that_ends_in_the_middle_of_a_record(kept: float) -> None:
    """The spool has the rest."""
    data = log_with(ROWS)
    found = document(logged(data[: int(len(data) * kept)]), spooled(ROWS))

    assert {key: value["metrics"] for key, value in by_id(found).items()} == {
        key: value["metrics"] for key, value in by_id(WHOLE).items()
    }
    assert found.integrity is not None and found.integrity.records == len(ROWS)


@pytest.mark.parametrize("mask", ["<sensitive>", "***"])
def test_records_that_packer_or_the_ci_scrubbed(mask: str) -> None:
    """They are damaged in the log, counted and named; the spool fills them in, and then nothing is missing."""
    data = log_with(ROWS).replace(b"bbbb00000001", mask.encode())
    alone, both = document(logged(data)), document(logged(data), spooled(ROWS))

    assert alone.integrity is not None and both.integrity is not None
    assert alone.integrity.damaged == both.integrity.damaged == 4
    assert any("scrubbed" in note for note in alone.notes)
    assert both.integrity.recovered == 4
    assert {key: value["metrics"] for key, value in by_id(both).items()} == {
        key: value["metrics"] for key, value in by_id(WHOLE).items()
    }


def test_what_is_missing_is_counted_and_named() -> None:
    """A gap that no spool fills is counted, and the note says of which step."""
    guest = Guest()
    start, _ = guest.step("bbbb00000001", "install", 50, 60)
    lost = guest.fields("beat", "bbbb00000001", 60, step="bbbb00000001.1", c=counters())
    beat = guest.fields("beat", "bbbb00000001", 70, step="bbbb00000001.1", c=counters())
    found = document(logged(log_with([start, (70.0, beat)])))

    assert lost["seq"] == 3 and found.integrity is not None and found.integrity.missing == 2
    assert "2 record(s) of `install` (qemu.debian) are missing." in found.notes


def test_a_spool_that_the_build_printed_into_its_log_at_the_end() -> None:
    """Records that come late (of a cleanup provisioner) are of the step and provisioner that they were made in."""
    lost = [row for row in ROWS if row[1]["sid"].startswith("cccc")]
    seen = [row for row in ROWS if row not in lost]
    rescue = [(200.0, f"==> {TARGET}: Provisioning with shell script: rescue"), *said((200.5, row[1]) for row in ROWS)]
    found = document(logged(log_with(seen, rescue)))

    assert found.integrity is not None and found.integrity.missing == 0
    assert by_id(found) == by_id(WHOLE)
    step = next(step for step in found.steps if step.id == "cccc00000001.1")
    assert step.provisioner is not None and step.provisioner.index == 2
    clock, right = found.clock[TARGET], Guest().ahead_s
    assert clock.offset_s is not None and clock.error_s is not None
    assert abs(clock.offset_s - right) <= clock.error_s < 2


def test_lines_that_are_no_records_are_said() -> None:
    """A spool that holds something else is no error: how many lines were not used is said."""
    found = document(spooled(b"hello\n\nx BUILDTEL:{}\n" + b"z" * (5 << 20) + b"\n"))

    assert found.integrity is not None and found.integrity.damaged == 1
    assert any("no record, in a spool" in note for note in found.notes)
    assert any("longer than 4 MiB, in a spool" in note for note in found.notes)


def test_more_than_any_build_has_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held of spools is bounded."""
    monkeypatch.setattr("buildtel.measure.recovery.MAX_HELD_BYTES", 3_000)
    found = document(spooled(ROWS))

    assert any("of the spools left out" in note for note in found.notes)


def test_the_sample_build_is_whole_without_its_spool() -> None:
    """A spool that only repeats the log changes nothing but the count of duplicates."""
    rows = [row for row in ROWS if row[1]["ev"] != "samples"]
    found = document(logged(log_with(ROWS)), spooled(rows))

    assert found.integrity is not None and found.integrity.duplicate == len(rows)
    assert replace(found, integrity=None) == replace(WHOLE, integrity=None)
    assert document(logged(log(qemu_build()))).steps
