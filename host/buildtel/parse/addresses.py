"""Whose machine a debug line names by its address, by what the builds have said of their machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from buildtel.parse.debug_texts import MACHINE_SIGN, address_of, host_of, port_of
from buildtel.parse.states import BuildState


@dataclass(slots=True)
class _Machine:
    """What a build has said of its machine; None where it has said nothing."""

    host: bytes | None = None
    port: bytes | None = None

    def may_have(self, host: bytes, port: bytes) -> bool:
        return self.host == host and self.port in (None, port)


class Addresses:
    """The addresses of the builds of a run: host by Packer's own words, port where the builder forwards one."""

    def __init__(self) -> None:
        self._machines: dict[str, _Machine] = {}  # by build

    def clear(self) -> None:
        """Another run begins."""
        self._machines.clear()

    def hear(self, build: BuildState, text: bytes) -> None:
        """Take a message of a build, which may say where its machine is.

        Args:
            build: the build.
            text: the message, without the build's name.
        """
        if MACHINE_SIGN not in text:
            return
        host, port = host_of(text), port_of(text)
        if host or port:
            known = self._machines.setdefault(build.target, _Machine())
            known.host, known.port = host or known.host, port or known.port

    def only(self, text: bytes, builds: Sequence[BuildState]) -> BuildState | None:
        """The one of several builds whose machine has the address in a debug line.

        None where no address or that of several is in it, or where one of the builds has not said its host.

        Args:
            text: the line behind its time stamp.
            builds: those that it can be of.
        """
        named = address_of(text)
        machines = [self._machines.get(build.target, _Machine()) for build in builds]
        if named is None or any(machine.host is None for machine in machines):
            return None
        fitting = [build for build, machine in zip(builds, machines, strict=True) if machine.may_have(*named)]
        return fitting[0] if len(fitting) == 1 else None
