"""Reads a spool: one record per line (docs/format.md, 1.5)."""

from __future__ import annotations

from buildtel.events import AgentRecord, DamagedRecord, Event, UnreadableLine
from buildtel.parse.lines import LineCutter
from buildtel.parse.record_line import MARK, is_authentic, looks_damaged, read_record


class SpoolReader:
    """Reads a spool piece by piece; how it is cut into pieces changes nothing. Nothing raises.

    `number` tells its events from those of other spools. With a `key` records say if they are authentic.
    """

    def __init__(self, number: int, key: str | None = None) -> None:
        self._number = number
        self._key = key.encode("utf-8", "surrogateescape") if key else None
        self._cutter = LineCutter()

    def feed(self, data: bytes) -> list[Event]:
        """The events of the lines that `data` completes."""
        return [event for line in self._cutter.feed(data) for event in self._line(*line)]

    def close(self) -> list[Event]:
        """The events of a last line without its newline."""
        return [event for line in self._cutter.close() for event in self._line(*line)]

    def _line(self, number: int, line: bytes | None) -> list[Event]:
        if line is None:
            return [UnreadableLine(line=number, reason="longer than 4 MiB, in a spool")]
        text = line.strip()
        if not text:
            return []
        if not text.startswith(MARK):
            if looks_damaged(text):
                return [self._damaged(number, "other text stands before it in the same line of a spool")]
            return [UnreadableLine(line=number, reason="no record, in a spool")]
        read = read_record(text)
        if isinstance(read, str):
            return [self._damaged(number, read)]
        fields, refused = read
        authentic = None if self._key is None else is_authentic(text, self._key)
        return [
            AgentRecord(
                line=number, target=None, fields=fields, refused=refused, authentic=authentic, spool=self._number
            )
        ]

    def _damaged(self, number: int, reason: str) -> DamagedRecord:
        return DamagedRecord(line=number, target=None, reason=reason)
