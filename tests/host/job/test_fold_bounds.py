"""What a document holds at most: each bound met is said once, and what fits is right; and what strangers may not do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timezone
from types import ModuleType
from typing import Any

import pytest

from buildtel.events import (
    AgentRecord,
    BuildFinished,
    BuildSeen,
    Event,
    Interrupted,
    PackerVersion,
    ProvisionerStarted,
    RunStarted,
    When,
)
from buildtel.job import JobDocument, Meta
from buildtel.job.fold import Fold, document
from buildtel.measure import agent_events, intake, recovery
from buildtel.measure.drafts import MAX_NOTES, Measured
from buildtel.measure.series import MAX_KEPT, Samples
from buildtel.timeline import builds as timeline_builds

from ..samples import BOOT, START, Guest, arrived, counters, numbered, packed

META = Meta(job="build", version="1.2", collected_at=datetime(2026, 2, 1, tzinfo=timezone.utc))
FOLDING = sys.modules[Fold.__module__]
TARGET = "qemu.debian"
S = START.timestamp()
Make = Callable[[Guest], list[Event]]


def fold(events: Iterable[Event], meta: Meta) -> JobDocument:
    """The document of events made by hand."""
    return document(numbered(events), meta)


def at(seconds: float) -> When:
    """The host's time."""
    return When(S + seconds, 0.001, True)


def provisioner(line: int, detail: str, seconds: float | None = None) -> ProvisionerStarted:
    """The line that announces one."""
    when = None if seconds is None else at(seconds)
    return ProvisionerStarted(line=line, at=when, target=TARGET, index=0, kind="shell", detail=detail)


def starts(guest: Guest, number: int) -> list[dict[str, Any]]:
    """The starts of so many steps, each of its own process."""
    return [guest.fields("start", f"a{at_s}", at_s, step=f"a{at_s}.1", c=counters()) for at_s in range(1, number + 1)]


def beginning(guest: Guest, sid: str) -> list[dict[str, Any]]:
    """A step's start and two samples, of one process."""
    cols = packed([counters()] * 2, [1, 2], guest)
    return [guest.fields("start", sid, 5, step=f"{sid}.1", c=counters()),
            guest.fields("samples", sid, 9, src="s", cols=cols)]  # fmt: skip


def records(*rows: dict[str, Any], **how: Any) -> list[Event]:
    """Records as the reader hands them on."""
    return [replace(arrived(fields, line), **how) for line, fields in enumerate(rows, 1)]


def marks(guest: Guest) -> list[Event]:
    """Five marks in a provisioner."""
    return [provisioner(1, "a.sh"), *records(*(guest.fields("mark", "a1", 1, name=f"m{n}") for n in range(5)))]


def machines(guest: Guest) -> list[Event]:
    """Five machines with a step each."""
    return [replace(event, target=f"t{event.line}") for event in records(*starts(guest, 5))]


def machines_of_spools(guest: Guest) -> list[Event]:
    """Five spools of machines that no log knows, each with a step and samples."""
    found: list[Event] = []
    for number in range(5):
        own = Guest(boot=f"boot{number}", run=None)
        found += records(*beginning(own, f"s{number}"), target=None, spool=number)
    return found


def halves(guest: Guest) -> list[Event]:
    """The first halves of five starts: the second ones never come."""
    rows = (guest.fields("start", f"a{n}", n, step=f"a{n}.1", part=1, of=2, c=counters()) for n in range(5))
    return records(*rows)


def builds(_: Guest) -> list[Event]:
    """Five builds with a provisioner each."""
    found: list[Event] = []
    for number in range(5):
        target = f"t{number}"
        found += [replace(provisioner(2 * number, "a.sh"), target=target),
                  BuildFinished(line=2 * number + 1, target=target, result="success", duration_s=None)]  # fmt: skip
    return found


def runs(_: Guest) -> list[Event]:
    """Five runs of Packer in one log."""
    return [event for n in range(5) for event in (RunStarted(line=2 * n), BuildSeen(line=2 * n + 1, target=TARGET))]


def gaps(guest: Guest) -> list[Event]:
    """A process of whose numbers every other is missing."""
    rows = [guest.fields("beat", "a1", n, step="a1.1", c=counters()) for n in range(20)]
    return records(*rows[::2])


def number_of_steps(found: JobDocument) -> int:
    """How many steps there are."""
    return len(found.steps)


def number_of_machines(found: JobDocument) -> int:
    """How many machines there are."""
    return len(found.machines)


def damaged(found: JobDocument) -> int:
    """How many records were not used."""
    assert found.integrity is not None
    return found.integrity.damaged


