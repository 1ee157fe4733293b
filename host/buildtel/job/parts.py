"""The parts that a document is joined from: the log's and the runner's."""

from __future__ import annotations

from dataclasses import dataclass, field

from buildtel.job.model import Clock, Integrity, JobDocument, Machine, Status, Step
from buildtel.timeline.packer_model import PackerReport


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a document that come from events, by the names that they have there."""

    timestamp: str | None = None
    job_start: float | None = None
    job_end: float | None = None
    job_duration_s: float | None = None
    steps: list[Step] = field(default_factory=list)
    status: Status | None = None
    machines: dict[str, Machine] = field(default_factory=dict)
    packer: PackerReport | None = None
    clock: dict[str, Clock] = field(default_factory=dict)
    integrity: Integrity | None = None
    notes: list[str] = field(default_factory=list)


Source = Parts | JobDocument  # a document has them as well
