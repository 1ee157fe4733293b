"""One finding of `wire --check`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

WRONG = "wrong"
UNMEASURED = "unmeasured"
WARNING = "warning"
NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding; `line` is None for a folder without a template.

    `level` is wrong (does not work as wired), unmeasured (a shell provisioner without level 2), warning (can damage
    records) or note.
    """

    level: str
    path: Path
    line: int | None
    text: str