BOUNDS: dict[str, tuple[ModuleType, str, Make, str, Callable[[JobDocument], int], int]] = {
    "steps": (agent_events, "MAX_STEPS", lambda guest: records(*starts(guest, 5)), "More than 3 steps",
              number_of_steps, 3),
    "marks": (agent_events, "MAX_MARKS", marks, "More than 3 marks",
              lambda found: len(found.machines[TARGET].marks), 3),
    "machines": (intake, "MAX_MACHINES", machines, "More than 3 machines", number_of_machines, 3),
    "machines of spools": (intake, "MAX_MACHINES", machines_of_spools, "More than 3 machines", number_of_machines, 3),
    "processes": (intake, "MAX_PROCESSES", lambda guest: records(*starts(guest, 5)),
                  "more agent processes or gaps than any build has", damaged, 2),
    "gaps": (sys.modules["buildtel.measure.ledger"], "MAX_GAPS", gaps,
             "more agent processes or gaps than any build has", damaged, 7),
    "halves": (intake, "MAX_PENDING", halves, "5 event(s) lack a part", number_of_steps, 5),
    "Packer's lines": (timeline_builds, "MAX_EVENTS", builds, "more of Packer's lines than any build",
                       lambda found: len(found.packer.runs[0].builds) if found.packer else 0, 2),
    "runs": (FOLDING, "MAX_RUNS", runs, "More than 3 runs of Packer",
             lambda found: len(found.packer.runs) if found.packer else 0, 5),
}  # fmt: skip


@pytest.mark.parametrize(("module", "name", "make", "says", "count", "kept"), BOUNDS.values(), ids=BOUNDS.keys())
def test_what_is_more_than_any_build_has_is_left_out_and_said_once(
    monkeypatch: pytest.MonkeyPatch,
    module: ModuleType,
    name: str,
    make: Make,
    says: str,
    count: Callable[[JobDocument], int],
    kept: int,
) -> None:
    """With a bound of three, of each kind; without it, nothing is said."""
    free = fold(make(Guest()), META)
    monkeypatch.setattr(module, name, 3)
    bound = fold(make(Guest()), META)

    assert count(bound) == kept
    assert len([note for note in bound.notes if says in note]) == 1
    assert name == "MAX_PENDING" or not [note for note in free.notes if says in note]


def test_missing_records_of_a_machine_that_is_left_out_are_an_agents(monkeypatch: pytest.MonkeyPatch) -> None:
    """What they would have told is not known, that they are missing is."""
    monkeypatch.setattr(intake, "MAX_MACHINES", 0)
    rows = starts(Guest(seqs={"a1": 6}), 1)

    assert "6 record(s) of an agent are missing." in fold(records(*rows), META).notes


def test_more_builds_than_groups_share_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Records of ever new runs make no more groups; all are counted, as foreign where they are."""
    monkeypatch.setattr(intake, "MAX_GROUPS", 2)
    rows = [starts(Guest(run=f"run{n}", boot=f"boot{n}"), n + 1)[n] for n in range(5)]
    integrity = fold(records(*rows), META).integrity

    assert integrity is not None
    assert (integrity.records, integrity.foreign) == (1, 4)


def test_more_boots_than_any_machine_has_keep_their_clocks_to_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Records of further boots still are steps; samples of a boot without a clock are none of the machine's."""
    monkeypatch.setattr(intake, "MAX_BOOTS", 2)
    rows = []
    for number in range(4):
        own = Guest(boot=f"boot{number}")
        rows += beginning(own, f"a{number}")
    found = fold(records(*rows), META)

    assert number_of_steps(found) == 4
    assert [samples.boot for samples in found.machines[TARGET].samples] == ["boot0", "boot1"]


def test_measurements_beyond_the_bound_are_dropped_and_steps_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Series and whole-life samples go first, counters last; times and statuses are kept."""
    guest = Guest()
    whole = [fields for sid in ("a1", "a2", "a3") for _, fields in guest.step(sid, sid, 1, 9)]
    sent = guest.fields("samples", "a4", 9, src="s", cols=packed([counters()] * 2, [1, 2], guest))
    monkeypatch.setattr(agent_events, "MAX_LEAVES", 150)
    monkeypatch.setattr(agent_events, "KEPT_FROM_SERIES", 60)
    found = fold(records(*whole, sent), META)

    assert len([note for note in found.notes if "more measurements" in note]) == 1
    assert [step.status for step in found.steps] == ["success"] * 3
    assert [step.metrics["duration_s"] for step in found.steps] == [8, 8, 8]
    assert found.steps[0].counters is not None and found.steps[0].series is not None
    assert found.steps[1].counters is not None and found.steps[1].series is None
    assert found.steps[2].counters is None and found.steps[2].series is None
    assert found.machines[TARGET].samples == []


def test_notes_are_bounded() -> None:
    """A document says each thing once, and no more than a reader could read."""
    measured = Measured()
    for number in range(2 * MAX_NOTES):
        measured.note_once(f"note {number // 2}")
        measured.note_once(f"note {number}")

    assert len(measured.notes) == len(set(measured.notes)) == MAX_NOTES


def test_the_boots_of_a_spool_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples of more boots than a machine has are held as they came, records without a boot by themselves."""
    monkeypatch.setattr(recovery, "MAX_HELD_BOOTS", 1)
    rows = []
    for number in range(2):
        own = Guest(boot=f"boot{number}")
        rows += beginning(own, f"a{number}")
    found = fold(records(*rows, target=None, spool=0), META)

    assert number_of_steps(found) == 2
    assert found.integrity is not None and found.integrity.recovered == 4


