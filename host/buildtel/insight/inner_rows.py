"""Chooses what of a provisioner's or a phase's inside a report shows below it, with a label for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from buildtel.events import EVIDENCE
from buildtel.text import number, rounded, safe, size
from buildtel.timeline.packer_model import InnerPart, Phase, Provisioner
from buildtel.timeline.reached import DOWNLOAD, ONLY_MOVE, TRY, UPLOAD

MOST_ROWS = 10
MOST_EVIDENCE = 3
LEAST_MOVED_S = 1.0
LEAST_MOVED_BYTES = 1 << 20
_MOVES = {UPLOAD: "uploads", DOWNLOAD: "downloads"}
_ONLY_MOVE = ONLY_MOVE | {"retrieve_image"}
# By kind: the label of a part with a name, and that of one without.
_LABELS = {
    "recap": ("recap", "recap"),
    "lock": ("waits for a lock, held by {}", "waits for a lock"),
    EVIDENCE: ("says: {}", ""),
    TRY: ("{}", ""),
}


@dataclass(frozen=True, slots=True)
class InnerRow:
    """A part of a provisioner or phase: when it began after the build did, how long it took; None if unknown."""

    label: str
    start_s: float | None
    duration_s: float | None


def told_parts(whole: Provisioner | Phase) -> tuple[InnerPart, ...]:
    """The parts of a provisioner or phase that say something: no short transfer of little, no try that went well."""
    only_moves = (whole.kind if isinstance(whole, Provisioner) else whole.name) in _ONLY_MOVE
    failed = any(part.kind == TRY and part.count for part in whole.parts)
    return tuple(
        part
        for part in whole.parts
        if (_is_worth(part, only_moves) if part.kind in _MOVES else failed or part.kind != TRY)
    )


def _is_worth(part: InnerPart, only_moves: bool) -> bool:
    """Whether a transfer is worth a row; `only_moves`: its provisioner or phase does nothing else."""
    is_large = only_moves and (part.size_bytes or 0) >= LEAST_MOVED_BYTES
    return is_large or _length_s(part) >= LEAST_MOVED_S


def inner_rows(
    parts: Sequence[InnerPart], zero_s: float | None, began_s: float | None, grain_s: float | None
) -> tuple[tuple[InnerRow, ...], int]:
    """The 10 longest of some parts and their first three lines of evidence, in order; how many are left out.

    Args:
        parts: those of a provisioner or phase.
        zero_s: the instant that starts are counted from, Unix seconds; None: no start is known.
        began_s: when the provisioner or phase began, likewise.
        grain_s: the grain of the log's stamps, None where it is not known.
    """
    by_length = sorted((part for part in parts if part.kind != EVIDENCE), key=_length_s, reverse=True)
    evidence = [part for part in parts if part.kind == EVIDENCE]
    chosen = {id(part) for part in (*by_length[:MOST_ROWS], *evidence[:MOST_EVIDENCE])}
    rows = tuple(_row(part, zero_s, dated_label(part, began_s, grain_s)) for part in parts if id(part) in chosen)
    return rows, len(parts) - len(rows)


def _row(part: InnerPart, zero_s: float | None, label: str) -> InnerRow:
    start_s = None if part.started_at is None or zero_s is None else part.started_at - zero_s
    return InnerRow(label, start_s, None if part.ended_at is None else _length_s(part))


def dated_label(part: InnerPart, began_s: float | None, grain_s: float | None) -> str:
    """A part in words, and when it was if it is a moment of a wait for a connection: `the port answers after 3:40`.

    Args:
        part: the part.
        began_s: when the wait began, Unix seconds; None where that is not known.
        grain_s: the grain of the log's stamps, None where it is not known.
    """
    label = label_of_part(part)
    if part.kind != TRY or part.count or part.started_at is None or began_s is None:
        return label
    return f"{label} after {rounded(max(part.started_at - began_s, 0.0), grain_s)}"


def _length_s(part: InnerPart) -> float:
    return 0.0 if part.started_at is None or part.ended_at is None else part.ended_at - part.started_at


def label_of_part(part: InnerPart) -> str:
    """A part in words, safe to print: `task [Install nginx]`, `waits for a lock`, `uploads a.iso: 60 MB, 41 MB/s`."""
    if part.kind in _MOVES:
        return safe(_move(part))
    named, nameless = _LABELS.get(part.kind, (f"{part.kind} {{}}", part.kind))
    label = named.replace("{}", part.name) if part.name else nameless
    return safe(f"{label}, {part.count} times" if part.kind == TRY and (part.count or 0) > 1 else label)


def _move(part: InnerPart) -> str:
    """A transfer in words: what, bytes, rate, each where it is known."""
    what = part.name or (f"{part.count} files" if part.count else "")
    figures = [] if part.size_bytes is None else [size(part.size_bytes)]
    figures += [] if part.rate_mbs is None else [f"{number(part.rate_mbs)} MB/s"]
    words = f"{_MOVES[part.kind]} {what}".strip()
    return f"{words}: {', '.join(figures)}" if figures else words
