"""The facts of a job in progress: what its folder keeps is read back, and what is damaged is refused."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest

from buildtel.job import Meta
from buildtel.job.facts import JobFacts, LogSummary, read_facts
from buildtel.job.model import Integrity

META = Meta(job="build", version="1.2", collected_at=datetime(2026, 1, 24, 12, 0, 0, 250000, tzinfo=timezone.utc))
TOLD = LogSummary(status="failure", integrity=Integrity(records=3, missing=1), notes=["a note"])
WHOLE = JobFacts(meta=META, started_at=5.25, ended_at=9.0, document="/x/a.json", told=TOLD, unasked=True, slot="r 1")


@pytest.mark.parametrize("facts", [WHOLE, JobFacts(meta=META, started_at=5.0)], ids=["whole", "fewest"])
def test_what_was_written_is_read(facts: JobFacts) -> None:
    """Every field comes back."""
    assert read_facts(facts.to_json().encode()) == facts


def test_facts_of_an_older_program_are_read() -> None:
    """A job survives an update: times with a `Z`, whole numbers, fields that are gone."""
    meta = {"job": "build", "version": "1.2", "collected_at": "2026-01-24T12:00:00.250000Z", "gone": 1}
    found = read_facts(json.dumps({"meta": meta, "started_at": 5, "gone": {}}).encode())

    assert found == JobFacts(meta=META, started_at=5.0)
    assert isinstance(found.started_at, float)


DAMAGED: dict[str, Any] = {
    "no object": [],
    "no job": {"meta": None},
    "no start": {"started_at": None},
    "a start that is no number": {"started_at": "5"},
    "a start that is not finite": {"started_at": float("nan")},
    "a start beyond every number": {"started_at": 10**400},
    "a job's name of another type": {"meta": {"job": 5, "collected_at": "2026-01-24T12:00:00Z"}},
    "no time": {"meta": {"job": "a"}},
    "a time that is none": {"meta": {"job": "a", "collected_at": "noon"}},
    "an unknown status": {"told": {"status": "fine"}},
    "a note that is no text": {"told": {"notes": [1]}},
    "a count that is no number": {"told": {"integrity": {"records": "3"}}},
}


@pytest.mark.parametrize("change", DAMAGED.values(), ids=DAMAGED)
def test_damaged_facts_are_refused(change: Any) -> None:
    """A ValueError, whatever is wrong."""
    value = {**json.loads(WHOLE.to_json()), **change} if change else change
    with pytest.raises(ValueError, match=r"."):
        read_facts(json.dumps(value).encode())


@pytest.mark.parametrize("data", [b"", b"\xff", b'{"meta":', b"[" * 100_000], ids=["empty", "binary", "cut", "deep"])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    """So is a file that is cut, or another program's."""
    with pytest.raises(ValueError, match=r"."):
        read_facts(data)
