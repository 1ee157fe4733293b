"""The document's form: the original's fields, the schema file, reading old and foreign files."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from buildtel.errors import BuildtelError
from buildtel.job import JobDocument, load_document
from buildtel.job.model import ORIGINAL_FIELDS, ORIGINAL_METRICS
from buildtel.job.schema import json_schema
from buildtel.timeline.packer_model import Build, PackerReport, PackerRun

from ..samples import log, qemu_build
from .test_fold import read

DOCS = Path(__file__).parents[3] / "docs"
ORIGINAL: dict[str, Any] = {
    "job": "build", "version": "0.10.2", "timestamp": "2026-01-24T12:00:00+00:00", "runner": "github-runner",
    "git_sha": "abc123", "git_ref": "refs/heads/main", "run_id": "12345678", "run_number": "42",
    "job_start": 1769257179.067, "job_end": 1769259279.123, "job_duration_s": 2100.056,
    "steps": [{
        "name": "packer_build", "start_time": 1769257200.0, "end_time": 1769259200.0, "duration_s": 2000.0,
        "cpu_percent": 45, "memory_used_mb": 4200, "memory_delta_mb": 1500, "disk_read_mb": 150,
        "disk_write_mb": 25600, "disk_read_ops": 12000, "disk_write_ops": 89000, "disk_read_rate_mbs": 4,
        "disk_write_rate_mbs": 12, "disk_util_percent": 65, "await_ms": 3, "queue_depth": 1.2, "net_rx_mb": 890,
        "net_tx_mb": 5, "net_rx_rate_mbs": 0, "net_tx_rate_mbs": 0,
    }],
    "system": {"cpus": 4, "memory_total_mb": 32000, "disk_total_gb": 120},
}  # fmt: skip


def test_the_schema_file_is_current() -> None:
    """docs/job.schema.json is what the models say; `python docs/job_schema.py` writes it anew."""
    assert json.loads((DOCS / "job.schema.json").read_text(encoding="utf-8")) == json_schema()


@pytest.mark.parametrize("data", [b"", log(qemu_build()), log(qemu_build(), stamps=False), log(qemu_build())[:3000]])
def test_documents_hold_to_the_schema(data: bytes) -> None:
    """What is written validates, of whole logs, logs without times, cut and empty ones."""
    jsonschema.validate(json.loads(read(data).to_json()), json_schema())


def test_the_originals_fields_come_first_and_always() -> None:
    """Every field of the original is there, in its order, even if nothing is known."""
    empty = json.loads(read(b"").to_json())
    whole = json.loads(read(log(qemu_build())).to_json())

    assert [name for name in empty if name in ORIGINAL_FIELDS] == list(ORIGINAL_FIELDS) == list(ORIGINAL)
    assert list(whole["steps"][0])[:20] == ["name", "start_time", "end_time", *ORIGINAL_METRICS]
    assert list(whole["steps"][0])[:20] == list(ORIGINAL["steps"][0])
    assert whole["system"] == {"cpus": None, "memory_total_mb": None, "disk_total_gb": None}


def test_an_original_document_is_read() -> None:
    """A file of the original system keeps every value through reading and writing."""
    document = load_document(json.dumps(ORIGINAL).encode(), "old.json")
    again = json.loads(document.to_json())

    assert {name: again[name] for name in ORIGINAL} == ORIGINAL


def test_a_number_may_stand_for_a_text() -> None:
    """Other programs write a run's number, or a version, without quotes."""
    found = load_document(json.dumps({**ORIGINAL, "version": 1.5, "run_number": 42, "notes": [7]}).encode(), "x.json")

    assert (found.version, found.run_number, found.notes) == ("1.5", "42", ["7"])


def test_metrics_of_a_newer_agent_are_kept() -> None:
    """A figure that this program has no row for is read and written as it stands."""
    step = {**ORIGINAL["steps"][0], "gpu_percent": 12.5, "new_object": {"a": 1}}
    document = load_document(json.dumps({**ORIGINAL, "steps": [step]}).encode(), "new.json")

    assert json.loads(document.to_json())["steps"][0]["gpu_percent"] == 12.5


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_not_finite_is_not_written(value: float) -> None:
    """There is no JSON for it."""
    document = JobDocument(job="a", version="1", job_start=value)
    with pytest.raises(ValueError, match="not JSON compliant"):
        document.to_json()


@pytest.mark.parametrize("grain", ["1.0", "0.001", "0.0001", "0.00001", "1e-6", "1e-7", "1e-9", "1e-10"])
def test_a_grain_is_written_as_it_always_was(grain: str) -> None:
    """Small numbers have the shortest exponent."""
    build = Build(name="a", grain_s=float(grain))
    document = JobDocument(job="a", version="1", packer=PackerReport(runs=(PackerRun(builds=(build,)),)))

    assert f'"grain_s":{grain},' in document.to_json()


