"""`live`: shows a running build in a second terminal, or below Packer's output with `packer --live always`."""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from io import RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING

from buildtel.capture.packer import PackerProcess
from buildtel.capture.relay import write_all
from buildtel.errors import BuildtelError
from buildtel_agent import Kernel

if TYPE_CHECKING:
    from buildtel.job import JobDocument
    from buildtel.live.board import Board
    from buildtel.live.drawing import View

SOONEST_REDRAW_S = 0.05
LAST_BUILDS = 5
CHUNK_BYTES = 256 * 1024
STAMP_CHARS = len("2026-01-24T12:00:00.123")
WIDTH_OF_A_FILE = 120


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "log", metavar="LOG", nargs="?",
        help="the log that `buildtel-host packer` writes (default: the newest running build in $TELEMETRY_DIR)",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Show the view until the build ends or Ctrl-C; without a terminal print it once."""
    path = args.log or _newest()
    with Path(path).open("rb", buffering=0) as file:
        follower = _Follower(file, Path(path).name)
        if sys.stdout.isatty():
            follower.follow()
        else:
            follower.read()
            print("\n".join(follower.view.rows(time.monotonic(), WIDTH_OF_A_FILE)))
    return 0


def _newest() -> str:
    """The log of the running build that started last."""
    from buildtel.capture.stamped import is_growing
    from buildtel.local.folders import LOG_SUFFIX, telemetry_folder

    folder = telemetry_folder(os.environ)
    for path in sorted(Path(folder).glob(f"*{LOG_SUFFIX}"), key=lambda path: path.stat().st_mtime, reverse=True):
        with path.open("rb") as file:
            if is_growing(file.fileno()):
                return str(path)
    raise BuildtelError(f"no running build has a log in {folder}. Start one with `buildtel-host packer build`")


class _Follower:
    """Reads a log while it grows; the log's time stamps give the times of earlier events, too."""

    def __init__(self, file: RawIOBase, name: str) -> None:
        from buildtel.live.board import Board
        from buildtel.live.drawing import View
        from buildtel.parse import Inbox, batches

        self._file, self._inbox = file, Inbox(batches)
        self._ahead_s = time.monotonic() - time.time()
        self.board = Board(self._began_s())
        self.view = View(1, self.board, Kernel().counters, write_all)
        threading.Thread(target=_learn, args=(self.board, name.rsplit("_", 2)[0]), daemon=True).start()

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
        from buildtel.capture.stamped import is_growing

        grows = True
        try:
            while grows:
                grows = is_growing(self._file.fileno())
                self.read()
                time.sleep(self.view.draw(time.monotonic()) if grows else 0)
        finally:
            self.view.erase()
        print("The build has ended.")


class Live:
    """The view below Packer's output. Its imports are slow, so it is made while Packer starts; Packer does not wait."""

    def __init__(self, job: str) -> None:
        self._job = job
        self._view: View | None = None

    def process(self, command: Sequence[str], log: str) -> PackerProcess:
        """Packer, ready to run, with the view below its output.

        Args:
            command: Packer's command line.
            log: the file for its log.
        """
        self._run = PackerProcess(command, os.environ, log, self._lines, self._write)
        self._run.relay.begun = self._begin
        self._run.relay.resized = self._run.relay.over = self._erase
        return self._run

    def _begin(self) -> None:
        from buildtel.live.board import Board
        from buildtel.live.drawing import View
        from buildtel.parse import Inbox, batches

        self._inbox, self._board = Inbox(batches), Board(time.monotonic())
        self._view = View(1, self._board, lambda: self._run.sampler.last, write_all)
        self._run.relay.timers[self._view.draw] = 0.0
        threading.Thread(target=_learn, args=(self._board, self._job), daemon=True).start()

    def _lines(self, text: bytes) -> None:
        if self._view is None:
            return
        now_s = time.monotonic()
        self._board.take(self._inbox.put(text), now_s)
        self._run.relay.timers[self._view.draw] = max(now_s, self._view.drawn_s + SOONEST_REDRAW_S)

    def _write(self, fd: int, data: bytes) -> None:
        if self._view is None:
            write_all(fd, data)
        else:
            self._view.write(fd, data)

    def _erase(self) -> None:
        if self._view is not None:
            self._view.erase()


def _learn(board: Board, job: str) -> None:
    """Give the board the durations of the job's last builds, from documents on this machine, else from the store."""
    from buildtel.live.usual import Usual

    try:
        board.usual = Usual(list(_local(job)) or list(_stored(job)))
    except (BuildtelError, OSError, ValueError):
        return  # a view without medians


def _local(job: str) -> Iterator[JobDocument]:
    from buildtel.job import load_document
    from buildtel.local.documents import read_document
    from buildtel.local.folders import telemetry_folder
    from buildtel.naming import escape

    folder = Path(telemetry_folder(os.environ))
    newest = sorted(folder.glob(f"{escape(job)}_????????_??????*.json"))[-LAST_BUILDS:]
    yield from (load_document(read_document(Path(path)), str(path)) for path in newest)


def _stored(job: str) -> Iterator[JobDocument]:
    from buildtel.cli.stores import open_store
    from buildtel.job import load_document
    from buildtel.store.index import entries

    store = open_store()
    for entry in entries(store, job, LAST_BUILDS):
        stored = store.get(entry.document)
        if stored is not None:
            yield load_document(stored.data, entry.document)
