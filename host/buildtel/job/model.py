"""The model of the job document, `buildtel.job/1` (docs/format.md, 2), and its JSON text.

Every field of the original is always there, null where unknown; added ones may be missing. Plain dataclasses, because
writing a document must not load pydantic; `schema.py` validates the documents that are read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal

from buildtel.timeline.packer_model import InnerPart, PackerReport, Phase, Provisioner

SCHEMA = "buildtel.job/1"
Status = Literal["success", "failure", "error", "timeout", "cancellation", "skip", "unknown"]
Figure = int | float

ORIGINAL_FIELDS = (
    "job", "version", "timestamp", "runner", "git_sha", "git_ref", "run_id", "run_number", "job_start", "job_end",
    "job_duration_s", "steps", "system",
)  # fmt: skip
ORIGINAL_METRICS = (
    "duration_s", "cpu_percent", "memory_used_mb", "memory_delta_mb", "disk_read_mb", "disk_write_mb",
    "disk_read_ops", "disk_write_ops", "disk_read_rate_mbs", "disk_write_rate_mbs", "disk_util_percent",
    "await_ms", "queue_depth", "net_rx_mb", "net_tx_mb", "net_rx_rate_mbs", "net_tx_rate_mbs",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, repr=False)
class Meta:
    """What a log can't tell: which job it was, of what, where, and when it was collected."""

    job: str = "build"
    version: str = "0"
    collected_at: datetime
    runner: str | None = None
    git_sha: str | None = None
    git_ref: str | None = None
    run_id: str | None = None
    run_number: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class System:
    """The runner, null where no runner was measured."""

    cpus: int | None = None
    memory_total_mb: Figure | None = None
    disk_total_gb: Figure | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class StepProvisioner:
    """The provisioner that a step ran in: its place (from 0) among its build's, and Packer's words."""

    index: int
    kind: str
    detail: str


@dataclass(frozen=True, kw_only=True, repr=False)
class Process:
    """A busy process of a step: its name only."""

    name: str
    cpu_s: Figure | None = None
    io_mb: Figure | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Command:
    """The commands of one name that ended in a step; the rest together have the name ''."""

    name: str
    count: int
    cpu_s: Figure | None = None
    io_mb: Figure | None = None
    longest_s: Figure | None = None
    delay_s: Figure | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class InsideRow:
    """A command on the time line inside a step, or `count` short neighbours; `start_s` counts from the step's start."""

    name: str
    count: int
    start_s: Figure | None = None
    duration_s: Figure | None = None
    cpu_s: Figure | None = None
    exit_code: int | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class WaitRow:
    """What the commands of a step waited for, by looks at them a second apart; `start_s` counts from the step's start.

    `kind` is sleep, lock (`holder` has it, where that is known), silent (a server that does not answer), remote (one
    that is connected and sends nothing), user (a terminal), daemon (a local one) or other (in the kernel's function
    `holder`). `command` is who waited.
    """

    start_s: Figure
    duration_s: Figure
    kind: str
    command: str
    holder: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class StepCounters:
    """The raw counters (`c` of a record) that a step's metrics were computed from."""

    start: dict[str, Any] | None = None
    end: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Step:
    """A named stretch of work on one machine.

    `metrics` holds the figures by name, those of the registry in the agent file; in JSON they stand
    beside the other fields, as in the original. `ended_from` says what told its end: `agent` or `packer`; `exit_from`
    what told `exit_code`: `agent` (a shell), a source of the kernel's (`taskstats`, `pidfd`, `zombie`), or `packer`.
    `begun_by` is the agent's command that began a part of a script, None where the step is a whole script of Packer's.
    `accounts_from` says where the accounts of commands, the time line inside and the step's own load are from:
    `taskstats` (every command that ended), `sampled`, or `intervals` (of the whole machine, by seconds).
    """

    name: str | None = None
    start_time: float | None = None
    end_time: float | None = None
    metrics: dict[str, Figure | None] = field(default_factory=dict)
    id: str | None = None
    machine: str | None = None
    parent: str | None = None
    origin: Literal["runner", "guest"] | None = None
    measured: Literal["exactly", "from samples"] | None = None
    authentic: bool | None = None
    status: Status | None = None
    ended_from: str | None = None
    exit_code: int | None = None
    exit_from: str | None = None
    signal: int | None = None
    unfinished: str | None = None
    last_seen: float | None = None
    provisioner: StepProvisioner | None = None
    series: dict[str, list[float | None]] | None = None
    counters: StepCounters | None = None
    processes: list[Process] | None = None
    neighbours: list[Process] | None = None
    begun_by: str | None = None
    accounts_from: str | None = None
    commands: list[Command] | None = None
    other_commands: list[Command] | None = None
    commands_lost: int | None = None
    inside: list[InsideRow] | None = None
    waits: list[WaitRow] | None = None

    @property
    def is_recorded(self) -> bool:
        """Whether it has records of its own; one of a provisioner without any is named by that one's place."""
        place = None if self.provisioner is None else f"/{self.provisioner.index}"
        return self.measured == "exactly" or place is None or not (self.id or "").endswith(place)


