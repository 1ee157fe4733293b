"""`buildtel-host packer` around the real Packer: as it would be without it, and every second accounted for."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import buildtel_agent as agent
from buildtel.capture.sampling import LEAST_APART_S, LineRecorder, RunnerSampler

from .watched import BUILDTEL, WATCHED, Bench, bench, builds, check_account, same, unattributed_s

pytestmark = [pytest.mark.packer, pytest.mark.skipif(not shutil.which("packer"), reason="no packer here")]
ALONE = ("packer",)
PROC = Path(__file__).parents[3] / "fixtures" / "proc"
CAN_UNSHARE = subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode == 0


@pytest.fixture(name="bench")
def a_bench(tmp_path: Path) -> Bench:
    """A template's folder."""
    return bench(tmp_path)


def test_known_sleeps_are_found_where_they_were_put(bench: Bench) -> None:
    """Provisioner, pause, post-processor: each within 0.3 s; all of the time is accounted for, 97 % with a name."""
    bench.template(
        'inline = ["sleep 2"]', 'inline = ["sleep 1"]\n    pause_before = "3s"', after="sleep 1.5"
    )
    done = bench.run("build", ".")
    (build,) = builds(bench.document())
    found = [(part["name"], part["duration_s"]) for part in build["account"]]

    assert done.returncode == 0, done.stderr
    assert [name for name, _ in found if name != "unattributed"] == [
        "start", "provisioner", "pause", "provisioner", "post_processor",
    ]  # fmt: skip
    lengths = [length_s for name, length_s in found if name not in ("start", "unattributed")]
    assert lengths == pytest.approx([2, 3, 1, 1.5], abs=0.3)
    check_account(build)
    assert unattributed_s(build) <= 0.03 * (build["ended_at"] - build["started_at"])


def test_the_runner_is_sampled_in_each_stretch(bench: Bench) -> None:
    """A stretch of a second or more has the runner's CPU, memory and disk; the step around it Packer's exit status."""
    bench.template('inline = ["sleep 2"]', 'inline = ["timeout 3 sh -c \'while :; do :; done\' || true"]')
    bench.run("build", ".")
    document = bench.document()
    idle, busy = (part["runner"] for part in builds(document)[0]["account"] if part["name"] == "provisioner")
    (step,) = [step for step in document["steps"] if step["name"] == "packer build"]

    cores = os.cpu_count() or 1
    assert busy["cpu_percent"] >= 85 / cores
    assert busy["cpu_user_percent"] + busy["cpu_system_percent"] > 0
    assert {"memory_used_mb", "disk_write_mb", "duration_s"} <= set(idle)
    assert (step["name"], step["origin"], step["exit_code"], step["status"]) == ("packer build", "runner", 0, "success")
    runner = document["machines"]["runner"]
    assert runner["origin"] == "runner"
    told = runner["samples"][0]["columns"]
    assert {"beside_packers", "beside_cpus", "tasks_running", "tcp_timeouts_per_s"} <= set(told)
    assert document["system"]["cpus"] == cores


def test_the_runners_neighbours_have_names(bench: Bench) -> None:
    """Who else used CPU meanwhile is told apart from Packer's own processes: by name, never by arguments."""
    bench.template('inline = ["timeout 7 $PWD/own-loop -c \'while :; do :; done\' || true"]')
    for name in ("own-loop", "near-loop"):
        shutil.copy("/bin/sh", bench.folder / name)
    near = subprocess.Popen([str(bench.folder / "near-loop"), "-c", "while :; do :; done", "s3cret"])
    try:
        done = bench.run("build", ".", prefix=(*BUILDTEL, "packer"))
    finally:
        near.kill()
        near.wait()
    (step,) = [step for step in bench.document()["steps"] if step["name"] == "packer build"]
    own, others = ({row["name"]: row["cpu_s"] for row in step[part]} for part in ("processes", "neighbours"))

    assert own["own-loop"] >= 0.3 and "near-loop" not in own
    assert others["near-loop"] >= 0.3 and "own-loop" not in others
    assert b"near-loop" in done.stderr
    assert "s3cret" not in bench.log().read_text() + json.dumps(bench.document())


