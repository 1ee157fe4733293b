"""The runner's steps and the log's document made one: nesting, status, notes, and nothing counted twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from buildtel import parse
from buildtel.job import JobDocument, Meta
from buildtel.job.facts import JobFacts, read_facts
from buildtel.job.fold import document as fold
from buildtel.job.model import Integrity, Machine, Samples, Step
from buildtel.job.runner import (
    NOT_ENDED,
    OPEN_JOB,
    RUNNER,
    empty,
    facts_of,
    job_status,
    last_time,
    nested,
    step_around,
    with_runner,
)
from buildtel.job.steps import LOG_ENDS
from buildtel.local import current_job
from buildtel.local.begun import begin
from buildtel.local.folders import FACTS, RECORDS, job_folder
from buildtel.local.raw_records import RawRecords
from buildtel.metadata import job_fields
from buildtel.redact import Redactor
from buildtel.timeline.packer_model import Build, PackerReport, PackerRun

from ..samples import START, Guest, counters, log, qemu_build, record_line

S = START.timestamp()
META = Meta(job="build", version="1.2", collected_at=datetime(2026, 1, 24, 12, 0, tzinfo=timezone.utc), run_id="77")
OPEN, DONE = JobFacts(meta=META, started_at=S), JobFacts(meta=META, started_at=S, ended_at=S + 300)


WELL = {"late": (50, 60), "early": (1, 5)}


def step(name: str, start_s: float | None, end_s: float | None, **more: Any) -> Step:
    """A step as folded from the runner's records."""
    times = {"start_time": None if start_s is None else S + start_s, "end_time": None if end_s is None else S + end_s}
    return Step(**{"id": name, "name": name, "origin": "runner", **times, **more})


def runners(*steps: Step, **more: Any) -> JobDocument:
    """The document of the runner's records alone."""
    return replace(empty(META), steps=list(steps), **{"integrity": Integrity(records=2), **more})


def packer(*results: str, first_s: float | None = 10, last_s: float | None = 200) -> PackerReport:
    """A run with builds of these results, between two times."""
    times = {"started_at": None if first_s is None else S + first_s, "ended_at": None if last_s is None else S + last_s}
    return PackerReport(runs=(PackerRun(builds=tuple(Build(name=one, result=one) for one in results), **times),))


def test_without_a_log_the_job_is_its_steps() -> None:
    """Meta, times and status come from the job's facts; how the steps went is their exit statuses' word."""
    late, early = (step(name, *times, status="success", exit_code=0) for name, times in WELL.items())
    found = with_runner(None, runners(late, early), DONE)

    assert (found.job, found.version, found.run_id) == ("build", "1.2", "77")
    assert found.timestamp == "2026-01-24T12:00:00+00:00"
    assert (found.job_start, found.job_end, found.job_duration_s) == (S, S + 300, 300)
    assert [(one.name, one.status, one.machine) for one in found.steps] == [
        ("early", "success", RUNNER), ("late", "success", RUNNER),
    ]  # fmt: skip
    assert (found.status, found.notes) == ("success", [])


def test_a_job_that_is_not_over_ends_with_what_was_last_seen() -> None:
    """It says that it was not finalized, and a step without an end says why in the runner's words."""
    lost = step("lost", 20, None, unfinished=LOG_ENDS, last_seen=S + 90, status="unknown")
    found = with_runner(None, runners(step("a", 1, 5), lost), OPEN)

    assert (found.job_end, found.job_duration_s, found.status) == (S + 90, 90, "unknown")
    assert found.notes == [OPEN_JOB]
    assert [one.unfinished for one in found.steps] == [None, NOT_ENDED]
    assert (with_runner(None, runners(), OPEN).job_end, last_time([])) == (None, None)


def test_steps_that_a_document_has_already_are_replaced_or_stay() -> None:
    """By their ids: a step of an earlier collect that has ended since stands once, one of the wrapper's stays."""
    known = runners(step("a", 1, None, status="unknown", unfinished=NOT_ENDED), step("wrapper", 10, 200))
    found = with_runner(known, runners(step("a", 1, 30)), DONE)

    assert [(one.id, one.end_time) for one in found.steps] == [("a", S + 30), ("wrapper", S + 200)]


PARENTS = {
    "one in the other": ([("out", 0, 100), ("in", 10, 20)], {"in": "out"}),
    "three deep, and a neighbour": (
        [("a", 0, 100), ("b", 10, 50), ("c", 20, 30), ("d", 60, 70)], {"b": "a", "c": "b", "d": "a"},
    ),
    "begun together": ([("short", 0, 10), ("long", 0, 100)], {"short": "long"}),
    "overlapping": ([("a", 0, 50), ("b", 25, 75)], {}),
    "one after the other": ([("a", 0, 50), ("b", 50, 75)], {}),
    "overlapping, both in a third": ([("all", 0, 100), ("a", 1, 50), ("b", 25, 75)], {"a": "all", "b": "all"}),
    "not ended": ([("a", 0, None), ("b", 25, 75)], {}),
    "not begun": ([("a", None, 80), ("b", 25, 75)], {}),
}  # fmt: skip


