"""Documents in a store: write once, index last, `latest` only forward, any version."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buildtel import naming
from buildtel.errors import BuildtelError
from buildtel.store import MemoryStore, StoreError, layout
from buildtel.store.delivery import deliver
from buildtel.store.index import newest, newest_of_version

NOON = datetime(2026, 1, 24, 12, 0, 0, tzinfo=timezone.utc)
VERSIONS = [
    "0.10.2",
    "feature/x",
    "..",
    ".",
    "",
    "latest",
    "index",
    ".hidden",
    "ünï-🐧",
    "a b~c%d",
    "x" * 400,
    "\n",
    "a_b",
]


def document(version: str = "0.10.2", time: datetime = NOON, job: str = "build", **more: Any) -> bytes:
    """A document's file."""
    return json.dumps({"job": job, "version": version, "timestamp": time.isoformat(), "steps": [], **more}).encode()


def put(store: MemoryStore, data: bytes, steps: str = "steps\n") -> str:
    """The key that the document stands under now."""
    return deliver(store, data, steps, "job.json").key


def test_the_keys_are_those_of_the_original() -> None:
    """The document, Packer's steps and `latest` stand where the original had them; the index beside."""
    store = MemoryStore()
    put(store, document(status="success", job_duration_s=2100.056))

    assert store.list("") == [
        "0.10.2/20260124_120000/build_20260124_120000.json",
        "0.10.2/20260124_120000/packer_steps.txt",
        "index/build/8230744000000~20260124_120000~success~2100.056~0.10.2",
        "latest/build_0.10.2.json",
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_any_version_is_stored_and_shown_as_it_was(version: str) -> None:
    """A version of any characters makes keys that are keys, and is found again under its name."""
    store = MemoryStore()
    key = put(store, document(version))

    entry = newest(store, "build")
    assert entry is not None and entry.document == key
    assert entry.version == version or (len(version) > 100 and entry.version.endswith("…"))
    assert newest_of_version(store, "build", version) is not None


@given(st.text(max_size=300), st.text(max_size=300))
def test_two_names_never_share_a_part(left: str, right: str) -> None:
    """Escaping keeps apart what is apart, and gives the name back."""
    if left != right and not any("\ud800" <= char <= "\udfff" for char in left + right):
        assert naming.escape(left) != naming.escape(right)
        assert len(naming.escape(left)) > 100 or layout.unescape(naming.escape(left)) == left


def test_job_and_version_can_not_be_mistaken() -> None:
    """Job `a_b` of version `c` and job `a` of version `b_c` have a `latest` each."""
    assert layout.latest_key("a_b", "c") != layout.latest_key("a", "b_c")


def test_uploading_again_changes_nothing() -> None:
    """The same document is delivered once, however often it is sent."""
    store = MemoryStore()
    first = deliver(store, document(), "steps\n", "x")
    keys = store.list("")
    second = deliver(store, document(), "steps of a newer program\n", "x")

    assert (first.new, second.new, first.key) == (True, False, second.key)
    assert store.list("") == keys


def test_two_builds_of_one_second_both_survive() -> None:
    """The second one's folder gets a number, and the index has both, the later first."""
    store = MemoryStore()
    keys = [put(store, document(run_id=str(number)), f"steps {number}") for number in range(3)]

    assert len(set(keys)) == 3
    assert keys[1] == "0.10.2/20260124_120000_2/build_20260124_120000.json"
    assert [layout.parse_index_key(key).document for key in store.list("index/")] == keys[::-1]
    assert [put(store, document(run_id=str(number)), f"steps {number}") for number in range(3)] == keys


def test_two_jobs_of_one_second_both_survive() -> None:
    """A `build` and an `e2e` of one second have their own steps and index."""
    store = MemoryStore()
    put(store, document(job="build"), "a")
    put(store, document(job="e2e"), "b")

    build, e2e = newest(store, "build"), newest(store, "e2e")
    assert build is not None and e2e is not None
    assert {layout.steps_key(entry.document.rpartition("/")[0]) for entry in (build, e2e)} <= set(store.list(""))


def test_latest_only_moves_forward() -> None:
    """An older build that is uploaded later does not become the latest."""
    store = MemoryStore()
    new, old = document(time=NOON), document(time=NOON - timedelta(days=1))
    put(store, new)
    put(store, old)

    found = store.get("latest/build_0.10.2.json")
    assert found is not None and found.data == new
    entry = newest(store, "build")
    assert entry is not None and entry.time == NOON


def test_the_newest_comes_first_whatever_the_order_of_uploads() -> None:
    """The index sorts by the builds' own time."""
    store = MemoryStore()
    for days in (3, 1, 2):
        put(store, document(f"v{days}", NOON + timedelta(days=days)))

    assert [layout.parse_index_key(key).version for key in store.list("index/build/")] == ["v3", "v2", "v1"]


class FailingStore(MemoryStore):
    """Fails at its n-th write."""

    def __init__(self, fails_at: int) -> None:
        super().__init__()
        self.left = fails_at

    def replace(self, key: str, data: bytes, version: str | None) -> bool:
        """As any store, until the line is cut."""
        self.left -= 1
        if self.left == 0:
            raise StoreError("the line is cut")
        return super().replace(key, data, version)


@pytest.mark.parametrize("fails_at", [1, 2, 3, 4])
def test_a_half_done_upload_is_not_seen_and_can_be_repeated(fails_at: int) -> None:
    """Whichever write fails, nothing is in the index; the next upload completes it, with nothing twice."""
    store = FailingStore(fails_at)
    with pytest.raises(StoreError):
        put(store, document())
    assert newest(store, "build") is None

    put(store, document())
    whole = MemoryStore()
    put(whole, document())
    assert store.list("") == whole.list("")


@pytest.mark.parametrize("stored", [b"", b"{", b'{"job":1}', b"\xff"])
def test_a_broken_latest_is_replaced(stored: bytes) -> None:
    """What stands in `latest` and is no document does not stay there."""
    store = MemoryStore()
    store.put_new("latest/build_0.10.2.json", stored)
    put(store, document())

    found = store.get("latest/build_0.10.2.json")
    assert found is not None and found.data == document()


@pytest.mark.parametrize("timestamp", [None, "", "yesterday", "2026-99-01T00:00:00"])
def test_a_document_without_a_time_is_refused(timestamp: str | None) -> None:
    """Without a time there is no key; the error says what is wrong."""
    data = json.dumps({"job": "build", "version": "1", "timestamp": timestamp, "steps": []}).encode()

    with pytest.raises(BuildtelError, match=r"job\.json: its `timestamp`"):
        put(MemoryStore(), data)


def test_latest_is_one_list_and_no_read() -> None:
    """Finding the newest build asks the store for one key's name only, of however many."""

    class Counting(MemoryStore):
        asked: list[int]

        def list(self, prefix: str, start_after: str = "", limit: int = 1000) -> list[str]:
            self.asked = [*getattr(self, "asked", []), limit]
            return super().list(prefix, start_after, limit)

        def get(self, key: str) -> Any:
            assert not getattr(self, "asked", None), "read while looking for the newest"
            return super().get(key)

    store = Counting()
    for minutes in range(50):
        put(store, document(time=NOON + timedelta(minutes=minutes)))

    assert newest(store, "build") is not None
    assert store.asked == [1]
