"""Records that come late: below another provisioner, twice, in any order; their own times tell where they belong."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from buildtel.cli import main

from ..samples import START, Guest, Line, said, say
from ..samples import log as whole_seconds

Row = tuple[float, dict[str, Any]]
AGENT = "Provisioning with shell script: ./buildtel_agent.py"
END = "Build 'qemu.debian' finished after 14 seconds."


def log_of_milliseconds(lines: list[Line]) -> bytes:
    """The lines as `buildtel-host packer` keeps them."""
    times = [(START + timedelta(seconds=at_s)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z" for at_s, _ in lines]
    return "".join(f"{time} {text}\n" for time, (_, text) in zip(times, lines, strict=True)).encode()


LOGS: dict[str, Callable[[list[Line]], bytes]] = {"whole seconds": whole_seconds, "milliseconds": log_of_milliseconds}


class Records:
    """What the agent of one build records: three steps, each a start and an end, and when it installs and finishes."""

    def __init__(self) -> None:
        self.guest = Guest()
        self.hello = self.guest.hello("0a", 2.4)
        (self.a1, self.a2), (self.b1, self.b2), (self.c1, self.c2) = (
            self.guest.step(sid, name, start_s, end_s, exit_code=code)
            for sid, name, start_s, end_s, code in (
                ("0b", "first", 3.6, 6, 0), ("0c", "second", 7.6, 9, 7), ("0d", "third", 11.6, 11.7, 0),
            )
        )  # fmt: skip
        self.a2[1]["exit_from"] = self.c2[1]["exit_from"] = "taskstats"
        self.bye = (13.6, self.guest.fields("bye", "0e", 13.6))


def build(records: Records, first: list[Row], second: list[Row], third: list[Row], last: list[Row]) -> list[Line]:
    """A build whose three shell provisioners, and the agent's last, bring these records."""

    def brought(rows: list[Row], until_s: float) -> list[Line]:
        """Each as soon as it is made, or with what came before it, if that was later."""
        lines: list[Line] = []
        for at_s, text in said(rows):
            lines.append((min(max(at_s, lines[-1][0] if lines else at_s), until_s), text))
        return lines

    return [
        say(1, "Connected to SSH!"), say(2, AGENT), *said([(2.4, records.hello)]),
        say(3.2, "Provisioning with shell script: a.sh"), *brought(first, 6.8),
        say(7.2, "Provisioning with shell script: b.sh"), *brought(second, 9.9),
        say(10, "Uploading x => y"),
        say(11.3, "Provisioning with shell script: c.sh"), *brought(third, 12.8),
        say(13.1, AGENT), *brought(last, 13.8),
        (14, END),
    ]  # fmt: skip


def late(rows: list[Row], since_s: float) -> list[Row]:
    """Records that come at `since_s`, whenever they were made."""
    return [(max(at_s, since_s), fields) for at_s, fields in rows]


def orders(of: Records) -> dict[str, list[Line]]:
    """By what is late in them: logs of one and the same build."""
    a1, a2, b1, b2, c1, c2, bye = of.a1, of.a2, of.b1, of.b2, of.c1, of.c2, of.bye
    return {
        "nothing": build(of, [a1, a2], [b1, b2], [c1, c2], [bye]),
        "an end, in the next step": build(of, [a1], [b1, a2, b2], [c1, c2], [bye]),
        "each end, in the next call": build(of, [a1], [b1, a2], [c1, b2], [*late([c2], 13.5), bye]),
        "a whole step, in the next": build(of, [], [b1, a1, a2, b2], [c1, c2], [bye]),
        "a whole step, two provisioners later": build(of, [], [b1, b2], [c1, a1, a2, c2], [bye]),
        "an end before its start": build(of, [], [b1, a2, a1, b2], [c1, c2], [bye]),
        "a start, its end in place": build(of, [a2], [b1, a1, b2], [c1, c2], [bye]),
        "the last step, in finish": build(of, [a1, a2], [b1, b2], [], [*late([c1, c2], 13.5), bye]),
        "all, in finish": build(of, [], [], [], [*late([a1, a2, b1, b2, c1, c2], 13.5), bye]),
        "all, in finish, backwards": build(of, [], [], [], [*late([c2, c1, b2, b1, a2, a1], 13.5), bye]),
        "all, twice": build(
            of, [a1, a2], [b1, a1, a2, b2], [c1, b1, b2, c2, a2], [*late([a1, a2, b1, b2, c1, c2], 13.5), bye]
        ),
    }  # fmt: skip


