"""What a build does within its phase or provisioner, in words: a transfer, a wait, a task, tries to connect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from buildtel.events import EVIDENCE
from buildtel.insight.inner_rows import label_of_part
from buildtel.text import duration, number, size
from buildtel.timeline.builds import PhaseDraft
from buildtel.timeline.packer_model import InnerPart
from buildtel.timeline.provisioner_run import PartDraft, ProvisionerRun
from buildtel.timeline.reached import MOVES, ONLY_MOVE, TRY, UPLOAD

_BYTES_PER_MB = 1 << 20


def part_under_way(what: object) -> PartDraft | None:
    """The part that goes on now, the last one of several; of a wait for a connection, its last tries.

    Args:
        what: the phase or provisioner that runs; others have none.
    """
    if not isinstance(what, (PhaseDraft, ProvisionerRun)):
        return None
    only_moves = isinstance(what, PhaseDraft) or what.kind in ONLY_MOVE
    return next((part for part in reversed(what.parts) if _goes_on(part, only_moves)), None)


def _goes_on(part: PartDraft, only_moves: bool) -> bool:
    """Whether a part may go on: the end of a script's upload that Packer has sent whole is not always told."""
    if part.kind == TRY:
        return True
    is_over = part.kind in MOVES and part.is_sent and not only_moves
    return part.ended is None and part.kind != EVIDENCE and not is_over


def with_bytes(part: PartDraft, read_so_far: Callable[[int], int | None]) -> PartDraft:
    """An upload of a file with the bytes that Packer has read of it, where no progress bar tells them.

    Args:
        part: the part; others stay as they are.
        read_so_far: gives how far Packer has read a file of a size, in bytes.
    """
    size_bytes = part.size_bytes
    if part.kind != UPLOAD or size_bytes is None or part.count != 1 or part.is_sent or part.moved_bytes is not None:
        return part
    moved_bytes = read_so_far(size_bytes)
    return part if moved_bytes is None else replace(part, moved_bytes=moved_bytes, whole_bytes=size_bytes)


def words_of(part: PartDraft, since_s: float, told_s: float, now_s: float) -> str:
    """A part in words, safe to print: `uploads a.iso: 12.8 MB of 60 MB, 8.1 MB/s`, `waits for a lock, for 0:42`.

    Args:
        part: the part.
        since_s: since when it goes on, seconds of the monotonic clock.
        told_s: when something was told of it last.
        now_s: the time.
    """
    label = label_of_part(InnerPart(name=part.name, kind=part.kind, count=part.count, size_bytes=part.size_bytes))
    if part.kind == TRY:
        return label
    if part.kind in MOVES and part.whole_bytes is not None and part.moved_bytes is not None:
        name = label_of_part(InnerPart(name=part.name, kind=part.kind, count=part.count))
        rate = f", {number(part.moved_bytes / _BYTES_PER_MB / (told_s - since_s))} MB/s" if told_s > since_s else ""
        return f"{name}: {size(part.moved_bytes)} of {size(part.whole_bytes)}{rate}"
    return f"{label}, for {duration(max(now_s - since_s, 0.0))}"
