"""Writes the log of the wrapper: a time stamp before each line of Packer's."""

from __future__ import annotations

import fcntl
import os
import re
import time

import buildtel_agent as agent

LONGEST_BYTES = 1 << 20
QUESTION = re.compile(rb"(?:Press enter to continue\.|even if retry succeeds\)\?)(?:\x1b\[0m)? ?(?:\x1b\[0m)?\Z")


class Clock:
    """Host time that never steps: the wall clock at the start, and the monotonic clock since."""

    def __init__(self) -> None:
        self._zero_ns = time.time_ns() - agent.boottime_ns()
        self._second, self._text = -1, ""

    def stamp(self) -> bytes:
        """The time now as `2026-01-24T12:00:00.123Z `."""
        second, rest_ns = divmod(self._zero_ns + agent.boottime_ns(), 1_000_000_000)
        if second != self._second:
            self._second, self._text = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._text}.{rest_ns // 1_000_000:03d}Z ".encode()


class _Open:
    """A line that has no end yet."""

    def __init__(self) -> None:
        self.text = bytearray()
        self._left_out_bytes = 0

    def add(self, data: bytes) -> None:
        self.text += data
        if len(self.text) > LONGEST_BYTES:
            del self.text[: self.text.rfind(b"\r", 0, -1) + 1]
            self._left_out_bytes += max(len(self.text) - LONGEST_BYTES, 0)
            del self.text[LONGEST_BYTES:]

    def whole(self) -> bytes:
        """The line; it is begun anew."""
        said = b" [buildtel: %d bytes left out]" % self._left_out_bytes if self._left_out_bytes else b""
        line = bytes(self.text) + said
        self.text.clear()
        self._left_out_bytes = 0
        return line


class StampedLog:
    """A file of stamped lines; whatever becomes of it, nobody is stopped by it.

    A line gets the time at which it was whole. A question of Packer's, which has no newline, is a line as soon as it
    is there: what comes after the answer is another. Of a line of more than `LONGEST_BYTES` the rest is left out, and
    the line says so; of one that overwrites itself (a progress bar) what was overwritten is. `problem` says why not
    all of it was kept. The file is locked (flock) as long as it grows.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.problem: str | None = None
        self._clock = Clock()
        self._open: dict[str, _Open] = {}
        self._fd = -1
        try:
            self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if self._fd < 0:
                self.problem = f"can't write {path}: {error.strerror}"

    def take(self, stream: str, data: bytes) -> bytes:
        """Keep what one stream brought; gives the lines that it completed, stamped.

        Args:
            stream: the stream's name; each stream has its own incomplete line.
            data: the bytes.
        """
        first, *others = data.split(b"\n")
        begun = self._open.setdefault(stream, _Open())
        begun.add(first)
        lines: list[bytes] = []
        if others:
            lines = [begun.whole(), *others[:-1]]
            begun.add(others[-1])
        if QUESTION.search(begun.text[-60:]):
            lines.append(begun.whole())
        return self._keep(lines)

    def record(self, line: bytes) -> None:
        """Keep a line of our own."""
        self._keep([line.strip(b"\n")])

    def close(self) -> bytes:
        """Keep what has no end; gives it as stamped lines."""
        kept = self._keep([begun.whole() for begun in self._open.values() if begun.text])
        self._open.clear()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        return kept

    def _keep(self, lines: list[bytes]) -> bytes:
        if not lines:
            return b""
        stamp = self._clock.stamp()
        text = b"".join([stamp + line.removesuffix(b"\r") + b"\n" for line in lines])
        try:
            left = text if self._fd >= 0 else b""
            while left:
                left = left[os.write(self._fd, left) :]
        except OSError as error:
            self.problem = f"can't write {self.path}: {error.strerror}"
            os.close(self._fd)
            self._fd = -1
        return text


def is_growing(fd: int) -> bool:
    """Whether somebody keeps lines in this open file."""
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(fd, fcntl.LOCK_UN)
    except OSError:
        return True
    return False
