"""The interface of a store and its guarantees; one test suite checks every store.

Keys are relative paths of ASCII characters, parts joined by `/`, no part empty, `.` or `..`, none
longer than 255. Values are bytes. A value is visible whole or not at all, and once `put_new` or
`replace` has returned it survives a crash.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from buildtel.errors import BuildtelError


class StoreError(BuildtelError):
    """The store can't be reached, read or written; the message says which and how to fix it."""


class StoreUnavailable(StoreError):
    """The store is away, slow or broke off: the same again may succeed. A write may have been done."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A value, and the version that `replace` wants to be told; equal versions mean equal values."""

    data: bytes
    version: str


class Store(Protocol):
    """A place for values under keys. Every operation may raise StoreError."""

    def put_new(self, key: str, data: bytes) -> bool:
        """Write `data` if nothing stands under `key`: True if written. Of two at once, one wins."""
        ...

    def replace(self, key: str, data: bytes, version: str | None) -> bool:
        """Write `data` if `version` is still what stands under `key` (None: nothing): True if written."""
        ...

    def get(self, key: str) -> Stored | None:
        """The value under `key`, None if there is none."""
        ...

    def delete(self, key: str) -> None:
        """Remove the value under `key`; nothing happens if there is none."""
        ...

    def list(self, prefix: str, start_after: str = "", limit: int = 1000) -> list[str]:
        """At most `limit` keys that begin with `prefix` and stand behind `start_after`.

        Keys of one folder come in the order of their bytes. How folders stand among the keys beside
        them is the store's own affair, but always the same: `start_after` the last key goes on behind it.
        """
        ...

    def address(self) -> str:
        """The store's name for messages and for telling stores apart."""
        ...

    def caveat(self) -> str:
        """What of these promises this store was found not to keep, for the user; empty if nothing was."""
        ...


def check_key(key: str) -> str:
    """`key`, if it is one.

    Raises:
        ValueError: it is not: our own mistake, as layout.py alone makes keys.
    """
    parts = key.split("/")
    if not key.isascii() or not key.isprintable() or any(part in ("", ".", "..") or len(part) > 255 for part in parts):
        raise ValueError(f"not a key: {key!r}")
    return key
