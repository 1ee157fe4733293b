"""The context of one message of Packer's: its line, form and time."""

from __future__ import annotations

from buildtel.events import When
from buildtel.parse.log_clock import LogClock
from buildtel.parse.prefix import LOG_UI, UnprefixedLine


class LineContext:
    """The context of one message: its line, its form and its time, which is computed on demand.

    `may_tell` says that its line may hold a sign of `parse.output_signs`.
    """

    __slots__ = (
        "_clock", "_unprefixed", "copy", "error", "line", "may_tell", "of_process", "packer_only_form", "streams_told",
    )  # fmt: skip

    def __init__(self, line: int, unprefixed: UnprefixedLine, clock: LogClock, *, red: bool, coloured: bool) -> None:
        self.line = line
        self.may_tell = unprefixed.may_tell
        self.copy = unprefixed.form
        self.error = red or unprefixed.error
        self.of_process = unprefixed.of_process
        self.packer_only_form = coloured or unprefixed.packer_only_form
        self.streams_told = coloured or unprefixed.form == LOG_UI or unprefixed.epoch is not None
        self._unprefixed = unprefixed
        self._clock = clock

    @property
    def at(self) -> When | None:
        """The time of the line."""
        return self._clock.when(self._unprefixed)
