"""One message, and one build while its messages are read."""

from __future__ import annotations

from dataclasses import dataclass

from buildtel.events import BuildBegan, Event, PhaseStarted, ProvisionerFinished, ProvisionerStarted, When
from buildtel.parse.prefix import Clock, Peeled


class Said:
    """One message: where it stood, and how it was said. Its time is worked out when it is asked for."""

    __slots__ = ("_clock", "_peeled", "copy", "error", "line", "sure")

    def __init__(self, line: int, peeled: Peeled, clock: Clock, error: bool, sure: bool) -> None:
        self.line = line
        self.copy = peeled.form
        self.error = error
        self.sure = sure
        self._peeled = peeled
        self._clock = clock

    @property
    def at(self) -> When | None:
        """The time of the line."""
        return self._clock.when(self._peeled)


@dataclass(slots=True)
class BuildState:
    """What is known of a build so far.

    Attributes:
        target: packer's name of it.
        seen: packer has said something of it (the debug log may name it before).
        coloured: its colour line stood in this run.
        began: it has said something itself.
        running: the kind of the provisioner that runs now.
        silent_type: the type of one that only the debug log tells of.
        phase: the phase that runs now, and its text.
        timed_out: packer cancelled a provisioner of it by that provisioner's own timeout.
        verdict: packer's line on its end.
    """

    target: str
    seen: bool = True
    coloured: bool = False
    began: bool = False
    running: str | None = None
    silent_type: str | None = None
    phase: tuple[str, bytes] | None = None
    timed_out: bool = False
    verdict: bytes | None = None

    def begin_phase(self, phase: str, text: bytes, said: Said, events: list[Event]) -> None:
        """Begin a phase; what ran before it is over. Its text once more begins nothing."""
        if self.phase == (phase, text):
            return
        self.stop(said, events)
        self.phase = (phase, text)
        shown = text.decode("utf-8", "replace")
        events.append(PhaseStarted(line=said.line, at=said.at, target=self.target, name=phase, text=shown))

    def begin(self, said: Said, events: list[Event]) -> None:
        """The build says something; its first message is an event."""
        if not self.began:
            self.began = True
            events.append(BuildBegan(line=said.line, at=said.at, target=self.target))

    def start(self, unit: tuple[str, bytes], said: Said, events: list[Event]) -> None:
        """Start a provisioner unit, (kind, detail); the one before is over."""
        self.stop(said, events)
        self.running, self.phase = unit[0], None
        shown = unit[1].decode("utf-8", "replace")
        events.append(ProvisionerStarted(line=said.line, at=said.at, target=self.target, kind=unit[0], detail=shown))

    def stop(self, said: Said, events: list[Event]) -> None:
        """The provisioner that runs, if one does, is over."""
        if self.running is not None:
            self.running = None
            events.append(ProvisionerFinished(line=said.line, at=said.at, target=self.target))
