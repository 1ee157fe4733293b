"""Logs that others printed, read by the function that `collect` calls: builds, results, rows and errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from buildtel.job import JobDocument, Meta
from buildtel.local.logs import log_document
from buildtel.local.raw_records import RawRecords
from buildtel.timeline.packer_model import Build, PackerReport

from ..parse.test_real_logs import FOLDER, build_differences

SHARED = FOLDER.parent
CASES = SHARED / "cases"
FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"
META = Meta(job="build", version="1", collected_at=datetime(2026, 11, 25, tzinfo=timezone.utc))
TRUTHS = {
    folder.name: json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    for folder in (FOLDER, CASES / "logs", CASES / "packer-1.16")
    if folder.is_dir()
}
REAL = [(folder, name) for folder, truth in TRUTHS.items() for name in truth]


def place(folder: str, name: str) -> Path:
    """Where a real log is."""
    return (SHARED if folder == FOLDER.name else CASES) / folder / name


def collected(path: Path) -> JobDocument:
    """The document that `collect` makes of a file."""
    return log_document(str(path), META, RawRecords(), force=True)


def report_of(path: Path) -> PackerReport:
    """What Packer did, by the document."""
    packer = collected(path).packer
    assert packer is not None
    return packer


def differences(truth: dict[str, Any], report: PackerReport) -> Iterator[str]:
    """What of the truth is not so; what it calls unsure may differ in its result."""
    if truth["packer_version"] != report.version and "packer_version" not in truth.get("unsure", ""):
        yield f"version {report.version}, not {truth['packer_version']}"
    told = [run for run in truth["runs"] if run["builds"] or "unsure" not in run]
    runs = [run for run in report.runs if run.builds or told]
    if len(told) != len(runs):
        yield f"{len(runs)} runs, not {len(told)}"
    for wanted, run in zip(told, runs):  # noqa: B905 - compared above
        if wanted["total_s"] != run.total_s:
            yield f"total {run.total_s}, not {wanted['total_s']}"
        builds = sorted(run.builds, key=lambda build: [one["name"] for one in wanted["builds"]].index(build.name))
        if [build["name"] for build in wanted["builds"]] != [build.name for build in builds]:
            yield f"builds {[build.name for build in run.builds]}"
            continue
        for build, got in zip(wanted["builds"], builds):  # noqa: B905
            yield from build_differences(build, got)
            if build.get("artifact", ...) not in (..., "...", first_artifact(got)):
                yield f"artifact {first_artifact(got)!r}, not {build['artifact']!r}"
    if "error" in truth and truth["error"] not in (report.runs[0].error or ""):
        yield f"error {report.runs[0].error!r}, not {truth['error']!r}"


def first_artifact(build: Build) -> str | None:
    """The first line of the first artifact."""
    return build.artifacts[0].split("\n")[0] if build.artifacts else None


@pytest.mark.skipif(not REAL, reason="no folder of real logs")
@pytest.mark.parametrize(("folder", "name"), REAL, ids=[f"{folder}-{name}" for folder, name in REAL])
def test_a_real_log_is_collected_as_its_truth_says(folder: str, name: str) -> None:
    """Builds, results, durations, provisioners, artifacts, versions and errors are exact."""
    assert list(differences(TRUTHS[folder][name], report_of(place(folder, name)))) == []


# Read off the logs with other regular expressions, by a script that used nothing of the reader, then by eye: first
# lines of artifacts and errors; the last stamp of a log that Packer did not end (Unix s, local time without a zone).
TOLD = json.loads(Path(__file__).with_name("corpus_truth.json").read_text(encoding="utf-8"))


@pytest.mark.skipif(not REAL, reason="no folder of real logs")
@pytest.mark.parametrize(("folder", "name"), REAL, ids=[f"{folder}-{name}" for folder, name in REAL])
def test_artifacts_errors_and_the_last_moment_are_those_of_the_log(folder: str, name: str) -> None:
    """Each artifact and error by its first line, and the end of a log that was cut off."""
    report = report_of(place(folder, name))
    builds = [build for run in report.runs for build in run.builds]
    artifacts = {build.name: sorted({text.split("\n")[0].strip() for text in build.artifacts}) for build in builds}
    errors: dict[str, str] = {}
    for build in builds:
        if build.error is not None:
            errors.setdefault(build.name, build.error.split("\n")[0].strip())

    told = {name: list(filter(None, texts)) for name, texts in artifacts.items() if any(texts)}
    assert told == TOLD[name]["artifacts"]
    assert errors == TOLD[name]["errors"]
    if "last" in TOLD[name]:
        assert report.runs[-1].ended_at == pytest.approx(TOLD[name]["last"], abs=0.01)


ACCOUNTS = json.loads((FIXTURES / "accounts" / "expected.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ACCOUNTS)
def test_each_second_stands_in_its_row(name: str) -> None:
    """The rows of the account stand in this order, each within a second of its length."""
    (run,) = report_of(FIXTURES / "accounts" / name).runs
    (build,) = run.builds
    rows = iter([(part.text, part.duration_s) for part in build.account])
    for start, length_s in ACCOUNTS[name]:
        found = next((row for row in rows if row[0].startswith(start)), None)
        assert found is not None, f"no row {start!r} in {[(part.text, part.duration_s) for part in build.account]}"
        assert found[1] == pytest.approx(length_s, abs=1), found


PLAIN = FIXTURES / "prefixes" / "plain.log"
PREFIXED = sorted(path for path in PLAIN.parent.glob("*.log") if path != PLAIN)
TIMELESS = {"cloudbuild.log", "compose-v2.log", "drone.log", "go-task.log", "terraform-local-exec.log"}
LINE_S = 7.367
LAST_LINE = 29


def story(report: PackerReport) -> list[Any]:
    """What a build was, but for its times."""
    (run,) = report.runs
    return [
        (build.name, build.result, build.duration_s, build.artifacts, units(build))
        for build in run.builds
    ]


def units(build: Build) -> list[tuple[str, str]]:
    """The provisioners."""
    return [(unit.kind, unit.detail) for unit in build.provisioners]


@pytest.mark.parametrize("path", PREFIXED, ids=[path.stem for path in PREFIXED])
def test_a_prefix_changes_nothing(path: Path) -> None:
    """Whatever a tool puts before each line: the same build, and rows by the prefix's own clock."""
    report = report_of(path)
    assert story(report) == story(report_of(PLAIN))

    (build,) = report.runs[0].builds
    if path.name in TIMELESS:
        assert build.account == ()
        return
    start_s = build.started_at
    assert start_s is not None
    lines = PLAIN.read_text(encoding="utf-8").splitlines()
    for part in build.account:
        if part.name not in ("start", "unattributed"):
            edge = round((part.started_at - start_s) / LINE_S)
            assert part.started_at - start_s == pytest.approx(edge * LINE_S, abs=1.01)
            assert part.text.split(" ", 1)[-1] in lines[edge], (part, lines[edge])
    assert (report.runs[0].ended_at or 0) - start_s == pytest.approx(LAST_LINE * LINE_S, abs=1.01)
