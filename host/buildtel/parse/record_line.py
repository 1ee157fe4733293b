"""Parses one `BUILDTEL:` line, or says why it is damaged (docs/format.md, 1)."""

from __future__ import annotations

import json
import math
import re
import zlib
from collections import Counter
from typing import Any

from buildtel.events import AgentRecord, DamagedRecord, When
from buildtel.parse.scrubbed import is_scrubbed, restored

MARK = b"BUILDTEL:"
MAX_RECORD_BYTES = 1 << 16
MAX_DEPTH = 12
MAX_BRACKETS = 500  # far more than any record has, far fewer than Python's own bound on nesting
_CRC = re.compile(rb',"crc":"([0-9a-f]{8})"\}$')
_MAC = re.compile(rb',"mac":"([0-9a-f]{32})","crc":"[0-9a-f]{8}"\}$')
_LONG_NUMBER = re.compile(rb"[0-9]{20}|-[0-9]{19}")
_EMBEDDED = re.compile(rb"BUILDTEL:(?=[{<*])")
_TEXT_KEYS = ("ev", "sid")
_INT_KEYS = ("v", "seq", "t", "m")
_OPTIONAL_INT_KEYS = ("part", "of")
_ENVELOPE = frozenset((*_TEXT_KEYS, *_INT_KEYS, *_OPTIONAL_INT_KEYS, "boot", "run", "last", "mac", "crc"))
_UNUSABLE = object()  # stands for a value that no agent writes

Read = tuple[dict[str, Any], tuple[str, ...]]


class _Damage(ValueError):
    """The reason, as its only argument."""


def looks_damaged(text: bytes) -> bool:
    """Whether a message holds a record's mark somewhere behind its start: other output is glued to it."""
    return _EMBEDDED.search(text) is not None


def read_record(text: bytes) -> Read | str:
    """The fields of the record `text` (which starts with `BUILDTEL:`), or what is wrong with it as a whole.

    With the fields come the names of those left out, each for itself: no JSON number, one of more than
    64 bits, the same key twice, half a surrogate, nested too deeply.
    """
    body = text[len(MARK) :].rstrip()
    try:
        _check_bytes(body)
        fields = _load(body)
        refused = tuple(name for name, value in fields.items() if not _sound(name, 0) or not _sound(value, 1))
        _check_envelope(fields, refused)
    except _Damage as damage:
        return str(damage)
    return {name: value for name, value in fields.items() if name not in refused}, refused


def is_authentic(text: bytes, key: bytes) -> bool:
    """Whether the record `text` carries the right `mac`: HMAC-SHA256 by `key` of what stands before it, 32 digits."""
    body = text[len(MARK) :].rstrip()
    mac = _MAC.search(body)
    if mac is None:
        return False
    import hmac  # noqa: PLC0415  # it loads OpenSSL, and most records have no key

    right = hmac.new(key, body[: mac.start()], "sha256").hexdigest()[:32]
    return hmac.compare_digest(right.encode(), mac[1])


def _check_bytes(body: bytes) -> None:
    if len(body) > MAX_RECORD_BYTES:
        raise _Damage("longer than any record")
    if is_scrubbed(body):
        raise _Damage("scrubbed: a secret was replaced in it (`collect --spool FILE` brings it)")
    if not body.startswith(b"{"):
        raise _Damage("not a JSON object")
    crc = _CRC.search(body)
    if not crc:
        raise _Damage("cut, or other output is glued to its end")
    if zlib.crc32(body[: crc.start()]) != int(crc[1], 16):
        raise _Damage("its CRC does not agree")
    if body.count(b"[") + body.count(b"{") > MAX_BRACKETS:
        raise _Damage("nested too deeply")


def _load(body: bytes) -> dict[str, Any]:
    try:
        fields: dict[str, Any] = json.loads(
            body.decode("utf-8"),
            parse_constant=lambda _: _UNUSABLE,
            parse_int=_bounded_int if _LONG_NUMBER.search(body) else None,
            parse_float=_finite_float,
            object_pairs_hook=_distinct,
        )
    except UnicodeError:
        raise _Damage("not UTF-8") from None
    except RecursionError:
        raise _Damage("nested too deeply") from None
    except json.JSONDecodeError as error:
        raise _Damage(f"not JSON: {error.msg}") from None
    return fields


def _bounded_int(digits: str) -> Any:
    return int(digits) if len(digits) <= 20 and -(1 << 63) <= int(digits) < 1 << 64 else _UNUSABLE


def _finite_float(digits: str) -> Any:
    value = float(digits)
    return value if math.isfinite(value) else _UNUSABLE


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        twice = Counter(name for name, _ in pairs)
        fields.update((name, _UNUSABLE) for name, number in twice.items() if number > 1)
    return fields


def _sound(value: Any, depth: int) -> bool:
    """Whether a value, `depth` levels down, is one that an agent may write."""
    if isinstance(value, str):
        return value.isascii() or _encodes(value)
    if isinstance(value, dict):
        inner = depth < MAX_DEPTH and all(_sound(name, depth) for name in value)
        return inner and all(_sound(item, depth + 1) for item in value.values())
    if isinstance(value, list):
        return depth < MAX_DEPTH and all(type(item) is int or _sound(item, depth + 1) for item in value)
    return value is not _UNUSABLE


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeError:
        return False
    return True


def _check_envelope(fields: dict[str, Any], refused: tuple[str, ...]) -> None:
    for key in _TEXT_KEYS:
        if not isinstance(fields.get(key), str) or not fields[key]:
            raise _Damage(f"no text in '{key}'")
    for key in _INT_KEYS:
        if type(fields.get(key)) is not int:
            raise _Damage(f"no whole number in '{key}'")
    for key in _OPTIONAL_INT_KEYS:
        if fields.get(key) is not None and type(fields[key]) is not int:
            raise _Damage(f"no whole number in '{key}'")
    for key in refused:
        if key in _ENVELOPE:
            raise _Damage(f"nothing usable in '{key}'")
    if fields["v"] != 1:
        raise _Damage(f"protocol {fields['v']} is not known here")


def record_event(
    text: bytes, target: str | None, line: int, at: When | None, key: bytes | None
) -> AgentRecord | DamagedRecord | None:
    """The event of a message that has `BUILDTEL:` in it; None for one that only mentions a record.

    Args:
        text: the message, from `BUILDTEL:` if the record begins it.
        target: the name of the build whose output it is, None outside of a build.
        line: the line's number in the log, from 1.
        at: the line's time, None without one.
        key: the secret that the agents have as BUILDTEL_KEY; None: whether the record is authentic is not checked.
    """
    if text.startswith(MARK):
        if is_scrubbed(text):
            text = MARK + restored(text[len(MARK) :].rstrip())
        read = read_record(text)
        if not isinstance(read, str):
            authentic = None if key is None else is_authentic(text, key)
            return AgentRecord(line=line, at=at, target=target, fields=read[0], refused=read[1], authentic=authentic)
        reason = read
    elif looks_damaged(text):
        reason = "other output stands before it in the same line"
    else:
        return None
    return DamagedRecord(line=line, at=at, target=target, reason=reason)
