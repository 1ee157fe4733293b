"""Nothing is lost without `init`, with two of them, or without `finalize`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from ..samples import log, qemu_build
from .test_runner import Job

GITHUB = {"GITHUB_RUN_ID": "7", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_JOB": "image", "RUNNER_NAME": "r1",
          "GITHUB_SHA": "abc", "GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v9"}  # fmt: skip


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A job outside of any CI, with a store of its own."""
    return of(tmp_path)


def of(folder: Path, **environ: str) -> Job:
    """A job of these variables, in the telemetry folder that all share."""
    places = {"XDG_DATA_HOME": str(folder / "data"), "XDG_STATE_HOME": str(folder / "state"), "HOME": str(folder)}
    return Job(folder / "telemetry", **places, **environ)


def documents(job: Job) -> list[dict[str, Any]]:
    """All documents, the oldest first."""
    read = [json.loads(path.read_text()) for path in job.folder.glob("[!.]*.json")]
    return sorted(read, key=lambda document: document["job_start"])


def names(document: dict[str, Any]) -> list[str]:
    """The steps of a document."""
    return [step["name"] for step in document["steps"]]


@pytest.mark.parametrize(
    ("environ", "name", "version"),
    [({}, "build", "0"), (GITHUB, "image", "v9"),
     ({"CI_JOB_ID": "1", "CI_JOB_NAME": "e2e", "CI_COMMIT_TAG": "2.0"}, "e2e", "2.0"),
     ({"BUILD_TAG": "jenkins-x-1", "JOB_NAME": "folder/x"}, "folder/x", "0")],
)  # fmt: skip
def test_a_step_without_init_begins_a_job(tmp_path: Path, environ: dict[str, str], name: str, version: str) -> None:
    """Named by the CI, else `build`; `finalize` makes its document."""
    job = of(tmp_path, **environ)
    job.host("step", "start", "a")
    job.host("step", "end", "a", "--status", "0")
    assert job.host("run", "b", "--", "false").returncode == 1
    done = job.host("finalize", "-q")
    (document,) = documents(job)

    assert (done.returncode, done.stderr) == (0, "")
    assert (document["job"], document["version"], names(document)) == (name, version, ["a", "b"])
    assert (document["git_sha"], document["status"]) == (environ.get("GITHUB_SHA"), "failure")
    assert document["job_duration_s"] >= document["steps"][0]["duration_s"]


def test_steps_without_init_are_in_the_document_of_a_log(job: Job, tmp_path: Path) -> None:
    """Also of the next one, whose document is another file."""
    (tmp_path / "packer.log").write_bytes(log(qemu_build()))
    job.host("run", "lint", "--", "true")
    for _ in (1, 2):
        assert job.host("collect", "packer.log", "-q").returncode == 0
    first, second = documents(job)

    assert "lint" in names(first) and "lint" in names(second)
    assert first["packer"]["runs"] == second["packer"]["runs"] != []


def built_with_a_step(job: Job, folder: Path, text: str) -> None:
    """A real Packer runs a shell-local whose script measures a step."""
    folder.mkdir()
    (folder / "t.pkr.hcl").write_text(
        'source "null" "x" { communicator = "none" }\nbuild {\n  sources = ["source.null.x"]\n'
        f'  provisioner "shell-local" {{ inline = ["{text}"] }}\n}}\n'
    )
    done = job.host("packer", "-q", "build", str(folder))
    assert done.returncode == 0, done.stderr


@pytest.mark.packer
@pytest.mark.skipif(not shutil.which("packer"), reason="no packer here")
def test_a_build_has_not_the_steps_of_the_build_before(job: Job, tmp_path: Path) -> None:
    """The job that a step within a build began ends with it; one that began before, or has an open step, does not."""
    for name in ("a", "b"):
        built_with_a_step(job, tmp_path / name, f"sleep 0.5; buildtel-host run in-{name} -- true")
    first, second = documents(job)

    report = job.host("report", str(next(job.folder.glob("*.json")))).stdout
    assert names(first) == ["packer build", "in-a"]
    assert "shell-local in-" in report
    assert "not finalized" not in report
    assert first["job_duration_s"] == pytest.approx(first["steps"][0]["duration_s"], abs=0.2)
    assert names(second) == ["packer build", "in-b"]
    assert second["job_duration_s"] < second["job_start"] - first["job_start"] + 5

    job.host("run", "before", "--", "true")
    built_with_a_step(job, tmp_path / "c", "buildtel-host run in-c -- true")
    assert job.host("finalize", "-q").returncode == 0
    assert [name for name in names(documents(job)[-1]) if name != "packer build"] == ["before", "in-c"]

    built_with_a_step(job, tmp_path / "d", "buildtel-host step start open")
    job.host("step", "end", "open", "--status", "0")
    assert job.host("finalize", "-q").returncode == 0
    assert "open" in names(documents(job)[-1])


def test_finalize_without_any_step_says_how_a_job_begins(job: Job) -> None:
    """There is nothing to write."""
    done = job.host("finalize")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "init" in done.stderr and "step start" in done.stderr


