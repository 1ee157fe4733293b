"""What is known of a job in progress, and its JSON text, which the job's folder keeps between two commands."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, get_args

from buildtel.job.model import Integrity, JobDocument, Meta, Status, to_json

Kinds = Mapping[str, type | tuple[type, ...]]
NONE = type(None)
TEXT, NUMBER = (str, NONE), (int, float, NONE)
FACTS: Kinds = {
    "meta": dict, "started_at": (int, float), "ended_at": NUMBER, "document": TEXT, "told": (dict, NONE),
    "unasked": bool, "slot": TEXT,
}  # fmt: skip
META: Kinds = {
    "job": str, "version": str, "collected_at": str, "runner": TEXT, "git_sha": TEXT, "git_ref": TEXT, "run_id": TEXT,
    "run_number": TEXT,
}  # fmt: skip
TOLD: Kinds = {"status": TEXT, "integrity": (dict, NONE), "notes": list}
COUNTS: Kinds = dict.fromkeys(vars(Integrity()), int)


@dataclass(frozen=True, kw_only=True, repr=False)
class LogSummary:
    """What a log alone told, of which its document with the runner's steps in it says more."""

    status: Status | None = None
    integrity: Integrity | None = None
    notes: list[str] = field(default_factory=list)

    @classmethod
    def by(cls, document: JobDocument) -> LogSummary:
        """What `document` tells."""
        return cls(status=document.status, integrity=document.integrity, notes=document.notes)

    def alone(self, document: JobDocument) -> JobDocument:
        """`document` without what the runner's records added to it."""
        return replace(document, status=self.status, integrity=self.integrity, notes=self.notes)


@dataclass(frozen=True, kw_only=True, repr=False)
class JobFacts:
    """What `init` knew and what came of it since.

    `started_at` and `ended_at` are Unix seconds; `document` is the file that the job was last written to, `told` what
    the log in it told, None without one. `unasked` tells that a step began the job, not `init`; `slot` where on the
    machine it runs (None if nobody noted it).
    """

    meta: Meta
    started_at: float
    ended_at: float | None = None
    document: str | None = None
    told: LogSummary | None = None
    unasked: bool = False
    slot: str | None = None

    def to_json(self) -> str:
        """The facts as the job's folder keeps them."""
        return to_json(self)


def read_facts(data: bytes) -> JobFacts:
    """The facts in a file that `JobFacts.to_json` or `begun.note_facts` wrote.

    Raises:
        ValueError: the file is damaged.
    """
    try:
        fields = _known(json.loads(data), FACTS)
        meta = _known(fields["meta"], META)
        collected_at = datetime.fromisoformat(meta["collected_at"].replace("Z", "+00:00"))
        return JobFacts(**{
            **fields,
            "meta": Meta(**{**meta, "collected_at": collected_at}),
            "started_at": _seconds(fields["started_at"]),
            "ended_at": _seconds(fields.get("ended_at")),
            "told": _told(fields.get("told")),
        })  # fmt: skip
    except (KeyError, OverflowError, RecursionError) as error:
        raise ValueError(f"no facts of a job: {error}") from error


def _known(value: Any, kinds: Kinds) -> dict[str, Any]:
    """The fields of an object that `kinds` names, each of a type that it allows."""
    if not isinstance(value, dict):
        raise ValueError("not an object")
    found = {name: value[name] for name in kinds if name in value}
    wrong = [name for name, item in found.items() if not isinstance(item, kinds[name])]
    if wrong:
        raise ValueError(f"{wrong[0]} has another type")
    return found


def _seconds(value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise ValueError("not a time")
    return None if value is None else float(value)


def _told(value: dict[str, Any] | None) -> LogSummary | None:
    if value is None:
        return None
    fields = _known(value, TOLD)
    if fields.get("status") not in (None, *get_args(Status)):
        raise ValueError("not a status")
    if not all(isinstance(note, str) for note in fields.get("notes", ())):
        raise ValueError("not a note")
    counts = fields.get("integrity")
    return LogSummary(**{**fields, "integrity": None if counts is None else Integrity(**_known(counts, COUNTS))})
