"""Reads logs from this machine's disk and makes documents of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Protocol

from buildtel.errors import BuildtelError
from buildtel.events import Event
from buildtel.job import JobDocument, Meta
from buildtel.job.fold import document
from buildtel.local.raw_records import RawRecords
from buildtel.parse import read

CHUNK_BYTES = 256 * 1024


class Spools(Protocol):
    """Records beside a log; `notes` are sentences about what could not be had of them."""

    notes: list[str]

    def events(self, has_log: bool) -> Iterable[Event]:
        """All records; `has_log` if a log stands beside them.

        Raises:
            BuildtelError: some can't be had, and must.
        """
        ...


def log_document(log: str | None, meta: Meta, raw: RawRecords, spools: Spools | None = None) -> JobDocument:
    """The document of a log and of the spools beside it.

    Args:
        log: its file, `-` for standard input, None where there are only spools.
        meta: which job it is.
        raw: keeps the records among the events.
        spools: records beside the log.

    Raises:
        BuildtelError: the log or a spool can't be read.
    """
    logged = read(chunks(log), os.environ.get("BUILDTEL_KEY")) if log is not None else ()
    beside = spools.events(log is not None) if spools is not None else ()
    made = document(raw.keeping(chain(logged, beside)), meta, logged=log is not None)
    if spools is None or not spools.notes:
        return made
    return made.model_copy(update={"notes": [*made.notes, *spools.notes]})


def chunks(log: str) -> Iterator[bytes]:
    """The bytes of a file, or of standard input (`-`), in parts.

    Raises:
        BuildtelError: it can't be read.
    """
    if log == "-":
        yield from _read(sys.stdin.buffer, "standard input")
        return
    if Path(log).is_dir():
        raise BuildtelError(f"can't read {log}: it is a directory. Name the log in it")
    with _explained(log), Path(log).open("rb") as file:
        yield from _read(file, log)


def _read(file: BinaryIO, name: str) -> Iterator[bytes]:
    while True:
        with _explained(name):
            chunk = file.read(CHUNK_BYTES)
        if not chunk:
            return
        yield chunk


@contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BuildtelError(f"can't read {name}: {error.strerror or error}") from error
