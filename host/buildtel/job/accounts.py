"""The accounts of commands of a step: from its own records, or from what the machine's samples tell of its time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from buildtel.job.model import Command, InsideRow, WaitRow
from buildtel.measure.account_fields import CommandRow
from buildtel.measure.account_fields import InsideRow as InsideFields
from buildtel.measure.drafts import StepDraft
from buildtel.measure.guest_clock import BootClock
from buildtel.measure.series import Samples

INTERVALS = "intervals"
SAMPLED = "sampled"
MOST_COMMANDS = 10


class Accounts(TypedDict, total=False):
    """The fields of a step that hold accounts."""

    accounts_from: str | None
    commands: list[Command] | None
    other_commands: list[Command] | None
    commands_lost: int | None
    inside: list[InsideRow] | None
    waits: list[WaitRow] | None


def accounts_of(draft: StepDraft) -> Accounts:
    """What the records of a step tell of its commands; empty where they tell nothing."""
    told = draft.commands
    if told is None:
        return {}
    return Accounts(
        accounts_from=told["from"],
        commands=commands(told["own"]),
        other_commands=commands(told["others"]) if "others" in told else None,
        commands_lost=told.get("lost"),
        inside=None if draft.inside is None else [_inside(row) for row in draft.inside],
        waits=None if draft.waits is None else [
            WaitRow(start_s=start_s, duration_s=duration_s, kind=kind, command=command, holder=holder or None)
            for start_s, duration_s, kind, command, holder in draft.waits
        ],
    )


def accounts_between(clock: BootClock, samples: Samples, start_s: float, end_s: float) -> Accounts:
    """What the machine's samples tell of a stretch of the log; empty where they tell nothing.

    Args:
        clock: the clock of the boot that the samples are of.
        samples: the machine's samples of that boot.
        start_s: the beginning, in seconds, by the log's stamps.
        end_s: the end, by the same.
    """
    zero_s = clock.log_s(0)
    found = None if zero_s is None else samples.intervals.between((start_s - zero_s) * 1000, (end_s - zero_s) * 1000)
    if found is None:
        return {}
    rows, lost = found
    return Accounts(accounts_from=INTERVALS, commands=commands(rows[:MOST_COMMANDS]), commands_lost=lost)


def commands(rows: Iterable[CommandRow]) -> list[Command]:
    """The document's words for rows of commands."""
    return [
        Command(name=name, count=count, cpu_s=cpu_s, io_mb=io_mb, longest_s=longest_s, delay_s=delay_s)
        for name, count, cpu_s, io_mb, longest_s, delay_s in rows
    ]


def _inside(row: InsideFields) -> InsideRow:
    name, count, start_s, duration_s, cpu_s, exit_code = row
    return InsideRow(
        name=name, count=count, start_s=start_s, duration_s=duration_s, cpu_s=cpu_s, exit_code=exit_code
    )
