"""Finds in a provisioner's output what ran in it: Ansible's tasks, waits for locks, evidence of a failure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from buildtel.events import EVIDENCE, Event, OutputSign, SignKind
from buildtel.parse.line_context import LineContext
from buildtel.parse.output_signs import LOCK, holder_of, sign_of
from buildtel.parse.states import BuildState

MOST_PARTS = 1000  # of a provisioner; one more is told, which ends the last
MOST_EVIDENCE = 20
_OUTPUT: Final = "output"


class Inside:
    """Takes the output of provisioners line by line; tells of no more than 1,001 parts of each, 20 of them evidence.

    Args:
        events: gives the list that new events go to.
        is_copy: tells whether the other stream had the message already.
    """

    def __init__(self, events: Callable[[], list[Event]], is_copy: Callable[[bytes, LineContext], bool]) -> None:
        self._events = events
        self._is_copy = is_copy
        self._holders: dict[tuple[str, str], str] = {}  # by build and stream; a wait for a lock goes on there
        self._told: dict[str, tuple[int, int, int]] = {}  # by build: the provisioner, its parts, its evidence

    @property
    def waits(self) -> bool:
        """Whether a wait for a lock goes on, which any line of its build may end."""
        return bool(self._holders)

    def clear(self) -> None:
        """Another run begins."""
        self._holders.clear()
        self._told.clear()

    def forget(self, target: str) -> None:
        """No provisioner of a build runs any more."""
        for key in [key for key in self._holders if key[0] == target]:
            del self._holders[key]

    def hear(self, build: BuildState, text: bytes, said: LineContext) -> None:
        """Take a line of a build.

        Args:
            build: the build.
            text: the line without prefixes, colours and the build's name.
            said: its context.
        """
        if build.under_way is None:
            self.forget(build.target)
            return
        sign = sign_of(text) if said.may_tell else None
        if sign is not None and not self._has_room(build, sign[0]):
            sign = None
        kind, name = sign or (_OUTPUT, "")
        stream = build.target, said.copy
        held = self._holders.get(stream)
        if kind == LOCK:
            if held is not None and name in ("", held):
                return
            self._holders[stream] = name
        elif held is not None and not self._goes_on(stream, build, text, said):
            del self._holders[stream]
            self._tell(build, _OUTPUT, "", text, said)
        if kind != _OUTPUT:
            self._tell(build, kind, name, text, said)

    def _goes_on(self, stream: tuple[str, str], build: BuildState, text: bytes, said: LineContext) -> bool:
        """Whether a line belongs to the wait for a lock; one that names who holds it is told."""
        holder = holder_of(text)
        if holder and not self._holders[stream]:
            self._holders[stream] = holder
            self._tell(build, LOCK, holder, text, said)
        return holder is not None

    def _has_room(self, build: BuildState, kind: SignKind) -> bool:
        index, parts, evidence = self._told.get(build.target, (build.under_way, 0, 0))
        return index != build.under_way or (parts <= MOST_PARTS and (kind != EVIDENCE or evidence < MOST_EVIDENCE))

    def _tell(self, build: BuildState, kind: SignKind, name: str, text: bytes, said: LineContext) -> None:
        index = build.under_way
        if index is None or self._is_copy(build.target.encode() + b"\0" + kind.encode() + text, said):
            return
        of, parts, evidence = self._told.get(build.target, (index, 0, 0))
        if of != index:
            parts = evidence = 0
        self._told[build.target] = index, parts + (kind != _OUTPUT), evidence + (kind == EVIDENCE)
        self._events().append(
            OutputSign(line=said.line, at=said.at, target=build.target, provisioner=index, kind=kind, name=name)
        )
