"""Formats durations, sizes and figures as text; makes untrusted names safe to print."""

from __future__ import annotations

import re
from typing import Any

MOST_LINES = 13
LONGEST = 500
KILO = 1024
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_COMMAND = re.compile(r"(?m)^(\s*):(?=:)|#(?=#[\w.]*\[)")


def duration(seconds: float | None) -> str:
    """`0.4 s`, `59.9 s`, `3:12`, `1:02:03`; `-` for None."""
    if seconds is None:
        return "-"
    if abs(seconds) < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"


def rounded(seconds: float | None, grain_s: float | None) -> str:
    """A duration that is no finer than the stamps it was reckoned from: `~8 s` where they have whole seconds.

    Args:
        seconds: the duration; None gives `-`.
        grain_s: how fine the time stamps are that it was computed from, in seconds; None: fine.
    """
    if seconds is None or grain_s is None or grain_s < 1:
        return duration(seconds)
    return f"~{round(seconds)} s" if abs(seconds) < 60 else duration(seconds)


def number(value: float | None) -> str:
    """A figure in at most about five characters; `-` for None."""
    if value is None:
        return "-"
    if value == 0 or abs(value) >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 1 else f"{value:.2f}"


def size(value_bytes: int) -> str:
    """A number of bytes: `87 bytes`, `1.2 KB`, `60 MB`; each unit is 1,024 of the one before."""
    value, unit = float(value_bytes), "bytes"
    for larger in ("KB", "MB", "GB", "TB"):
        if value < KILO:
            break
        value, unit = value / KILO, larger
    return f"{number(value)} {unit}"


def percent(value: float | None) -> str:
    """A relative difference, `+12%`, with its sign; `-` for None."""
    if value is None:
        return "-"
    return f"{value:+.0f}%" if abs(value) >= 10 or value == 0 else f"{value:+.1f}%"


def percent_of(part: float | None, whole: float | None) -> str:
    """How many percent one figure is of another: `12.3%`; `-` where that is not known.

    Args:
        part: the figure.
        whole: what it is a part of, in the same unit.
    """
    return "-" if part is None or not whole else f"{100 * part / whole:.1f}%"


def safe(text: Any) -> str:
    """`text` with every character that does not print shown as its Python escape, cut if it is very long."""
    whole = str(text)
    shown = whole if len(whole) <= LONGEST else whole[:LONGEST] + " ..."
    return "".join(char if char.isprintable() else _escaped(char) for char in shown)


def safe_lines(text: Any) -> tuple[str, ...]:
    """The lines of a text of Packer's, each safe; no more than an artifact or an error has."""
    return tuple(safe(line) for line in str(text).split("\n", MOST_LINES)[:MOST_LINES] if line.strip())


def printed(text: str) -> str:
    """`text` for a CI's log: what a runner would take for a command is shown as its Python escape.

    GitHub Actions obeys lines that begin with `::`, it and others `##[…]` and `##vso[…]` wherever they stand.
    """
    return _COMMAND.sub(lambda found: f"{found[1]}\\x3a" if found[1] is not None else "\\x23", text)


def cell(value: Any) -> Any:
    """`value` for a spreadsheet: a text is safe, and none is a formula; others stay, None is empty."""
    if not isinstance(value, str):
        return value
    text = safe(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