def test_the_runner_is_sampled_where_a_stretch_begins(bench: Bench) -> None:
    """What a stretch took is known from its edges, not shared out over the second around them."""
    bench.template(*['inline = ["sleep 1.3"]'] * 3)
    bench.run("build", ".")
    document = bench.document()
    (samples,) = document["machines"]["runner"]["samples"]
    times_s = [samples["start_time"] + at_s for at_s in samples["columns"]["t_s"]]
    began_s = [one["started_at"] for one in builds(document)[0]["provisioners"]]

    assert len(began_s) == 3
    for edge_s in began_s[1:]:  # the first is announced just after the run's first line
        assert min(abs(edge_s - at_s) for at_s in times_s) <= LEAST_APART_S + 0.1


def test_a_long_build_is_sampled_more_rarely() -> None:
    """Each second for an hour, every other for two more, and so on up to a minute."""
    sampler = RunnerSampler(LineRecorder(lambda line: None), agent.Kernel(str(PROC / "debian12-start")))
    due_s = [sampler.sample(hours * 3600.0, os.getpid()) for hours in (0, 0.9, 1, 2.9, 3, 6.9, 7, 63, 1000)]

    assert due_s == [1, 1, 2, 2, 4, 4, 8, 60, 60]
    assert not sampler.is_due(1000 * 3600.0 + 0.2)
    assert sampler.is_due(1000 * 3600.0 + 0.3)


@pytest.mark.parametrize("words", [("build", "nowhere.pkr.hcl"), ("build",)], ids=["no template", "usage"])
def test_a_build_that_cant_begin_ends_as_alone(bench: Bench, words: tuple[str, ...]) -> None:
    """Both streams and the exit status."""
    alone, watched = bench.run(*words, prefix=ALONE), bench.run(*words)

    assert (watched.stdout, watched.stderr) == (alone.stdout, alone.stderr)
    assert watched.returncode == alone.returncode


def test_streams_into_one_file_keep_their_order(bench: Bench) -> None:
    """With `2>&1` lines of both streams stand in the order in which they were written."""
    packer = bench.folder / "packer"
    packer.write_text("#!/bin/sh\nfor i in 1 2 3 4 5 6 7 8 9; do echo out $i; echo err $i >&2; done\nexit 5\n")
    packer.chmod(0o755)
    environ = {"PATH": f"{bench.folder}:{os.environ['PATH']}"}
    done = bench.run("build", ".", stderr=subprocess.STDOUT, env=environ)

    assert done.stdout == b"".join(b"out %d\nerr %d\n" % (number, number) for number in range(1, 10))
    assert done.returncode == 5


def test_a_failing_build_keeps_its_exit_status_and_its_account(bench: Bench) -> None:
    """A cleanup after an error is a phase; the document says that the build failed."""
    bench.template('inline = ["sleep 1; exit 3"]')
    alone, watched = bench.run("build", ".", prefix=ALONE), bench.run("build", ".")
    document = bench.document()
    (build,) = builds(document)

    assert watched.returncode == alone.returncode == 1
    assert (document["status"], build["result"], document["steps"][0]["exit_code"]) == ("failure", "failure", 1)
    check_account(build)


def test_parallel_builds_stand_side_by_side(bench: Bench) -> None:
    """Each has its own account from the run's start; the one that ended last is marked."""
    bench.template('inline = ["if [ $PACKER_BUILD_NAME = two ]; then sleep 3; else sleep 1; fi"]', sources="one two")
    bench.run("build", ".")
    found = builds(bench.document())

    for build in found:
        check_account(build)
    assert {build["name"]: build["critical"] for build in found} == {"null.one": False, "null.two": True}
    assert len({build["started_at"] for build in found}) == 1


