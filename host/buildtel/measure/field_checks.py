"""Checks of single values of a record, each of which is kept or refused for itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

MAX_TEXT = 300
COUNT_LIMIT = 2**63
WORD = re.compile(r"[a-z0-9_-]{1,20}")


class Refused(ValueError):
    """A value that no agent writes; the message says what is wrong with it."""


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """`text` as valid Unicode, cut to `limit` characters."""
    return text[:limit].encode("utf-8", "replace").decode("utf-8")


def text(value: Any) -> str:
    """A string, cleaned."""
    if not isinstance(value, str):
        raise Refused("not a string")
    return clean(value)


def filled(value: Any) -> str:
    """A string that names something."""
    found = text(value)
    if not found:
        raise Refused("empty")
    return found


def count(value: Any) -> int:
    """A counter: an integer from 0 to below 2**63."""
    if type(value) is not int or not 0 <= value < COUNT_LIMIT:
        raise Refused("not a count")
    return value


def status(value: Any) -> int:
    """An exit status or a signal's number, as a shell knows them."""
    found = count(value)
    if found >= 2**32:
        raise Refused("not a status")
    return found


def word(value: Any) -> str:
    """A short word of small letters, digits, `_` and `-`."""
    if not isinstance(value, str) or not WORD.fullmatch(value):
        raise Refused("not a word")
    return value


def flag(value: Any) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise Refused("not a boolean")
    return value


def figure(value: Any) -> float:
    """A finite number, not negative."""
    if type(value) not in (int, float) or not 0 <= value < COUNT_LIMIT:  # NaN and infinity are not
        raise Refused("not a figure")
    return float(value)


def or_none(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`check`, letting None pass."""
    return lambda value: None if value is None else check(value)
