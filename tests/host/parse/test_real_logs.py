"""The reader and the fold against real logs that nobody of this project wrote."""

import json
import os
from pathlib import Path

import pytest

from buildtel import parse
from buildtel.events import AgentRecord, DamagedRecord

from ..samples import packer_report

ROOT = Path(__file__).resolve().parents[3]
FOLDER = Path(os.environ.get("BUILDTEL_REAL_LOGS") or ROOT.parent / "shared" / "packer-logs")
BUILD_FIELDS = ("name", "result", "duration_s", "ssh_wait")


def read(data, chunk=None):
    """All events of `data`, fed in chunks of that many bytes."""
    size = chunk or len(data) or 1
    return [*parse.read(data[start : start + size] for start in range(0, len(data), size))]


def differences(truth, report):
    """What of the truth the report does not say, as words; what the truth is unsure of may differ."""
    if "packer_version" not in truth.get("unsure", "") and truth["packer_version"] != report.version:
        yield f"version {report.version}, not {truth['packer_version']}"
    told = [run for run in truth["runs"] if run["builds"] or "unsure" not in run]
    runs = [run for run in report.runs if run.builds or told]
    if len(told) != len(runs):
        yield f"{len(runs)} runs, not {len(told)}"
    for wanted, run in zip(told, runs):  # noqa: B905 - the host runs on 3.10 too, and lengths are compared above
        if wanted["total_s"] != run.total_s:
            yield f"total {run.total_s}, not {wanted['total_s']}"
        if [build["name"] for build in wanted["builds"]] != [build.name for build in run.builds]:
            yield f"builds {[build.name for build in run.builds]}"
            continue
        for build, got in zip(wanted["builds"], run.builds):  # noqa: B905
            yield from build_differences(build, got)


def build_differences(wanted, got):
    """What of one build's truth is not so."""
    for key in BUILD_FIELDS:
        if wanted[key] != getattr(got, key) and not (key == "result" and "unsure" in wanted):
            yield f"{wanted['name']}: {key} {getattr(got, key)}, not {wanted[key]}"
    units = [(unit["kind"], unit["detail"]) for unit in wanted["provisioners"]]
    if units != [(unit.kind, unit.detail) for unit in got.provisioners]:
        yield f"{wanted['name']}: provisioners {got.provisioners}, not {units}"


@pytest.mark.skipif(not FOLDER.is_dir(), reason="no folder of real logs")
def test_every_real_log_reads_as_its_truth_says(capsys):
    """Builds, results, provisioners, durations, waits and versions are exact; no record is invented."""
    truths = json.loads((FOLDER / "truth.json").read_text(encoding="utf-8"))
    wrong = {}
    ran = 0
    for name, truth in truths.items():
        events = read((FOLDER / name).read_bytes())
        found = list(differences(truth, packer_report(events)))
        found += [str(event) for event in events if isinstance(event, (AgentRecord, DamagedRecord))]
        ran += 1
        if found:
            wrong[name] = found
    with capsys.disabled():
        print(f"\nreal logs: {ran} of {len(list(FOLDER.glob('*.log')))} ran, {len(wrong)} differ")  # noqa: T201 - the figure is asked for
    assert not wrong
    assert ran == len(list(FOLDER.glob("*.log"))) > 0


@pytest.mark.skipif(not FOLDER.is_dir(), reason="no folder of real logs")
@pytest.mark.parametrize("chunk", [1, 7, 4096])
def test_chunks_do_not_matter_for_real_logs(chunk):
    """Fed by the byte or by the page, a real log gives the same events."""
    for name in ("04-docker-shell-ansi-tag.log", "48-amazon-ebs-two-runs-appended-nul-bytes.log"):
        data = (FOLDER / name).read_bytes()
        assert read(data, chunk) == read(data)
