"""Pages in a store: beside their document, and in `latest/` always those of the document there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from buildtel.store import MemoryStore, StoreError, layout
from buildtel.store.contract import Stored
from buildtel.store.delivery import deliver
from buildtel.store.index import entries
from buildtel.store.retention import remove

from .test_delivery import NOON, FailingStore, document

KEY = layout.latest_key("build", "0.10.2")
PAGE = layout.page_key(KEY)


def put(store: MemoryStore, hours: float, page: bytes) -> str:
    """Deliver a build of that hour with its page; gives its key."""
    return deliver(store, document(time=NOON + timedelta(hours=hours)), "", "x", page=page).key


def told(store: MemoryStore, key: str) -> bytes | None:
    """What stands under a key."""
    stored = store.get(key)
    return None if stored is None else stored.data


def test_without_a_page_there_is_none() -> None:
    """Nothing of a page is written, nor looked for more than once."""
    store = MemoryStore()
    put(store, 0, b"")
    put(store, 1, b"")

    assert not [key for key in store.list("") if key.endswith(".html")]


@pytest.mark.parametrize(
    ("pages", "expected"),
    [((b"a", b"b"), b"b"), ((b"a", b""), None), ((b"", b"b"), b"b"), ((b"a", b"a"), b"a")],
)
def test_latest_has_the_page_of_its_document(pages: tuple[bytes, bytes], expected: bytes | None) -> None:
    """Also where the newer build has none: an old page beside a new document would lie."""
    for order in ((0, 1), (1, 0)):
        store = MemoryStore()
        for hour in order:
            put(store, hour, pages[hour])
        assert told(store, PAGE) == expected


def test_a_page_that_is_made_later_comes_to_latest() -> None:
    """The same document, uploaded again with a page; once more without one it keeps the page."""
    store = MemoryStore()
    for page in (b"", b"a", b""):
        put(store, 0, page)

    assert told(store, PAGE) == b"a"


@pytest.mark.parametrize("fails_at", range(1, 8))
def test_an_upload_that_broke_off_is_completed_by_the_next(fails_at: int) -> None:
    """Whichever write failed, the next upload leaves a page that belongs to its document."""
    store = FailingStore(99)
    put(store, 0, b"old")
    store.left = fails_at
    try:
        put(store, 1, b"new")
    except StoreError:
        put(store, 1, b"new")

    assert told(store, PAGE) == b"new"


def test_prune_removes_both_and_latest_goes_back() -> None:
    """The page of the build that is the newest now; none after the last."""
    store = MemoryStore()
    put(store, 0, b"old")
    new = put(store, 1, b"new")
    remove(store, next(entries(store, "build")))

    assert told(store, layout.page_key(new)) is None
    assert told(store, PAGE) == b"old"
    remove(store, next(entries(store, "build")))
    assert store.list("") == []


def test_a_page_goes_where_another_job_keeps_the_folder() -> None:
    """Two jobs of one second share a folder."""
    store = MemoryStore()
    for job in ("build", "e2e"):
        deliver(store, document("1", NOON, job), "", "x", page=job.encode())
    remove(store, next(entries(store, "build")))

    assert [key for key in store.list("1/") if key.endswith(".html")] == ["1/20260124_120000/e2e_20260124_120000.html"]


class Meeting(MemoryStore):
    """Lets another upload happen between two requests of the first."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.left = at
        self.other: Callable[[], None] | None = None

    def _turn(self) -> None:
        self.left -= 1
        if self.left == 0 and self.other is not None:
            other, self.other = self.other, None
            other()

    def replace(self, key: str, data: bytes, version: str | None) -> bool:
        """As any store, with somebody else before."""
        self._turn()
        return super().replace(key, data, version)

    def delete(self, key: str) -> None:
        """Likewise."""
        self._turn()
        super().delete(key)

    def get(self, key: str) -> Stored | None:
        """Likewise."""
        self._turn()
        return super().get(key)


@pytest.mark.parametrize("mine", [b"mine", b""])
@pytest.mark.parametrize("others", [b"others", b""])
@pytest.mark.parametrize("hours", [1, 3])
def test_of_two_uploads_at_once_latest_keeps_what_belongs_together(mine: bytes, others: bytes, hours: int) -> None:
    """Whenever the other comes, older or newer, with or without a page."""
    for at in range(1, 30):
        store = Meeting(999)
        put(store, 0, b"old")
        store.left, store.other = at, lambda: put(store, hours, others)  # noqa: B023
        put(store, 2, mine)
        if store.other is not None:
            return
        newest = others if hours > 2 else mine
        assert told(store, PAGE) == (newest or None), at
