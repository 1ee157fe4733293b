"""The state tables of a run of Packer and of a build in it.

A line says one thing of its build (`Says`). `NEXT` has the state that the build is in after it. `TELLS` has what tells
of the end of the provisioner that began last: a `ProvisionerFinished`, before what the line begins.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Final, NamedTuple

from buildtel.events import (
    BuildBegan,
    BuildResult,
    Event,
    LaterStamp,
    PhaseStarted,
    ProvisionerFinished,
    ProvisionerStarted,
    ProvisionerStatus,
    When,
)
from buildtel.parse.line_context import LineContext
from buildtel.parse.words import exit_status


class State(Enum):
    """What a build does."""

    IDLE = auto()  # nothing that Packer tells of
    PHASE = auto()
    RUNS = auto()  # a provisioner
    UNTOLD = auto()  # as IDLE; how its last provisioner went, nothing told yet
    PHASE_UNTOLD = auto()  # as PHASE; the same


class Says(Enum):
    """What a line says of its build."""

    UNIT = auto()  # a provisioner begins: the one before it went well
    PHASE = auto()  # a phase begins that tells how the provisioner before it went
    QUESTION = auto()  # a phase begins that does not
    OUTCOME = auto()  # how the provisioner went
    OVER = auto()  # that the provisioner is over, not how it went
    CONNECTED = auto()  # Packer has a connection


NEXT: dict[State, dict[Says, State]] = {
    State.IDLE: {
        Says.UNIT: State.RUNS, Says.PHASE: State.PHASE, Says.QUESTION: State.PHASE,
        Says.OUTCOME: State.IDLE, Says.OVER: State.IDLE, Says.CONNECTED: State.IDLE,
    },
    State.PHASE: {
        Says.UNIT: State.RUNS, Says.PHASE: State.PHASE, Says.QUESTION: State.PHASE,
        Says.OUTCOME: State.PHASE, Says.OVER: State.PHASE, Says.CONNECTED: State.IDLE,
    },
    State.RUNS: {
        Says.UNIT: State.RUNS, Says.PHASE: State.PHASE, Says.QUESTION: State.PHASE_UNTOLD,
        Says.OUTCOME: State.IDLE, Says.OVER: State.UNTOLD, Says.CONNECTED: State.RUNS,
    },
    State.UNTOLD: {
        Says.UNIT: State.RUNS, Says.PHASE: State.PHASE, Says.QUESTION: State.PHASE_UNTOLD,
        Says.OUTCOME: State.IDLE, Says.OVER: State.UNTOLD, Says.CONNECTED: State.UNTOLD,
    },
    State.PHASE_UNTOLD: {
        Says.UNIT: State.RUNS, Says.PHASE: State.PHASE, Says.QUESTION: State.PHASE_UNTOLD,
        Says.OUTCOME: State.PHASE, Says.OVER: State.PHASE_UNTOLD, Says.CONNECTED: State.UNTOLD,
    },
}  # fmt: skip
_JUDGES = frozenset((Says.UNIT, Says.PHASE, Says.OUTCOME))
TELLS: dict[State, frozenset[Says]] = {
    State.IDLE: frozenset(),
    State.PHASE: frozenset(),
    State.RUNS: _JUDGES | {Says.QUESTION, Says.OVER},
    State.UNTOLD: _JUDGES,
    State.PHASE_UNTOLD: _JUDGES,
}
IN_PHASE = frozenset((State.PHASE, State.PHASE_UNTOLD))
UNKNOWN: Final = "unknown"
# What a phase that begins while a provisioner runs says of that provisioner, where that is not success.
STATUS_BY_PHASE: dict[str, ProvisionerStatus] = {"retry": "failure", "error_cleanup": "failure", "wait_user": UNKNOWN}
STEP_FAILED = b'Step "'  # `Step "StepProvision" failed`, before the question of -on-error=ask


class Stage(Enum):
    """How far a run of Packer's is."""

    BEFORE = auto()  # none began yet
    BUILDS = auto()
    OVER = auto()  # all its builds are over
    LISTS = auto()  # and their artifacts are listed


class Names(Enum):
    """What a line needs a run of Packer's for."""

    RUN = auto()  # a word on a run, or on a build's end
    BUILD = auto()  # a build that is not known: of a run whose builds are not over


# In which stages a line begins another run.
BEGINS: dict[Names, frozenset[Stage]] = {
    Names.RUN: frozenset((Stage.BEFORE,)),
    Names.BUILD: frozenset((Stage.BEFORE, Stage.OVER, Stage.LISTS)),
}


class Outcome(NamedTuple):
    """How a provisioner went, by the line that tells of its end: as in `ProvisionerFinished`."""

    status: ProvisionerStatus = UNKNOWN
    ignored: bool = False
    exit_code: int | None = None


UNTOLD = Outcome()
SUCCESS = Outcome("success")


@dataclass(slots=True)
class Beginning:
    """The first message of a build, whose time a later copy of it may tell."""

    began: bool = False
    untimed: tuple[bytes, int] | None = None  # its text and line, while no copy has told its time

    def hear(self, target: str, text: bytes, said: LineContext, events: list[Event]) -> None:
        """Take a message of the build; the first one, and a copy that tells its time, give events.

        Args:
            target: the build's name.
            text: the message.
            said: the context of its line.
            events: the list that new events go to.
        """
        if self.untimed is not None and self.untimed[0] == text:
            at = said.at
            if at is not None:
                events.append(LaterStamp(line=self.untimed[1], at=at))
                self.untimed = None
        if not self.began:
            self.began = True
            at = said.at
            self.untimed = (text, said.line) if at is None else None
            events.append(BuildBegan(line=said.line, at=at, target=target))


