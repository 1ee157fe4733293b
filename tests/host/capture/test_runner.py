"""The runner's steps: each call in a process, and mostly a shell, of its own, as a CI runs them."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import buildtel_agent as agent
from buildtel.cli import fast_path

HOST = Path(sys.executable).with_name("buildtel-host")
MEASURED = {name: os.environ[name] for name in os.environ if name.startswith(("COVERAGE_", "PYTHONPATH"))}
BARE = {"PATH": f"{HOST.parent}:/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8", **MEASURED,
        "COVERAGE_PROCESS_START": os.environ.get("COVERAGE_CHILDREN", "")}  # fmt: skip


class Job:
    """A CI job: its environment, and its commands, each in a new process."""

    def __init__(self, folder: Path, **environ: str) -> None:
        """Takes a folder for telemetry and what the CI sets."""
        self.folder, self.environ = folder, {**BARE, "TELEMETRY_DIR": str(folder), **environ}

    def host(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Runs `buildtel-host WORDS`."""
        return subprocess.run([HOST, *words], env=self.environ, capture_output=True, text=True, timeout=60,
                              cwd=self.folder.parent, **options)  # fmt: skip

    def shell(self, script: str, shell: str = "sh") -> subprocess.CompletedProcess[str]:
        """Runs a script in a new shell."""
        return subprocess.run([shell, "-c", script], env=self.environ, capture_output=True, text=True, timeout=60,
                              cwd=self.folder.parent)  # fmt: skip

    def document(self) -> dict[str, Any]:
        """The only document there is."""
        (path,) = self.folder.glob("[!.]*.json")
        read: dict[str, Any] = json.loads(path.read_text())
        return read


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A job outside of any CI."""
    return Job(tmp_path / "telemetry")


def names(document: dict[str, Any]) -> list[str]:
    """The steps' names in order."""
    return [step["name"] for step in document["steps"]]


def test_a_job_of_the_original_gives_the_originals_document(job: Job):
    """init, steps, finalize: every field of the original's JSON is there, with figures of this machine."""
    job.host("init", "build", "0.10.2")
    job.host("step", "start", "packer_build")
    time.sleep(1.2)
    ended = job.host("step", "end", "packer_build", "--status", "0")
    done = job.host("finalize")
    document = job.document()

    assert done.returncode == 0, done.stderr
    assert "  Duration:      1." in ended.stdout
    assert "[packer_build] END: " in ended.stdout
    assert (document["job"], document["version"], document["status"]) == ("build", "0.10.2", "success")
    assert document["job_end"] - document["job_start"] == pytest.approx(document["job_duration_s"], abs=0.01)
    assert document["system"]["cpus"] == os.cpu_count()
    assert document["system"]["memory_total_mb"] > 100
    (step,) = document["steps"]
    assert step["duration_s"] == pytest.approx(step["end_time"] - step["start_time"], abs=0.1)
    assert (step["machine"], step["origin"], step["exit_code"]) == ("runner", "runner", 0)
    assert {"cpu_percent", "disk_write_mb", "net_rx_mb", "queue_depth"} <= set(step)
    assert "packer_build" in done.stdout


@pytest.mark.parametrize("shell", [shell for shell in ("bash", "dash") if shutil.which(shell)])
def test_the_originals_functions_work_in_a_new_shell_each(job: Job, shell: str):
    """An old workflow goes on with one changed line."""
    source = 'set -eu; eval "$(buildtel-host shell-init)"; '
    for line in (
        "telemetry_init build 0.10.2",
        "telemetry_step_start 'build image'",
        "telemetry_step_end 'build image'",
        "telemetry_finalize",
    ):
        done = job.shell(source + line, shell)
        assert done.returncode == 0, done.stderr

    assert names(job.document()) == ["build image"]


