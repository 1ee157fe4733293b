"""The events between parsing and folding: one immutable event per fact of the log.

Every event knows the line it was read from (1-based) and the time that line carries, if the log
has times at all. Nothing here does I/O, and nothing here judges: that is the fold's work.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

BuildResult = Literal["success", "failure", "cancelled"]
ProvisionerStatus = Literal["success", "failure", "timeout", "cancellation", "unknown"]
FAILED: frozenset[ProvisionerStatus] = frozenset(("failure", "timeout"))
TransferWord = Literal["begins", "file", "ends", "sent", "bar"]
SignKind = Literal["play", "task", "handler", "recap", "lock", "evidence", "output"]
EVIDENCE: Final = "evidence"  # a line that may say why a provisioner fails: a moment, not a part that goes on


@dataclass(frozen=True, slots=True)
class When:
    """The time that a log line carries.

    Attributes:
        unix_s: seconds since the epoch. Where the log states no zone (`PACKER_LOG` stamps), the
            local wall clock read as if it were UTC: differences are right, the absolute is not.
        resolution_s: the grain of the stamp: 1.0 for whole seconds, 0.001 for milliseconds, and so on.
        zone_known: False for stamps without a zone.
        dated: False for stamps without a date or a year: `unix_s` counts from an unknown day, year or start.
    """

    unix_s: float
    resolution_s: float
    zone_known: bool
    dated: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact read from one line of a log."""

    line: int
    at: When | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRecord(Event):
    """An intact `BUILDTEL:` record (its CRC agrees). See docs/format.md for the fields.

    `target` is Packer's name of the build it came through, None outside of packer's output; `provisioner` is the index
    of the build's provisioner that it came through, None where a phase was under way, or nothing.
    `refused` names the fields that no agent writes so; they are left out. `authentic` says whether its `mac`
    was made with the reader's key; None if the reader has no key.
    `spool` is the number of the spool it was read from, None if it stood in a log.
    """

    target: str | None
    fields: dict[str, Any] = field(hash=False)
    provisioner: int | None = None
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
class PackerRead(Event):
    """How `buildtel-host packer` read Packer's words: `debug log`, `the user's debug log` or `pipes`."""

    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginSeen(Event):
    """A plugin that Packer's debug log names, and its version: `qemu`, `1.1.4`."""

    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFailed(Event):
    """Packer's error before any build began: a template or a plugin it could not use."""

    error: str


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
    """A provisioner unit begins: one script, one upload, one Ansible run. See docs/format.md for kinds.

    `index` is its place among the build's provisioners, from 0.
    `type` is the provisioner's type where only the debug log tells of it (`hcp-sbom`), or its kind is `other`.
    """

    target: str
    index: int
    kind: str
    detail: str
    type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionerFinished(Event):
    """The provisioner `index` of a build ends, by Packer's own `(telemetry)` line or by what it prints next.

    `status` is what Packer's next words say of it: success, failure, timeout, cancellation or unknown; where it was
    unknown, the event comes once more when it is known. `ignored` says that it failed and Packer went on
    (`continue_on_error`). `exit_code` is the exit status that Packer's words name, None where they name none.
    """

    target: str
    index: int
    status: ProvisionerStatus = "unknown"
    ignored: bool = False
    exit_code: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputSign(Event):
    """A line of output tells what the provisioner does within, or why it fails (`parse.output_signs`).

    `kind` is play, task, handler or recap (Ansible's), lock (it begins to wait for one; `name` says who holds it, empty
    where nothing does; a second one names the holder of a wait without a name), output (the wait is over) or evidence
    (`name` is the line).
    """

    target: str
    provisioner: int
    kind: SignKind
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferSeen(Event):
    """Packer moves files to or from a build's machine, or fetches an image, in what the build does at that time.

    `word` is begins (a connection for files is open), file (`count` files so far, 0 for more than are counted,
    `size_bytes` of all of them, `name` of the last one), ends (its files are moved), sent (all bytes of a transfer,
    known before its end or after it) or bar (a progress bar: `size_bytes` of `whole_bytes`, as rounded as Packer prints
    them).
    """

    target: str
    word: TransferWord
    name: str = ""
    count: int | None = None
    size_bytes: int | None = None
    whole_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionTried(Event):
    """Packer tried to connect to a build's machine: `result` says in words how it went."""

    target: str
    result: str


# Their times tell nothing of when a run began and ended: a debug log beside output without times has them.
ASIDE: tuple[type[Event], ...] = (TransferSeen, ConnectionTried)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFinished(Event):
    """Packer's own word on a build: `result` is success, failure or cancelled.

    `duration_s` is from packer's text, None where it prints none (before 1.6.2). `exit_code` is the exit status of
    the provisioner that failed, where the error names one.
    """

    target: str
    result: BuildResult
    duration_s: float | None
    error: str | None = None
    exit_code: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact(Event):
    """One artifact of a finished build, as Packer describes it; `cut` if the log ended within its line."""

    target: str
    text: str
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted(Event):
    """Packer was told to stop (Ctrl-C, SIGTERM)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(Event):
    """`Wait completed after …`: all builds of a run are over; `total_s` by packer's own word."""

    total_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterStamp(Event):
    """The message at `line` has a time after all: its copy in the other stream, which came later, states it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastStamp(Event):
    """The last line so far that carries a time, with or without an event: a run that nothing ended goes on until then.

    `of_text` says that it is the last line of an artifact's or an error's text, with which a run ends.
    """

    of_text: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LastLines(Event):
    """The last lines of output, at most 20, without colours.

    Those of a provisioner (its place in the build, from 0) come when it has failed, or may have; those of a build
    (`provisioner` is None) at the end of a run, or of the log.
    """

    target: str
    provisioner: int | None = None
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneLearned(Event):
    """How far the stamps without a zone are ahead of UTC, s; None if they fit no zone. Comes at the log's end.

    Only a log that has stamps of both kinds tells it.
    """

    ahead_s: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixUnknown(Event):
    """Packer's words stand behind something that could not be understood: none of them were read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableLine(Event):
    """A line that was not kept, and why: longer than the reader's bound."""

    reason: str
