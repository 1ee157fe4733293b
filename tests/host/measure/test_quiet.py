"""A build whose records are in its spool: what the log alone gives, and which provisioner each step takes."""

from __future__ import annotations

from typing import Any

import pytest

from buildtel.live.board import Board
from buildtel.parse import read

from ..samples import Guest, Line, counters, log, packed, said, say
from .test_recovery import document, logged, spooled

Row = tuple[float, dict[str, Any]]
AGENT = "Provisioning with shell script: ./buildtel_agent.py"


def shell(at_s: float, name: str) -> Line:
    """A script that Packer announces."""
    return say(at_s, f"Provisioning with shell script: {name}")


def quiet_hello(guest: Guest) -> Row:
    """The first record of an agent that keeps the others in the spool."""
    return 40.6, {**guest.hello("aaaa00000001", 40.6), "records": "spool"}


def built(units: list[Line], rows: list[Row], *, stamps: bool = True) -> bytes:
    """The log of a build that succeeds, with these records in it."""
    guest = Guest()
    bye = (90.3, guest.fields("bye", "ffff00000001", 90.3, c=counters(), last=True))
    first, last = say(40.5, AGENT), say(90.1, AGENT)
    lines = sorted([first, *units, last, *said([*rows, bye], delay_s=0.01)], key=lambda line: line[0])
    return log([say(0.2, "Starting VM"), *lines, (95.0, "Build 'qemu.debian' finished after 1 minute.")], stamps=stamps)


def steps(guest: Guest, *times: tuple[float, float], **more: Any) -> list[list[Row]]:
    """Start and end of unnamed steps, each of a process of its own."""
    found = [guest.step(f"bbbb0000000{number}", None, *pair) for number, pair in enumerate(times)]
    for rows in found:
        rows[0][1].update(more)
    return found


QUICK = ((50.1, 50.2), (50.4, 50.5), (50.7, 50.8))
THREE = [shell(50.05, "a.sh"), shell(50.35, "b.sh"), shell(50.65, "c.sh")]
BEFORE = [shell(44.0, "d.sh"), say(47.0, "Uploading a => /b"), *THREE]
PLACED: dict[str, tuple[list[Line], dict[str, Any], bool, list[str | None]]] = {
    "in one second": (THREE, {}, True, ["a.sh", "b.sh", "c.sh"]),
    "without times": (THREE, {}, False, ["a.sh", "b.sh", "c.sh"]),
    "one of four was not wired": ([*THREE, shell(50.9, "d.sh")], {}, True, [None, None, None]),
    "one just before was not wired": ([shell(44.0, "d.sh"), *THREE], {}, True, [None, None, None]),
    "one long before was not wired": (BEFORE, {}, True, ["a.sh", "b.sh", "c.sh"]),
    "one long before, without times": (BEFORE, {}, False, [None, None, None]),
    "by commands within a script": (THREE, {"by": "run"}, True, [None, None, None]),
}


@pytest.mark.parametrize(("units", "more", "stamps", "names"), PLACED.values(), ids=PLACED)
def test_a_step_takes_the_provisioner_that_times_and_order_leave(
    units: list[Line], more: dict[str, Any], stamps: bool, names: list[str | None]
):
    """Three quick steps that only the spool has; where more than one order fits, none is chosen."""
    guest = Guest()
    hello = quiet_hello(guest)
    rows = [row for pair in steps(guest, *QUICK, **more) for row in pair]
    found = document(logged(built(units, [hello], stamps=stamps)), spooled([hello, *rows]))
    exact = [step for step in found.steps if step.measured == "exactly"]

    assert [step.name for step in exact] == names
    assert [step.provisioner.detail if step.provisioner else None for step in exact] == names
    assert not [note for note in found.notes if "the spool" in note]


def test_what_the_log_has_keeps_its_place():
    """A failing step came through its provisioner; a step that goes on behind its own is not moved to a later one."""
    guest = Guest()
    hello = quiet_hello(guest)
    one, failed, three = steps(guest, (50.1, 53.5), *QUICK[1:])
    failed[1][1]["exit"] = 3
    later = shell(53.0, "later.sh")
    found = document(
        logged(built([*THREE, later], [hello, *failed])),
        spooled([hello, *one, *failed, *three, *steps_of_later(guest)]),
    )

    assert [(step.name, step.exit_code) for step in found.steps if step.measured == "exactly"] == [
        ("a.sh", 0), ("b.sh", 3), ("c.sh", 0), ("later.sh", 0),
    ]  # fmt: skip


