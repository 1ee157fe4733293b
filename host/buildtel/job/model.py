"""The model of the job document, `buildtel.job/1` (docs/format.md, 2).

Every field of the original is always there, null where unknown; added ones may be missing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema

from buildtel.metrics import COSTS
from buildtel.timeline.packer_model import PackerReport
from buildtel_agent import COUNTERS, METRICS

SCHEMA = "buildtel.job/1"
Status = Literal["success", "failure", "error", "timeout", "cancellation", "skip", "unknown"]
Number = Annotated[float, Field(allow_inf_nan=False)]
Figure = int | Number

ORIGINAL_FIELDS = (
    "job", "version", "timestamp", "runner", "git_sha", "git_ref", "run_id", "run_number", "job_start", "job_end",
    "job_duration_s", "steps", "system",
)  # fmt: skip
ORIGINAL_METRICS = (
    "duration_s", "cpu_percent", "memory_used_mb", "memory_delta_mb", "disk_read_mb", "disk_write_mb",
    "disk_read_ops", "disk_write_ops", "disk_read_rate_mbs", "disk_write_rate_mbs", "disk_util_percent",
    "await_ms", "queue_depth", "net_rx_mb", "net_tx_mb", "net_rx_rate_mbs", "net_tx_rate_mbs",
)  # fmt: skip


class Model(BaseModel):
    """What all parts share: unknown fields are ignored, as a reader of newer documents must."""

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)


class Meta(Model):
    """What a log can't tell: which job it was, of what, where, and when it was collected."""

    job: str = "build"
    version: str = "0"
    collected_at: datetime
    runner: str | None = None
    git_sha: str | None = None
    git_ref: str | None = None
    run_id: str | None = None
    run_number: str | None = None


class System(Model):
    """The runner, null where no runner was measured."""

    cpus: int | None = None
    memory_total_mb: Figure | None = None
    disk_total_gb: Figure | None = None


class StepProvisioner(Model):
    """The provisioner that a step ran in: its place (from 0) among its build's, and Packer's words."""

    index: int
    kind: str
    detail: str


class Process(Model):
    """A busy process of a step: its name only."""

    name: str
    cpu_s: Figure | None = None
    io_mb: Figure | None = None


class StepCounters(Model):
    """The raw counters (`c` of a record) that a step's metrics were computed from."""

    start: dict[str, Any] | None = None
    end: dict[str, Any] | None = None


