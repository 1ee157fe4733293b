"""A terminal with a program in it, and what a person would see there."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pyte


class Screen:
    """Runs a command on a pseudo-terminal of so many columns and rows, in a session of its own."""

    def __init__(
        self, command: Sequence[str], folder: Path, environ: dict[str, str], columns: int = 80, rows: int = 30
    ) -> None:
        self.raw = b""
        self.status: int | None = None
        self._screen = pyte.HistoryScreen(columns, rows, history=2000)
        self._stream = pyte.ByteStream(self._screen)
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            try:
                time.sleep(0.05)  # the size is set by then
                os.chdir(folder)
                os.execvpe(command[0], list(command), environ)
            finally:
                os._exit(127)
        self.resize(columns, rows)

    def resize(self, columns: int, rows: int) -> None:
        """Make the terminal as large."""
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._screen.resize(rows, columns)

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._fd, keys)

    def look(self, until: Callable[[list[str]], bool], limit_s: float = 20) -> list[str]:
        """The lines of the screen as soon as they are as wished; what is there when the time is over or the program."""
        give_up = time.monotonic() + limit_s
        while time.monotonic() < give_up and not until(self.lines()) and self._read():
            pass
        return self.lines()

    def end(self, limit_s: float = 40) -> int:
        """Wait for the program; gives its exit status as a shell would."""
        give_up = time.monotonic() + limit_s
        while self._read() and time.monotonic() < give_up:
            pass
        if time.monotonic() >= give_up:
            os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        os.close(self._fd)
        code = os.waitstatus_to_exitcode(status)
        self.status = code if code >= 0 else 128 - code
        return self.status

    def lines(self) -> list[str]:
        """What is on the screen, without the empty end."""
        shown = [line.rstrip() for line in self._screen.display]
        while shown and not shown[-1]:
            shown.pop()
        return shown

    def everything(self) -> list[str]:
        """The lines that scrolled off the top as well."""
        columns = self._screen.columns
        above = ["".join(line[at].data for at in range(columns)).rstrip() for line in self._screen.history.top]
        return [*above, *self.lines()]

    def modes(self) -> list[object]:
        """The terminal's modes."""
        return termios.tcgetattr(self._fd)

    def _read(self) -> bool:
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        if not poll.poll(100):
            return True
        try:
            data = os.read(self._fd, 65536)
        except OSError:
            return False
        self.raw += data
        self._stream.feed(data)
        return bool(data)
