"""The list of documents of the telemetry folder that a store already has."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from buildtel import files
from buildtel.local.documents import is_regular

LIST = ".delivered.json"


class Delivered:
    """The documents of a folder, and the digests of those that a store has.

    Without a list, or with a damaged one, nothing counts as delivered: delivering twice changes nothing.
    """

    def __init__(self, folder: Path, address: str) -> None:
        """Reads the list.

        Args:
            folder: the telemetry folder.
            address: the store's.
        """
        self._file = folder / LIST
        self._stores = _read(self._file)
        self._known = self._stores.setdefault(address, {})
        self._digests = {path: _digest(path) for path in _documents(folder)}

    def missing(self) -> list[Path]:
        """The documents that the store does not have as they are now."""
        return [path for path, digest in self._digests.items() if self._known.get(path.name) != digest]

    def add(self, digests: set[str]) -> None:
        """Note that the store has the documents of these digests now.

        Raises:
            OSError: the list can't be written.
        """
        self._known.update({path.name: digest for path, digest in self._digests.items() if digest in digests})
        if digests:
            files.replace(str(self._file), json.dumps(self._stores).encode())


def _read(file: Path) -> dict[str, dict[str, str]]:
    """Digests by file name, by store."""
    try:
        value = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(value, dict):
        return {}
    return {store: dict(names) for store, names in value.items() if isinstance(names, dict)}


def _documents(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*.json")) if not path.name.startswith(".") and is_regular(path)]


def _digest(path: Path) -> str:
    """SHA-256 in hex, as the outbox has it; empty if the file can't be read: uploading it tells why."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
