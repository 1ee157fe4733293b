"""One message, and one build while its messages are read."""

from __future__ import annotations

from dataclasses import dataclass

from buildtel.events import BuildBegan, Event, LaterStamp, PhaseStarted, ProvisionerFinished, ProvisionerStarted, When
from buildtel.parse.clock import Clock
from buildtel.parse.prefix import LOG_UI, Peeled
from buildtel.parse.words import exit_status

# What a phase that begins while a provisioner runs says of that provisioner.
STATUS_BY_PHASE = {"retry": "failure", "error_cleanup": "failure", "wait_user": "unknown"}
STEP_FAILED = b'Step "'  # `Step "StepProvision" failed`, before the question of -on-error=ask


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


@dataclass(slots=True)
class BuildState:
    """What is known of a build so far.

    Attributes:
        target: packer's name of it.
        seen: packer has said something of it (the debug log may name it before).
        coloured: its colour line stood in this run.
        began: it has said something itself.
        provisioners: how many provisioners have begun.
        under_way: the index of the last of them, until a phase begins or the build ends.
        running: the kind of the provisioner that runs now.
        silent_type: the type of one that only the debug log tells of.
        phase: the phase that runs now, and its text.
        timed_out: packer cancelled a provisioner of it by that provisioner's own timeout.
        verdict: packer's line on its end.
        unjudged: its last provisioner is over, and nothing told yet how it went.
        untimed_begin: the first message and its line, while no copy has told its time.
        cleans_up: a provisioner of it failed, and what runs now cleans up.
    """

    target: str
    seen: bool = True
    coloured: bool = False
    began: bool = False
    provisioners: int = 0
    under_way: int | None = None
    running: str | None = None
    silent_type: str | None = None
    phase: tuple[str, bytes] | None = None
    timed_out: bool = False
    verdict: bytes | None = None
    untimed_begin: tuple[bytes, int] | None = None
    unjudged: bool = False
    cleans_up: bool = False

    def begin_phase(self, phase: str, text: bytes, said: Said, events: list[Event]) -> None:
        """Begin a phase; what ran before it is over. Its text once more begins nothing."""
        if self.phase == (phase, text):
            return
        failed = text.startswith(STEP_FAILED)
        status = "failure" if failed else STATUS_BY_PHASE.get(phase, "success")
        self.stop(said, events, status, exit_code=exit_status(text) if status == "failure" else None)
        self.phase, self.under_way = (phase, text), None
        self.cleans_up = self.cleans_up or phase == "error_cleanup"
        shown = text.decode("utf-8", "replace")
        events.append(PhaseStarted(line=said.line, at=said.at, target=self.target, name=phase, text=shown))

    def begin(self, text: bytes, said: Said, events: list[Event]) -> None:
        """The build says something; its first message is an event, whose time a later copy may tell."""
        if self.untimed_begin is not None and self.untimed_begin[0] == text:
            at = said.at
            if at is not None:
                events.append(LaterStamp(line=self.untimed_begin[1], at=at))
                self.untimed_begin = None
        if not self.began:
            self.began = True
            at = said.at
            self.untimed_begin = (text, said.line) if at is None else None
            events.append(BuildBegan(line=said.line, at=at, target=self.target))

    def start(self, unit: tuple[str, bytes], said: Said, events: list[Event], type_: str | None = None) -> None:
        """Start a provisioner unit, (kind, detail); the one before is over."""
        self.stop(said, events, "success")
        index = self.under_way = self.provisioners
        self.provisioners += 1
        self.running, self.phase, self.timed_out = unit[0], None, False
        shown = unit[1].decode("utf-8", "replace")
        events.append(
            ProvisionerStarted(
                line=said.line, at=said.at, target=self.target, index=index, kind=unit[0], detail=shown, type=type_
            )
        )

    def finish(self, result: str, said: Said, events: list[Event]) -> None:
        """The build is over; how what cleans up after a failure went, its `result` does not say."""
        status = "cancellation" if result == "cancelled" else result
        self.stop(said, events, "unknown" if self.cleans_up and result == "failure" else status)
        self.under_way = None

    def stop(
        self, said: Said, events: list[Event], status: str, *, ignored: bool = False, exit_code: int | None = None
    ) -> None:
        """The provisioner that runs, if one does, is over; one that was cancelled by its timeout timed out.

        Where the debug log told its end, only what comes next tells how it went: that is said then.
        """
        if self.running is not None or (self.unjudged and status != "unknown"):
            self.running = None
            status = "timeout" if self.timed_out and status != "unknown" else status
            self.unjudged = status == "unknown"
            events.append(
                ProvisionerFinished(
                    line=said.line, at=said.at, target=self.target, index=self.provisioners - 1, status=status,
                    ignored=ignored, exit_code=exit_code,
                )
            )
