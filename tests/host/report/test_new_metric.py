"""Adding a metric is one place: a row in the agent's registry."""

from __future__ import annotations

import csv
import io
from datetime import datetime

import pytest

import buildtel_agent as agent
from buildtel import parse
from buildtel.job import Meta, load_document
from buildtel.job.fold import Fold
from buildtel.job.schema import json_schema
from buildtel.report.formats import rendered
from buildtel.report.job_view import JobView

from ..samples import log, qemu_build


def test_a_row_in_the_registry_is_all_that_a_new_metric_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Document, schema, JSON and csv have it, with its figure, and nothing else was told of it."""
    row = agent.Metric("cpu_busy_ticks", "ticks", 0, "/proc/stat", lambda d: d.total and d.idle and d.total - d.idle)
    monkeypatch.setattr(agent, "METRICS", (*agent.METRICS, row))
    monkeypatch.setattr("buildtel.job.schema.METRICS", agent.METRICS)
    fold = Fold()
    for event in parse.read([log(qemu_build())]):
        fold.add(event)
    document = fold.document(Meta(collected_at=datetime.fromisoformat("2026-01-24T12:00:00+00:00")))
    read = load_document(document.to_json().encode(), "x")
    rows = list(csv.DictReader(io.StringIO(rendered(JobView(read), "csv"))))
    (measured, *_) = [(step, shown) for step, shown in zip(read.steps, rows, strict=True) if step.counters]
    step, shown = measured
    start, end = step.counters.start["cpu"], step.counters.end["cpu"]
    busy = sum(end) - sum(start) - sum(end[3:5]) + sum(start[3:5])

    assert step.metrics["cpu_busy_ticks"] == busy > 0
    assert shown["cpu_busy_ticks"] == str(busy)
    assert json_schema()["$defs"]["Step"]["properties"]["cpu_busy_ticks"]["description"] == "ticks; /proc/stat"