def steps_of_later(guest: Guest) -> list[Row]:
    """A step of three seconds."""
    return guest.step("cccc00000001", None, 53.1, 56.0)


def test_without_the_spool_packers_words_tell():
    """Steps by name and status, one note for all that is not here; no record is called missing."""
    guest = Guest()
    hello = quiet_hello(guest)
    _, failed, _ = steps(guest, *QUICK)
    failed[1][1].update(exit=3, seq=9)
    data = built(THREE, [hello, *failed])
    found = document(logged(data))
    loud = document(logged(data.replace(b'"records":"spool"', b'"records":"other"')))

    assert sorted((step.name, step.status, step.measured) for step in found.steps) == [
        ("a.sh", "success", None), ("b.sh", "success", "exactly"), ("c.sh", "success", None),
    ]  # fmt: skip
    assert len([note for note in found.notes if "buildtel_records" in note and "--spool FILE" in note]) == 1
    assert (found.integrity.missing, loud.integrity.damaged) == (0, 1)


@pytest.mark.parametrize("stamps", [True, False])
def test_a_failing_builds_rescue_brings_the_spool_in_the_log(stamps: bool):
    """What the cleanup provisioner prints are the records of the steps before, each in its own provisioner."""
    guest = Guest()
    hello = quiet_hello(guest)
    one, two, failed = steps(guest, *QUICK)
    failed[1][1]["exit"] = 3
    times = [42.0, 46.0, 50.0]
    cols = packed([counters(busy=int(time)) for time in times], times, guest)
    sent = guest.fields("samples", "eeee00000001", 60.2, src="s", cols=cols)
    printed = [(60.1, fields) for _, fields in (hello, *two, *failed, *one, (60.1, sent))]
    lines = [
        say(0.2, "Starting VM"), say(40.5, AGENT), *said([hello]), *THREE, *said(failed),
        say(60.0, "Provisioning step had errors: Running the cleanup provisioner, if present..."), say(60.0, AGENT),
        *said(printed),
        (95.0, "Build 'qemu.debian' errored after 1 minute: Script exited with non-zero exit status: 3."),
    ]  # fmt: skip
    found = document(logged(log(lines, stamps=stamps)))

    assert [(step.name, step.exit_code) for step in found.steps if step.measured == "exactly"] == [
        ("a.sh", 0), ("b.sh", 0), ("c.sh", 3),
    ]  # fmt: skip
    assert not [note for note in found.notes if "the spool" in note]
    assert found.integrity.missing == 0


def test_the_first_step_after_a_reboot_has_its_provisioner():
    """Its sampler says hello there, so the log has something of it: that makes the provisioner none of ours."""
    guest, later = Guest(), Guest(boot="2b2e0000-0000-4000-8000-000000000002", booted_s=45.0)
    hello, again = quiet_hello(guest), (52.15, {**later.hello("dddd00000001", 52.15), "records": "spool"})
    one, *_ = steps(guest, QUICK[0])
    two = later.step("dddd00000002", None, 52.2, 52.3)
    units = [shell(50.05, "reboot.sh"), shell(52.1, "after.sh")]
    found = document(logged(built(units, [hello, again])), spooled([hello, *one, again, *two]))

    assert [step.name for step in found.steps if step.measured == "exactly"] == ["reboot.sh", "after.sh"]


def test_what_the_spool_lacks_is_missing():
    """With the spool a gap is a loss again."""
    guest = Guest()
    hello = quiet_hello(guest)
    one, *_ = steps(guest, QUICK[0])
    one[1][1]["seq"] = 4
    found = document(logged(built(THREE, [hello])), spooled([hello, *one]))

    assert found.integrity.missing == 2
    assert any("2 record(s) of `" in note for note in found.notes)


def test_the_view_of_a_running_build_has_no_step_but_the_failing_one():
    """Rows are of Packer's words; start and end of a step that fails come together, and give its name."""
    guest = Guest()
    _, failed, _ = steps(guest, *QUICK, name="mine")
    board = Board(0.0)
    board.take(list(read([built(THREE, [quiet_hello(guest)])]))[:-4], 1)
    before = board.builds["qemu.debian"].doing
    board.take(list(read([log([*THREE, *said(failed)])])), 2)

    assert before == "shell ./buildtel_agent.py"
    assert board.builds["qemu.debian"].doing == "shell mine"
