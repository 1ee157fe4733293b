"""The stores that need nothing but this machine, held to the contract; and what is the directory's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from buildtel.store import DirectoryStore, MemoryStore, Store, StoreError
from buildtel.store.retry import Retrying

from .contract import StoreContract


class TestMemoryStore(StoreContract):
    parallel = False

    @pytest.fixture
    def store(self) -> Store:
        """An empty store."""
        return MemoryStore()


class TestRetryingStore(StoreContract):
    parallel = False

    @pytest.fixture
    def store(self) -> Store:
        """A store that is asked again when it is away, and never is."""
        return Retrying(MemoryStore())


class TestDirectoryStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        """A store whose directory is not made yet."""
        return DirectoryStore(tmp_path / "data" / "buildtel")


def test_an_unfinished_write_is_not_listed(tmp_path: Path) -> None:
    """What a killed upload left aside is neither a key nor in the way of one."""
    store = DirectoryStore(tmp_path)
    store.put_new("a", b"1")
    (tmp_path / ".buildtel-tmp" / "left").write_bytes(b"half")

    assert store.list("") == ["a"]


def test_nothing_is_left_aside(tmp_path: Path) -> None:
    """After writes that won and writes that lost, the folder for unfinished values is empty."""
    store = DirectoryStore(tmp_path)
    store.put_new("a", b"1")
    store.put_new("a", b"2")
    store.replace("a", b"3", "wrong")

    assert list((tmp_path / ".buildtel-tmp").iterdir()) == []


def test_a_store_that_cannot_be_written_says_which(tmp_path: Path) -> None:
    """A file where the store should be gives one clear error with its name."""
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match=f"can't write the store {tmp_path / 'file'}"):
        DirectoryStore(tmp_path / "file").put_new("a", b"")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_a_store_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    """A value without read permission is an error, not a missing one."""
    store = DirectoryStore(tmp_path)
    store.put_new("a", b"1")
    (tmp_path / "a").chmod(0)

    with pytest.raises(StoreError, match="can't read the store"):
        store.get("a")
