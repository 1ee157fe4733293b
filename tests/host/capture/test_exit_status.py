"""Packer's exit status and the document, whatever becomes of our own output, flags and folders."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from .watched import BUILDTEL, Bench, bench, builds

pytestmark = [pytest.mark.packer, pytest.mark.skipif(not shutil.which("packer"), reason="no packer here")]
REPORTING = (*BUILDTEL, "packer", "--live=never")
FAILING = 'inline = ["exit 3"]'
FAST = 'inline = ["echo quick"]'
DEBUGGED = {"CHECKPOINT_DISABLE": "0"}  # Packer's debug log has something to tell


@pytest.fixture(name="bench")
def a_bench(tmp_path: Path) -> Bench:
    """A template's folder."""
    return bench(tmp_path)


def shell(bench: Bench, redirection: str) -> int:
    """The exit status of the wrapper's own command under bash, its files redirected."""
    line = f'"$@" build . {redirection}'
    done = subprocess.run(
        ["bash", "-c", line, "bash", *REPORTING], cwd=bench.folder, env=bench.environ, stdin=subprocess.DEVNULL,
        timeout=120, capture_output=True,
    )  # fmt: skip
    return done.returncode


STREAMS = {
    "reader of stderr gone": (">/dev/null 2> >(true); s=$?; sleep 0.2; exit $s", 1),
    "stderr closed": (">/dev/null 2>&-", 1),
    "stderr full": (">/dev/null 2>/dev/full", 1),
    "both closed": (">&- 2>&-", 1),
}


@pytest.mark.parametrize(("redirection", "status"), STREAMS.values(), ids=STREAMS.keys())
def test_a_lost_stderr_changes_neither_status_nor_document(bench: Bench, redirection: str, status: int) -> None:
    """The document is written first; what can't be printed is dropped."""
    bench.template(FAILING)

    assert shell(bench, redirection) == status
    assert builds(bench.document())[0]["result"] == "failure"


def test_a_reader_that_leaves_early_ends_packer_as_it_would_alone(bench: Bench) -> None:
    """Under `2>&1 | head -1` the status is SIGPIPE's, 141, and the document is there."""
    bench.template('inline = ["seq 20000"]')
    line = '"$@" build . 2>&1 | head -3 >/dev/null; exit "${PIPESTATUS[0]}"'
    done = subprocess.run(
        ["bash", "-c", line, "bash", *REPORTING], cwd=bench.folder, env=bench.environ, stdin=subprocess.DEVNULL,
        timeout=120, capture_output=True,
    )  # fmt: skip

    assert done.returncode == 141
    assert bench.document()["packer"]["runs"]


def test_ctrl_c_under_tee_still_gives_a_document(bench: Bench) -> None:
    """Ctrl-C ends Packer and `tee` alike: the build has its document all the same."""
    bench.template('inline = ["sleep 30"]')
    run = subprocess.Popen(
        ["bash", "-c", '"$@" build . 2>&1 | tee out; exit "${PIPESTATUS[0]}"', "bash", *REPORTING],
        cwd=bench.folder, env=bench.environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    out = bench.folder / "out"
    deadline = time.monotonic() + 60
    while "Running local shell" not in (out.read_text() if out.exists() else "") and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGINT)
    run.wait(timeout=60)
    deadline = time.monotonic() + 30
    while not list(bench.telemetry.glob("*.json")) and time.monotonic() < deadline:
        time.sleep(0.1)

    assert builds(bench.document())[0]["result"] in ("cancelled", "unknown")  # Packer may find its output gone first


@pytest.mark.parametrize("flag", ["--job=-x", "--job=a b/c", "--version=-1"])
def test_odd_names_are_names(bench: Bench, flag: str) -> None:
    """A job or a version that looks like a flag changes nothing of Packer's end."""
    bench.template(FAILING)
    done = bench.run("build", ".", prefix=(*BUILDTEL, "packer", "--live=never", "-q", flag))

    assert done.returncode == 1
    assert flag.partition("=")[2] in (bench.document()["job"], bench.document()["version"])


