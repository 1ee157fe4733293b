"""Turns the rows of the whole-life sampler into records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from buildtel.measure.account_fields import MAX_INTERVALS
from buildtel.measure.record_fields import MAX_COLUMNS, PARTIAL
from buildtel_agent import dumps, interval_from_text, pack_columns, row_from_text, with_crc

ROWS = 30
COLUMNS = 120  # of one record, which with as many rows is far below the size that a record may have
MAX_ROW_BYTES = 64 * 1024


@dataclass(slots=True)
class LifeReader:
    """Bytes of one life file in, `samples` records out, each a line.

    Rows of many columns take several records of the same times. A record's number tells its last row, so that a
    file read twice, longer the second time, gives no two records of one number that differ. Of more devices than
    a record may have there are no columns.

    Attributes:
        ident: what follows `life-` in the file's name.
        boot: the boot id of the machine now.
        booted_s: Unix time of the boot by the machine's clock.
        uptime_s: a row later than that is of an earlier boot.
    """

    ident: str
    boot: str
    booted_s: float
    uptime_s: float
    names: list[str] = field(default_factory=list)
    stale: bool = False
    _tail: bytes = b""
    _rows: list[list[int | None]] = field(default_factory=list)
    _intervals: list[list[Any]] = field(default_factory=list)  # what commands used before the last row
    _newest: list[list[Any]] = field(default_factory=list)  # and after it
    _count: int = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The records that `data` completes."""
        *lines, self._tail = (self._tail + data).split(b"\n")
        self._tail = self._tail[:MAX_ROW_BYTES]
        for line in lines:
            self._line(line[:MAX_ROW_BYTES])
            if len(self._rows) == ROWS:
                yield from self._records()

    def close(self) -> Iterator[bytes]:
        """The records of what is left; an unfinished row is not used."""
        if self._rows:
            yield from self._records()

    def _line(self, line: bytes) -> None:
        text = line.decode("ascii", "replace")
        if not self.names:
            self.names = text.split()[1:] or ["?"]
            return
        if text.startswith("c\t"):
            self._interval(line.decode("utf-8", "replace"))
            return
        try:
            row = row_from_text(text)
        except ValueError:
            return
        if len(row) != len(self.names) or self.names[0] != "m_ms" or row[0] is None:
            return
        self._count += 1
        self.stale = self.stale or row[0] > (self.uptime_s + 5) * 1000
        if not self.stale:
            self._rows.append(row)
            self._intervals = (self._intervals + self._newest)[-MAX_INTERVALS:]
        self._newest = []

    def _interval(self, text: str) -> None:
        with suppress(ValueError, IndexError):
            self._newest = [*self._newest, interval_from_text(text)][-MAX_INTERVALS:]

    def _records(self) -> Iterator[bytes]:
        m_ns = (self._rows[-1][0] or 0) * 1_000_000
        parts = parts_of(self.names)
        for part, places in enumerate(parts, 1):
            names = [self.names[place] for place in places]
            rows = [[row[place] for place in places] for row in self._rows]
            seq = (self._count - 1) * len(parts) + part
            fields = {
                "v": 1, "ev": "samples", "sid": self.ident, "seq": seq, "boot": self.boot,
                "t": int(self.booted_s * 1e9) + m_ns, "m": m_ns, "src": self.ident, "cols": pack_columns(names, rows),
            }  # fmt: skip
            if self._intervals and part == 1:
                fields["cmds"] = self._intervals
            yield b"BUILDTEL:" + with_crc(dumps(fields).encode("ascii")) + b"\n"
        self._rows, self._intervals = [], []


def parts_of(names: list[str]) -> list[list[int]]:
    """The places of the columns of each record; the first column, the time, is in all of them."""
    places = list(range(1, len(names)))
    for group in PARTIAL:
        if len(places) >= MAX_COLUMNS:
            places = [place for place in places if not names[place].startswith(f"{group}.")]
    places = places[: MAX_COLUMNS - 1]
    return [[0, *places[at : at + COLUMNS - 1]] for at in range(0, max(len(places), 1), COLUMNS - 1)]