def test_the_functions_never_fail_a_script(tmp_path: Path):
    """No place to write to: a line on stderr, and the build goes on."""
    (tmp_path / "telemetry").write_text("a file where a folder should be")
    done = Job(tmp_path / "telemetry").shell(
        'set -eu; eval "$(buildtel-host shell-init)"; telemetry_init b 1; telemetry_step_start x; telemetry_step_end x;'
        " telemetry_finalize; echo went on"
    )

    assert (done.returncode, done.stdout) == (0, "went on\n")
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 4


def test_steps_nest_overlap_and_repeat_a_name(job: Job):
    """Each end belongs to the last start of its name that is still open."""
    job.host("init", "build", "1")
    for what, name in (("start", "outer"), ("start", "a"), ("start", "b"), ("end", "a"), ("start", "a"), ("end", "b"),
                       ("end", "a"), ("start", "a"), ("start", "a"), ("end", "a"), ("end", "a"), ("end", "outer")):
        job.host("step", what, name)
    job.host("finalize", "-q")
    steps = job.document()["steps"]

    assert [step["name"] for step in steps] == ["outer", "a", "b", "a", "a", "a"]
    assert len({step["id"] for step in steps}) == 6
    assert all(step["duration_s"] is not None for step in steps)
    spans = [(step["start_time"], step["end_time"]) for step in steps]
    assert spans[4][1] > spans[5][1], "of two open steps of one name the later ends first"
    outer, fifth = steps[0]["id"], steps[4]["id"]
    parents = [step.get("parent") for step in steps]
    assert parents == [None, outer, outer, outer, outer, fifth], "overlapping is not nesting"


def test_two_jobs_on_one_machine_do_not_mix(tmp_path: Path):
    """Two GitHub runners share a folder; each job has its own steps."""
    jobs = [
        Job(tmp_path / "telemetry", GITHUB_RUN_ID="7", GITHUB_RUN_ATTEMPT="1", GITHUB_JOB=name, GITHUB_SHA="abc")
        for name in ("build", "e2e")
    ]

    def work(job: Job) -> None:
        name = job.environ["GITHUB_JOB"]
        job.host("init", name, "1")
        for number in range(4):
            job.host("step", "start", f"{name}-{number}")
            job.host("step", "end", f"{name}-{number}")
        job.host("finalize", "-q")

    with ThreadPoolExecutor() as pool:
        list(pool.map(work, jobs))
    paths = (tmp_path / "telemetry").glob("*.json")
    documents = {path.name.split("_")[0]: json.loads(path.read_text()) for path in paths}

    assert names(documents["build"]) == [f"build-{number}" for number in range(4)]
    assert names(documents["e2e"]) == [f"e2e-{number}" for number in range(4)]


def test_a_cancelled_jobs_steps_are_in_it_and_marked(job: Job):
    """A step without an end is there; the job's status is unknown, not success."""
    job.host("init", "build", "1")
    job.host("step", "start", "whole")
    job.host("step", "end", "whole")
    job.host("step", "start", "cut off")
    job.host("finalize", "-q")
    document = job.document()

    assert names(document) == ["whole", "cut off"]
    assert document["steps"][1]["unfinished"]
    assert document["steps"][1]["duration_s"] is None
    assert document["status"] == "unknown"


@pytest.mark.parametrize("status", [None, "0", "3"])
def test_a_step_without_an_exit_status_did_not_go_well_or_badly(job: Job, status: str | None):
    """What nobody knows is unknown, never success; the job, too."""
    job.host("init", "build", "1")
    job.host("step", "start", "a")
    job.host("step", "end", "a", *(["--status", status] if status is not None else []))
    job.host("finalize", "-q")
    document = job.document()
    wanted = {None: "unknown", "0": "success", "3": "failure"}[status]

    assert [(step["status"], step.get("exit_code")) for step in document["steps"]] == [(wanted, status and int(status))]
    assert document["status"] == wanted


