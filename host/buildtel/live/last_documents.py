"""Reads the last documents of a job, from this machine or from the store, for the usual durations."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from buildtel.errors import BuildtelError
from buildtel.insight.usual import Usual
from buildtel.job import JobDocument, load_document
from buildtel.local.documents import read_document
from buildtel.local.folders import telemetry_folder
from buildtel.naming import escape
from buildtel.store import Store
from buildtel.store.index import entries

LAST_BUILDS = 5


class LastBuilds:
    """The usual durations by the job's last builds; none until they are read.

    Args:
        job: the job's name.
        opened: opens the store that is asked if no document is on this machine.
    """

    def __init__(self, job: str, opened: Callable[[], Store]) -> None:
        self._job, self._opened = job, opened
        self.usual = Usual()

    def read_in_background(self) -> None:
        """Read them in a thread, because it takes a while."""
        threading.Thread(target=self.read, daemon=True).start()

    def read(self) -> None:
        """Read them; what can't be read is not usual."""
        with suppress(BuildtelError, OSError, ValueError):
            self.usual = Usual(list(_local(self._job)) or list(_stored(self._job, self._opened())))


def _local(job: str) -> Iterator[JobDocument]:
    folder = Path(telemetry_folder(os.environ))
    newest = sorted(folder.glob(f"{escape(job)}_????????_??????*.json"))[-LAST_BUILDS:]
    yield from (load_document(read_document(Path(path)), str(path)) for path in newest)


def _stored(job: str, store: Store) -> Iterator[JobDocument]:
    for entry in entries(store, job, LAST_BUILDS):
        stored = store.get(entry.document)
        if stored is not None:
            yield load_document(stored.data, entry.document)
