"""Splits chunks of bytes into numbered lines, in bounded memory and linear time."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

MAX_LINE_BYTES = 4 << 20
_SLICE_BYTES = 1 << 20
_MARKS = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class LineCutter:
    """Cuts a stream at newlines; a line of more than `MAX_LINE_BYTES` comes out as None, its bytes are not kept."""

    def __init__(self) -> None:
        self.number = 0
        self._tail = bytearray()
        self._too_long = False

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes | None]]:
        """Yield (line number from 1, line without its newline) for each line that `data` completes."""
        for first, block in self.blocks(data):
            if block is None:
                yield first, None
            else:
                yield from enumerate(block.split(b"\n")[:-1], first)

    def blocks(self, data: bytes) -> Iterator[tuple[int, bytes | None]]:
        """The same lines as blocks: (number of the first line, lines with their newlines); None is one line."""
        for start in range(0, len(data), _SLICE_BYTES):
            piece = data[start : start + _SLICE_BYTES]
            first_end, last_end = piece.find(b"\n"), piece.rfind(b"\n")
            if first_end < 0:
                self._keep(piece)
                continue
            self._keep(piece[:first_end])
            number, line = self._cut()
            yield number, None if line is None else line + b"\n"
            if last_end > first_end:
                block = piece[first_end + 1 : last_end + 1]
                first, self.number = self.number + 1, self.number + block.count(b"\n")
                yield first, block
            self._keep(piece[last_end + 1 :])

    def close(self) -> Iterator[tuple[int, bytes | None]]:
        """Yield the last line if it has no newline."""
        if self._tail or self._too_long:
            yield self._cut()

    def _keep(self, data: bytes) -> None:
        if self._too_long or len(self._tail) + len(data) > MAX_LINE_BYTES:
            self._too_long = True
            self._tail = bytearray()
        else:
            self._tail += data

    def _cut(self) -> tuple[int, bytes | None]:
        line = None if self._too_long else bytes(self._tail)
        self._tail = bytearray()
        self._too_long = False
        self.number += 1
        return self.number, line


class ToUtf8:
    """Passes bytes through, unless the file begins with the mark of UTF-16 (PowerShell's `>` writes it)."""

    def __init__(self) -> None:
        self._head = b""
        self._begun = False
        self._decoder: codecs.IncrementalDecoder | None = None

    def feed(self, data: bytes) -> bytes:
        """The same text in UTF-8, as far as it is certain."""
        if not self._begun:
            self._head += data
            if len(self._head) < len(codecs.BOM_UTF16_LE):
                return b""
            data, self._head, self._begun = self._head, b"", True
            for mark, encoding in _MARKS:
                if data.startswith(mark):
                    self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        return data if self._decoder is None else self._decoder.decode(data).encode()

    def close(self) -> bytes:
        """What was held back."""
        return self._head if self._decoder is None else self._decoder.decode(b"", final=True).encode()
