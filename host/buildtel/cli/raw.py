"""The agents' records as they were read, kept compressed beside the document they became."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

from buildtel.events import AgentRecord, Event

SUFFIX = ".events.jsonl.gz"
LARGEST = 256 * 1024 * 1024


class RawRecords:
    """Takes events as they are read, and keeps the records among them, at most `LARGEST` bytes compressed."""

    def __init__(self) -> None:
        self._packed = io.BytesIO()
        self._file = gzip.GzipFile(fileobj=self._packed, mode="wb", mtime=0)
        self._count = 0

    def add(self, event: Event) -> None:
        """Keep a record; other events are in the document."""
        if isinstance(event, AgentRecord) and self._packed.tell() < LARGEST:
            row = {
                "line": event.line,
                "at": event.at.unix_s if event.at else None,
                "target": event.target,
                "record": event.fields,
            }
            self._file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))
            self._file.write(b"\n")
            self._count += 1

    def write_beside(self, document: Path) -> None:
        """Write them beside a document: `X.events.jsonl.gz` for `X.json`. Without records, no file."""
        from buildtel.cli.documents import write_over

        self._file.close()
        path = _beside(document)
        if self._count:
            write_over(path, self._packed.getvalue())
        else:
            path.unlink(missing_ok=True)


def read_beside(document: Path) -> bytes:
    """What was written beside a document; empty if nothing was.

    Raises:
        BuildtelError: it is there and can't be read.
    """
    from buildtel.cli.documents import is_regular, read_document

    path = _beside(document)
    try:
        return read_document(path) if is_regular(path) else b""
    except FileNotFoundError:
        return b""


def _beside(document: Path) -> Path:
    return document.with_name(document.name.removesuffix(".json") + SUFFIX)
