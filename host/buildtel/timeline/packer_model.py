"""The model of `packer` in the job document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from buildtel.events import ProvisionerStatus


@dataclass(frozen=True, kw_only=True, repr=False)
class InnerPart:
    """What a log tells of the inside of a provisioner or a phase.

    `kind` is play, task, handler or recap (Ansible's; each lasts until the next of them), lock (a wait for a lock of
    apt's, dpkg's, dnf's or yum's; `name` says who holds it, empty where the output does not), evidence (a line that
    may tell why it failed: `name` is the line, it has no end), upload or download (files that Packer moves, `count` of
    them; `name` is that of a single one) or try (`count` tries to connect, one after the other, that went as `name`
    says). Times are Unix seconds, absent where the log has none. `size_bytes` is absent where no line tells it,
    `rate_mbs` (MB/s) where the times are not fine enough for it.
    """

    name: str
    kind: str
    started_at: float | None = None
    ended_at: float | None = None
    count: int | None = None
    size_bytes: int | None = None
    rate_mbs: float | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Phase:
    """A stretch of packer's own work, announced in `line` of the log (from 1).

    `started_at` and `ended_at` are Unix seconds, null where the log has no times. `parts` is what the log tells of its
    inside: an image that is fetched, tries to connect.
    """

    name: str
    text: str
    line: int | None = None
    started_at: float | None = None
    ended_at: float | None = None
    parts: tuple[InnerPart, ...] = ()


@dataclass(frozen=True, kw_only=True, repr=False)
class Provisioner:
    """One provisioner unit: one script, one upload, one Ansible run. `own` marks buildtel's.

    `type` is the provisioner's type where `kind` is other and the log tells it. `status` is what Packer's words say
    of its end: an exit status that `valid_exit_codes` allows is a success, its own `timeout` is a timeout;
    `ignored` says that Packer went on after its failure (`continue_on_error`). `exit_code` is the exit status that
    Packer names where it failed: of a success Packer names none. `output` has the last lines that one printed which
    failed, at most 20 and 4 kB. `parts` is what the log tells of its inside, at most 1,000.
    """

    kind: str
    detail: str
    type: str | None = None
    status: ProvisionerStatus = "unknown"
    ignored: bool = False
    exit_code: int | None = None
    output: tuple[str, ...] = ()
    parts: tuple[InnerPart, ...] = ()
    own: bool = False
    line: int | None = None
    started_at: float | None = None
    ended_at: float | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Stretch:
    """A stretch of a build's wall time, in whole milliseconds: it begins where the one before it ends.

    `name` is `start` (until the build's first message), `provisioner` (then `provisioner` is its place among the
    build's, and `status` how it went), a phase's, or `unattributed`, which nothing in the log explains. `runner` has
    the figures of the machine that Packer ran on, `hypervisor` those of the process that was the build's machine
    (`cpu_percent`: 100 is one core); null where there are none, or the stretch is shorter than a second.
    """

    name: str
    text: str
    provisioner: int | None = None
    status: ProvisionerStatus | None = None
    started_at: float
    ended_at: float
    duration_s: float
    runner: dict[str, float | int | None] | None = None
    hypervisor: dict[str, float | int | None] | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Build:
    """One build of a run.

    `result` is success, failure, cancelled or unknown. `duration_s` is packer's own word, null where it
    says none. `ssh_wait` tells that the log shows both the wait for SSH or WinRM and the connection.
    `started_at` is when Packer was started, or the run's first line; `began_at` the build's first message.
    `account` holds its whole wall time, empty where the log has no times. `grain_s` is the grain of the log's stamps
    (1.0: whole seconds), null without times. Of several builds the one that ended last is `critical`: the others did
    not make the run longer. `artifact_cut` says that the log ends within the last artifact's line.
    """

    name: str
    result: str = "unknown"
    duration_s: float | None = None
    grain_s: float | None = None
    ssh_wait: bool = False
    error: str | None = None
    critical: bool = False
    started_at: float | None = None
    began_at: float | None = None
    ended_at: float | None = None
    phases: tuple[Phase, ...] = ()
    provisioners: tuple[Provisioner, ...] = ()
    artifacts: tuple[str, ...] = ()
    artifact_cut: bool = False
    account: tuple[Stretch, ...] = ()

    def __post_init__(self) -> None:
        """A stretch can only be of a provisioner that the build has."""
        known = (None, *range(len(self.provisioners)))
        wrong = [part.provisioner for part in self.account if part.provisioner not in known]
        if wrong:
            raise ValueError(f"account: provisioner {wrong[0]} is not among the build's {len(self.provisioners)}")


@dataclass(frozen=True, kw_only=True, repr=False)
class PackerRun:
    """One `packer build`: its builds in the order of their first lines, `total_s` by packer's own word.

    `error` is what Packer said where it failed before any build began.
    """

    builds: tuple[Build, ...] = ()
    total_s: float | None = None
    error: str | None = None
    started_at: float | None = None
    ended_at: float | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Plugin:
    """A plugin that Packer used."""

    name: str
    version: str


@dataclass(frozen=True, kw_only=True, repr=False)
class PackerReport:
    """All runs in a log, nearly always one; `version` and `plugins` only where the log states them.

    `read_from` is how `buildtel-host packer` read what Packer says: `debug log`, `the user's debug log` or `pipes`.
    """

    __pydantic_config__: ClassVar[dict[str, bool]] = {"coerce_numbers_to_str": False}  # of its parts, too
    version: str | None = None
    read_from: str | None = None
    plugins: tuple[Plugin, ...] = ()
    runs: tuple[PackerRun, ...] = ()
