"""A store in memory, for tests."""

from __future__ import annotations

import hashlib

from buildtel.store.contract import Stored, check_key


class MemoryStore:
    """A dict that keeps the contract. Not for more than one thread."""

    def __init__(self) -> None:
        self._values: dict[str, bytes] = {}

    def put_new(self, key: str, data: bytes) -> bool:
        """See Store."""
        return self.replace(key, data, None)

    def replace(self, key: str, data: bytes, version: str | None) -> bool:
        """See Store."""
        stored = self.get(key)
        if (stored.version if stored else None) != version:
            return False
        self._values[key] = bytes(data)
        return True

    def get(self, key: str) -> Stored | None:
        """See Store."""
        data = self._values.get(check_key(key))
        return None if data is None else Stored(data, hashlib.sha256(data).hexdigest())

    def delete(self, key: str) -> None:
        """See Store."""
        self._values.pop(check_key(key), None)

    def list(self, prefix: str, start_after: str = "", limit: int = 1000) -> list[str]:
        """See Store."""
        return sorted(key for key in self._values if key.startswith(prefix) and key > start_after)[:limit]

    def address(self) -> str:
        """See Store."""
        return f"memory:{id(self):x}"

    def caveat(self) -> str:
        """See Store."""
        return ""
