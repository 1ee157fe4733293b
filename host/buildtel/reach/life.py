"""The rows of the whole-life sampler made records: the file is a header (pid, names of columns) and rows of numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from buildtel_agent import dumps, pack_columns, row_from_text, with_crc

ROWS = 30
MAX_ROW_BYTES = 64 * 1024
MAX_COLUMNS = 120


@dataclass(slots=True)
class LifeReader:
    """Bytes of one life file in, `samples` records out, each a line.

    A record's number is that of its last row, so that a file read twice, longer the second time, gives no two
    records of one number that differ.

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
    _count: int = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The records that `data` completes."""
        *lines, self._tail = (self._tail + data).split(b"\n")
        self._tail = self._tail[:MAX_ROW_BYTES]
        for line in lines:
            self._line(line[:MAX_ROW_BYTES])
            if len(self._rows) == ROWS:
                yield self._record()

    def close(self) -> Iterator[bytes]:
        """A record of what is left; an unfinished row is not used."""
        if self._rows:
            yield self._record()

    def _line(self, line: bytes) -> None:
        text = line.decode("ascii", "replace")
        if not self.names:
            self.names = text.split()[1 : MAX_COLUMNS + 1] or ["?"]
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

    def _record(self) -> bytes:
        m_ns = (self._rows[-1][0] or 0) * 1_000_000
        fields = {
            "v": 1, "ev": "samples", "sid": self.ident, "seq": self._count, "boot": self.boot,
            "t": int(self.booted_s * 1e9) + m_ns, "m": m_ns, "src": self.ident,
            "cols": pack_columns(self.names, self._rows),
        }  # fmt: skip
        self._rows = []
        return b"BUILDTEL:" + with_crc(dumps(fields).encode("ascii")) + b"\n"
