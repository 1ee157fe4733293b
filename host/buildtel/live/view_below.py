"""Shows the state of a running build below Packer's output; imports little, because Packer's start waits for it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from buildtel.capture.packer_process import PackerProcess
from buildtel.capture.relay import write_all

if TYPE_CHECKING:
    from buildtel.insight.usual import Usual
    from buildtel.live.drawing import View

SOONEST_REDRAW_S = 0.05


class ViewBelow:
    """The view below Packer's output. Its imports are slow, so it is made while Packer starts; Packer does not wait.

    Args:
        usual: gives how long each phase usually takes, as far as is known.
    """

    def __init__(self, usual: Callable[[], Usual]) -> None:
        self._usual = usual
        self._view: View | None = None

    def process(self, command: Sequence[str], log: str) -> PackerProcess:
        """Packer, ready to run, with the view below its output.

        Args:
            command: Packer's command line.
            log: the file for its log.
        """
        self._run = PackerProcess(command, os.environ, log, self._lines, self._write)
        self._run.relay.begun = self._begin
        self._run.relay.resized = self._run.relay.over = self._erase
        return self._run

    def _begin(self) -> None:
        from buildtel.live.board import Board  # noqa: PLC0415
        from buildtel.live.busiest import Busiest  # noqa: PLC0415
        from buildtel.live.drawing import View  # noqa: PLC0415
        from buildtel.parse import Inbox, batches  # noqa: PLC0415

        self._inbox, self._board = Inbox(batches), Board(time.monotonic(), self._usual)
        busiest = Busiest(lambda: self._run.relay.pid)
        self._view = View(1, self._board, lambda: self._run.sampler.last, busiest, write_all)
        self._run.relay.timers[self._view.draw] = 0.0

    def _lines(self, text: bytes) -> None:
        if self._view is None:
            return
        now_s = time.monotonic()
        self._board.take(self._inbox.put(text), now_s)
        self._run.relay.timers[self._view.draw] = max(now_s, self._view.drawn_s + SOONEST_REDRAW_S)

    def _write(self, fd: int, data: bytes) -> None:
        if self._view is None:
            write_all(fd, data)
        else:
            self._view.write(fd, data)

    def _erase(self) -> None:
        if self._view is not None:
            self._view.erase()