def test_a_second_init_closes_the_first_job(job: Job) -> None:
    """As a document of its own, with how its steps went, and it says where."""
    job.host("init", "first", "1")
    job.host("run", "a", "--", "true")
    done = job.host("init", "second", "2")
    job.host("run", "b", "--", "false")
    job.host("finalize", "-q")
    one, other = documents(job)

    assert done.returncode == 0 and "job first 1" in done.stderr and "first_" in done.stderr
    assert (one["job"], one["version"], names(one), one["status"]) == ("first", "1", ["a"], "success")
    assert (other["job"], names(other), other["status"]) == ("second", ["b"], "failure")


def test_a_second_init_of_a_job_without_steps_makes_no_document_of_it(job: Job) -> None:
    """Nothing was measured, nothing is lost."""
    job.host("init", "first", "1")
    job.host("init", "second", "2")
    job.host("finalize", "-q")

    assert [document["job"] for document in documents(job)] == ["second"]


def test_a_second_init_closes_steps_that_began_without_one(job: Job) -> None:
    """They are a job, too; one that was left open says so."""
    job.host("step", "start", "early")
    job.host("init", "late", "2")
    job.host("run", "b", "--", "true")
    job.host("finalize", "-q")
    one, other = documents(job)

    assert (one["job"], names(one), one["status"]) == ("build", ["early"], "cancellation")
    assert (other["job"], names(other)) == ("late", ["b"])


@pytest.mark.parametrize("same", [True, False], ids=["the same job", "the next job"])
@pytest.mark.parametrize(
    ("steps", "status"),
    [([("run", "a", "--", "true"), ("step", "start", "b")], "cancellation"),
     ([("run", "a", "--", "true")], "cancellation"),
     ([("run", "a", "--", "false")], "failure")],
)  # fmt: skip
def test_upload_finds_a_job_that_never_reached_finalize(
    tmp_path: Path, same: bool, steps: list[tuple[str, ...]], status: str
) -> None:
    """It becomes a document with the facts of its own CI job, is told, and is delivered; once."""
    cancelled, following = of(tmp_path, **GITHUB), of(tmp_path, **{**GITHUB, "GITHUB_RUN_ID": "8", "GITHUB_SHA": "def"})
    cancelled.host("init", "image", "1.0")
    for words in steps:
        cancelled.host(*words)
    uploader = cancelled if same else following
    done = uploader.host("upload")
    (document,) = documents(cancelled)
    again = uploader.host("upload")

    assert [document[name] for name in ("job", "version", "run_id", "git_sha")] == ["image", "1.0", "7", "abc"]
    assert (names(document), document["status"]) == ([words[1 if words[0] == "run" else 2] for words in steps], status)
    assert any("finalize" in note for note in document["notes"])
    assert done.returncode == 0, done.stderr
    assert "job image 1.0" in done.stderr and "never" in done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert (again.returncode, again.stdout) == (0, "")
    assert len(documents(cancelled)) == 1


def test_upload_finds_steps_that_no_init_and_no_finalize_was_for(job: Job) -> None:
    """They went well, and nobody had to say that they were all."""
    job.host("run", "a", "--", "true")
    done = job.host("upload")
    (document,) = documents(job)

    assert done.returncode == 0 and len(done.stdout.splitlines()) == 1
    assert (document["job"], names(document), document["status"]) == ("build", ["a"], "success")


def test_upload_leaves_a_job_alone_that_another_runner_has_under_way(tmp_path: Path) -> None:
    """Two runners of one machine share the folder."""
    other = of(tmp_path, **{**GITHUB, "RUNNER_NAME": "r2", "GITHUB_RUN_ID": "9"})
    other.host("init", "image", "1")
    other.host("step", "start", "long")
    mine = of(tmp_path, **GITHUB)
    mine.host("run", "a", "--", "true")
    mine.host("upload")
    other.host("step", "end", "long", "--status", "0")
    other.host("finalize", "-q")
    one, another = documents(other)

    assert (names(one), one["status"], names(another)) == (["long"], "success", ["a"])


def test_upload_does_not_close_a_job_whose_log_is_collected(job: Job, tmp_path: Path) -> None:
    """Its document is there already, and more may come."""
    (tmp_path / "packer.log").write_bytes(log(qemu_build()))
    job.host("init", "build", "1")
    job.host("collect", "packer.log", "-q")
    assert job.host("upload").returncode == 0
    job.host("run", "after", "--", "true")
    job.host("finalize", "-q")

    assert [("after" in names(document), document["job"]) for document in documents(job)] == [(True, "build")]


def put_aside(job: Job, name: str, facts: str) -> Path:
    """The records of the job under way as those of another one, with these facts."""
    (folder,) = (job.folder / ".jobs").glob("local")
    other = folder.with_name(f"local.{name}")
    other.mkdir()
    (other / "records.jsonl").write_bytes((folder / "records.jsonl").read_bytes())
    (other / "job.json").write_text(facts)
    return other