def test_a_step_whose_status_was_lost_is_unknown(job: Job):
    """The record of its end has none: a full disk, a removed file."""
    job.host("init", "build", "1")
    job.host("run", "lost", "--", "false")
    (records,) = (job.folder / ".jobs").glob("*/records.jsonl")
    lines = [json.loads(line[9:]) for line in records.read_text().splitlines() if line.startswith("BUILDTEL:")]
    bare = [{key: value for key, value in {**line, "exit": None}.items() if key != "crc"} for line in lines]
    text = b"".join(b"BUILDTEL:" + agent.with_crc(agent.dumps(line).encode()) + b"\n" for line in bare)
    records.write_bytes(text)
    job.host("finalize", "-q")

    assert [(step["name"], step["status"]) for step in job.document()["steps"]] == [("lost", "unknown")]


def test_a_job_that_is_begun_again_loses_nothing(job: Job):
    """A second init makes a document of an unfinished job and puts its records aside."""
    job.host("init", "build", "1")
    job.host("step", "start", "first")
    job.host("init", "build", "2")
    job.host("finalize", "-q")

    read = [json.loads(path.read_text()) for path in job.folder.glob("[!.]*.json")]
    assert sorted(document["version"] for document in read) == ["1", "2"]
    kept = [(folder / "records.jsonl").read_text() for folder in (job.folder / ".jobs").iterdir()]
    assert len([records for records in kept if "first" in records]) == 1


def test_run_gives_the_commands_own_status_output_and_input(job: Job):
    """`run` is a step and nothing else."""
    job.host("init", "build", "1")
    done = job.host("run", "shout", "--", "sh", "-c", "cat; echo err >&2; exit 7", input="from stdin\n")
    killed = job.host("run", "killed", "--", "sh", "-c", "kill -9 $$")
    job.host("finalize", "-q")
    steps = {step["name"]: step for step in job.document()["steps"]}

    assert (done.returncode, done.stdout) == (7, "from stdin\n"), "the block is on stderr: stdout is the command's"
    assert "\nerr\n" in done.stderr
    assert "BUILDTEL:" not in done.stderr, "a runner's log is for people"
    assert killed.returncode == 137
    assert (steps["shout"]["exit_code"], steps["shout"]["status"]) == (7, "failure")
    assert steps["killed"]["signal"] == 9
    assert steps["shout"]["memory_peak_mb"] > 0


@pytest.mark.parametrize("name", ["my dir/tel", " x /y", "new\nline", "-tel", "mein Ordner"])
def test_the_telemetry_folder_may_have_any_name(tmp_path: Path, name: str):
    """A blank in it costs no file of the user's, and the step has its exit status."""
    precious = [tmp_path / word for word in ("my", "x", "new", "mein")]
    for path in precious:
        path.write_text("precious")
    job = Job(tmp_path / name)
    job.folder.parent.mkdir(exist_ok=True)
    if name.startswith("-"):
        job.environ["TELEMETRY_DIR"] = name  # as it stands, from the folder of the commands
    job.host("init", "build", "1")
    done = job.host("run", "lint", "--", "sh", "-c", "exit 3")
    finalized = job.host("finalize", "-q")
    (step,) = job.document()["steps"]

    assert (done.returncode, finalized.returncode, finalized.stderr) == (3, 0, "")
    assert [path.read_text() for path in precious] == ["precious"] * 4
    assert (step["name"], step["exit_code"], step["status"]) == ("lint", 3, "failure")


@pytest.mark.parametrize(("words", "status"), [(["/no/such/command"], 127), (["/etc/passwd"], 126), ([], 2)])
def test_run_of_what_can_not_run(job: Job, words: list[str], status: int):
    """The statuses are a shell's."""
    done = job.host("run", "x", "--", *words)
    assert done.returncode == status
    assert "Traceback" not in done.stderr


def test_run_runs_where_nothing_can_be_measured(tmp_path: Path):
    """No place for records is no reason not to build."""
    (tmp_path / "telemetry").write_text("a file")
    done = Job(tmp_path / "telemetry").host("run", "x", "--", "sh", "-c", "echo built; exit 3")
    assert (done.returncode, done.stdout) == (3, "built\n")


