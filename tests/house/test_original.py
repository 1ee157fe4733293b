"""docs/original.md is the whole list: nothing of the old system is left out, nothing is promised that is not there."""

from __future__ import annotations

import re

import pytest

from buildtel.cli import COMMANDS
from buildtel.insight.causes import FIGURES
from buildtel.insight.thresholds import THRESHOLDS
from buildtel.job.model import ORIGINAL_FIELDS, ORIGINAL_METRICS, System

from .conftest import ROOT

ORIGINAL = (ROOT / "docs" / "original.md").read_text()
DIAGNOSIS = (ROOT / "docs" / "diagnosis.md").read_text()
NAMES = [
    *ORIGINAL_FIELDS, *ORIGINAL_METRICS, *vars(System()), "telemetry_init", "telemetry_step_start",
    "telemetry_step_end", "telemetry_finalize", "TELEMETRY_DIR", "TELEMETRY_BUCKET", "MINIO_ENDPOINT",
    "MINIO_ACCESS_KEY", "MINIO_SECRET_KEY", "packer_steps.txt", "start_time", "end_time",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_everything_of_the_original_has_a_row(name: str):
    """Fields, figures, functions, variables and files: each says where it is now."""
    assert name in ORIGINAL


@pytest.mark.parametrize("document", ["docs/original.md", "docs/diagnosis.md"])
def test_only_commands_that_exist_are_named(document: str):
    """`buildtel-host X` in the text is a command of the program."""
    named = set(re.findall(r"buildtel-host ([a-z-]+)", (ROOT / document).read_text()))
    assert named <= set(COMMANDS)


@pytest.mark.parametrize("row", THRESHOLDS, ids=lambda row: row.metric)
def test_the_guide_has_the_reports_thresholds(row):
    """The same limit in the program and in the guide."""
    assert re.search(rf"^\| `{row.metric}` \| {row.limit:,} ", DIAGNOSIS, flags=re.M)


def test_the_guide_names_figures_that_exist():
    """A figure in the guide is one of the registry's, or a field of a step."""
    import buildtel_agent

    known = {metric.name for metric in buildtel_agent.METRICS} | {"processes"} | set(FIGURES)
    named = set(re.findall(r"`([a-z]+_[a-z_]*(?:_s|_mb|_ms|_percent|_mbs|_ops|_depth|_kills|_faults))`", DIAGNOSIS))
    assert named and named <= known


def test_no_private_address_is_in_the_project():
    """The original's default server was one private network's."""
    private = re.compile(r"\b(?:10\.\d+|192\.168)\.\d+\.\d+:9000\b")
    texts = [*(ROOT / "docs").rglob("*.md"), *(ROOT / "host").rglob("*.py"), ROOT / "README.md"]
    assert [path for path in texts if private.search(path.read_text())] == []
