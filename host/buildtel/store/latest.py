"""Keeps `latest/` of a job and version: its newest document, and beside it that document's page."""

from __future__ import annotations

from buildtel.errors import BuildtelError
from buildtel.job import JobDocument, load_document
from buildtel.store import layout
from buildtel.store.contract import Store, Stored, StoreError
from buildtel.store.document_time import document_time

TRIES = 20
MOST_IN_A_SECOND = 1000


def advance(store: Store, document: JobDocument, data: bytes, where: str, *, has_page: bool) -> None:
    """Put a document into `latest/` if it is newer than what stands there, and its page or none beside it.

    Args:
        store: the store, which has the document and its page under their own keys already.
        document: the document.
        data: its file.
        where: names it in errors.
        has_page: whether it has a page.

    Raises:
        StoreError: the store failed.
    """
    key = layout.latest_key(document.job, document.version)
    for _ in range(TRIES):
        stored = store.get(key)
        if stored is not None and not _newer(document, data, stored.data, where):
            break
        if store.replace(key, data, stored.version if stored else None):
            break
    else:
        raise _busy(store, key)
    if has_page or (stored is not None and store.get(layout.page_key(key)) is not None):
        settle_page(store, key)


def settle_page(store: Store, key: str) -> None:
    """Make the page in `latest/` that of the document there; none where that has none.

    What stands there is read before the document, and written only if nobody else wrote it meanwhile; then all is
    looked at once more. So of uploads at once the last to look sees to it that document and page belong together.

    Args:
        store: the store.
        key: the key of the document in `latest/`.

    Raises:
        StoreError: the store failed.
    """
    at = layout.page_key(key)
    for _ in range(TRIES):
        there = store.get(at)
        wanted = _page_of(store, store.get(key))
        if there is None and wanted is None:
            return
        if wanted is None:
            store.delete(at)
        elif there is None or there.data != wanted.data:
            store.replace(at, wanted.data, there.version if there else None)
        else:
            return
    raise _busy(store, at)


def _page_of(store: Store, latest: Stored | None) -> Stored | None:
    """The page beside the document that stands in `latest/`, found by its own key."""
    if latest is None:
        return None
    try:
        document = load_document(latest.data, "latest")
        time = document_time(document, "latest")
    except BuildtelError:
        return None
    for copy in range(1, MOST_IN_A_SECOND + 1):
        folder = layout.folder_key(document.version, time, copy)
        key = layout.document_key(folder, document.job, time)
        stored = store.get(key)
        if stored is not None and stored.data == latest.data:
            return store.get(layout.page_key(key))
        if stored is None and not store.list(f"{folder}/", limit=1):
            return None
    return None


def _newer(document: JobDocument, data: bytes, stored: bytes, where: str) -> bool:
    """True if `document` is to follow what stands in `latest`; a broken one there is replaced."""
    try:
        other = load_document(stored, "latest")
        rank = (document_time(other, "latest"), other.job_end or 0.0, stored)
    except BuildtelError:
        return True
    return (document_time(document, where), document.job_end or 0.0, data) > rank


def _busy(store: Store, key: str) -> StoreError:
    return StoreError(f"{store.address()}: {key} is written by other uploads all the time. Try again")
