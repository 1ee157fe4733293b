"""Writes a document to a store: once, the index last, `latest` only forward."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from buildtel.job import JobDocument, load_document
from buildtel.store import latest, layout
from buildtel.store.contract import Store, StoreError
from buildtel.store.document_time import document_time
from buildtel.store.layout import Entry

MOST_IN_A_SECOND = 1000


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where a document stands in the store; `new` is False if it stood there before."""

    key: str
    new: bool


def deliver(  # noqa: PLR0913, PLR0917  # all that goes with a document
    store: Store, data: bytes, packer_steps: str, where: str, events: bytes = b"", page: bytes = b""
) -> Delivery:
    """Put one document, as its file has it, into the store; again and again without harm.

    The index key comes last: an upload that broke off is not seen, and the next one completes it.

    Args:
        store: the store.
        data: the document's file.
        packer_steps: Packer's steps as text; empty for none.
        where: names the document in errors.
        events: the raw records, compressed; empty for none.
        page: its page as HTML; empty for none.

    Raises:
        BuildtelError: it is no document, or the store failed.
    """
    document = load_document(data, where)
    time = document_time(document, where)
    folder, new = _place(store, data, document, time, packer_steps.encode())
    key = layout.document_key(folder, document.job, time)
    for beside, content in ((layout.events_key(key), events), (layout.page_key(key), page)):
        if content:
            store.put_new(beside, content)
    latest.advance(store, document, data, where, has_page=bool(page))
    status, duration_s = document.status or "unknown", document.job_duration_s
    store.put_new(layout.index_key(Entry(document.job, document.version, time, status, duration_s, key)), b"")
    return Delivery(key, new)


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
