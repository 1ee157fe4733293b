"""Validates every field of a record, so that later code gets valid values only.

A record with a good CRC is still a stranger's JSON. Its envelope is read or refused as a whole; in
its body each field is kept or refused for itself. The format is docs/format.md, section 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from buildtel.measure.account_fields import commands, inside, intervals, own_load, waits
from buildtel.measure.field_checks import (
    COUNT_LIMIT,
    Refused,
    clean,
    count,
    figure,
    filled,
    flag,
    or_none,
    status,
    text,
    word,
)
from buildtel_agent import COUNTERS

PROTOCOL = 1
MAX_PARTS = 64
MAX_DEVICES = 128  # disks, and as many interfaces
PARTIAL = tuple(name for name, (per, *_) in COUNTERS.items() if per == "device")  # groups that are summed over devices
MAX_COLUMNS = MAX_DEVICES * sum(len(COUNTERS[name][3]) for name in PARTIAL) + 200  # their numbers, and all others
MAX_POINTS = 5_000
MAX_SAME = 1_000_000  # numbers that columns of one number stand for
LOAD_NUMBERS = 4
KINDS = ("hello", "start", "beat", "end", "mark", "samples", "bye")


@dataclass(frozen=True, slots=True)
class Record:
    """One record's envelope, checked, and its body as it came."""

    ev: str
    sid: str
    seq: int
    t_ns: int
    m_ns: int
    boot: str | None
    run: str | None
    part: int
    of: int
    last: bool
    body: dict[str, Any]

    def bare(self) -> Record:
        """The envelope alone."""
        return replace(self, body={})


ENVELOPE = frozenset({"v", "ev", "sid", "seq", "t", "m", "boot", "run", "part", "of", "last", "mac", "crc"})


def read_record(fields: Mapping[str, Any]) -> Record:
    """The record in `fields`.

    Raises:
        Refused: the envelope is not one of protocol 1.
    """
    if count(fields.get("v")) != PROTOCOL:
        raise Refused("another protocol")
    if fields.get("ev") not in KINDS:
        raise Refused("unknown event")
    part, of = count(fields.get("part", 1)), count(fields.get("of", 1))
    if not 1 <= part <= of <= MAX_PARTS:
        raise Refused("impossible part")
    seq = count(fields.get("seq"))
    if not part <= seq <= 2**40:
        raise Refused("impossible seq")
    return Record(
        ev=fields["ev"],
        sid=filled(fields.get("sid")),
        seq=seq,
        t_ns=count(fields.get("t")),
        m_ns=count(fields.get("m")),
        boot=or_none(filled)(fields.get("boot")),
        run=or_none(filled)(fields.get("run")),
        part=part,
        of=of,
        last=fields.get("last") is True,
        body={key: value for key, value in fields.items() if key not in ENVELOPE},
    )


