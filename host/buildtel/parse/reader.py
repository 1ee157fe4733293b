"""`LogReader`: a log of packer's in any form, in any chunks, to events."""

from __future__ import annotations

from buildtel.events import Event, UnreadableLine
from buildtel.parse.gitlab import LineJoiner
from buildtel.parse.lines import LineCutter
from buildtel.parse.prefix import LOG_ONLY, LOG_UI, MACHINE_ONLY, OUT, Clock, Peeled, peel, plain
from buildtel.parse.tracker import Said, Tracker

_LOGGED = (b"[INFO] (telemetry) ", b"[INFO] Packer version: ", b"Packer version: ", b"Starting build run: ")


class LogReader:
    """Reads a log piece by piece; how it is cut into pieces changes nothing.

    `feed` and `close` return the events that became certain by then, in the order of the log, with
    one exception: `BuildSeen` comes when a name is known to be a build's, with the line where it
    first stood. Nothing raises: what can't be read is an event (`DamagedRecord`, `UnreadableLine`)
    or is no line of packer's. Memory is bounded whatever the length of a line.
    """

    def __init__(self) -> None:
        self._cutter = LineCutter()
        self._joiner = LineJoiner()
        self._clock = Clock()
        self._tracker = Tracker()

    def feed(self, data: bytes) -> list[Event]:
        """The events of the lines that `data` completes."""
        for number, line in self._cutter.feed(data):
            for whole in self._joiner.join(number, line):
                self._line(*whole)
        return self._taken()

    def close(self) -> list[Event]:
        """The events of what is left: a last line without a newline, a text that might have gone on."""
        for number, line in self._cutter.close():
            for whole in self._joiner.join(number, line):
                self._line(*whole)
        for whole in self._joiner.close():
            self._line(*whole)
        self._tracker.close()
        return self._taken()

    def _taken(self) -> list[Event]:
        events, self._tracker.events = self._tracker.events, []
        return events

    def _line(self, number: int, line: bytes | None) -> None:
        if line is None:
            self._tracker.events.append(UnreadableLine(line=number, reason="longer than 4 MiB"))
            return
        line, red, coloured = plain(line)
        peeled = peel(line)
        if peeled.form == LOG_ONLY:
            if peeled.text.startswith(_LOGGED):
                self._tracker.logged(peeled.text, self._said(number, peeled, False, False))
        elif peeled.form != MACHINE_ONLY:
            self._clock.learn(peeled)
            self._output(peeled, self._said(number, peeled, red, coloured))

    def _said(self, number: int, peeled: Peeled, red: bool, coloured: bool) -> Said:
        copy = LOG_UI if peeled.form == LOG_UI else OUT
        return Said(number, self._clock.when(peeled), copy, red or peeled.error, peeled.sure or coloured)

    def _output(self, peeled: Peeled, said: Said) -> None:
        text = peeled.text
        if peeled.epoch is None or b"\\" not in text or b"BUILDTEL:" in text:
            self._tracker.said(text, said)
            return
        for part in text.replace(b"\\r", b"").split(b"\\n"):
            self._tracker.said(part, said)