def test_a_spools_samples_that_no_agent_writes_are_counted() -> None:
    """Columns of unequal length are refused, the record they stood in is not lost."""
    guest = Guest(run=None)
    begun = guest.fields("start", "a1", 1, step="a1.1", name="x", c=counters())
    broken = guest.fields("samples", "a1", 9, src="s", cols={"m_ms": [1, 2], "cpu.0": [1]})
    found = fold(records(begun, broken, target=None, spool=0), META)

    assert found.integrity is not None
    assert (found.integrity.records, found.integrity.damaged) == (2, 1)
    assert "1 record(s) had an invalid field, which was ignored: `cols` of `samples`." in found.notes


def test_samples_without_any_other_word_of_their_boot_have_a_clock() -> None:
    """A spool of which only whole-life samples are left still gives the machine's life."""
    guest = Guest()
    cols = packed([counters()] * 3, [1, 2, 3], guest)
    rows = [guest.fields("start", "a1", 1, step="a1.1", c=counters()),
            {**guest.fields("samples", "a1", 9, src="s", cols=cols), "boot": "another"}]  # fmt: skip
    found = fold(records(*rows, target=None, spool=0), META)

    assert [samples.boot for samples in found.machines["guest"].samples] == ["another"]
    assert "another" in found.machines["guest"].boots


def test_points_at_impossible_times_are_none() -> None:
    """Samples before the machine's start are no points, and a machine without points has no samples."""
    guest = Guest()
    cols = {**packed([counters()] * 2, [1, 2], guest), "m_ms": [-5, -5]}
    rows = [guest.hello("a1", 0), guest.fields("samples", "a1", 9, src="s", cols=cols)]
    events = [provisioner(1, "a.sh", 0), *records(*rows, at=at(1)), provisioner(8, "b.sh", 20), provisioner(9, "c", 30)]
    found = fold(events, META)

    assert found.machines[TARGET].samples == [] and found.steps == []


def test_a_provisioner_that_the_samples_do_not_cover_has_no_figures() -> None:
    """What lies behind the last sample is not guessed from it."""
    guest = Guest()
    sent = guest.fields("samples", "a1", 9, src="s", cols=packed([counters()] * 2, [1, 9], guest))
    events = [provisioner(1, "a.sh", 0), *records(guest.hello("a1", 0), sent, at=at(9)),
              provisioner(8, "b.sh", 20), provisioner(9, "c.sh", 30)]  # fmt: skip

    assert "b.sh" not in [step.name for step in fold(events, META).steps]


def test_samples_of_two_long_lives_are_merged_within_the_bound() -> None:
    """Whatever was kept of each, the whole keeps its span and its bound."""
    one, other = Samples(), Samples()
    one.add({"m_ms": [1000 * n for n in range(MAX_KEPT)], "cpu.0": list(range(MAX_KEPT))})
    other.add({"m_ms": [1000 * n for n in range(MAX_KEPT, 6 * MAX_KEPT)], "cpu.0": list(range(MAX_KEPT, 6 * MAX_KEPT))})
    one.merge(other)

    assert len(one) <= MAX_KEPT + 1
    assert (one.times_ms[0], one.times_ms[-1]) == (0, 1000 * (6 * MAX_KEPT - 1))


# What comes twice, or in an order that no build has


def test_a_step_begins_and_ends_once() -> None:
    """The first start and the first end of a step stand, whatever another process says under its id."""
    guest = Guest()
    rows = [
        guest.fields("start", "a1", 1, step="a1.1", name="x", c=counters()),
        guest.fields("start", "a2", 2, step="a1.1", name="y", c=counters()),
        guest.fields("end", "a1", 5, step="a1.1", exit=0, c=counters()),
        guest.fields("end", "a2", 9, step="a1.1", exit=7, c=counters()),
        guest.fields("beat", "a2", 10, step="a1.1", c=counters()),
    ]
    (step,) = fold(records(*rows), META).steps

    assert (step.name, step.exit_code, step.metrics["duration_s"]) == ("x", 0, 4)


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1)])
def test_of_beats_of_two_boots_the_later_counts(order: tuple[int, ...]) -> None:
    """A step that was seen alive before and after a reboot was seen last after it, in whatever order that is read."""
    before, after = Guest(boot="b1"), Guest(boot="b2", booted_s=50)
    rows = [
        before.fields("start", "a1", 10, step="a1.1", name="x", c=counters()),
        before.fields("beat", "a1", 40, step="a1.1", c=counters()),
        after.fields("beat", "a2", 80, step="a1.1", c=counters()),
    ]
    (step,) = fold(records(*(rows[place] for place in order)), META).steps

    assert step.last_seen == pytest.approx(S + 80 + before.ahead_s)


