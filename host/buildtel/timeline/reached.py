"""What a phase or provisioner moved to or from its machine, and the tries to connect, as parts of it."""

from __future__ import annotations

from buildtel.events import ConnectionTried, TransferSeen
from buildtel.timeline.provisioner_run import MOST_PARTS, Moment, PartDraft

UPLOAD, DOWNLOAD, TRY = "upload", "download", "try"
MOVES = frozenset((UPLOAD, DOWNLOAD))
ONLY_MOVE = frozenset(("file-upload", "file-download"))  # kinds of provisioners that do nothing but a transfer
_DOWNLOADS = frozenset(("file-download", "retrieve_image"))
ANSWERS = "the port answers"
MOST_OF_A_KIND = 100  # Ansible uploads files for each of its tasks, which must find a place


def direction(name: str) -> str:
    """What a transfer is in a phase of that name, or a provisioner of that kind: UPLOAD or DOWNLOAD."""
    return DOWNLOAD if name in _DOWNLOADS else UPLOAD


def move(parts: list[PartDraft], kind: str, event: TransferSeen, moment: Moment, began: Moment | None) -> None:
    """Take in what a line says of a transfer.

    Args:
        parts: the parts so far of what the build does.
        kind: what a transfer in it is, UPLOAD or DOWNLOAD.
        event: the event.
        moment: its line and time.
        began: where the transfer began if nothing but a transfer is done: where that was announced; else None.
    """
    last = next((part for part in reversed(parts) if part.kind in MOVES), None)
    going = last if last is not None and last.ended is None else None
    if event.word == "sent":
        _sent(parts, last, PartDraft(kind, "", began or moment), event.size_bytes)
    elif event.word == "begins":
        _begins(parts, going, PartDraft(kind, "", moment))
    elif event.word == "ends":
        if going is not None:
            going.ended = moment
    else:
        if going is None:
            going = PartDraft(kind, "", began or moment)
            _add(parts, going)
        (_file if event.word == "file" else _bar)(going, event, moment)


def _begins(parts: list[PartDraft], going: PartDraft | None, new: PartDraft) -> None:
    """A connection for files is open: of a transfer whose bytes were told before it, it is the beginning."""
    if going is not None and going.count is None:
        going.began, going.size_bytes = new.began, None
    else:
        _add(parts, new)


def _file(part: PartDraft, event: TransferSeen, _: Moment) -> None:
    part.count = event.count or None
    part.name = event.name if event.count == 1 else ""
    if event.size_bytes is not None:
        part.size_bytes = event.size_bytes


def _bar(part: PartDraft, event: TransferSeen, moment: Moment) -> None:
    part.name = part.name or event.name
    part.moved_bytes, part.whole_bytes = event.size_bytes, event.whole_bytes
    if event.size_bytes == event.whole_bytes and part.count is None:
        part.ended = moment


def _sent(parts: list[PartDraft], last: PartDraft | None, new: PartDraft, size_bytes: int | None) -> None:
    """All bytes of a transfer: of the last one, unless that is another; else of one of which nothing else is told."""
    if last is not None and not last.is_sent and last.size_bytes in (None, size_bytes):
        last.is_sent, last.size_bytes = True, size_bytes
    else:
        new.is_sent, new.size_bytes = True, size_bytes
        _add(parts, new)


def tried(parts: list[PartDraft], event: ConnectionTried, moment: Moment, began: Moment) -> None:
    """Take in a try to connect: tries one after the other that went the same way are one part.

    A try lasts since the one before it, or since the port answered to it.

    Args:
        parts: the parts so far of the wait.
        event: the event.
        moment: its line and time.
        began: where the wait began.
    """
    tries = [part for part in parts if part.kind == TRY]
    if event.result == ANSWERS:
        answered = next((part for part in tries if part.name == ANSWERS), None)
        if answered is None:
            answered = PartDraft(TRY, ANSWERS, moment)
            _add(parts, answered)
        answered.last = moment
        return
    failed = [part for part in tries if part.name != ANSWERS]
    if failed and failed[-1].name == event.result:
        failed[-1].ended, failed[-1].count = moment, (failed[-1].count or 0) + 1
        return
    before = [part.ended or part.last for part in tries]
    since = max((one for one in before if one is not None), key=lambda one: one.line, default=began)
    _add(parts, PartDraft(TRY, event.result, since, ended=moment, count=1))


def _add(parts: list[PartDraft], part: PartDraft) -> None:
    if len(parts) < MOST_PARTS and sum(one.kind == part.kind for one in parts) < MOST_OF_A_KIND:
        parts.append(part)
