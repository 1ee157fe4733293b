"""Chooses what of a provisioner's inside a report shows below it, with a label for each."""

from __future__ import annotations

from dataclasses import dataclass

from buildtel.text import safe
from buildtel.timeline.packer_model import Provisioner, ProvisionerPart

MOST_ROWS = 10
MOST_EVIDENCE = 3
_EVIDENCE = "evidence"
# By kind: the label of a part with a name, and that of one without.
_LABELS = {
    "recap": ("recap", "recap"),
    "lock": ("waits for a lock, held by {}", "waits for a lock"),
    _EVIDENCE: ("says: {}", ""),
}


@dataclass(frozen=True, slots=True)
class InnerRow:
    """A part of a provisioner: when it began after the build did, how long it took; None if unknown."""

    label: str
    start_s: float | None
    duration_s: float | None


def inner_rows(unit: Provisioner, zero_s: float | None) -> tuple[tuple[InnerRow, ...], int]:
    """The 10 longest parts of a provisioner and its first three lines of evidence, in order; how many are left out.

    Args:
        unit: the provisioner.
        zero_s: the instant that starts are counted from, Unix seconds; None: no start is known.
    """
    by_length = sorted((part for part in unit.parts if part.kind != _EVIDENCE), key=_length_s, reverse=True)
    evidence = [part for part in unit.parts if part.kind == _EVIDENCE]
    chosen = {id(part) for part in (*by_length[:MOST_ROWS], *evidence[:MOST_EVIDENCE])}
    rows = tuple(_row(part, zero_s) for part in unit.parts if id(part) in chosen)
    return rows, len(unit.parts) - len(rows)


def _row(part: ProvisionerPart, zero_s: float | None) -> InnerRow:
    start_s = None if part.started_at is None or zero_s is None else part.started_at - zero_s
    return InnerRow(label_of_part(part), start_s, None if part.ended_at is None else _length_s(part))


def _length_s(part: ProvisionerPart) -> float:
    return 0.0 if part.started_at is None or part.ended_at is None else part.ended_at - part.started_at


def label_of_part(part: ProvisionerPart) -> str:
    """A part of a provisioner in words, safe to print: `task [Install nginx]`, `waits for a lock`."""
    named, nameless = _LABELS.get(part.kind, (f"{part.kind} {{}}", part.kind))
    return safe(named.replace("{}", part.name) if part.name else nameless)