def read_body(ev: str, body: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The fields of an event's body that hold, and the names of those refused.

    A field that is missing or null is absent from the first; unknown fields are ignored. Of `c` each group is
    kept or refused for itself (`c.cpu`).

    Args:
        ev: the kind of event.
        body: its fields.
    """
    body, crowded = _uncrowded(_with_constants(body))
    kept, refused = _each(BODIES[ev], body)
    refused += crowded
    if isinstance(kept.get("c"), dict):
        kept["c"], groups = _each(GROUPS, kept["c"])
        refused += [f"c.{name}" for name in groups]
    return kept, refused


def _with_constants(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """`body` with all columns: `same` has one number for each that is equal in all rows."""
    found, same = body.get("cols"), body.get("same")
    times = found.get("m_ms") if isinstance(found, dict) else None
    if not isinstance(same, dict) or not isinstance(times, list) or len(same) * len(times) > MAX_SAME:
        return body
    rest = [0] * (len(times) - 1)
    constant = {name: [value, *rest] for name, value in same.items() if type(value) is int}
    return {**body, "cols": {**constant, **(found or {})}}


def _uncrowded(body: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[str]]:
    """`body` without the columns of devices that are more than there may be, and the names of what was left out.

    Some of the disks are not all of them, so it is all or none.
    """
    left_out: list[str] = []
    for group in PARTIAL:
        found = body.get("cols")
        if isinstance(found, dict) and len(found) > MAX_COLUMNS:
            kept = {name: value for name, value in found.items() if not name.startswith(f"{group}.")}
            left_out += [f"cols.{group}"] if len(kept) < len(found) else []
            body = {**body, "cols": kept}
    return body, left_out


def _each(checks: Mapping[str, Callable[[Any], Any]], values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    kept: dict[str, Any] = {}
    refused: list[str] = []
    for name, check in checks.items():
        if values.get(name) is None:
            continue
        try:
            kept[name] = check(values[name])
        except Refused:
            refused.append(name)
    return kept, refused


def as_far_as_it_goes(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body of an event that lacks a part: without what is summed over devices, of which some may be missing."""
    kept = dict(body)
    if isinstance(kept.get("c"), dict):
        kept["c"] = {name: value for name, value in kept["c"].items() if name not in PARTIAL}
    for name in ("cols", "same"):
        if isinstance(kept.get(name), dict):
            kept[name] = {key: value for key, value in kept[name].items() if key.partition(".")[0] not in PARTIAL}
    for name in ("cols", "series"):
        if isinstance(kept.get(name), dict) and "m_ms" not in kept[name]:
            del kept[name]
    return kept


def apart(record: Record) -> Record:
    """A record that is not authentic, its process and steps under names that no authentic record has.

    So it can neither take the place of an authentic one nor add to its step.
    """
    names = {name: f"~{record.body[name]}" for name in ("step", "parent") if isinstance(record.body.get(name), str)}
    return replace(record, sid=f"~{record.sid}", body={**record.body, **names})


def numbers(length: int, most: int | None = None) -> Callable[[Any], list[int | None]]:
    """A list of at least `length` counters or nulls, cut to `most` or `length` (a newer agent may append)."""

    def check(value: Any) -> list[int | None]:
        if not isinstance(value, list) or len(value) < length:
            raise Refused("not that many numbers")
        return [or_none(count)(item) for item in value[: most or length]]

    return check


def named(check: Callable[[Any], Any]) -> Callable[[Any], dict[str, Any]]:
    """An object of devices, each value held to `check`."""

    def checked(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or len(value) > MAX_DEVICES:
            raise Refused("not an object of devices")
        return {filled(name): check(item) for name, item in value.items()}

    return checked


def group(per: str, least: int, most: int) -> Callable[[Any], Any]:
    """What a group of counters may hold: `least` numbers and up to `most`, or such a list for each device.

    Args:
        per: what the group has a list for, empty for one list of the whole machine.
        least: the smallest number of values in a list.
        most: the largest number of values in a list.
    """
    return named(numbers(least, most)) if per else numbers(least, most)


GROUPS = {name: group(per, least, len(fields)) for name, (per, _, least, fields) in COUNTERS.items()}


def counters(value: Any) -> dict[str, Any]:
    """A `c`, its groups not looked at."""
    if not isinstance(value, dict):
        raise Refused("not an object")
    return value


def columns(value: Any) -> dict[str, list[int | None]]:
    """Difference-coded columns of one length, with their time column `m_ms` whole."""
    if not isinstance(value, dict) or not 1 <= len(value) <= MAX_COLUMNS:
        raise Refused("not columns")
    time = value.get("m_ms")
    if not isinstance(time, list) or not 1 <= len(time) <= MAX_POINTS or None in time:
        raise Refused("no time column")
    return {clean(name): column(item, len(time)) for name, item in value.items()}


def column(value: Any, length: int) -> list[int | None]:
    """One column of `length` differences.

    Args:
        value: the column, as it was read.
        length: the number of samples.
    """
    if not isinstance(value, list) or len(value) != length:
        raise Refused("columns of unequal length")
    if not all(item is None or (type(item) is int and abs(item) < COUNT_LIMIT) for item in value):
        raise Refused("not differences")
    return value


def processes(value: Any) -> list[tuple[str, float | None, float | None]]:
    """The busiest processes: name, CPU seconds, MB read and written."""
    if not isinstance(value, list) or not all(isinstance(row, list) and len(row) >= 3 for row in value):
        raise Refused("not processes")
    number = or_none(figure)
    return [(text(row[0]), number(row[1]), number(row[2])) for row in value[:8]]


def load(value: Any) -> list[float]:
    """How many tasks ran and waited for disks: mean and peak of each."""
    if not isinstance(value, list) or len(value) < LOAD_NUMBERS:
        raise Refused("not mean and peak of two")
    return [figure(number) for number in value[:LOAD_NUMBERS]]


def cost(value: Any) -> dict[str, int]:
    """What the agent itself used."""
    if not isinstance(value, dict):
        raise Refused("not an object")
    names = ("cpu_ms", "rss_kb", "bytes")
    return {name: int(figure(value[name])) for name in names if value.get(name) is not None}


BODIES: dict[str, dict[str, Callable[[Any], Any]]] = {
    "hello": {
        "agent": text, "python": text, "cpus": count, "memory_total_kb": count, "disk_total_kb": count,
        "kernel": text, "os": text, "arch": text, "hz": count, "psi": flag, "records": word,
    },
    "start": {"step": filled, "name": text, "parent": filled, "by": word, "c": counters},
    "beat": {"step": filled, "c": counters, "peak_kb": count},
    "end": {
        "step": filled, "name": text, "c": counters, "exit": status, "exit_from": word, "signal": status,
        "peak_kb": count, "series": columns, "procs": processes, "near": or_none(processes), "cost": cost,
        "own": own_load, "cmds": commands, "inside": inside, "waits": waits, "tasks": load,
    },
    "mark": {"name": text, "parent": filled},
    "samples": {"src": filled, "cols": columns, "cmds": intervals},
    "bye": {"c": counters},
}  # fmt: skip
