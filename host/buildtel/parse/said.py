"""One message of Packer's with its context in the log."""

from __future__ import annotations

from buildtel.events import When
from buildtel.parse.clock import Clock
from buildtel.parse.prefix import LOG_UI, Peeled


class Said:
    """One message: where it stood, and how it was said. Its time is worked out when it is asked for."""

    __slots__ = ("_clock", "_peeled", "copy", "error", "line", "of_process", "streams_told", "sure")

    def __init__(self, line: int, peeled: Peeled, clock: Clock, *, red: bool, coloured: bool) -> None:
        self.line = line
        self.copy = peeled.form
        self.error = red or peeled.error
        self.of_process = peeled.of_process
        self.sure = coloured or peeled.sure
        self.streams_told = coloured or peeled.form == LOG_UI or peeled.epoch is not None
        self._peeled = peeled
        self._clock = clock

    @property
    def at(self) -> When | None:
        """The time of the line."""
        return self._clock.when(self._peeled)
