"""What the doctor finds: one line each, and the mend where something is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """`fail`: something will not work; `warn`: something will be missing; `ok`."""

    state: Literal["ok", "warn", "fail"]
    about: str
    said: str
    mend: str = ""


def ok(about: str, said: str) -> Finding:
    """All is well."""
    return Finding("ok", about, said)


def warn(about: str, said: str, mend: str) -> Finding:
    """Something will be missing."""
    return Finding("warn", about, said, mend)


def fail(about: str, said: str, mend: str) -> Finding:
    """Something will not work."""
    return Finding("fail", about, said, mend)