def with_counters(counters: Any) -> bytes:
    """An original's document whose step has these counters."""
    return json.dumps({**ORIGINAL, "steps": [{**ORIGINAL["steps"][0], "counters": {"start": counters}}]}).encode()


def with_more(value: bytes) -> bytes:
    """An original's document with a field of a newer program."""
    return json.dumps(ORIGINAL)[:-1].encode() + b',"x":' + value + b"}"


def nested(depth: int) -> Any:
    """Lists in lists."""
    return [nested(depth - 1)] if depth else []


def with_stretch(provisioner: int) -> bytes:
    """A build without provisioners, whose account names one."""
    stretch = {"name": "provisioner", "text": "x", "provisioner": provisioner, "started_at": 1, "ended_at": 2}
    build = {"name": "x", "account": [{**stretch, "duration_s": 1}]}
    return json.dumps({**ORIGINAL, "packer": {"runs": [{"builds": [build]}]}}).encode()


BAD = {
    "empty": (b"", "not JSON"),
    "cut": (b'{"job": "a", "steps": [', "not JSON"),
    "binary": (b"\x00\xff\xfe", "not JSON"),
    "list": (b"[]", "no `job` and `steps`"),
    "other program": (b'{"name": "x"}', "no `job` and `steps`"),
    "wrong type": (json.dumps({**ORIGINAL, "steps": 3}).encode(), "`steps`"),
    "wrong figure": (json.dumps({**ORIGINAL, "job_start": "noon"}).encode(), "`job_start`"),
    "infinite": (json.dumps({**ORIGINAL, "job_start": float("inf")}).encode(), "`job_start`"),
    "newer": (json.dumps({**ORIGINAL, "schema": "buildtel.job/2"}).encode(), "a newer buildtel"),
    "foreign schema": (json.dumps({**ORIGINAL, "schema": ["x"]}).encode(), "not one of buildtel's"),
    "deep": (b"[" * 100_000, "not JSON"),
    "as deep as Python reads": (with_more(b"[" * 200 + b"]" * 200), "deeply"),
    "deep, where anything may stand": (with_counters({"a": nested(30)}), "nested too deeply"),
    "not a number": (with_counters({"a": [float("nan")]}), "`steps.0.counters.start.a.0`: not a finite number"),
    "huge": (json.dumps({**ORIGINAL, "new": 10**40}).encode(), "`new`: not a finite number"),
    "beyond every float": (json.dumps({**ORIGINAL, "new": 10**400}).encode(), "`new`: not a finite number"),
    "of 5,000 digits": (with_more(b"9" * 5000), "not JSON"),
    "out of range": (with_more(b"1e999"), "`x`: not a finite number"),
    "year 10000": (json.dumps({**ORIGINAL, "job_end": 253402300800}).encode(), "`job_end`: not a time"),
    "a key twice": (with_more(b'1,"job":"other"'), "'job' stands twice"),
    "half a surrogate": (json.dumps({**ORIGINAL, "runner": "\ud800"}).encode(), "`runner`: half a surrogate"),
    "half a surrogate in a key": (json.dumps({**ORIGINAL, "\ud800": 1}).encode(), "half a surrogate"),
    "UTF-16": (json.dumps(ORIGINAL).encode("utf-16"), "not JSON"),
    "a stretch of a provisioner that is none": (
        with_stretch(provisioner=1), "`packer.runs.0.builds.0`: account: provisioner 1 is not among the build's 0",
    ),
    "a number for a text of Packer's": (
        json.dumps({**ORIGINAL, "packer": {"runs": [{"builds": [{"name": 5}]}]}}).encode(),
        "`packer.runs.0.builds.0.name`: Input should be a valid string",
    ),
    "no object": (json.dumps({**ORIGINAL, "system": [1]}).encode(), "`system`: Input should be a dictionary"),
    "words that hold newlines": (json.dumps({**ORIGINAL, "steps": [{"series": {"c\nd": 1}}]}).encode(), "series.c?d"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "words"), BAD.values(), ids=BAD.keys())
def test_what_is_no_document_is_refused_in_one_line(data: bytes, words: str) -> None:
    """The error names the file and what is wrong with it."""
    with pytest.raises(BuildtelError) as caught:
        load_document(data, "x.json")

    assert str(caught.value).startswith("x.json: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_document_too_large_is_not_even_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound nothing is read of it."""
    monkeypatch.setattr(import_module("buildtel.job.load"), "MAX_BYTES", 10)
    with pytest.raises(BuildtelError, match="x: not a job document: larger than"):
        load_document(b" " * 11, "x")