def test_a_telemetry_folder_that_looks_like_a_flag_is_a_folder(bench: Bench) -> None:
    """`TELEMETRY_DIR=-tel` is the folder `-tel`, and Packer's status stands."""
    bench.template(FAILING)
    done = bench.run("build", ".", env={"TELEMETRY_DIR": "-tel"})

    assert done.returncode == 1
    assert len(list((bench.folder / "-tel").glob("*.json"))) == 1


BROKEN = "import sys, buildtel.{module} as m; m.{name} = None; from buildtel.cli import main; sys.exit(main())"


@pytest.mark.parametrize(
    ("module", "name"), [("parse", "read"), ("capture.packer_process", "RunnerSampler"), ("local.keeping", "write_new")]
)
def test_a_fault_of_ours_is_one_line_and_no_status(bench: Bench, module: str, name: str) -> None:
    """Whatever raises in our code, before, during or after Packer: its exit status, and one line that says so."""
    bench.template(FAILING)
    program = (BUILDTEL[0], "-c", BROKEN.format(module=module, name=name), "packer", "--live=never", "-q")
    done = bench.run("build", ".", prefix=program)

    lines = [line for line in done.stderr.decode().splitlines() if line.startswith("buildtel-host: ")]
    assert (done.returncode, len(lines)) == (1, 1), done.stderr
    assert b"Traceback" not in done.stderr


def test_log_and_document_have_one_name(bench: Bench) -> None:
    """Log, document and records of a run carry the same time, also in a second in which another run began."""
    bench.template('inline = ["sleep 1.2"]')
    runs = [bench.start("build", ".") for _ in range(2)]
    for run in runs:
        run.communicate(timeout=60)

    logs = {path.name.removesuffix(".packer.log") for path in bench.telemetry.glob("*.packer.log")}
    assert len(logs) == 2
    assert {path.stem for path in bench.telemetry.glob("*.json")} == logs


def test_secrets_of_the_debug_log_are_in_no_file(bench: Bench) -> None:
    """What Packer writes only into its debug log is never on disk, not even after SIGKILL, and not in our log."""
    bench.template('environment_vars = ["TOKEN=s3cr3t-value"]\n    inline = ["sleep 30"]')
    run = bench.start("build", ".", env=DEBUGGED)
    deadline = time.monotonic() + 60
    while not any(b"Running local" in Path(name).read_bytes() for name in logs_of(bench)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    files = [path for path in bench.telemetry.rglob("*") if path.is_file()]
    held = [file.read_bytes() for file in Path(f"/proc/{run.pid}/fd").iterdir() if "packer-log" in str(file.readlink())]
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()

    assert held and any(b"null.one" in data for data in held)
    assert not any(b"s3cr3t-value" in path.read_bytes() for path in files)
    assert [path.suffix for path in bench.telemetry.iterdir()] == [".log"]


def logs_of(bench: Bench) -> list[str]:
    """The logs that the wrapper keeps, as they grow."""
    return [str(path) for path in bench.telemetry.glob("*.packer.log")]


def test_the_wrappers_records_are_signed(bench: Bench) -> None:
    """With BUILDTEL_KEY the runner's own records are authentic."""
    bench.template(FAST)
    bench.run("build", ".", env={"BUILDTEL_KEY": "k"})
    document = bench.document()

    assert [step["authentic"] for step in document["steps"]] == [True]
    assert not [note for note in document["notes"] if "authentic" in note]


def test_a_flag_of_ours_among_packers_is_told(bench: Bench) -> None:
    """`packer build -q` is refused by Packer; we say where our flag belongs."""
    bench.template(FAST)
    done = bench.run("build", "-q", ".")

    assert done.returncode != 0
    assert b"Write `buildtel-host packer -q build ...`" in done.stderr
