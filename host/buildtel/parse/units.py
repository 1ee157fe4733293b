"""Recognizes what a message says of its build: a provisioner or a phase starts or ends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from buildtel.events import Event, SshWait
from buildtel.parse.line_context import LineContext
from buildtel.parse.phases import AFTER_PROVISIONING, OTHER_PHASE, phase_of
from buildtel.parse.provisioner_texts import (
    KINDS_OF_TYPE,
    OTHER,
    SILENT_KINDS,
    provisioner_of,
    quiet_provisioner_of,
    type_of_other,
)
from buildtel.parse.states import SUCCESS, BuildState, Outcome, Says
from buildtel.parse.words import exit_status

CONNECTED = (b"Connected to SSH!", b"Connected to WinRM!")
_WAITING = (b"Waiting for SSH to become available", b"Waiting for WinRM to become available")
_TIMED_OUT = b"Cancelling provisioner after a timeout"
_IGNORED = (b"Warning: Provisioner failed with ", b"but continue_on_error is set")
_TIMEOUT_SET = b"Setting a "
UNIT_TEXTS = (*CONNECTED, _TIMED_OUT, _IGNORED[0], _TIMEOUT_SET)
_MAX_SHOWN_BYTES = 300


class Hears(NamedTuple):
    """What an unknown text of a build may tell.

    Attributes:
        is_old: a Packer before 1.13 speaks, whose own words have another form than a guest's output.
        marked: in the form of Packer's own words, in its colour or in a log, it begins a phase.
        bare: it does so without colour and log.
        first: with a time, it may be a copy of the first word of its build, which had none.
    """

    is_old: bool
    marked: bool
    bare: bool
    first: bool


class Units:
    """Turns messages of builds into events; `is_copy(key, said)` tells if the other stream had the message already.

    `is_old` says that a Packer before 1.13 speaks: it prints what a guest says in another form than its own words.
    `has_telemetry` says that the debug log tells of the provisioners.
    """

    def __init__(self, events: Callable[[], list[Event]], is_copy: Callable[[bytes, LineContext], bool]) -> None:
        self._events = events
        self._is_copy = is_copy
        self.is_old = False
        self.has_telemetry = False

    def message(self, build: BuildState, text: bytes, said: LineContext, *, is_say: bool) -> None:
        """Take a message of a build.

        Args:
            build: the build.
            text: the message, without the build's name.
            said: the context of its line.
            is_say: it has the form of Packer's own messages (`==> `), not that of a guest's output.
        """
        if said.error:
            if text.startswith(_TIMED_OUT):
                build.time_out()
            return
        if not is_say:
            unit = quiet_provisioner_of(text, build.running)
        else:
            unit = provisioner_of(text, build.running)
            if not unit:
                self._phase(build, text, said)
                return
        if unit and not self._is_copy(build.target.encode() + text, said):
            silent = build.silent_type is not None and unit[0] == OTHER
            if not silent:
                build.start(unit, said, self._events(), type_of_other(text) if unit[0] == OTHER else None)

    def _phase(self, build: BuildState, text: bytes, said: LineContext) -> None:
        phase = phase_of(text, while_provisioning=build.running is not None)
        connected = text.startswith(CONNECTED)
        if text.startswith(_TIMEOUT_SET) and text.endswith(b" timeout for the next provisioner..."):
            build.move(Says.OUTCOME, said, self._events(), SUCCESS)
        elif text.startswith(_TIMED_OUT):
            build.time_out()
        elif text.startswith(_IGNORED[0]) and _IGNORED[1] in text:
            outcome = Outcome("failure", ignored=True, exit_code=exit_status(text))
            build.move(Says.OUTCOME, said, self._events(), outcome)
        elif (phase or connected) and not self._is_copy(build.target.encode() + text, said):
            if phase:
                build.begin_phase(phase, text, said, self._events())
            if (connected or text.startswith(_WAITING)) and build.running is None:
                if connected:
                    build.move(Says.CONNECTED, said, self._events())
                self._events().append(SshWait(line=said.line, at=said.at, target=build.target, connected=connected))
        elif (
            not phase and not connected and text
            and self._begins_other(build, self.is_old and said.streams_told)
            and not self._is_copy(build.target.encode() + text, said)
        ):  # fmt: skip
            build.begin_phase(OTHER_PHASE, text[:_MAX_SHOWN_BYTES], said, self._events())

    def _begins_other(self, build: BuildState, is_packers: bool) -> bool:
        """Whether a text that is not known says that the builder goes on; `is_packers`: its form is Packer's own."""
        if build.running is not None:
            return is_packers and build.running in SILENT_KINDS
        return build.is_idle and (is_packers or self.has_telemetry)

    def hears(self, builds: Collection[BuildState]) -> Hears:
        """What an unknown text of a build may tell now."""
        return Hears(
            self.is_old,
            marked=any(self._begins_other(build, self.is_old) for build in builds),
            bare=any(self._begins_other(build, False) for build in builds),
            first=any(build.beginning.untimed is not None for build in builds),
        )

    def hear_quiet(self) -> None:
        """Note a line with four spaces: this Packer is older than 1.13."""
        self.is_old = True

    def listens(self, builds: Iterable[BuildState]) -> bool:
        """Whether an unknown text of a build may begin a phase now."""
        return self.is_old or (self.has_telemetry and any(build.running is None for build in builds))

    def telemetry(self, text: str, builds: list[BuildState], said: LineContext) -> None:
        """Take a `(telemetry)` line of the debug log. It does not name its build.

        Args:
            text: the line behind `(telemetry) `.
            builds: the builds of the run that have not ended; the line is of one of them.
            said: the context of the line.
        """
        only = builds[0] if len(builds) == 1 else None
        if text.startswith("Starting provisioner "):
            self.has_telemetry = True
            kind = text[21:].strip()
            if only and only.seen and kind and kind not in KINDS_OF_TYPE:
                only.silent_type = kind
                only.start((OTHER, b""), said, self._events(), kind)
        elif text.startswith("ending "):
            kind = text[7:].strip()
            kinds = KINDS_OF_TYPE.get(kind, ())
            ended = [build for build in builds if build.running in kinds or kind == build.silent_type]
            if len(ended) == 1:
                ended[0].silent_type = None
                ended[0].move(Says.OVER, said, self._events())
            elif only is not None and only.last.untimed_line is not None and only.last.kind in kinds:
                only.end_at(said.at, self._events())


def only_packer_says(message: bytes, finished_before: bool) -> bool:
    """Whether a message proves that the name before it is a build's.

    Args:
        message: the text behind the name.
        finished_before: a build of this name ended in this run: only texts from a build's beginning prove another.
    """
    phase = phase_of(message)
    if phase:
        return not (finished_before and phase in AFTER_PROVISIONING)
    return provisioner_of(message, None) is not None or message.startswith(CONNECTED)
