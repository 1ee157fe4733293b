"""One `BUILDTEL:` line to its fields, or the reason why it can't be trusted (docs/format.md section 1)."""

from __future__ import annotations

import hmac
import json
import re
import zlib
from typing import Any

MARK = b"BUILDTEL:"
MAX_RECORD_BYTES = 1 << 16
_MAX_DEPTH = 12
_CRC = re.compile(rb',"crc":"([0-9a-f]{8})"\}$')
_MAC = re.compile(rb',"mac":"([0-9a-f]{32})","crc":"[0-9a-f]{8}"\}$')
_SCRUBBED = re.compile(rb"<sensitive>|\*\*\*")
_EMBEDDED = re.compile(rb"BUILDTEL:(?=[{<*])")
_TEXT_KEYS = ("ev", "sid")
_INT_KEYS = ("v", "seq", "t", "m")
_OPTIONAL_INT_KEYS = (
    "part", "of", "exit", "signal", "peak_kb", "cpus", "memory_total_kb", "disk_total_kb", "hz",
)  # fmt: skip
_RAW_KEYS = ("c", "cols", "series")


class _Damage(ValueError):
    """The reason, as its only argument."""


def looks_damaged(text: bytes) -> bool:
    """Whether a message holds a record's mark somewhere behind its start: other output is glued to it."""
    return _EMBEDDED.search(text) is not None


def read_record(text: bytes) -> dict[str, Any] | str:
    """The fields of the record `text` (which starts with `BUILDTEL:`), or what is wrong with it."""
    body = text[len(MARK) :].rstrip()
    try:
        _check_bytes(body)
        fields = _load(body)
        _check_fields(fields)
    except _Damage as damage:
        return str(damage)
    return fields


def is_authentic(text: bytes, key: bytes) -> bool:
    """Whether the record `text` carries the right `mac`: HMAC-SHA256 by `key` of what stands before it, 32 digits."""
    body = text[len(MARK) :].rstrip()
    mac = _MAC.search(body)
    if mac is None:
        return False
    right = hmac.new(key, body[: mac.start()], "sha256").hexdigest()[:32]
    return hmac.compare_digest(right.encode(), mac[1])


def _check_bytes(body: bytes) -> None:
    if len(body) > MAX_RECORD_BYTES:
        raise _Damage("longer than any record")
    if _SCRUBBED.search(body):
        raise _Damage("scrubbed: packer or the CI replaced a part of it as a secret")
    if not body.startswith(b"{"):
        raise _Damage("not a JSON object")
    crc = _CRC.search(body)
    if not crc:
        raise _Damage("cut, or other output is glued to its end")
    if zlib.crc32(body[: crc.start()]) != int(crc[1], 16):
        raise _Damage("its CRC does not agree")


def _load(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(
            body.decode("utf-8"),
            parse_constant=_refuse_constant,
            parse_int=_bounded_int,
            parse_float=_finite_float,
            object_pairs_hook=_distinct,
        )
        if b"\\u" in body:
            json.dumps(fields, ensure_ascii=False).encode()
    except UnicodeError:
        raise _Damage("not UTF-8") from None
    except RecursionError:
        raise _Damage("nested too deeply") from None
    except json.JSONDecodeError as error:
        raise _Damage(f"not JSON: {error.msg}") from None
    if not isinstance(fields, dict):
        raise _Damage("not a JSON object")
    return fields


def _refuse_constant(name: str) -> None:
    raise _Damage(f"{name} is not a JSON number")


def _bounded_int(digits: str) -> int:
    if len(digits) > 20 or not -(1 << 63) <= int(digits) < 1 << 64:
        raise _Damage("a number of more than 64 bits")
    return int(digits)


def _finite_float(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise _Damage("a number that is out of range")
    return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise _Damage("the same key twice")
    return fields


def _check_fields(fields: dict[str, Any]) -> None:
    for key in _TEXT_KEYS:
        if not isinstance(fields.get(key), str) or not fields[key]:
            raise _Damage(f"no text in '{key}'")
    for key in _INT_KEYS:
        if type(fields.get(key)) is not int:
            raise _Damage(f"no whole number in '{key}'")
    for key in _OPTIONAL_INT_KEYS:
        if fields.get(key) is not None and type(fields[key]) is not int:
            raise _Damage(f"no whole number in '{key}'")
    if fields["v"] != 1:
        raise _Damage(f"protocol {fields['v']} is not known here")
    _check_depth(fields, _MAX_DEPTH)
    for key in _RAW_KEYS:
        if fields.get(key) is not None:
            _check_raw(key, fields[key])


def _check_depth(value: Any, left: int) -> None:
    if left == 0:
        raise _Damage("nested too deeply")
    if isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            if isinstance(inner, (dict, list)):
                _check_depth(inner, left - 1)


def _check_raw(key: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise _Damage(f"'{key}' is not an object")
    waiting: list[Any] = [value]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, dict):
            waiting.extend(inner.values())
        elif isinstance(inner, list):
            waiting.extend(inner)
        elif inner is not None and type(inner) is not int:
            raise _Damage(f"something other than a whole number in '{key}'")