def test_collecting_again_makes_the_same_document(bench: Bench) -> None:
    """The kept log holds all of it."""
    bench.template('inline = ["sleep 1"]')
    bench.run("build", ".")
    first = bench.document()
    again = bench.folder / "again.json"
    bench.run("collect", "-q", "-o", str(again), str(bench.log()), prefix=BUILDTEL)

    import json

    assert json.loads(again.read_bytes()) == first


@pytest.mark.skipif(not CAN_UNSHARE, reason="no network namespaces here")
def test_packers_own_word_on_provisioners_is_used_and_not_shown(bench: Bench) -> None:
    """Where Packer tells in its debug log when provisioners begin and end, that is in our log, and nowhere else."""
    bench.template('inline = ["sleep 1"]')
    environ = {"CHECKPOINT_DISABLE": "0"}
    alone = bench.run("build", ".", prefix=("unshare", "-n", *ALONE), env=environ)
    watched = bench.run("build", ".", prefix=("unshare", "-n", *WATCHED), env=environ)
    log = bench.log().read_bytes()

    assert same(watched.stdout) == same(alone.stdout)
    assert same(watched.stderr) == same(alone.stderr)
    assert log.count(b"(telemetry) Starting provisioner shell-local") == 1
    assert log.count(b"(telemetry) ending shell-local") == 1
    assert [path.name for path in bench.telemetry.glob("*.debug")] == []
    assert bench.document()["packer"]["version"][:1].isdigit()


def test_the_users_debug_log_is_read_where_it_is(bench: Bench) -> None:
    """`PACKER_LOG_PATH` of the user: the file is theirs, whole; an old one does not confuse."""
    bench.template('inline = ["sleep 1"]')
    own = bench.folder / "debug.log"
    own.write_text("2026/01/01 00:00:00 [INFO] (telemetry) Starting provisioner nothing\n" * 50)
    bench.run("build", ".", env={"PACKER_LOG": "1", "PACKER_LOG_PATH": str(own)})

    assert b"Running local shell script" in own.read_bytes()
    assert b"provisioner nothing" not in bench.log().read_bytes()
    assert b"Packer version: " in bench.log().read_bytes()


def test_nothing_makes_packer_call_home(bench: Bench) -> None:
    """Packer's environment is the user's; its debug log is switched on only where the user lets it report anyway."""
    bench.template('inline = ["env | grep -E \'PACKER_LOG|CHECKPOINT\' | sort"]')
    alone, watched = bench.run("build", ".", prefix=ALONE), bench.run("build", ".")
    assert b"CHECKPOINT_DISABLE=1" in alone.stdout
    assert same(watched.stdout) == same(alone.stdout)
    off = {"CHECKPOINT_DISABLE": "", "PACKER_LOG": "0"}
    alone, watched = bench.run("build", ".", prefix=ALONE, env=off), bench.run("build", ".", env=off)
    assert same(watched.stdout) == same(alone.stdout)


def test_other_commands_of_packers_are_packers(bench: Bench) -> None:
    """`version`, `validate`, an unknown one, help: no log, no document, the same output and status."""
    bench.template('inline = ["true"]')
    for words in (("version",), ("validate", "."), ("no-such-command",), ("--version",), ("build", "-help")):
        prefix = (*BUILDTEL, "packer")
        alone, watched = bench.run(*words, prefix=ALONE), bench.run(*words, prefix=prefix)
        assert (watched.returncode, watched.stdout, watched.stderr) == (alone.returncode, alone.stdout, alone.stderr)
    assert not bench.telemetry.exists()


