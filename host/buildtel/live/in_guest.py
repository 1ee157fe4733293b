"""What a guest tells of its step at each beat, in words: the busiest command, and what the step waits for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from buildtel.insight.wait_words import wait_in_words
from buildtel.measure.field_checks import Refused, figure, text, word
from buildtel.text import duration, safe


def words_of_beat(fields: Mapping[str, Any]) -> str:
    """`runs cc1plus 98%` (100 is one CPU), `waits: apt-get for a lock held by dpkg, 42.0 s`; empty without either.

    Args:
        fields: those of the record (docs/format.md, 1.2); what no agent writes counts for nothing.
    """
    return "; ".join(words for words in (_told(fields.get("wait"), _wait), _told(fields.get("busy"), _busy)) if words)


def _told(row: Any, words: Callable[..., str]) -> str:
    try:
        return words(*row) if isinstance(row, list) else ""
    except (Refused, TypeError, ZeroDivisionError):
        return ""


def _wait(length_s: Any, kind: Any, command: Any, holder: Any) -> str:
    waited = wait_in_words(word(kind), text(holder))
    return f"waits: {safe(text(command))} {waited}, {duration(figure(length_s))}"


def _busy(name: Any, cpu_s: Any, seconds: Any) -> str:
    return f"runs {safe(text(name))} {100 * figure(cpu_s) / figure(seconds):.0f}%"
