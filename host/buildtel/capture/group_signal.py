"""Finds out whether a signal was sent to this process alone or to its whole process group.

Ctrl-C, `timeout` and a CI's kill signal the whole group, Packer included. If this process then passed the signal on,
Packer would get it twice, and a second signal makes Packer stop at once. The kernel does not tell the two cases apart.
So a child process in the same group blocks all signals and reports, when asked, which ones are pending.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Iterable

ANSWER_MS = 500
SECOND_LOOK_S = 0.02


class GroupSignalProbe:
    """A child in this process's group; it ends when this process ends, for any reason."""

    def __init__(self, signals: Iterable[int]) -> None:
        self._signals = frozenset(signals)
        theirs, self._ask = os.pipe2(os.O_CLOEXEC)
        self._hear, answer = os.pipe2(os.O_CLOEXEC)
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self._ask)
                os.close(self._hear)
                self._watch(theirs, answer)
            finally:
                os._exit(0)
        os.close(theirs)
        os.close(answer)

    def _watch(self, asked: int, answer: int) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, self._signals)
        for fd in range(3):
            os.dup2(answer, fd)  # the caller's files are not ours to hold open
        for number in self._signals:
            signal.signal(number, signal.SIG_DFL)  # an ignored signal would never be pending
        while os.read(asked, 1):
            came = [number for number in signal.sigpending() if number in self._signals]
            for number in came:
                signal.sigtimedwait([number], 0)
            os.write(answer, bytes([*came, 0]))

    def saw(self, number: int) -> bool:
        """Whether the group got this signal since the last call; False if the probe has ended.

        The kernel signals the members of a group one after the other, so the probe is asked a second time.
        """
        if self._knows(number):
            return True
        time.sleep(SECOND_LOOK_S)
        return self._knows(number)

    def _knows(self, number: int) -> bool:
        try:
            os.write(self._ask, b"?")
            poll = select.poll()
            poll.register(self._hear, select.POLLIN)
            return bool(poll.poll(ANSWER_MS)) and number in os.read(self._hear, 64)
        except OSError:
            return False

    def dismiss(self) -> None:
        """End it."""
        os.close(self._ask)
        os.close(self._hear)
        os.waitpid(self.pid, 0)
