"""The vocabulary between reading and folding: what a log says, one frozen value a fact.

Every event knows the line it was read from (1-based) and the time that line carries, if the log
has times at all. Nothing here does I/O, and nothing here judges: that is the fold's work.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class When:
    """The time that a log line carries.

    Attributes:
        unix_s: seconds since the epoch. Where the log states no zone (`PACKER_LOG` stamps), the
            local wall clock read as if it were UTC: differences are right, the absolute is not.
        resolution_s: the grain of the stamp: 1.0 for whole seconds, 0.001 for milliseconds, and so on.
        zone_known: False for stamps without a zone.
    """

    unix_s: float
    resolution_s: float
    zone_known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact read from one line of a log."""

    line: int
    at: When | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRecord(Event):
    """An intact `BUILDTEL:` record (its CRC agrees). See docs/format.md for the fields.

    `target` is Packer's name of the build it came through, None outside of packer's output.
    `refused` names the fields that no agent writes so; they are left out. `authentic` says whether its `mac`
    was made with the reader's key; None if the reader has no key.
    `spool` is the number of the spool it was read from, None if it stood in a log.
    """

    target: str | None
    fields: dict[str, Any] = field(hash=False)
    refused: tuple[str, ...] = ()
    authentic: bool | None = None
    spool: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DamagedRecord(Event):
    """Something that was a `BUILDTEL:` record and can't be trusted: cut, glued, scrubbed, wrong CRC."""

    target: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    """A new `packer` process begins here (a file can hold several appended runs)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackerVersion(Event):
    """The version that Packer's debug log states, such as `1.6.6`."""

    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSeen(Event):
    """The first line of a build (Packer's target, `qemu.debian`)."""

    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildBegan(Event):
    """A build's first message of its own (its colour line is none): Packer and its plugins are loaded."""

    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseStarted(Event):
    """Packer itself begins something: `name` from the table in `parse.phases`, `text` as printed.

    A phase lasts until the next phase, provisioner or the end of its build.
    """

    target: str
    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SshWait(Event):
    """Packer waits for SSH or WinRM (`connected` False), or has it (True)."""

    target: str
    connected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionerStarted(Event):
    """A provisioner unit begins: one script, one upload, one Ansible run. See docs/format.md for kinds."""

    target: str
    kind: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionerFinished(Event):
    """The provisioner of `kind` ends, by Packer's own `(telemetry)` line or by what it prints next."""

    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFinished(Event):
    """Packer's own word on a build: `result` is success, failure or cancelled.

    `duration_s` is from packer's text, None where it prints none (before 1.6.2).
    """

    target: str
    result: str
    duration_s: float | None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact(Event):
    """One artifact of a finished build, as Packer describes it."""

    target: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted(Event):
    """Packer was told to stop (Ctrl-C, SIGTERM)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(Event):
    """`Wait completed after …`: all builds of a run are over; `total_s` by packer's own word."""

    total_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableLine(Event):
    """A line that was not kept, and why: longer than the reader's bound."""

    reason: str
