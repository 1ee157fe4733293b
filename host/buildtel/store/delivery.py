"""Writes a document to a store: once, the index last, `latest` only forward."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone

from buildtel.errors import BuildtelError
from buildtel.job import JobDocument, load_document
from buildtel.store import layout
from buildtel.store.contract import Store, StoreError
from buildtel.store.layout import Entry

MOST_IN_A_SECOND = 1000
TRIES = 20


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where a document stands in the store; `new` is False if it stood there before."""

    key: str
    new: bool


def deliver(store: Store, data: bytes, packer_steps: str, where: str, events: bytes = b"") -> Delivery:
    """Put one document, as its file has it, into the store; again and again without harm.

    The index key comes last: an upload that broke off is not seen, and the next one completes it.

    Args:
        store: the store.
        data: the document's file.
        packer_steps: Packer's steps as text; empty for none.
        where: names the document in errors.
        events: the raw records, compressed; empty for none.

    Raises:
        BuildtelError: it is no document, or the store failed.
    """
    document = load_document(data, where)
    time = document_time(document, where)
    folder, new = _place(store, data, document, time, packer_steps.encode())
    key = layout.document_key(folder, document.job, time)
    if events:
        store.put_new(layout.events_key(key), events)
    _advance_latest(store, document, data, where)
    entry = Entry(
        job=document.job,
        version=document.version,
        time=time,
        status=document.status or "unknown",
        duration_s=document.job_duration_s,
        document=key,
    )
    store.put_new(layout.index_key(entry), b"")
    return Delivery(key, new)


def document_time(document: JobDocument, where: str) -> datetime:
    """The document's `timestamp`, in UTC.

    Args:
        document: the document.
        where: its file or key, for the error message.

    Raises:
        BuildtelError: it has none, or not ISO 8601.
    """
    text = (document.timestamp or "").replace("Z", "+00:00")
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is None:
            time = time.replace(tzinfo=timezone.utc)
        return time.astimezone(timezone.utc).replace(microsecond=0)
    except (ValueError, OverflowError):
        raise BuildtelError(f"{where}: its `timestamp` is not a time of ISO 8601: {document.timestamp!r}") from None


def _place(store: Store, data: bytes, document: JobDocument, time: datetime, steps: bytes) -> tuple[str, bool]:
    """The folder that holds the document now, and whether it is new there."""
    for copy in range(1, MOST_IN_A_SECOND + 1):
        folder = layout.folder_key(document.version, time, copy)
        key = layout.document_key(folder, document.job, time)
        stored = store.get(key)
        if stored is None and _claimed(store, layout.steps_key(folder), steps) and store.put_new(key, data):
            return folder, True
        stored = stored or store.get(key)
        if stored is not None and stored.data == data:
            return folder, False
    raise StoreError(f"{store.address()}: more than {MOST_IN_A_SECOND} builds of {document.version!r} in one second")


def _claimed(store: Store, key: str, data: bytes) -> bool:
    """True if `data` stands under `key` now, or there is none to put."""
    if not data or store.put_new(key, data):
        return True
    stored = store.get(key)
    return stored is not None and stored.data == data


def _advance_latest(store: Store, document: JobDocument, data: bytes, where: str) -> None:
    key = layout.latest_key(document.job, document.version)
    for _ in range(TRIES):
        stored = store.get(key)
        if stored is not None and not _newer(document, data, stored.data, where):
            return
        if store.replace(key, data, stored.version if stored else None):
            return
    raise StoreError(f"{store.address()}: {key} is written by other uploads all the time. Try again")


def _newer(document: JobDocument, data: bytes, stored: bytes, where: str) -> bool:
    """True if `document` is to follow what stands in `latest`; a broken one there is replaced."""
    try:
        other = load_document(stored, "latest")
        rank = (document_time(other, "latest"), other.job_end or 0.0, stored)
    except BuildtelError:
        return True
    return (document_time(document, where), document.job_end or 0.0, data) > rank
