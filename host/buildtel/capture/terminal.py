"""A terminal of its own for Packer, as like the real one as can be."""

from __future__ import annotations

import contextlib
import fcntl
import os
import termios
import tty


class Terminal:
    """A pseudo-terminal between Packer and the terminal that this process has as its output.

    Packer gets its own session on it, so that keys such as Ctrl-C become signals there; the real terminal
    passes them on raw. `restore` gives the real one back as it was, again and again without harm.
    """

    def __init__(self, real: int, keyboard: int | None) -> None:
        self._real, self._keyboard = real, keyboard
        self._raw = False
        self._before = None if keyboard is None else termios.tcgetattr(keyboard)
        self.master, self.slave = os.openpty()
        os.set_inheritable(self.slave, True)
        termios.tcsetattr(self.slave, termios.TCSANOW, termios.tcgetattr(real))
        self.resize()

    def adopt(self) -> None:
        """In the child: make this the controlling terminal of a session of its own."""
        os.setsid()
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)

    def resize(self) -> None:
        """Give Packer's terminal the size of the real one."""
        with contextlib.suppress(OSError):
            size = fcntl.ioctl(self._real, termios.TIOCGWINSZ, b"\0" * 8)
            fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)

    def attend(self) -> int | None:
        """The keyboard, with every key let through, while this process is in the terminal's foreground; else None."""
        if self._keyboard is None or not _in_front(self._keyboard):
            return None
        if not self._raw:
            tty.setraw(self._keyboard, termios.TCSADRAIN)
            self._raw = True
        return self._keyboard

    def leave(self) -> None:
        """The keyboard has gone."""
        self._keyboard = None

    def restore(self) -> None:
        """Give the real terminal back as it was found."""
        self._raw = False
        if self._keyboard is not None and self._before is not None and _in_front(self._keyboard):
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._keyboard, termios.TCSADRAIN, self._before)

    def forget(self) -> None:
        """After a stop somebody else may have set the modes of the real terminal."""
        self._raw = False

    def is_stop_key(self, typed: bytes) -> bool:
        """Whether these keys are the one that suspends a job (Ctrl-Z), and Packer's terminal heeds it."""
        modes = termios.tcgetattr(self.slave)
        return bool(modes[3] & termios.ISIG) and typed == modes[6][termios.VSUSP]


def _in_front(keyboard: int) -> bool:
    """Whether this process is in the terminal's foreground; one that does not control it is."""
    try:
        return os.tcgetpgrp(keyboard) == os.getpgrp()
    except OSError:
        return True