class Step(Model):
    """A named stretch of work on one machine.

    `metrics` holds the figures by name, those of the registry in the agent file; in JSON they stand
    beside the other fields, as in the original. `ended_from` says what told its end: `agent` or `packer`; `exit_from`
    what told `exit_code`: `agent` (a shell), a source of the kernel's (`taskstats`, `pidfd`, `zombie`), or `packer`.
    """

    name: str | None = None
    start_time: Number | None = None
    end_time: Number | None = None
    metrics: dict[str, Figure | None] = Field(default_factory=dict)
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
    last_seen: Number | None = None
    provisioner: StepProvisioner | None = None
    series: dict[str, list[Number | None]] | None = None
    counters: StepCounters | None = None
    processes: list[Process] | None = None
    neighbours: list[Process] | None = None

    @property
    def is_recorded(self) -> bool:
        """Whether it has records of its own; one of a provisioner without any is named by that one's place."""
        place = None if self.provisioner is None else f"/{self.provisioner.index}"
        return self.measured == "exactly" or place is None or not (self.id or "").endswith(place)

    @model_validator(mode="before")
    @classmethod
    def _gather_metrics(cls, value: Any) -> Any:
        if not isinstance(value, dict) or "metrics" in value:
            return value
        known = cls.model_fields
        fields = {name: item for name, item in value.items() if name in known}
        figures = {
            name: item
            for name, item in value.items()
            if name not in known and (item is None or type(item) in (int, float))
        }
        return {**fields, "metrics": figures}

    @model_serializer(mode="wrap")
    def _flatten(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = handler(self)
        fields.pop("metrics", None)
        flat = {name: fields.pop(name, None) for name in ("name", "start_time", "end_time")}
        flat.update({name: self.metrics.get(name) for name in ORIGINAL_METRICS})
        flat.update({name: value for name, value in self.metrics.items() if value is not None})
        return {**flat, **{name: value for name, value in fields.items() if value is not None}}

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The schema with the metrics where they stand in JSON."""
        schema = handler.resolve_ref_schema(handler(core.get("schema", core)))
        properties = schema["properties"]
        properties.pop("metrics", None)
        rows = {metric.name: (metric.unit, metric.source) for metric in METRICS}
        for name, (unit, said) in {**rows, **COSTS}.items():
            about = f"{unit}; {said}" if unit else said
            properties[name] = {"type": ["number", "null"], "description": about}
        schema["required"] = ["name", "start_time", "end_time", *ORIGINAL_METRICS]
        return schema


class BootClock(Model):
    """The clock of one boot of a guest: `offset_s` is guest minus host, to be trusted within `error_s`.

    `stepped_s` is how far the guest's wall clock was set while it ran, if it was.
    """

    boot: str | None = None
    offset_s: Number | None = None
    error_s: Number | None = None
    stepped_s: Number | None = None
    records: int = 0


class Clock(Model):
    """A machine's clock against the host's, as of its last boot; `note` says why there is no offset."""

    offset_s: Number | None = None
    error_s: Number | None = None
    note: str | None = None
    boots: list[BootClock] = Field(default_factory=list)


class Samples(Model):
    """A machine's whole life in columns, a set for each boot; `t_s` counts from `start_time`."""

    boot: str | None = None
    start_time: Number | None = None
    columns: dict[str, list[Number | None]] = Field(default_factory=dict)


class Mark(Model):
    """An instant that the user named."""

    name: str | None = None
    time: Number
    parent: str | None = None


class Machine(Model):
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
    boots: list[str | None] = Field(default_factory=list)
    samples: list[Samples] = Field(default_factory=list)
    marks: list[Mark] = Field(default_factory=list)


class Integrity(Model):
    """What became of the log's records."""

    records: int = 0
    duplicate: int = 0
    missing: int = 0
    damaged: int = 0
    foreign: int = 0
    recovered: int = 0
    unauthentic: int = 0


class JobDocument(Model):
    """One CI job of one version."""

    schema_: str | None = Field(default=None, alias="schema")
    job: str
    version: str
    timestamp: str | None = None
    runner: str | None = None
    git_sha: str | None = None
    git_ref: str | None = None
    run_id: str | None = None
    run_number: str | None = None
    job_start: Number | None = None
    job_end: Number | None = None
    job_duration_s: Number | None = None
    steps: list[Step] = Field(default_factory=list)
    system: System = Field(default_factory=System)
    status: Status | None = None
    machines: dict[str, Machine] = Field(default_factory=dict)
    packer: PackerReport | None = None
    clock: dict[str, Clock] = Field(default_factory=dict)
    integrity: Integrity | None = None
    notes: list[str] = Field(default_factory=list)

    def to_json(self) -> str:
        """The document as it is stored, one line of UTF-8 text and a newline."""
        return self.model_dump_json(by_alias=True) + "\n"


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the documents that are written."""
    schema = JobDocument.model_json_schema(by_alias=True, mode="serialization")
    schema["required"] = ["schema", *ORIGINAL_FIELDS]
    schema["$defs"]["System"]["required"] = list(System.model_fields)
    schema["$defs"]["Counters"] = {
        "type": "object", "description": "raw counters at one instant; unknown numbers are null",
        "properties": {name: _group_schema(*group) for name, group in COUNTERS.items()},
    }  # fmt: skip
    for side in schema["$defs"]["StepCounters"]["properties"].values():
        side["anyOf"][0] = {"$ref": "#/$defs/Counters"}
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = SCHEMA
    return schema


def _group_schema(per: str, source: str, least: int, fields: tuple[tuple[Any, ...], ...]) -> dict[str, Any]:
    row = {"type": "array", "items": {"type": ["integer", "null"]}, "minItems": least}
    told = {"description": f"{', '.join(field[0] for field in fields)}; {source}"}
    return {**({"type": "object", "additionalProperties": row} if per else row), **told}
