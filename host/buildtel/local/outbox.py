"""The upload queue: documents on this machine's disk that are not in their store yet.

A parcel is a folder `NUMBER_DIGEST` with the document, what goes with it, and the address of its
store; it is made aside, synced and then renamed, so that it is there whole or not at all. It is
removed when the store has everything. As delivering twice changes nothing, a machine that dies
anywhere in between loses nothing and doubles nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from buildtel import files
from buildtel.errors import BuildtelError
from buildtel.local.folders import own_folder

DOCUMENT = "document.json"
STEPS = "packer_steps.txt"
EVENTS = "events.jsonl.gz"
PAGE = "page.html"
NAME = "name"
ADDRESS = "store"
ASIDE = ".making-"
LOCK = ".lock"
LOOK_AGAIN_S = 0.1


class OutboxError(BuildtelError):
    """The outbox can't be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A document's file, its name in messages, and what goes with it (empty for nothing)."""

    name: str
    document: bytes
    packer_steps: str = ""
    events: bytes = b""
    page: bytes = b""

    @property
    def digest(self) -> str:
        """SHA-256 of the document, in hex."""
        return hashlib.sha256(self.document).hexdigest()


class Outbox:
    """The parcels in `folder`, which is created for the user only when it is first locked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def locked(self, wait_s: float) -> Iterator[None]:
        """Lock the outbox: one process at a time adds and delivers, which keeps the order.

        Raises:
            OutboxError: it can't be written, belongs to another user, or is locked for longer than `wait_s`.
        """
        with self._explained():
            try:
                own_folder(str(self.folder), "XDG_STATE_HOME")
            except BuildtelError as error:
                raise OutboxError(f"cannot use the outbox: {error}") from error
            self.folder.chmod(0o700)
            lock = (self.folder / LOCK).open("ab")
        with lock:
            self._wait_for_lock(lock.fileno(), time.monotonic() + wait_s)
            self._clear()
            yield

    def add(self, parcel: Parcel, address: str) -> None:
        """Put a parcel behind all others, unless it waits for that store already.

        Args:
            parcel: the document and what goes with it.
            address: the store that it is for.

        Raises:
            OutboxError: it can't be written.
        """
        entries = self._entries()
        if any(self.digest(entry) == parcel.digest and _address(entry) == address for entry in entries):
            return
        number = int(entries[-1].name.partition("_")[0]) + 1 if entries else 1
        aside = self.folder / f"{ASIDE}{secrets.token_hex(8)}"
        with self._explained():
            aside.mkdir(mode=0o700)
            for name, data in _files(parcel, address).items():
                files.write_synced(str(aside / name), data)
            files.sync_folder(str(aside))
            aside.rename(self.folder / f"{number:09d}_{parcel.digest}")
            files.sync_folder(str(self.folder))

    def waiting(self, address: str | None = None) -> list[Path]:
        """The parcels for that store (None: for any), oldest first."""
        entries = self._entries()
        return entries if address is None else [entry for entry in entries if _address(entry) == address]

    def digest(self, entry: Path) -> str:
        """The digest of a waiting parcel's document."""
        return entry.name.partition("_")[2]

    def read(self, entry: Path) -> Parcel:
        """Read a parcel.

        Raises:
            OutboxError: it can't be read.
        """
        with self._explained():
            return Parcel(
                name=(entry / NAME).read_text(encoding="utf-8", errors="surrogateescape"),
                document=(entry / DOCUMENT).read_bytes(),
                packer_steps=(entry / STEPS).read_text(encoding="utf-8"),
                events=(entry / EVENTS).read_bytes(),
                page=(entry / PAGE).read_bytes() if (entry / PAGE).exists() else b"",
            )

    def remove(self, entry: Path) -> None:
        """Remove a delivered parcel.

        Raises:
            OutboxError: it can't be removed; delivered once more it does no harm.
        """
        with self._explained():
            aside = self.folder / f"{ASIDE}{secrets.token_hex(8)}"
            entry.rename(aside)
            shutil.rmtree(aside)

    def _entries(self) -> list[Path]:
        with self._explained():
            return sorted(path for path in self.folder.glob("[0-9]*_*") if path.is_dir())

    def _clear(self) -> None:
        """Remove incomplete and delivered parcels that a killed process left."""
        for left in self.folder.glob(f"{ASIDE}*"):
            shutil.rmtree(left, ignore_errors=True)

    def _wait_for_lock(self, file: int, until_s: float) -> None:
        while not _lock(file):
            if time.monotonic() >= until_s:
                raise OutboxError(f"another upload uses {self.folder}. Try again later")
            time.sleep(LOOK_AGAIN_S)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutboxError(f"cannot use the outbox {self.folder}: {error.strerror or error}") from error


def _lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _files(parcel: Parcel, address: str) -> dict[str, bytes]:
    return {
        DOCUMENT: parcel.document,
        STEPS: parcel.packer_steps.encode(),
        EVENTS: parcel.events,
        **({PAGE: parcel.page} if parcel.page else {}),
        NAME: parcel.name.encode(errors="surrogateescape"),
        ADDRESS: address.encode(errors="surrogateescape"),
    }


def _address(entry: Path) -> str:
    try:
        return (entry / ADDRESS).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