def collected(data: bytes, folder: Path) -> dict[str, Any]:
    """The document of a log, by the command."""
    (folder / "packer.log").write_bytes(data)
    made = folder / "job.json"
    assert main(["collect", str(folder / "packer.log"), "--job", "b", "--quiet", "-o", str(made)]) == 0
    document: dict[str, Any] = json.loads(made.read_text())
    return document


def shown(document: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Of each step, in the document's order: name, provisioner, how and by whom it ended, how long it took."""
    return [
        (one["name"], one["provisioner"]["detail"], one["status"], one["exit_code"], one["exit_from"],
         one["ended_from"], one["duration_s"])
        for one in document["steps"]
    ]  # fmt: skip


TRUTH = [
    ("first", "a.sh", "success", 0, "taskstats", "agent", pytest.approx(2.4)),
    ("second", "b.sh", "success", 7, "agent", "agent", pytest.approx(1.4)),
    ("third", "c.sh", "success", 0, "taskstats", "agent", pytest.approx(0.1)),
]
STARTS_S = [3.6, 7.6, 11.6]


@pytest.mark.parametrize("stamps", LOGS)
@pytest.mark.parametrize("order", orders(Records()))
def test_a_step_is_of_the_provisioner_in_which_it_ran(tmp_path: Path, order: str, stamps: str) -> None:
    """Wherever its records stand, each step has its provisioner, its times and its end, within the clock's error."""
    document = collected(LOGS[stamps](orders(Records())[order]), tmp_path)
    (clock,) = document["clock"].values()
    starts = [one["start_time"] - START.timestamp() for one in document["steps"]]
    units = document["packer"]["runs"][0]["builds"][0]["provisioners"]

    assert shown(document) == TRUTH
    assert starts == [pytest.approx(at_s, abs=clock["error_s"] + 0.001) for at_s in STARTS_S]
    assert abs(clock["offset_s"] - 7.25) <= clock["error_s"] + 0.001 and clock["error_s"] <= 1.6
    assert [unit["own"] for unit in units] == [True, False, False, False, False, True]
    assert document["integrity"]["missing"] == document["integrity"]["damaged"] == 0
    assert (document["integrity"]["duplicate"] > 0) == (order == "all, twice")


def test_a_machine_that_was_paused_keeps_its_steps(tmp_path: Path) -> None:
    """A guest whose clock stood still for an hour has not recorded late: its steps stay where their records came."""
    before, after = Guest(), Guest(booted_s=-20 + 3600)
    lines = [
        say(1, "Connected to SSH!"), say(2, AGENT), *said([(2.4, before.hello("0a", 2.4))]),
        say(3.2, "Provisioning with shell script: a.sh"), *said(before.step("0b", "first", 3.6, 6)),
        say(3607.2, "Provisioning with shell script: b.sh"), *said(after.step("0c", "second", 3607.6, 3609)),
        say(3613.1, AGENT), *said([(3613.6, after.fields("bye", "0e", 3613.6))]), (3614, END),
    ]  # fmt: skip
    document = collected(log_of_milliseconds(lines), tmp_path)

    assert [(one["name"], one["provisioner"]["detail"]) for one in document["steps"]] == [
        ("first", "a.sh"), ("second", "b.sh"),
    ]  # fmt: skip
