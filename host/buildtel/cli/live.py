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
from buildtel.live.board import Board
from buildtel.live.view import View
from buildtel.parse import LogReader

if TYPE_CHECKING:
    from buildtel.job import JobDocument

SOONEST_REDRAW_S = 0.05
LAST_BUILDS = 5


def watched_live(command: Sequence[str], log: str, job: str) -> Watched:
    """A Packer that is about to run, with the view below its output."""
    reader, board = LogReader(), Board(time.monotonic())
    view = View(1, board, lambda: watched.sampler.last, write_all)

    def lines(text: bytes) -> None:
        now_s = time.monotonic()
        board.take(reader.feed(text), now_s)
        watched.relay.timers[view.draw] = max(now_s, view.drawn_s + SOONEST_REDRAW_S)

    watched = Watched(command, os.environ, log, lines, view.write)
    watched.relay.timers[view.draw] = 0.0
    watched.relay.resized = view.erase
    watched.relay.over = view.erase
    watched.relay.begun = lambda: threading.Thread(target=_learn, args=(board, job), daemon=True).start()
    return watched


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