def test_a_second_interrupt_changes_nothing() -> None:
    """The first one tells which steps it ended."""
    guest = Guest()
    begun = guest.fields("start", "a1", 1, step="a1.1", name="x", c=counters())
    events: list[Event] = [BuildSeen(line=1, target=TARGET), replace(arrived(begun, 2)), Interrupted(line=3)]
    late = arrived(guest.fields("start", "a2", 2, step="a2.1", name="cleanup", c=counters()), 5)
    ended = BuildFinished(line=9, target=TARGET, result="failure", duration_s=None, error="Build was halted.")
    found = fold([*events, late, Interrupted(line=4), ended], META)

    assert [step.status for step in found.steps] == ["cancellation", "unknown"]
    assert found.status == "cancellation"


def test_records_find_their_run_by_boot_or_by_number() -> None:
    """Those made before the run was known go with their boot, else with the run that there is; none is foreign."""
    known, other = Guest(run="r1", boot="b1"), Guest(run=None, boot="b1")
    stranger, early = Guest(run=None, boot="b9"), Guest(run=None, boot="b1")
    rows = [known.hello("a1", 1), other.hello("a2", 2), stranger.hello("a3", 3)]
    found = fold(records(*rows), META)
    first = fold(records(early.hello("a1", 1), Guest(run="r1", boot="b1").hello("a2", 2)), META)

    assert found.integrity is not None and first.integrity is not None
    assert (found.integrity.records, found.integrity.foreign) == (3, 0)
    assert (first.integrity.records, first.integrity.foreign) == (2, 0)


def test_what_stands_before_the_first_run_is_of_it() -> None:
    """A version stated before anything else is kept, and begins no run by itself."""
    events = [PackerVersion(line=1, version="1.11.2"), RunStarted(line=2), BuildSeen(line=3, target=TARGET)]
    found = fold(events, META)

    assert found.packer is not None
    assert (found.packer.version, len(found.packer.runs)) == ("1.11.2", 1)


# What is not authentic


def signed(fields: dict[str, Any], line: int, authentic: bool, **how: Any) -> AgentRecord:
    """A record of which a key told whether it is authentic."""
    return replace(arrived(fields, line), authentic=authentic, **how)


@pytest.mark.parametrize("forged_first", [True, False])
def test_a_strangers_clock_and_samples_move_nothing(forged_first: bool) -> None:
    """Before or after the authentic ones: axis, facts and samples are the authentic agent's, the forged are named."""
    guest, liar = Guest(), Guest(ahead_s=9000.0, booted_s=-9.0)
    hour = [counters(written_mb=second) for second in range(3)]
    true = [guest.hello("a1", 1), guest.fields("start", "a1", 2, step="a1.1", name="x", c=counters()),
            guest.fields("samples", "a1", 9, src="s", cols=packed(hour, [1, 2, 3], guest)),
            guest.fields("end", "a1", 12, step="a1.1", exit=0, c=counters())]  # fmt: skip
    false = [{**liar.hello("f1", 1), "cpus": 64}, liar.fields("start", "f1", 3, step="a1.1", name="y", c=counters()),
             liar.fields("samples", "f1", 9, src="s", cols=packed(hour * 2, [1, 2, 3, 4, 5, 6], liar)),
             liar.fields("end", "f1", 5, step="a1.1", exit=9, c=counters())]  # fmt: skip
    ours = [signed(fields, 10 + line, True, at=at(line)) for line, fields in enumerate(true, 1)]
    theirs = [signed(fields, 1 if forged_first else 90, False, at=at(line)) for line, fields in enumerate(false, 1)]
    alone = fold(ours, META)
    both = fold([*theirs, *ours] if forged_first else [*ours, *theirs], META)
    (step,) = (step for step in both.steps if step.authentic)

    assert step == alone.steps[0]
    assert both.clock[TARGET].offset_s == alone.clock[TARGET].offset_s
    assert both.machines[TARGET].cpus == 2 and both.machines[TARGET].boots == [BOOT]
    assert both.machines[TARGET].samples == alone.machines[TARGET].samples
    assert any(note.startswith("4 record(s) not authentic") and "steps: y" in note for note in both.notes)
