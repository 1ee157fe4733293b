"""Follows the log of a running build, and shows it in another terminal."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import datetime, timezone
from io import RawIOBase
from pathlib import Path

from buildtel.capture.relay import write_all
from buildtel.capture.stamped import is_growing
from buildtel.errors import BuildtelError
from buildtel.live.board import Board
from buildtel.live.busiest import Busiest, holder_of_lock
from buildtel.live.drawing import View
from buildtel.live.last_documents import LastBuilds
from buildtel.local.folders import LOG_SUFFIX, telemetry_folder
from buildtel.parse import Inbox, batches
from buildtel.store import Store
from buildtel_agent import Kernel

CHUNK_BYTES = 256 * 1024
STAMP_CHARS = len("2026-01-24T12:00:00.123")


def newest_log() -> str:
    """The log of the running build that started last.

    Raises:
        BuildtelError: no build is running.
    """
    folder = telemetry_folder(os.environ)
    for path in sorted(Path(folder).glob(f"*{LOG_SUFFIX}"), key=lambda path: path.stat().st_mtime, reverse=True):
        with path.open("rb") as file:
            if is_growing(file.fileno()):
                return str(path)
    raise BuildtelError(f"no running build has a log in {folder}. Start one with `buildtel-host packer build`")


class LogFollower:
    """Reads a log while it grows; the log's time stamps give the times of earlier events, too.

    Args:
        file: the log.
        name: its file name, JOB_DATE_TIME.packer.log.
        opened: opens the store, for documents that are not on this machine.
    """

    def __init__(self, file: RawIOBase, name: str, opened: Callable[[], Store]) -> None:
        self._file, self._inbox = file, Inbox(batches)
        self._ahead_s = time.monotonic() - time.time()
        builds = LastBuilds(name.rsplit("_", 2)[0], opened)
        builds.read_in_background()
        self.board = Board(self._began_s(), lambda: builds.usual)
        busiest = Busiest(lambda: holder_of_lock(file.fileno()))
        self.view = View(1, self.board, Kernel().counters, busiest, write_all)

    def _began_s(self) -> float:
        try:
            began = datetime.fromisoformat(self._file.read(STAMP_CHARS).decode()).replace(tzinfo=timezone.utc)
        except ValueError:
            return time.monotonic()
        finally:
            self._file.seek(0)
        return began.timestamp() + self._ahead_s

    def read(self) -> None:
        """Read what was added to the log."""
        while chunk := self._file.read(CHUNK_BYTES):
            for event in self._inbox.put(chunk):
                at = getattr(event, "at", None)
                self.board.take([event], at.unix_s + self._ahead_s if at else time.monotonic())

    def follow(self) -> None:
        """Show the view until no process writes the log."""
        grows = True
        try:
            while grows:
                grows = is_growing(self._file.fileno())
                self.read()
                time.sleep(self.view.draw(time.monotonic()) if grows else 0)
        finally:
            self.view.erase()