@pytest.mark.parametrize("form", ["missing", "not executable", "no interpreter", "no first line"])
def test_a_packer_that_cant_be_run_is_what_a_shell_makes_of_it(bench: Bench, form: str) -> None:
    """Exit status as /bin/sh gives it (126 or 127), and a script without `#!` runs."""
    packer = bench.folder / "bin" / "packer"
    packer.parent.mkdir()
    if form != "missing":
        packer.write_text({"no interpreter": "#!/no/such\n"}.get(form, "echo $1; exit 9\n"))
        packer.chmod(0o644 if form == "not executable" else 0o755)
    environ = {"PATH": f"{packer.parent}:/bin" if form == "no first line" else str(packer.parent)}
    shell = bench.run(prefix=("/bin/sh", "-c", "packer build ."), env=environ)
    done = bench.run("build", ".", env=environ)

    assert (done.returncode, done.stdout) == (shell.returncode, shell.stdout)
    assert (shell.returncode == 9) == (form == "no first line")
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("place", ["a file", "somebody else's", "full"])
def test_without_a_place_for_the_log_packer_runs(bench: Bench, place: str, tmp_path: Path) -> None:
    """What can't be kept is said; the build, its output and its status are what they are."""
    bench.template('inline = ["echo done"]')
    folder = tmp_path / "elsewhere"
    if place == "a file":
        folder.write_text("")
    elif place == "somebody else's":
        if os.geteuid() != 0:
            pytest.skip("only root can give a folder away")
        folder.mkdir(mode=0o755)
        os.chown(folder, 12345, 12345)
    else:
        folder = Path("/dev/full")
    alone = bench.run("build", ".", prefix=ALONE)
    done = bench.run("build", ".", env={"TELEMETRY_DIR": str(folder)})

    assert (done.returncode, same(done.stdout)) == (0, same(alone.stdout))
    assert b"Traceback" not in done.stderr
    assert b"not measured" in done.stderr


def test_a_reader_that_leaves_is_packers_own(bench: Bench) -> None:
    """`| head -1`: Packer ends as it does without us."""
    bench.template('inline = ["for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.2; done"]')

    def left(prefix: tuple[str, ...]) -> int:
        process = bench.start("build", ".", prefix=prefix)
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        process.communicate(timeout=60)
        return process.returncode

    assert left(WATCHED) == left(ALONE)


def test_the_github_summary_has_the_account(bench: Bench) -> None:
    """On GitHub Actions the report is the job's summary, too; what stands there already stays."""
    bench.template('inline = ["sleep 1"]')
    summary = bench.folder / "summary.md"
    summary.write_text("before\n")
    done = bench.run(
        "build", ".", prefix=(*BUILDTEL, "packer"), env={"GITHUB_STEP_SUMMARY": str(summary), "CI": "true"}
    )
    text = summary.read_text()

    assert text.startswith("before\n## build")
    assert "### null.one: success" in text
    assert "Running local" not in text
    assert "shell-local" in text
    assert b"null.one  success" in done.stderr
    assert b"document:" in done.stderr


def test_a_job_that_init_began_takes_the_build_in(bench: Bench) -> None:
    """The wrapper's step stands among the runner's steps of the job, and stays when the job is finalized."""
    bench.template('inline = ["sleep 1.5"]')
    bench.run("init", "image", "1.2", prefix=BUILDTEL)
    bench.run("run", "lint", "--", "true", prefix=BUILDTEL)
    bench.run("build", ".")
    bench.run("finalize", "-q", prefix=BUILDTEL)
    document = bench.document()

    assert (document["job"], document["version"], document["status"]) == ("image", "1.2", "success")
    named = [step["name"] for step in document["steps"] if not step.get("provisioner")]
    assert named == ["lint", "packer build"]
    assert any(stretch["runner"] for stretch in builds(document)[0]["account"])


def test_our_flags_stand_before_packers_words(bench: Bench) -> None:
    """Packer's flags are Packer's, also where they look like ours; an output that is no file is refused at once."""
    bench.template('inline = ["true"]')
    out = bench.folder / "mine.json"
    done = bench.run("-o", str(out), "--version", "7", "-machine-readable", "build", ".")
    assert done.returncode == 0
    assert b",,ui,say," in done.stdout
    assert b'"version":"7"' in out.read_bytes()

    refused = bench.run("-o", "-", "build", ".")
    assert (refused.returncode, refused.stdout) == (2, b"")