def test_what_can_not_be_made_a_document_is_told_and_holds_nothing_up(job: Job, tmp_path: Path) -> None:
    """Its document would take the place of a file of the user's."""
    (tmp_path / "mine.json").write_text("mine")
    job.host("run", "a", "--", "true")
    (own,) = (job.folder / ".jobs").glob("local")
    facts = json.loads((own / "job.json").read_text())
    other = put_aside(job, "1", json.dumps(facts)).rename(own.with_name("other"))
    (other / "job.json").write_text(json.dumps({**facts, "document": str(tmp_path / "mine.json")}))
    done = job.host("upload")

    assert done.returncode == 1
    assert str(other) in done.stderr and "mine.json" in done.stderr and "Traceback" not in done.stderr
    assert [names(document) for document in documents(job)] == [["a"]]
    assert (tmp_path / "mine.json").read_text() == "mine"


def test_a_job_of_which_only_the_records_can_be_read_is_a_document_too(job: Job) -> None:
    """Its facts are damaged: name and version are the defaults."""
    job.host("init", "e2e", "3")
    job.host("run", "a", "--", "true")
    put_aside(job, "1", "{")
    done = job.host("upload")

    assert done.returncode == 0, done.stderr
    assert [(document["job"], names(document)) for document in documents(job)] == [("e2e", ["a"]), ("build", ["a"])]


def test_an_upload_inside_of_a_step_does_not_close_its_job(job: Job) -> None:
    """The step is still open."""
    job.host("run", "all", "--", "buildtel-host", "upload")
    job.host("run", "more", "--", "true")
    job.host("finalize", "-q")

    assert [names(document) for document in documents(job)] == [["all", "more"]]


def test_doctor_tells_of_unfinished_jobs(tmp_path: Path) -> None:
    """Which, and how to make documents of them; none is none."""
    cancelled, following = of(tmp_path, **GITHUB), of(tmp_path, **{**GITHUB, "GITHUB_RUN_ID": "8"})
    before = found(following)["unfinished jobs"]
    cancelled.host("init", "image", "1.0")
    cancelled.host("run", "a", "--", "true")
    told = found(following)["unfinished jobs"]
    own = found(cancelled)["unfinished jobs"]
    following.host("upload")

    assert (before["state"], own["state"]) == ("ok", "ok")
    assert told["state"] == "warn" and "image 1.0" in told["said"] and "upload" in told["fix"]
    assert found(following)["unfinished jobs"]["state"] == "ok"


def test_doctor_tells_of_the_job_under_way(job: Job) -> None:
    """Begun by init, or without it."""
    assert found(job)["job"]["state"] == "ok"
    job.host("run", "a", "--", "true")
    assert "build 0 is in progress" in found(job)["job"]["said"]
    job.host("init", "e2e", "2")
    assert "e2e 2 is in progress" in found(job)["job"]["said"]


def found(job: Job) -> dict[str, dict[str, str]]:
    """What doctor says, by what about."""
    read = json.loads(job.host("doctor", "--format", "json").stdout)
    return {finding["about"]: finding for finding in read}


@pytest.mark.parametrize("ending", [("end", "tpyo"), ("end", "tpyo", "--status", "0"), ("end", "tpyo", "3")])
def test_an_end_of_what_never_began_fails(job: Job, ending: tuple[str, ...]) -> None:
    """One line says it, nothing is on stdout, and no step of that name is in the document."""
    job.host("run", "a", "--", "true")
    done = job.host("step", *ending)
    job.host("finalize", "-q")

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "no step 'tpyo' is open" in done.stderr
    assert names(documents(job)[0]) == ["a"]


@pytest.mark.parametrize(
    ("words", "exit_code"), [(("3",), 3), (("0",), 0), ((), None), (("--status", "4"), 4), (("--status=5",), 5)]
)
def test_the_status_of_a_step_is_its_second_word_or_an_option(
    job: Job, words: tuple[str, ...], exit_code: int | None
) -> None:
    """`telemetry_step_end NAME 3`, as `step end` itself."""
    quoted = " ".join(words)
    done = job.shell(f'set -eu; eval "$(buildtel-host shell-init)"; telemetry_init b 1; telemetry_step_start "a b"; '
                     f'telemetry_step_end "a b" {quoted}; telemetry_finalize -q')  # fmt: skip
    (document,) = documents(job)

    assert done.returncode == 0, done.stderr
    assert [(step["name"], step.get("exit_code")) for step in document["steps"]] == [("a b", exit_code)]


@pytest.mark.parametrize("word", ["x", "-1", "3.5", "", "99999999999999999999"])
def test_a_status_that_is_none_is_told(job: Job, word: str) -> None:
    """Wrong usage, in one line of the parser's; the step stays open."""
    job.host("step", "start", "a")
    done = job.host("step", "end", "a", word)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr and "status" in done.stderr.lower()
    assert job.host("step", "end", "a", "0").returncode == 0
