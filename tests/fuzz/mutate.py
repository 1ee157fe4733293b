"""Logs, templates and documents made worse, each by its number: the same number gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any
from zlib import crc32

TOKENS = (
    b"BUILDTEL:", b"BUILDTEL:{", b"<sensitive>", b"***", b"\x1b[1;32m", b"\x1b[0m", b"\x00", b"\r", b"\n", b"\\n",
    b"==> ", b"    ", b'","crc":"', b'"}', b"{", b"}", b"[", b"]", b'"', b",", b": ", b"NaN", b"-Infinity", b"1e999",
    b"9" * 30, b"\xff\xfe", b"\xf0\x9f", b"\\ud800", b"Build 'null.one' finished after 1 second.", b"${", b"<<EOT\n",
    b"%{", b"null", b"==> null.one: Provisioning with shell script: x\n", b"==> Wait completed after 1 second\n",
    b"2026/11/23 02:53:40 Packer version: 1.9.4\n", b"%!(PACKER_COMMA)", b"9999-12-31T23:59:59Z: ",
    b"1970-01-01T00:00:00Z: ",
)  # fmt: skip
HOSTILE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 1.5, -0.0, 1e308, 2**31, 2**53, 2**62, 2**63 - 1, 2**63, 2**64, 2**64 - 1, -(2**63),
    10**30, 10**400, "", "x", "\x00", "\x1b[31m", "\u202e", "é", "\U0001f427", "x" * 1000, "::warning::x", "../..", [],
    {}, [[]], [None], {"": 0}, {"a": {}}, [1, 2, 3], ["x"], [0] * 700, {str(number): [1] * 8 for number in range(140)},
    [["x", 1, 1.5, 1, 1, 1]] * 70, [[1, 2, 3, ["x", 1, 1, 1, 1, 1]]], [["", 2**63, -1, None, "1", []]],
)  # fmt: skip
MOST_CHANGES = 4


def mutated(data: bytes, others: list[bytes], chance: Random) -> bytes:
    """`data` after one to four changes of bytes or lines."""
    for _ in range(chance.randint(1, MOST_CHANGES)):
        data = chance.choice(CHANGES)(data, others, chance)
    return data


def _span(data: bytes, longest: int, chance: Random) -> slice:
    start = chance.randrange(len(data) + 1)
    return slice(start, start + chance.randint(0, longest))


def _flip(data: bytes, others: list[bytes], chance: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 8) if changed else 0):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _overwrite(data: bytes, others: list[bytes], chance: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 8) if changed else 0):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _digit(data: bytes, others: list[bytes], chance: Random) -> bytes:
    places = [place for place, byte in enumerate(data) if 48 <= byte <= 57]
    changed = bytearray(data)
    for _ in range(chance.randint(1, 5) if places else 0):
        changed[chance.choice(places)] = 48 + chance.randrange(10)
    return bytes(changed)


def _cut(data: bytes, others: list[bytes], chance: Random) -> bytes:
    span = _span(data, chance.choice((3, 200, 5000)), chance)
    return data[: span.start] + data[span.stop :]


def _truncate(data: bytes, others: list[bytes], chance: Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _behead(data: bytes, others: list[bytes], chance: Random) -> bytes:
    return data[chance.randrange(len(data) + 1) :]


def _repeat(data: bytes, others: list[bytes], chance: Random) -> bytes:
    part = data[_span(data, chance.choice((3, 200, 5000)), chance)]
    place = chance.randrange(len(data) + 1)
    return data[:place] + part * chance.randint(1, 3) + data[place:]


def _insert(data: bytes, others: list[bytes], chance: Random) -> bytes:
    place = chance.randrange(len(data) + 1)
    return data[:place] + chance.choice(TOKENS) + data[place:]


def _splice(data: bytes, others: list[bytes], chance: Random) -> bytes:
    other = chance.choice(others)
    place = chance.randrange(len(data) + 1)
    return data[:place] + other[_span(other, 5000, chance)] + data[place:]


def _lines(change: Callable[[list[bytes], Random], None]) -> Callable[[bytes, list[bytes], Random], bytes]:
    def changed(data: bytes, others: list[bytes], chance: Random) -> bytes:
        lines = data.split(b"\n")
        change(lines, chance)
        return b"\n".join(lines)

    return changed


def _drop(lines: list[bytes], chance: Random) -> None:
    start = chance.randrange(len(lines))
    del lines[start : start + chance.randint(1, 5)]


def _swap(lines: list[bytes], chance: Random) -> None:
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]


def _double(lines: list[bytes], chance: Random) -> None:
    lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))


def _glue(lines: list[bytes], chance: Random) -> None:
    place = chance.randrange(len(lines))
    lines[place : place + 2] = [b"".join(lines[place : place + 2])]


def _halve(lines: list[bytes], chance: Random) -> None:
    place = chance.randrange(len(lines))
    line = lines[place]
    at = chance.randrange(len(line) + 1)
    lines[place : place + 1] = [line[:at], line[at:]]


def _shuffle(lines: list[bytes], chance: Random) -> None:
    start = chance.randrange(len(lines))
    part = lines[start : start + 8]
    chance.shuffle(part)
    lines[start : start + 8] = part


def _reverse(lines: list[bytes], chance: Random) -> None:
    lines.reverse()


CHANGES: tuple[Callable[[bytes, list[bytes], Random], bytes], ...] = (
    _flip, _overwrite, _digit, _cut, _truncate, _behead, _repeat, _insert, _splice,
    *map(_lines, (_drop, _swap, _double, _glue, _halve, _shuffle, _reverse)),
)  # fmt: skip


# Values: what a stranger writes who knows the format


def forged(log: bytes, chance: Random) -> bytes:
    """A log of which some records were changed in their JSON and sealed anew: their CRC is right."""
    lines = log.split(b"\n")
    places = [place for place, line in enumerate(lines) if b"BUILDTEL:{" in line]
    for place in chance.sample(places, min(len(places), chance.randint(1, 4))):
        lead, _, body = lines[place].partition(b"BUILDTEL:")
        lines.insert(place + chance.randint(0, 1), lead + b"BUILDTEL:" + _forged_record(body, chance))
    return b"\n".join(lines)


def _forged_record(body: bytes, chance: Random) -> bytes:
    try:
        fields = json.loads(body)
    except ValueError:
        return body
    fields.pop("crc", None)
    if chance.random() < 0.7:
        fields.update(sid=chance.choice(("feed00000001", "feed00000002", fields.get("sid"))), seq=chance.randint(1, 9))
    for _ in range(chance.randint(1, 4)):
        distort(fields, chance)
    text = json.dumps(fields, separators=(",", ":"), ensure_ascii=chance.random() < 0.8)
    sealed = text.encode("utf-8", "surrogatepass")[:-1]
    if chance.random() < 0.2:
        sealed = chance.choice((_flip, _insert, _cut))(sealed, [], chance).replace(b"\n", b" ")
    return sealed + b',"crc":"%08x"}' % crc32(sealed)


def distort(value: Any, chance: Random) -> None:
    """Change one place somewhere in an object or list: another value, another key, less, more."""
    while True:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not keys:
            return
        key = chance.choice(keys)
        if not isinstance(value[key], (dict, list)) or chance.random() < 0.3:
            break
        value = value[key]
    how = chance.randrange(5)
    if how == 0:
        del value[key]
    elif how == 1 and isinstance(value, dict):
        value[chance.choice(("", "x", "\ud800", "c", "step", "m_ms", "cpu.0", "name"))] = value[key]
    elif how == 2 and type(value[key]) is int:
        value[key] += chance.choice((-1, 1, -(2**40), 2**40, 10**18))
    else:
        value[key] = deepcopy(chance.choice(HOSTILE))