@pytest.mark.parametrize(("rows", "parents"), PARENTS.values(), ids=PARENTS.keys())
def test_a_step_is_the_child_of_the_innermost_around_it(rows: list[tuple[Any, ...]], parents: dict[str, str]) -> None:
    """Steps that overlap or whose ends are not known are nobody's children of each other."""
    found = {one.id: one.parent for one in nested([step(*row) for row in rows])}
    assert found == {**{row[0]: None for row in rows}, **parents}


AROUND = {
    "the shortest that holds it": ([("job", 0, 300), ("packer", 9, 201)], "packer"),
    "one that is still open": ([("packer", 9, None)], "packer"),
    "ended before packer did": ([("setup", 0, 9), ("early", 9, 100)], None),
    "began behind the grain of the log": ([("late", 12, 300)], None),
    "began in the same second": ([("packer", 10.7, 200.4)], "packer"),
    "its start is not known": ([("packer", None, 300)], None),
}


@pytest.mark.parametrize(("rows", "name"), AROUND.values(), ids=AROUND.keys())
def test_the_step_that_ran_packer_is_told_by_the_times(rows: list[tuple[Any, ...]], name: str | None) -> None:
    """The shortest step that holds all of Packer's runs."""
    found = step_around([step(*row) for row in rows], packer("success"))
    assert (found.id if found else None) == name


def test_guest_steps_go_under_the_step_that_ran_packer() -> None:
    """The outermost ones do; one whose parent is known keeps it."""
    guests = [step("g", 50, 90, origin="guest"), step("g.1", 60, 70, origin="guest", parent="g")]
    document = runners(*guests, packer=packer("success"))
    found = with_runner(document, runners(step("packer", 9, 201)), DONE)

    assert {one.id: one.parent for one in found.steps} == {"packer": None, "g": "packer", "g.1": "g"}
    assert found.notes == []


@pytest.mark.parametrize("report", [packer("success", first_s=None, last_s=None), packer("success", first_s=500), None])
def test_guest_steps_that_no_step_is_around_stand_by_themselves(report: PackerReport | None) -> None:
    """Without times in the log, or without a step open then, the document says that they do."""
    document = runners(step("g", 50, 90, origin="guest"), packer=report)
    found = with_runner(document, runners(step("packer", 9, 201)), DONE)

    assert [one.parent for one in found.steps if one.id == "g"] == [None]
    assert len(found.notes) == 1 and "stand by themselves" in found.notes[0]


STATUSES = [
    (("failure",), "success", [], DONE, "failure"),
    (("cancellation",), "cancellation", [], DONE, "cancellation"),
    (("success",), "success", [step("a", 1, 2, status="failure")], DONE, "failure"),
    (("success",), "success", [step("a", 1, 2, status="error")], DONE, "failure"),
    (("success",), "success", [step("a", 1, None, unfinished=NOT_ENDED)], DONE, "unknown"),
    (("unknown",), "unknown", [], DONE, "unknown"),
    (("success",), "success", [], OPEN, "success"),
    ((), None, [], DONE, "success"),
    ((), None, [], OPEN, "unknown"),
    ((), None, [step("a", 1, 2, status="success"), step("b", 2, 3, status="unknown")], DONE, "unknown"),
    (("success",), "success", [step("a", 1, 2, status="unknown")], DONE, "success"),  # Packer's word stands
]


@pytest.mark.parametrize(("told", "ignored", "steps", "facts", "status"), STATUSES)
def test_the_jobs_status(
    told: tuple[str, ...], ignored: str | None, steps: list[Step], facts: JobFacts, status: str
) -> None:
    """A failed build or step fails the job; it went well only if all that is known did and it is over."""
    base = runners(packer=packer(*told) if told else None, status=told[0] if told else ignored)
    assert job_status(base, steps, facts) == status


def test_the_runner_is_as_last_seen_with_the_samples_that_are_known() -> None:
    """Facts of the newest records; samples stay where these bring none; `system` is the runner's."""
    old = Machine(origin=RUNNER, cpus=2, samples=[Samples(boot="b")])
    new = Machine(origin="guest", target="x", cpus=4, memory_total_mb=100, disk_total_gb=5.5)
    guest = Machine(origin="guest", target="qemu.a")
    found = with_runner(
        runners(machines={RUNNER: old, "qemu.a": guest}), runners(machines={"guest": new}), DONE
    )  # fmt: skip

    assert list(found.machines) == [RUNNER, "qemu.a"]
    runner = found.machines[RUNNER]
    assert (runner.cpus, runner.origin, runner.target, runner.samples) == (4, RUNNER, None, old.samples)
    assert (found.system.cpus, found.system.memory_total_mb, found.system.disk_total_gb) == (4, 100, 5.5)
    kept = with_runner(runners(machines={RUNNER: old}), runners(), DONE)
    assert kept.machines == {RUNNER: old}
    assert with_runner(None, runners(), DONE).system.cpus is None


