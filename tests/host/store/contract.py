"""The promises of a store, as tests: a store's own test module subclasses and gives the fixture `store`."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from buildtel.store import Store
from buildtel.store.delivery import deliver
from buildtel.store.index import entries
from buildtel.store.retention import remove

KEYS = ["a/b/1.json", "a/b/2.json", "a/b.json", "a/b0", "a/bc/x", "b/%2E%2E/x", "latest/build_1.json"]


class StoreContract:
    """Every store keeps these; run it by subclassing with a fixture `store` that gives an empty one."""

    parallel = True

    def test_what_was_put_is_there(self, store: Store) -> None:
        """A value comes back byte for byte, the empty one too."""
        assert store.put_new("a/x.json", b"\x00\xff\n") and store.put_new("a/empty", b"")

        found, empty = store.get("a/x.json"), store.get("a/empty")
        assert found is not None and found.data == b"\x00\xff\n"
        assert empty is not None and empty.data == b""

    def test_what_was_not_put_is_none(self, store: Store) -> None:
        """Neither a missing key nor the beginning of one is a value."""
        store.put_new("a/b/c", b"1")

        assert store.get("nothing") is None
        assert store.get("a/b") is None
        assert store.get("a/b/c/d") is None

    def test_put_new_never_overwrites(self, store: Store) -> None:
        """The first value stays."""
        assert store.put_new("k", b"first")
        assert not store.put_new("k", b"second")

        found = store.get("k")
        assert found is not None and found.data == b"first"

    def test_replace_wants_the_current_version(self, store: Store) -> None:
        """A value is replaced by who saw the last one, and by nobody else."""
        assert store.replace("k", b"1", None)
        assert not store.replace("k", b"2", None)
        first = store.get("k")
        assert first is not None
        assert store.replace("k", b"2", first.version)
        assert not store.replace("k", b"3", first.version)
        assert not store.replace("missing", b"3", first.version)

        last = store.get("k")
        assert last is not None and last.data == b"2"

    def test_what_was_deleted_is_gone(self, store: Store) -> None:
        """A deleted value is neither read nor listed, may be written anew, and deleting nothing is no error."""
        store.put_new("a/b/c", b"1")
        store.put_new("a/b/d", b"2")
        store.delete("a/b/c")
        store.delete("a/b/c")
        store.delete("nothing/at/all")
        store.delete("a/b")

        assert store.get("a/b/c") is None
        assert store.list("") == ["a/b/d"]
        assert store.put_new("a/b/c", b"3")

    def test_lists_are_in_order_and_bounded(self, store: Store) -> None:
        """A folder's keys come in the order of their bytes, by prefix, behind a key, no more than asked for."""
        for key in KEYS:
            store.put_new(key, b"")

        assert sorted(store.list("")) == sorted(KEYS)
        assert sorted(store.list("a/b")) == sorted(key for key in KEYS if key.startswith("a/b"))
        assert store.list("a/b/") == ["a/b/1.json", "a/b/2.json"]
        assert store.list("a/b/", limit=1) == ["a/b/1.json"]
        assert store.list("a/b/", start_after="a/b/1.json", limit=1) == ["a/b/2.json"]
        assert store.list("nothing/") == []

    def test_lists_go_on_where_they_stopped(self, store: Store) -> None:
        """Whatever the size of a page, one after the other they have every key once, in one order."""
        for key in KEYS:
            store.put_new(key, b"")

        for size in (1, 2, 3):
            keys: list[str] = []
            while page := store.list("", start_after=keys[-1] if keys else "", limit=size):
                assert len(page) <= size
                keys += page
            assert keys == store.list("")

    def test_of_two_writers_one_wins(self, store: Store) -> None:
        """Of many that put the same key at once, exactly one is told that it did, and its value stands."""
        if not self.parallel:
            pytest.skip("this store is for one thread")
        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(lambda number: store.put_new("k", b"%d" % number), range(16)))

        found = store.get("k")
        assert won.count(True) == 1
        assert found is not None and found.data == b"%d" % won.index(True)

    def test_conditional_writers_lose_no_update(self, store: Store) -> None:
        """Counting up by get and replace from many threads at once counts every one."""
        if not self.parallel:
            pytest.skip("this store is for one thread")
        store.put_new("k", b"0")

        def count_up(_: int) -> None:
            while True:
                found = store.get("k")
                assert found is not None
                if store.replace("k", b"%d" % (int(found.data) + 1), found.version):
                    return

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(count_up, range(12)))
        found = store.get("k")
        assert found is not None and found.data == b"12"

    def test_a_page_moves_with_its_document(self, store: Store) -> None:
        """Beside the document and in `latest/`; after the newer build is removed, the page of the older one."""
        for version, page in (("1", b"old"), ("2", b"new")):
            data = {"job": "build", "version": "x", "timestamp": f"2026-01-24T12:00:0{version}Z", "steps": []}
            deliver(store, json.dumps(data).encode(), "", "x", page=page)
        assert self.pages(store) == [b"new", b"old", b"new"]

        remove(store, next(entries(store, "build")))
        assert self.pages(store) == [b"old", b"old"]

    @staticmethod
    def pages(store: Store) -> list[bytes]:
        """All pages, the newest first, then the one in `latest/`."""
        keys = [key for key in store.list("") if key.endswith(".html")]
        found = [store.get(key) for key in sorted(keys, reverse=True)]
        return [stored.data for stored in found if stored is not None]

    @pytest.mark.parametrize("key", ["", "/a", "a//b", "a/../b", "../a", "a/.", "a\nb", "é", "a/" + "x" * 256])
    def test_a_bad_key_is_our_mistake(self, store: Store, key: str) -> None:
        """What is no key is refused before anything is touched."""
        with pytest.raises(ValueError, match="not a key"):
            store.put_new(key, b"")
