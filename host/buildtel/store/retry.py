"""Wraps a store and repeats requests that failed for a moment."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from itertools import count
from typing import TypeVar

from buildtel.store.contract import Store, Stored, StoreUnavailable

TRIES = 5
FIRST_WAIT_S = 0.2
BUDGET_S = 60.0

T = TypeVar("T")


class Retrying:
    """Repeats what failed with StoreUnavailable: at most `tries` times, none begun after `budget_s`.

    A write whose answer got lost may have been done. When its repetition finds the key taken by
    the very same bytes, it counts as written.
    """

    def __init__(
        self, store: Store, tries: int = TRIES, budget_s: float = BUDGET_S, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._store = store
        self._tries = tries
        self._budget_s = budget_s
        self._sleep = sleep

    def put_new(self, key: str, data: bytes) -> bool:
        """See Store."""
        written, again = self._repeated(lambda: self._store.put_new(key, data))
        return written or (again and self._stands(key, data))

    def replace(self, key: str, data: bytes, version: str | None) -> bool:
        """See Store."""
        written, again = self._repeated(lambda: self._store.replace(key, data, version))
        return written or (again and self._stands(key, data))

    def get(self, key: str) -> Stored | None:
        """See Store."""
        return self._repeated(lambda: self._store.get(key))[0]

    def delete(self, key: str) -> None:
        """See Store."""
        self._repeated(lambda: self._store.delete(key))

    def list(self, prefix: str, start_after: str = "", limit: int = 1000) -> list[str]:
        """See Store."""
        return self._repeated(lambda: self._store.list(prefix, start_after, limit))[0]

    def address(self) -> str:
        """See Store."""
        return self._store.address()

    def caveat(self) -> str:
        """See Store."""
        return self._store.caveat()

    def _stands(self, key: str, data: bytes) -> bool:
        stored = self.get(key)
        return stored is not None and stored.data == data

    def _repeated(self, operation: Callable[[], T]) -> tuple[T, bool]:
        """What the operation gave, and whether an earlier try of it failed."""
        until_s = time.monotonic() + self._budget_s
        for number in count():
            try:
                return operation(), number > 0
            except StoreUnavailable:  # noqa: PERF203  # this loop is about its exception
                wait_s = FIRST_WAIT_S * 2**number * random.uniform(0.5, 1.0)
                if number + 1 >= self._tries or time.monotonic() + wait_s >= until_s:
                    raise
                self._sleep(wait_s)
        raise AssertionError("count() ended")
