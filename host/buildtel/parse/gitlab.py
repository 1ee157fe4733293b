"""Joins long lines that GitLab's runner has cut (`FF_TIMESTAMPS`)."""

from __future__ import annotations

from collections.abc import Iterator

from buildtel.parse.lines import MAX_LINE_BYTES

_STAMP_BYTES = 27
_HEADER_BYTES = 32
_STREAMS_AT_ONCE = 8


class LineJoiner:
    """Lines without GitLab's 32-byte header pass through; those with one wait for their continuation."""

    def __init__(self) -> None:
        self._held: dict[bytes, tuple[int, bytearray | None]] = {}

    @property
    def holds(self) -> bool:
        """Whether a line waits for its continuation."""
        return bool(self._held)

    def concerns(self, line: bytes | None) -> bool:
        """Whether `join` may change the line."""
        return self.holds or (line is not None and line[19:20] == b"." and _has_header(line))

    def join(self, number: int, line: bytes | None) -> Iterator[tuple[int, bytes | None]]:
        """Yield the lines that are complete now, each with the number of its first piece.

        Args:
            number: the number of `line` in the log, from 1.
            line: the bytes without the newline; None for a line that was too long to keep.
        """
        if line is None or not _has_header(line):
            if self._held:
                yield from self.close()
            yield number, line
            return
        stream, more = line[28:31], line[31:32] == b"+"
        if more and stream in self._held:
            first, text = self._held[stream]
            fits = text is not None and len(text) + len(line) <= MAX_LINE_BYTES
            self._held[stream] = first, (text + line[_HEADER_BYTES:] if text is not None and fits else None)
            return
        if stream in self._held:
            yield self._release(stream)
        if len(self._held) >= _STREAMS_AT_ONCE:
            yield from self.close()
        self._held[stream] = number, bytearray(line[:_STAMP_BYTES] + b" " + line[_HEADER_BYTES:])

    def close(self) -> Iterator[tuple[int, bytes | None]]:
        """Yield the lines that wait."""
        for stream in list(self._held):
            yield self._release(stream)

    def _release(self, stream: bytes) -> tuple[int, bytes | None]:
        number, text = self._held.pop(stream)
        return number, None if text is None else bytes(text)


def _has_header(line: bytes) -> bool:
    return line[26:28] == b"Z " and line[30:31] in (b"O", b"E") and line[31:32] in (b" ", b"+") and line[:4].isdigit()
