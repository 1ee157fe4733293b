"""Joins texts that continue on the next lines: errors, descriptions of artifacts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from buildtel.events import Artifact, BuildFinished, Event, LastStamp, RunFailed
from buildtel.parse.line_context import LineContext
from buildtel.parse.words import exit_status, is_of_template

_MAX_LINES = 12
_MAX_LINE_BYTES = 1000


@dataclass(slots=True)
class LongText:
    """An event that waits for the rest of its text.

    Attributes:
        event: the event with the first line.
        is_certain: the first line proves that the text is Packer's; else its further lines must.
    """

    event: BuildFinished | Artifact | RunFailed
    is_certain: bool = True
    _lines: list[bytes] = field(default_factory=list)
    _last: LineContext | None = None

    def goes_on(self, line: bytes, said: LineContext) -> bool:
        """Take a line that has none of Packer's forms; False if the text ended before it.

        An artifact goes on only below a heading (`AMIs were created:`); a heading may have a gap below it, and an
        error before any build has gaps within.

        Args:
            line: the line without prefixes; its first 1,000 bytes are kept.
            said: its context, whose time becomes the end of the text.
        """
        heading = self._text().endswith(":")
        if isinstance(self.event, Artifact) and not heading:
            return False
        gap_allowed = isinstance(self.event, RunFailed) or (heading and not self._lines)
        if len(self._lines) >= _MAX_LINES or (not line and not gap_allowed):
            return False
        self._lines.append(line[:_MAX_LINE_BYTES])
        self._last = said
        return True

    @property
    def is_packers(self) -> bool:
        """Whether the text is Packer's: another program's error names no line of a Packer template."""
        return self.is_certain or is_of_template(self._more())

    def events(self) -> list[Event]:
        """The event with all of its text, and the time of its last line where that has one."""
        events: list[Event] = [self._whole()]
        if self._last is not None and (at := self._last.at) is not None:
            events.append(LastStamp(line=self._last.line, at=at, of_text=True))
        return events

    def _whole(self) -> BuildFinished | Artifact | RunFailed:
        """The event with all of its text."""
        more = self._more().strip().decode("utf-8", "replace")
        text = f"{self._text()}\n{more}" if more else self._text()
        if isinstance(self.event, Artifact):
            return replace(self.event, text=text)
        if isinstance(self.event, RunFailed):
            return replace(self.event, error=text)
        return self.event if self.event.error is None else _failed(self.event, text)

    def _more(self) -> bytes:
        """The lines below the first."""
        return b"\n".join(self._lines)

    def _text(self) -> str:
        return self.event.text if isinstance(self.event, Artifact) else self.event.error or ""


def _failed(event: BuildFinished, error: str) -> BuildFinished:
    """A build's end with the whole of its error, and the exit status that this names."""
    return replace(event, error=error, exit_code=exit_status(error.encode()))
