"""Reads logs and their spools, and makes documents of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from buildtel.errors import BuildtelError, UsageError
from buildtel.events import Event
from buildtel.job import JobDocument, Meta
from buildtel.job.fold import document
from buildtel.job.notes import PREFIX_UNKNOWN
from buildtel.local.raw_records import RawRecords
from buildtel.parse import read, read_spool

CHUNK_BYTES = 256 * 1024
Told = Callable[[str], None]


def log_document(
    log: str | None, meta: Meta, raw: RawRecords, spools: SpoolSources | None = None, *, force: bool = False
) -> JobDocument:
    """The document of a log and of the spools beside it.

    Args:
        log: its file, `-` for standard input, None where there are only spools.
        meta: which job it is.
        raw: keeps the records among the events.
        spools: records beside the log.
        force: also of a log without a line of Packer's and without a record.

    Raises:
        BuildtelError: the log or a spool can't be read, or the log is none of Packer's.
    """
    logged = read(chunks(log), os.environ.get("BUILDTEL_KEY")) if log is not None else ()
    beside = spools.events(log is not None) if spools is not None else ()
    made = document(raw.keeping(chain(logged, beside)), meta, logged=log is not None)
    if not force and not _tells_anything(made):
        name = "standard input" if log == "-" else log or "the spool"
        raise BuildtelError(
            f"{name} is not a Packer log: it has no line of Packer's and no record. Nothing was written. "
            "Name the output of `packer build`, or use --force"
        )
    if spools is None or not spools.notes:
        return made
    return replace(made, notes=[*made.notes, *spools.notes])


def _tells_anything(made: JobDocument) -> bool:
    """Whether a line of Packer's, a record or a step is in a document."""
    packer, integrity = made.packer, made.integrity
    of_packer = packer is not None and bool(packer.runs or packer.version or packer.plugins)
    of_agent = integrity is not None and bool(integrity.records or integrity.damaged or integrity.foreign)
    return of_packer or of_agent or bool(made.steps) or PREFIX_UNKNOWN in made.notes


class SpoolSources:
    """The spools of a log; `notes` has a sentence for each one that could not be read.

    Args:
        files: the spools that are files.
        hosts: the machines whose spools are fetched.
        fetched: gives the bytes of all spools of a machine; its second argument takes sentences on what is left out.
        told: takes each note as soon as it is known.
        key: the secret that the agents have as BUILDTEL_KEY; None without one.
    """

    def __init__(
        self, files: Sequence[str], hosts: Sequence[str], fetched: Callable[[str, Told], Iterator[bytes]], told: Told,
        key: str | None,
    ) -> None:  # fmt: skip
        self._files, self._hosts = files, hosts
        self._fetched, self._told, self._key = fetched, told, key
        self.notes: list[str] = []

    def events(self, has_log: bool) -> Iterator[Event]:
        """All records. If there is a log, a machine that can't be reached is a note, not an error.

        Raises:
            BuildtelError: a file can't be read; without a log: a machine can't be reached.
        """
        for number, name in enumerate(self._files):
            yield from read_spool(chunks(name), number, self._key)
        for number, host in enumerate(self._hosts, len(self._files)):
            try:
                yield from read_spool(self._fetched(host, self._noting(host)), number, self._key)
            except BuildtelError as error:  # noqa: PERF203
                if not has_log or isinstance(error, UsageError):
                    raise
                self._noting(host)(str(error))

    def note(self, words: str) -> None:
        """Tell a note now and add it to the document."""
        self._told(words)
        self.notes.append(words if words.endswith(".") else f"{words}.")

    def _noting(self, host: str) -> Told:
        return lambda words: self.note(f"--ssh {host}: {words}")


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
