"""Reads packer's output: bytes in, events out, no I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from buildtel.events import Event
from buildtel.parse.reader import LogReader
from buildtel.parse.spool import SpoolReader


def read(chunks: Iterable[bytes], key: str | None = None) -> Iterator[Event]:
    """The events of a log, in its order; how it is cut into chunks changes nothing.

    Args:
        chunks: the log's bytes, in any pieces.
        key: the secret that the agents have as BUILDTEL_KEY; with it each record says if it is authentic.
    """
    return chain.from_iterable(batches(chunks, key))


def batches(chunks: Iterable[bytes], key: str | None = None) -> Iterator[list[Event]]:
    """Read a log as `read` does; gives one list of events for each chunk, and a last list at the end of the log.

    The last list has the events that only the end makes certain.

    Args:
        chunks: the log's bytes, in any pieces.
        key: the secret that the agents have as BUILDTEL_KEY; None or empty without one.
    """
    return _fed(LogReader(key), chunks)


def read_spool(chunks: Iterable[bytes], number: int, key: str | None = None) -> Iterator[Event]:
    """The events of a spool, a file of records that a machine kept (docs/format.md, 1.5).

    Args:
        chunks: the file's bytes, in any pieces.
        number: tells the spool's events from those of other spools.
        key: the secret that the agents have as BUILDTEL_KEY; None or empty without one.
    """
    return chain.from_iterable(spool_batches(chunks, number, key))


def spool_batches(chunks: Iterable[bytes], number: int, key: str | None = None) -> Iterator[list[Event]]:
    """Read a spool as `read_spool` does; gives one list of events for each chunk, and a last list at the end.

    Args:
        chunks: the file's bytes, in any pieces.
        number: tells the spool's events from those of other spools.
        key: the secret that the agents have as BUILDTEL_KEY; None or empty without one.
    """
    return _fed(SpoolReader(number, key), chunks)


def _fed(reader: LogReader | SpoolReader, chunks: Iterable[bytes]) -> Iterator[list[Event]]:
    for chunk in chunks:
        yield reader.feed(chunk)
    yield reader.close()


class Inbox:
    """Gives bytes as they come to a reader that asks for its chunks: `batches` or `spool_batches`."""

    def __init__(self, reading: Callable[[Iterable[bytes]], Iterator[list[Event]]]) -> None:
        self._chunks: deque[bytes] = deque()
        self._batches = reading(self._coming())
        self._over = False

    def put(self, data: bytes) -> list[Event]:
        """The events that `data` makes certain."""
        self._chunks.append(data)
        return next(self._batches)

    def end(self) -> list[Event]:
        """The events that only the end makes certain."""
        self._over = True
        return next(self._batches)

    def _coming(self) -> Iterator[bytes]:
        while not self._over:
            yield self._chunks.popleft()


__all__ = ["Inbox", "batches", "read", "read_spool", "spool_batches"]