def test_the_records_of_log_and_runner_are_one_account() -> None:
    """The sums of both; what of the runner's records could not be used is said."""
    document = runners(integrity=Integrity(records=5, missing=1), notes=["of the log", OPEN_JOB])
    runner = runners(integrity=Integrity(records=2, damaged=3), notes=["3 record(s) damaged.", "No Packer build."])
    found = with_runner(document, runner, DONE)

    assert found.integrity == Integrity(records=7, missing=1, damaged=3)
    assert found.notes == ["of the log", "3 record(s) damaged."]
    assert with_runner(runners(integrity=None), runner, DONE).integrity == runner.integrity


def test_what_a_log_tells_of_the_job_around_it() -> None:
    """It began with the wrapper's first step, else with the log, else when it was collected; and ended with either."""
    timed = runners(job_start=S + 4, job_end=S + 250)
    wrapped = facts_of(runners(step("packer", 2, 260)), timed, META)
    bare = facts_of(runners(step("packer", None, None)), timed, META)
    blank = facts_of(runners(), runners(), META)

    assert (wrapped.started_at, wrapped.ended_at) == (S + 2, S + 260)
    assert wrapped.meta.collected_at == datetime(2026, 1, 24, 12, 0, 2, tzinfo=timezone.utc)
    assert (bare.started_at, bare.ended_at) == (S + 4, S + 250)
    assert (blank.started_at, blank.ended_at) == (META.collected_at.timestamp(), None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a job that has begun, with a step of it, and a line that is no intact record."""
    environ = {"TELEMETRY_DIR": str(tmp_path / "telemetry"), "HOME": str(tmp_path)}
    place = Path(begin(environ, job_fields(environ, "build", "1.2")))
    assert place == Path(job_folder(environ)) and (place / FACTS).is_file()
    host = Guest(boot="host", run=None, ahead_s=0)
    rows = [host.fields("start", "a1", 1, step="a1.1", name="fetch", c=counters()),
            host.fields("end", "a1", 5, step="a1.1", name="fetch", c=counters(), exit=0)]  # fmt: skip
    lines = [record_line(fields) for fields in rows]
    (place / RECORDS).write_text("\n".join([*lines, lines[0].replace("fetch", "forged"), ""]))
    return place


def test_a_job_that_is_collected_twice_and_finalized_counts_once(folder: Path, tmp_path: Path) -> None:
    """Its document is written anew each time: records, and what is said of them, are those of one collect."""
    of_log = fold([*parse.read([log(qemu_build())])], META)
    facts, output = read_facts((folder / FACTS).read_bytes()), str(tmp_path / "job.json")
    found = []
    for document in (of_log, of_log, None, None):
        whole, facts = current_job.merged(folder, facts, document, RawRecords(Redactor({})))
        _, facts = current_job.keep(folder, facts, whole, output)
        found.append(whole)
    first, last = found[0], found[-1]

    assert of_log.integrity is not None and first.integrity is not None
    assert first.integrity.records == of_log.integrity.records + 2
    assert first.integrity.damaged == 1
    assert [one.integrity for one in found] == [first.integrity] * 4
    assert [one.notes for one in found] == [first.notes] * 4
    assert [one.id for one in last.steps] == [one.id for one in first.steps]
    assert read_facts((folder / FACTS).read_bytes()) == facts


def test_a_log_collected_while_a_step_is_open_is_judged_anew(folder: Path, tmp_path: Path) -> None:
    """What was not known then is no verdict: when the step has ended well, so has the job."""
    of_log = fold([*parse.read([log(qemu_build())])], META)
    facts, records = read_facts((folder / FACTS).read_bytes()), (folder / RECORDS).read_text()
    start, end, _ = records.splitlines()
    (folder / RECORDS).write_text(f"{start}\n")
    early, facts = current_job.merged(folder, facts, of_log, RawRecords(Redactor({})))
    _, facts = current_job.keep(folder, facts, early, str(tmp_path / "job.json"))
    (folder / RECORDS).write_text(f"{start}\n{end}\n")
    late, _ = current_job.merged(folder, replace(facts, ended_at=S + 300), None, RawRecords(Redactor({})))

    assert (early.status, late.status) == ("unknown", "success")
    assert early.packer == late.packer
