"""Validates the accounts of commands in a record: docs/format.md, 1.2, `own`, `cmds`, `inside` and `waits`."""

from __future__ import annotations

from typing import Any

from buildtel.measure.field_checks import Refused, count, figure, or_none, status, text, word

MAX_COMMANDS = 20
MAX_INSIDE = 60
MAX_INTERVALS = 500
MAX_WAITS = 60
OWN = ("cpu_ms", "read_kb", "write_kb", "peak_kb")
# Name, count, CPU seconds, MB read and written, seconds of the longest, seconds of waiting for a CPU.
CommandRow = tuple[str, int, float | None, float | None, float | None, float | None]
# Name, count, start, length and CPU seconds, exit status.
InsideRow = tuple[str, int, float | None, float | None, float | None, int | None]
# Start and length in seconds, what for, the command that waited, who held the lock ("" where that is not known).
WaitRow = tuple[float, float, str, str, str]
# From and to (ms of the monotonic clock), commands not heard of, the commands.
IntervalRow = tuple[int, int, int, tuple[CommandRow, ...]]


def own_load(value: Any) -> dict[str, int]:
    """What the step's own processes used."""
    if not isinstance(value, dict):
        raise Refused("not an object")
    return {name: count(value[name]) for name in OWN if value.get(name) is not None}


def commands(value: Any) -> dict[str, Any]:
    """The busiest commands: `from`, `own` and, where they are known, `others` and `lost`."""
    if not isinstance(value, dict):
        raise Refused("not an object")
    found: dict[str, Any] = {"from": word(value.get("from")), "own": command_rows(value.get("own"))}
    if value.get("others") is not None:
        found["others"] = command_rows(value["others"])
    if value.get("lost") is not None:
        found["lost"] = count(value["lost"])
    return found


def command_rows(value: Any) -> list[CommandRow]:
    """A list of commands."""
    return [_command(row) for row in rows(value, 6)[:MAX_COMMANDS]]


def inside(value: Any) -> list[InsideRow]:
    """The time line inside a step."""
    number = or_none(figure)
    return [
        (text(row[0]), count(row[1]), number(row[2]), number(row[3]), number(row[4]), or_none(status)(row[5]))
        for row in rows(value, 6)[:MAX_INSIDE]
    ]


def waits(value: Any) -> list[WaitRow]:
    """What the step's processes waited for."""
    return [
        (figure(row[0]), figure(row[1]), word(row[2]), text(row[3]), text(row[4])) for row in rows(value, 5)[:MAX_WAITS]
    ]


def intervals(value: Any) -> list[IntervalRow]:
    """What commands used, by intervals of time."""
    return [_interval(row) for row in rows(value, 3)[:MAX_INTERVALS]]


def _interval(row: list[Any]) -> IntervalRow:
    from_ms, to_ms = count(row[0]), count(row[1])
    if to_ms < from_ms:
        raise Refused("an interval that ends before it begins")
    return from_ms, to_ms, count(row[2]), tuple(command_rows(row[3:]))


def _command(row: list[Any]) -> CommandRow:
    number = or_none(figure)
    return text(row[0]), count(row[1]), number(row[2]), number(row[3]), number(row[4]), number(row[5])


def rows(value: Any, least: int) -> list[list[Any]]:
    """A list of lists of at least `least` values; a newer agent may append.

    Args:
        value: the field.
        least: how many values each list must have.
    """
    if not isinstance(value, list) or not all(isinstance(row, list) and len(row) >= least for row in value):
        raise Refused("not rows")
    return value
