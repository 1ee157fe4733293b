"""Loads a stored document, of this version or of the original system."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from buildtel.errors import BuildtelError
from buildtel.job.model import SCHEMA, JobDocument

FAMILY = SCHEMA.rpartition("/")[0]
MAX_BYTES = 256 << 20
MAX_DEPTH = 24
MAX_NUMBER = 1e30  # far above any figure that 64-bit counters give
EARLIEST_TIME_S, LATEST_TIME_S = -62_135_596_800, 253_402_300_799  # the years 1 to 9999
TIMES = frozenset(
    ("job_start", "job_end", "start_time", "end_time", "last_seen", "time", "started_at", "ended_at", "began_at")
)


class _Refused(ValueError):
    """The reason, as its only argument."""


def load_document(data: bytes, where: str) -> JobDocument:
    """The document in `data`; `where` names it in errors.

    Raises:
        BuildtelError: it is not JSON, not a job document, holds what no document does (a number that is not
            finite, or far out of range; a key twice; half a surrogate; too deep a nesting), or is one of a
            version to come.
    """
    from buildtel.job.schema import Invalid, validated  # noqa: PLC0415  # pydantic: what only writes does without

    value = _read(data, where)
    try:
        return validated(value)
    except Invalid as error:
        raise BuildtelError(f"{where}: not a job document: `{_shown(error.place)}`: {error}") from None


def job_of(data: bytes, where: str) -> str:
    """The job of the document in `data`; the fields of one that names its schema are not validated.

    Args:
        data: the file.
        where: its name in errors.

    Raises:
        BuildtelError: as of `load_document`.
    """
    value = _read(data, where)
    job = value["job"]
    if value.get("schema") == SCHEMA and isinstance(job, str) and isinstance(value["steps"], list):
        return job
    return load_document(data, where).job


_OF_COLUMN = {int, float, type(None)}


def _read(data: bytes, where: str) -> dict[str, Any]:
    """The JSON data of a document, of this version or an older one."""
    if len(data) > MAX_BYTES:
        raise BuildtelError(f"{where}: not a job document: larger than {MAX_BYTES >> 20} MB")
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_distinct)
    except RecursionError:
        raise BuildtelError(f"{where}: not a job document: not JSON (nested too deeply)") from None
    except ValueError as error:
        raise BuildtelError(f"{where}: not a job document: not JSON ({_line(error)})") from None
    if not isinstance(value, dict) or not {"job", "steps"} <= value.keys():
        raise BuildtelError(f"{where}: not a job document: it has no `job` and `steps`")
    _refuse_newer(value, where)
    wrong = _wrong(value)
    if wrong is not None:
        raise BuildtelError(f"{where}: not a job document: `{_shown(wrong[0])}`: {wrong[1]}")
    return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        (name, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise _Refused(f"the key {name[:60]!r} stands twice")
    return fields


def _wrong(value: Any, depth: int = 0) -> tuple[list[Any], str] | None:
    """The first thing in an object or list that no document holds: where it is, and what is wrong with it."""
    if depth >= MAX_DEPTH:
        return [], "nested too deeply"
    for name, item in value.items() if isinstance(value, dict) else enumerate(value):
        kind = type(item)
        if kind in (dict, list):
            is_column = kind is list and depth + 1 < MAX_DEPTH and _is_column(item)
            inner = None if is_column else _wrong(item, depth + 1)
            if inner is not None:
                return [name, *inner[0]], inner[1]
        elif kind in (int, float):
            if name in TIMES and not EARLIEST_TIME_S <= item <= LATEST_TIME_S:
                return [name], "not a time before the year 10000"
            if not -MAX_NUMBER <= item <= MAX_NUMBER:
                return [name], "not a finite number"
        elif kind is str and not _encodes(item):
            return [name], "half a surrogate"
        if type(name) is str and not _encodes(name):
            return [name], "half a surrogate"
    return None


def _is_column(values: list[Any]) -> bool:
    """Whether a list has only numbers that a document may hold, and nulls: most lists do, and it is told fast."""
    if not set(map(type, values)) <= _OF_COLUMN:
        return False
    numbers = [value for value in values if value is not None]
    return not numbers or (
        -MAX_NUMBER <= sum(numbers) <= MAX_NUMBER and min(numbers) >= -MAX_NUMBER and max(numbers) <= MAX_NUMBER
    )


def _encodes(text: str) -> bool:
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeError:
        return False


def _shown(place: Sequence[Any]) -> str:
    whole = ".".join(str(part)[:60] for part in place[:MAX_DEPTH])
    return "".join(char if char.isprintable() else "?" for char in whole)


def _refuse_newer(value: dict[str, Any], where: str) -> None:
    schema = value.get("schema")
    if schema is not None and schema != SCHEMA:
        words = "a newer buildtel is needed" if str(schema).startswith(FAMILY) else "not one of buildtel's"
        raise BuildtelError(f"{where}: its schema is {str(schema)[:60]!r}, this program reads {SCHEMA!r}: {words}")


def _line(error: ValueError) -> str:
    return str(error).splitlines()[0][:120]
