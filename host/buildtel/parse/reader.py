"""`LogReader`: a log of packer's in any form, in any chunks, to events."""

from __future__ import annotations

from dataclasses import replace

from buildtel.events import BuildFinished, Event, RunFinished, UnreadableLine
from buildtel.parse.gitlab import LineJoiner
from buildtel.parse.lines import LineCutter, ToUtf8
from buildtel.parse.prefix import LOG_ONLY, MACHINE_ONLY, Clock, Peeled, peel, plain
from buildtel.parse.skip import Skipper
from buildtel.parse.states import Said
from buildtel.parse.tracker import Tracker

_LOGGED = (
    b"[INFO] (telemetry) ",
    b"[INFO] Packer version: ",
    b"Packer version: ",
    b"Packer Version: ",
    b"Starting build run: ",
)
_MAX_TEXT_BYTES = 256 << 10


class LogReader:
    """Reads a log piece by piece; how it is cut into pieces changes nothing.

    `feed` and `close` return the events that became certain by then, in the order of the log, with
    one exception: `BuildSeen` comes when a name is known to be a build's, with the line where it
    first stood. Nothing raises: what can't be read is an event (`DamagedRecord`, `UnreadableLine`)
    or is no line of packer's. Memory is bounded whatever the length of a line.

    With a `key` (the secret that the agents have as BUILDTEL_KEY; empty is none) each record is said to be
    authentic or not.
    """

    def __init__(self, key: str | None = None) -> None:
        self._to_utf8 = ToUtf8()
        self._cutter = LineCutter()
        self._joiner = LineJoiner()
        self._clock = Clock()
        self._tracker = Tracker(key.encode("utf-8", "surrogateescape") if key else None)
        self._skipper = Skipper(self._tracker.quiet_names)

    def feed(self, data: bytes) -> list[Event]:
        """The events of the lines that `data` completes."""
        self._cut(self._to_utf8.feed(data))
        return self._taken()

    def close(self) -> list[Event]:
        """The events of what is left: a last line without a newline, a text that might have gone on."""
        self._cut(self._to_utf8.close())
        cut = None
        for cut, line in self._cutter.close():
            self._joined(cut, line)
        for whole in self._joiner.close():
            self._line(*whole)
        self._tracker.close()
        return [_certain(event) if event.line == cut else event for event in self._taken()]

    def _taken(self) -> list[Event]:
        events, self._tracker.events = self._tracker.events, []
        return events

    def _cut(self, data: bytes) -> None:
        for number, line in self._cutter.feed(data):
            self._joined(number, line)

    def _joined(self, number: int, line: bytes | None) -> None:
        if self._joiner.concerns(line):
            for whole in self._joiner.join(number, line):
                self._line(*whole)
        else:
            self._line(number, line)

    def _line(self, number: int, line: bytes | None) -> None:
        if line is None:
            self._tracker.events.append(UnreadableLine(line=number, reason="longer than 4 MiB"))
        elif self._tracker.waits or not self._skipper.boring(line):
            self._told(number, line)

    def _told(self, number: int, line: bytes) -> None:
        line, red, coloured = plain(line)
        peeled = peel(line)
        peeled.text = peeled.text[:_MAX_TEXT_BYTES]
        said = Said(number, peeled, self._clock, red or peeled.error, coloured or peeled.sure)
        if peeled.form == LOG_ONLY:
            self._tracker.logged(peeled.text if peeled.text.startswith(_LOGGED) else b"", said)
        elif peeled.form == MACHINE_ONLY:
            self._tracker.logged(b"", said)
        else:
            self._clock.learn(peeled)
            self._output(peeled, said)

    def _output(self, peeled: Peeled, said: Said) -> None:
        text = peeled.text
        if peeled.epoch is None or b"\\" not in text or b"BUILDTEL:" in text:
            self._tracker.said(text, said)
            return
        for part in text.replace(b"\\r", b"").split(b"\\n"):
            self._tracker.said(part, said)


def _certain(event: Event) -> Event:
    """An event of a last line without its newline, which may be cut: `7 seconds` may have gone on."""
    if isinstance(event, BuildFinished) and event.error is None:
        return replace(event, duration_s=None)
    return replace(event, total_s=None) if isinstance(event, RunFinished) else event
