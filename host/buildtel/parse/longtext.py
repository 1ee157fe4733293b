"""Texts that go on in the next lines: a build's error, an artifact's description."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from buildtel.events import Artifact, BuildFinished

_MAX_LINES = 12
_MAX_LINE_BYTES = 1000


@dataclass(slots=True)
class LongText:
    """An event that waits for the rest of its text."""

    event: BuildFinished | Artifact
    _lines: list[bytes] = field(default_factory=list)

    def goes_on(self, line: bytes) -> bool:
        """Take a line without any form of packer's; False where the text is over.

        An artifact goes on only below a heading (`AMIs were created:`); a heading may have a gap below it.
        """
        heading = self._text().endswith(":")
        if isinstance(self.event, Artifact) and not heading:
            return False
        if len(self._lines) >= _MAX_LINES or (not line and not (heading and not self._lines)):
            return False
        self._lines.append(line[:_MAX_LINE_BYTES])
        return True

    def whole(self) -> BuildFinished | Artifact:
        """The event with all of its text."""
        more = b"\n".join(self._lines).strip().decode("utf-8", "replace")
        if not more:
            return self.event
        text = f"{self._text()}\n{more}"
        if isinstance(self.event, Artifact):
            return replace(self.event, text=text)
        return replace(self.event, error=text) if self.event.error is not None else self.event

    def _text(self) -> str:
        return self.event.text if isinstance(self.event, Artifact) else self.event.error or ""
