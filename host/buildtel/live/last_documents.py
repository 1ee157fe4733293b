"""Reads the last documents of a job, from this machine or from the store, for the usual durations."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from buildtel.errors import BuildtelError
from buildtel.insight.usual import Usual
from buildtel.job import JobDocument, load_document
from buildtel.live.board import Board
from buildtel.local.documents import read_document
from buildtel.local.folders import telemetry_folder
from buildtel.naming import escape
from buildtel.store import Store
from buildtel.store.index import entries

LAST_BUILDS = 5


def learn_in_background(board: Board, job: str, opened: Callable[[], Store]) -> None:
    """Give the board the durations of the job's last builds, in a thread: documents take a while to read.

    Args:
        board: gets them.
        job: the job's name.
        opened: opens the store that is asked if no document is on this machine.
    """
    threading.Thread(target=_learn, args=(board, job, opened), daemon=True).start()


def _learn(board: Board, job: str, opened: Callable[[], Store]) -> None:
    try:
        board.usual = Usual(list(_local(job)) or list(_stored(job, opened())))
    except (BuildtelError, OSError, ValueError):
        return  # a view without medians


def _local(job: str) -> Iterator[JobDocument]:
    folder = Path(telemetry_folder(os.environ))
    newest = sorted(folder.glob(f"{escape(job)}_????????_??????*.json"))[-LAST_BUILDS:]
    yield from (load_document(read_document(Path(path)), str(path)) for path in newest)


def _stored(job: str, store: Store) -> Iterator[JobDocument]:
    for entry in entries(store, job, LAST_BUILDS):
        stored = store.get(entry.document)
        if stored is not None:
            yield load_document(stored.data, entry.document)
