"""Puts the live view around a watched Packer."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from buildtel.capture.packer import Watched
from buildtel.capture.relay import write_all
from buildtel.errors import BuildtelError

if TYPE_CHECKING:
    from buildtel.job import JobDocument
    from buildtel.live.board import Board
    from buildtel.live.view import View

SOONEST_REDRAW_S = 0.05
LAST_BUILDS = 5


class Live:
    """The view, made while Packer starts: what it needs is not small, and Packer shall not wait for it."""

    def __init__(self, job: str) -> None:
        self._job = job
        self._view: View | None = None

    def watched(self, command: Sequence[str], log: str) -> Watched:
        """A Packer that is about to run, with the view below its output."""
        self._run = Watched(command, os.environ, log, self._lines, self._write)
        self._run.relay.begun = self._begin
        self._run.relay.resized = self._run.relay.over = self._erase
        return self._run

    def _begin(self) -> None:
        from buildtel.live.board import Board
        from buildtel.live.view import View
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
    """Give the board what the job's last builds took, from this machine's documents, else from the store."""
    from buildtel.live.usual import Usual

    try:
        board.usual = Usual(list(_local(job)) or list(_stored(job)))
    except (BuildtelError, OSError, ValueError):
        return  # a view without medians


def _local(job: str) -> Iterator[JobDocument]:
    from buildtel.cli.documents import read_document
    from buildtel.job import load_document
    from buildtel.settings import read_settings
    from buildtel.store.layout import escape

    folder = read_settings(os.environ).telemetry_dir
    newest = sorted(folder.glob(f"{escape(job)}_????????_??????*.json"))[-LAST_BUILDS:]
    yield from (load_document(read_document(Path(path)), str(path)) for path in newest)


def _stored(job: str) -> Iterator[JobDocument]:
    from buildtel.cli.stores import open_store
    from buildtel.job import load_document
    from buildtel.store.catalog import entries

    store = open_store()
    for entry in entries(store, job, LAST_BUILDS):
        stored = store.get(entry.document)
        if stored is not None:
            yield load_document(stored.data, entry.document)