@dataclass(frozen=True, kw_only=True, repr=False)
class BootClock:
    """The clock of one boot of a guest: `offset_s` is guest minus host, to be trusted within `error_s`.

    `stepped_s` is how far the guest's wall clock was set while it ran, if it was.
    """

    boot: str | None = None
    offset_s: float | None = None
    error_s: float | None = None
    stepped_s: float | None = None
    records: int = 0


@dataclass(frozen=True, kw_only=True, repr=False)
class Clock:
    """A machine's clock against the host's, as of its last boot; `note` says why there is no offset."""

    offset_s: float | None = None
    error_s: float | None = None
    note: str | None = None
    boots: list[BootClock] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, repr=False)
class Samples:
    """A machine's whole life in columns, a set for each boot; `t_s` counts from `start_time`."""

    boot: str | None = None
    start_time: float | None = None
    columns: dict[str, list[float | None]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, repr=False)
class Mark:
    """An instant that the user named."""

    name: str | None = None
    time: float
    parent: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Machine:
    """Where something was measured, and what it said of itself."""

    origin: Literal["runner", "guest"]
    target: str | None = None
    run: int = 1
    agent: str | None = None
    python: str | None = None
    cpus: int | None = None
    memory_total_mb: Figure | None = None
    disk_total_gb: Figure | None = None
    kernel: str | None = None
    os: str | None = None
    arch: str | None = None
    hz: int | None = None
    psi: bool | None = None
    boots: list[str | None] = field(default_factory=list)
    samples: list[Samples] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, repr=False)
class Integrity:
    """What became of the log's records."""

    records: int = 0
    duplicate: int = 0
    missing: int = 0
    damaged: int = 0
    foreign: int = 0
    recovered: int = 0
    unauthentic: int = 0


@dataclass(frozen=True, kw_only=True, repr=False)
class JobDocument:
    """One CI job of one version."""

    __pydantic_config__: ClassVar[dict[str, bool]] = {"coerce_numbers_to_str": True}  # of all but `packer`
    schema: str | None = None
    job: str
    version: str
    timestamp: str | None = None
    runner: str | None = None
    git_sha: str | None = None
    git_ref: str | None = None
    run_id: str | None = None
    run_number: str | None = None
    job_start: float | None = None
    job_end: float | None = None
    job_duration_s: float | None = None
    steps: list[Step] = field(default_factory=list)
    system: System = field(default_factory=System)
    status: Status | None = None
    machines: dict[str, Machine] = field(default_factory=dict)
    packer: PackerReport | None = None
    clock: dict[str, Clock] = field(default_factory=dict)
    integrity: Integrity | None = None
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> str:
        """The document as it is stored, one line of UTF-8 text and a newline.

        Small grains have the form that stored documents have: 0.00001, 1e-6, 1e-9.

        Raises:
            ValueError: a number is not finite.
        """
        text = to_json(self)
        return text.replace('"grain_s":1e-05', '"grain_s":0.00001').replace('"grain_s":1e-0', '"grain_s":1e-') + "\n"


def to_json(part: object) -> str:
    """A document, or a part of one, as JSON in one line.

    Raises:
        ValueError: a number is not finite.
    """
    return json.dumps(part, default=_as_object, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _as_object(part: object) -> Any:
    """One part of a document as a JSON object, its own parts as they are; times as ISO 8601.

    In a step the metrics stand among the fields, those of the original always, and what is null is left out.
    """
    if isinstance(part, datetime):
        return part.isoformat()
    if isinstance(part, Provisioner | Phase):
        return {name: value for name, value in vars(part).items() if value or name not in ("output", "parts")}
    if isinstance(part, InnerPart):
        return {name: value for name, value in vars(part).items() if value is not None}
    if not isinstance(part, Step):
        return vars(part)
    head = {"name": part.name, "start_time": part.start_time, "end_time": part.end_time}
    rest = {**part.metrics, **vars(part)}
    rest.pop("metrics")
    known = {name: value for name, value in rest.items() if value is not None}
    return {**head, **{name: part.metrics.get(name) for name in ORIGINAL_METRICS}, **known}
