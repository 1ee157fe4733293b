"""Keeps the agents' records, compressed, beside their document."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from buildtel.events import AgentRecord, Event
from buildtel.local.documents import is_regular, read_document, write_over
from buildtel.redact import Redactor

SUFFIX = ".events.jsonl.gz"
LARGEST = 32 * 1024 * 1024
GZIP = 31  # zlib's word for a gzip header around 15 bits of window


class RawRecords:
    """Takes events as they are read and keeps the records among them, compressed.

    At most `LARGEST` bytes are kept; the last line says how many records were left out.

    Args:
        redactor: hides secrets in the names that records have.
    """

    def __init__(self, redactor: Redactor) -> None:
        self.redactor = redactor
        self._press = zlib.compressobj(wbits=GZIP)
        self._packed = bytearray()
        self._count = self._left_out = 0

    def keeping(self, events: Iterable[Event]) -> Iterator[Event]:
        """Yield the events unchanged, and keep the records among them."""
        for event in events:
            if isinstance(event, AgentRecord):
                self._add(event)
            yield event

    def _add(self, event: AgentRecord) -> None:
        self._count += 1
        if len(self._packed) >= LARGEST:
            self._left_out += 1
            return
        at = event.at.unix_s if event.at else None
        self._line({"line": event.line, "at": at, "target": event.target, "record": self._shown(event.fields)})

    def _shown(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """A record whose names have no secrets: its own, and those of processes."""
        text = self.redactor.text
        shown = {
            key: text(value) if key == "name" and isinstance(value, str) else value for key, value in record.items()
        }
        for key in ("procs", "near"):
            if isinstance(shown.get(key), list):
                shown[key] = [
                    [text(row[0]), *row[1:]] if isinstance(row, list) and row and isinstance(row[0], str) else row
                    for row in shown[key]
                ]
        return shown

    def _line(self, row: dict[str, Any]) -> None:
        text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
        self._packed += self._press.compress(text.encode("utf-8", "replace") + b"\n")

    def write_beside(self, document: Path, after_others: bool = False) -> None:
        """Write the records beside a document: `X.events.jsonl.gz` for `X.json`. Without records there is no file.

        Args:
            document: the document's path.
            after_others: append to the file that exists instead of replacing it; gzip files in a row are one.
        """
        if self._left_out:
            self._line({"left_out": self._left_out})
        path = _beside(document)
        others = read_beside(document) if after_others else b""
        if self._count:
            write_over(path, others + bytes(self._packed + self._press.flush()))
        elif not others:
            path.unlink(missing_ok=True)


def read_beside(document: Path) -> bytes:
    """The records that were written beside a document; empty without any.

    Raises:
        BuildtelError: it is there and can't be read.
    """
    path = _beside(document)
    try:
        return read_document(path) if is_regular(path) else b""
    except FileNotFoundError:
        return b""


def _beside(document: Path) -> Path:
    return document.with_name(document.name.removesuffix(".json") + SUFFIX)
