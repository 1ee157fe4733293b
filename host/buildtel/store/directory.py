"""A store in a directory: one file per key, written aside, synced, then linked."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from buildtel import files
from buildtel.store.contract import Stored, StoreError, check_key

ASIDE = ".buildtel-tmp"
LOCK = ".buildtel-lock"


class DirectoryStore:
    """Keys are paths under `root`, which is made when the first value is written."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put_new(self, key: str, data: bytes) -> bool:
        """See Store."""
        with self._explained("write"), self._aside(data) as aside:
            return files.link_new(str(aside), str(self._path_for_writing(key)))

    def replace(self, key: str, data: bytes, version: str | None) -> bool:
        """See Store."""
        if version is None:
            return self.put_new(key, data)
        with self._explained("write"), self._locked():
            stored = self.get(key)
            if stored is None or stored.version != version:
                return False
            with self._aside(data) as aside:
                path = self._path_for_writing(key)
                aside.replace(path)
                files.sync_folder(str(path.parent))
            return True

    def get(self, key: str) -> Stored | None:
        """See Store."""
        with self._explained("read"):
            try:
                data = (self.root / check_key(key)).read_bytes()
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                return None
        return Stored(data, hashlib.sha256(data).hexdigest())

    def delete(self, key: str) -> None:
        """See Store. Folders stay: somebody may be about to write into them."""
        with self._explained("write"), self._locked():
            path = self.root / check_key(key)
            with suppress(FileNotFoundError, IsADirectoryError, NotADirectoryError):
                path.unlink()
                files.sync_folder(str(path.parent))

    def list(self, prefix: str, start_after: str = "", limit: int = 1000) -> list[str]:
        """See Store."""
        folder = prefix.rpartition("/")[0]
        with self._explained("read"):
            keys = _keys(self.root / folder, f"{folder}/" if folder else "", prefix, start_after)
            return list(islice(keys, limit))

    def address(self) -> str:
        """See Store."""
        return str(self.root)

    def caveat(self) -> str:
        """See Store."""
        return ""

    def _path_for_writing(self, key: str) -> Path:
        path = self.root / check_key(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    @contextmanager
    def _aside(self, data: bytes) -> Iterator[Path]:
        """A synced file with `data` that nobody sees, gone afterwards unless it was moved."""
        folder = self.root / ASIDE
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / secrets.token_hex(8)
        try:
            files.write_synced(str(path), data)
            yield path
        finally:
            path.unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.root / LOCK).open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _explained(self, verb: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(f"can't {verb} the store {self.root}: {error.strerror or error}") from error


def _keys(folder: Path, at: str, prefix: str, start_after: str) -> Iterator[str]:
    """The keys under `folder`, whose own key is `at`, in the order of their bytes."""
    try:
        with os.scandir(folder) as found:
            names = sorted(entry.name + "/" if entry.is_dir() else entry.name for entry in found)
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        key = at + name
        if name.rstrip("/") in (ASIDE, LOCK) or not (key.startswith(prefix) or prefix.startswith(key)):
            continue
        if name.endswith("/"):
            if key + "\x7f" > start_after or start_after.startswith(key):
                yield from _keys(folder / name[:-1], key, prefix, start_after)
        elif key.startswith(prefix) and key > start_after:
            yield key