def test_github_gets_groups(tmp_path: Path):
    """Output of a step folds in GitHub's log; the block stays outside."""
    job = Job(tmp_path / "telemetry", GITHUB_ACTIONS="true", GITHUB_RUN_ID="1")
    started = job.host("step", "start", "x").stdout
    ended = job.host("step", "end", "x").stdout
    ran = job.host("run", "y", "--", "false")

    assert started.rstrip().endswith("::group::x")
    assert ended.startswith("::endgroup::\n")
    assert "END: " in ended
    assert (ran.returncode, "::group::y" in ran.stderr, "::endgroup::" in ran.stderr) == (1, True, True)


def test_a_step_imports_no_library(job: Job):
    """Bar: `step start` costs as little as a start of the interpreter can."""
    script = (
        "import sys; from buildtel.cli import main; main(['step', 'start', 'x']); "
        "print(sorted({'pydantic', 'rich', 'boto3', 'paramiko', 'argparse', 'json', 'pathlib', 'subprocess', 'typing'}"
        " & set(sys.modules) - before), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; "
                           f"before = set(sys.modules); {script}"], env=job.environ, capture_output=True, text=True)
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize(
    ("words", "plain"),
    [
        (["step", "start", "a b"], True),
        (["step", "end", "x"], True),
        (["step", "end", "x", "--status", "3"], True),
        (["step", "start", "--help"], False),
        (["step", "end", "x", "3"], True),
        (["step", "end", "x", "--status", "-1"], False),
        (["step", "end", "x", "--status", "256"], False),
        (["step", "end", "x", "y"], False),
        (["step", "start", "x", "3"], False),
        (["step"], False),
        (["step", "begin", "x"], False),
    ],
)
def test_only_plain_words_skip_the_parser(words: list[str], plain: bool):
    """Whatever is unusual gets argparse and its help."""
    assert fast_path.wants(words) is plain


@pytest.mark.packer
@pytest.mark.skipif(not shutil.which("packer"), reason="no packer on this machine")
def test_collect_and_upload_do_the_whole_thing_after_init(job: Job, tmp_path: Path):
    """A whole workflow: init, steps around a real packer, collect, finalize, upload, report; one document."""
    template = tmp_path / "appliance"
    template.mkdir()
    agent_file = Path(__file__).parents[3] / "guest" / "buildtel_agent.py"
    (template / "a.pkr.hcl").write_text(
        'source "null" "a" {\n  communicator = "none"\n}\nbuild {\n  sources = ["source.null.a"]\n'
        f'  provisioner "shell-local" {{\n    inline = ["sh {agent_file} run --step inside -- sleep 3"]\n  }}\n}}\n'
    )
    job.environ |= {"CHECKPOINT_DISABLE": "1", "XDG_DATA_HOME": str(tmp_path / "data"), "HOME": str(tmp_path)}
    job.host("init", "build", "0.10.2")
    job.host("step", "start", "fetch")
    job.host("step", "end", "fetch")
    job.host("step", "start", "packer_build")
    built = job.shell("packer build -timestamp-ui -color=false appliance >packer.log 2>&1")
    assert built.returncode == 0, (tmp_path / "packer.log").read_text()
    job.host("step", "end", "packer_build", "--status", "0")
    collected = job.host("collect", "packer.log")
    assert collected.returncode == 0, collected.stderr
    finalized = job.host("finalize")
    uploaded = job.host("upload")
    reported = job.host("report", "latest", "build")
    document = job.document()
    steps = {step["name"]: step for step in document["steps"]}

    rows = gzip.decompress(next(job.folder.glob("*.events.jsonl.gz")).read_bytes()).splitlines()
    assert {json.loads(row)["record"].get("name") for row in rows} >= {"inside", "fetch", "packer_build"}
    assert finalized.returncode == uploaded.returncode == reported.returncode == 0, uploaded.stderr
    assert steps["inside"]["parent"] == steps["packer_build"]["id"]
    assert "parent" not in steps["fetch"]
    assert document["packer"]["runs"][0]["builds"][0]["result"] == "success"
    assert (document["status"], document["notes"]) == ("success", [])
    for name in ("fetch", "packer_build", "inside", "0.10.2"):
        assert name in reported.stdout