@dataclass(frozen=True, slots=True)
class LastProvisioner:
    """The provisioner of a build that began last.

    Attributes:
        index: its place among the build's provisioners; -1 for none.
        kind: its kind.
        is_current: no phase has begun since, and the build has not ended.
        timed_out: Packer cancelled it by its own timeout.
        untimed_line: the line, without a time, that told how it went.
    """

    index: int = -1
    kind: str | None = None
    is_current: bool = False
    timed_out: bool = False
    untimed_line: int | None = None


@dataclass(slots=True)
class BuildState:
    """What is known of a build so far.

    Attributes:
        target: packer's name of it.
        state: what it does.
        seen: packer has said something of it (the debug log may name it before).
        coloured: its colour line stood in this run.
        beginning: its first message.
        last: the provisioner begun last.
        silent_type: the type of a provisioner that only the debug log tells of.
        phase: the phase begun last, and its text.
        cleans_up: a provisioner of it failed, and what runs now cleans up.
        verdict: packer's line on its end.
    """

    target: str
    state: State = State.IDLE
    seen: bool = False
    coloured: bool = False
    beginning: Beginning = field(default_factory=Beginning)
    last: LastProvisioner = field(default_factory=LastProvisioner)
    silent_type: str | None = None
    phase: tuple[str, bytes] | None = None
    cleans_up: bool = False
    verdict: bytes | None = None

    @property
    def running(self) -> str | None:
        """The kind of the provisioner that runs now."""
        return self.last.kind if self.state is State.RUNS else None

    @property
    def under_way(self) -> int | None:
        """The index of the last provisioner, until a phase begins or the build ends."""
        return self.last.index if self.last.is_current else None

    @property
    def is_idle(self) -> bool:
        """Whether nothing that Packer tells of is under way, behind a provisioner."""
        return self.last.index >= 0 and self.state in (State.IDLE, State.UNTOLD)

    def begin_phase(self, phase: str, text: bytes, said: LineContext, events: list[Event]) -> None:
        """Begin a phase: what ran before it is over. The same text again begins nothing.

        Args:
            phase: its name, one of `parse.phases`.
            text: Packer's text that begins it.
            said: the context of its line.
            events: the list that new events go to.
        """
        if self.state in IN_PHASE and self.phase == (phase, text):
            return
        status: ProvisionerStatus = "failure" if text.startswith(STEP_FAILED) else STATUS_BY_PHASE.get(phase, "success")
        says = Says.QUESTION if status == UNKNOWN else Says.PHASE
        exit_code = exit_status(text) if status == "failure" else None
        self.move(says, said, events, Outcome(status, exit_code=exit_code))
        self.phase, self.last = (phase, text), replace(self.last, is_current=False)
        self.cleans_up = self.cleans_up or phase == "error_cleanup"
        shown = text.decode("utf-8", "replace")
        events.append(PhaseStarted(line=said.line, at=said.at, target=self.target, name=phase, text=shown))

    def start(self, unit: tuple[str, bytes], said: LineContext, events: list[Event], type_: str | None = None) -> None:
        """Start a provisioner unit: the one before it is over.

        Args:
            unit: its kind and its detail, as `parse.provisioner_texts` reads them.
            said: the context of the line that starts it.
            events: the list that new events go to.
            type_: the type of a unit of kind `other`, None if it is not known.
        """
        self.move(Says.UNIT, said, events, SUCCESS)
        self.last = LastProvisioner(self.last.index + 1, unit[0], is_current=True)
        shown = unit[1].decode("utf-8", "replace")
        events.append(
            ProvisionerStarted(
                line=said.line, at=said.at, target=self.target, index=self.last.index, kind=unit[0], detail=shown,
                type=type_,
            )
        )

    def finish(self, result: BuildResult, said: LineContext, events: list[Event]) -> None:
        """End the build. After a failure its result does not say how the cleanup provisioner went.

        Args:
            result: success, failure or cancelled.
            said: the context of Packer's line on the end.
            events: the list that new events go to.
        """
        if self.cleans_up and result == "failure":
            self.move(Says.OVER, said, events)
        else:
            self.move(Says.OUTCOME, said, events, Outcome("cancellation" if result == "cancelled" else result))
        self.last = replace(self.last, is_current=False)

    def move(self, says: Says, said: LineContext, events: list[Event], outcome: Outcome = UNTOLD) -> None:
        """Go to the next state.

        Args:
            says: what the line says.
            said: the line.
            events: where to tell of the provisioner's end.
            outcome: how the provisioner went, by this line; one that its timeout cancelled timed out.
        """
        if says in TELLS[self.state]:
            status, ignored, exit_code = outcome
            status = "timeout" if self.last.timed_out and status != UNKNOWN else status
            events.append(
                ProvisionerFinished(
                    line=said.line, at=said.at, target=self.target, index=self.last.index, status=status,
                    ignored=ignored, exit_code=exit_code,
                )
            )  # fmt: skip
            if said.at is None and says is Says.OUTCOME and self.last.kind is not None:
                self.last = replace(self.last, untimed_line=said.line)
        self.state = NEXT[self.state][says]

    def end_at(self, at: When | None, events: list[Event]) -> None:
        """Tell the time of an end that a line without a time told.

        Args:
            at: the time of the debug log's line on the same end, None if it has none.
            events: where to tell of it.
        """
        if self.last.untimed_line is not None and at is not None:
            events.append(LaterStamp(line=self.last.untimed_line, at=at))
        self.last = replace(self.last, untimed_line=None)

    def time_out(self) -> None:
        """Note that Packer cancelled the last provisioner by its own timeout."""
        self.last = replace(self.last, timed_out=True)
