"""`run NAME -- COMMAND`: to whoever calls it, the command itself: output, status, signals, processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ...waiting import wait_for
from .test_runner import HOST, Job

FORWARDED = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2]
# Notes each signal in a file, and ends at a tenth or a second after the first.
WITNESS = """
import os, signal, sys, time
def note(number, frame):
    with open(sys.argv[1], 'a') as file:
        file.write(f'{number}\\n')
for name in sys.argv[2:]:
    signal.signal(int(name), note)
open(sys.argv[1], 'w').close()
while not os.path.getsize(sys.argv[1]):
    time.sleep(0.02)
time.sleep(0.3)
sys.exit(9)
"""


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A job that `init` began."""
    made = Job(tmp_path / "telemetry")
    made.host("init", "build", "1")
    return made


def processes_of(job: Job) -> list[str]:
    """The command lines of all processes that were started in this job: they have its folder in their environment."""
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            if str(job.folder).encode() in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return found


@pytest.fixture
def started(job: Job) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts `buildtel-host run x -- COMMAND` in a process group of its own; what is left is killed."""
    begun: list[subprocess.Popen[bytes]] = []

    def start(*command: str, **options: Any) -> subprocess.Popen[bytes]:
        begun.append(subprocess.Popen(
            [HOST, "run", "x", "--", *command], env=job.environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True, **options,
        ))  # fmt: skip
        return begun[-1]

    yield start
    for process in begun:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=10)


def test_a_commands_output_is_all_that_is_on_stdout(job: Job) -> None:
    """A script may take it into a variable; the block is on stderr."""
    done = job.shell('V=$(buildtel-host run ver -- echo 1.2.3) && printf "<%s>" "$V"')

    assert done.stdout == "<1.2.3>"
    assert "[ver] START: " in done.stderr and "[ver] END: " in done.stderr and "  Exit:          0" in done.stderr


def test_github_groups_are_not_on_stdout_either(job: Job) -> None:
    """GitHub reads its commands from both streams."""
    job.environ |= {"GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "1"}
    done = job.host("run", "ver", "--", "echo", "1.2.3")
    lines = done.stderr.splitlines()

    assert done.stdout == "1.2.3\n"
    assert lines.index("::group::ver") < lines.index("::endgroup::") < next(
        at for at, line in enumerate(lines) if "END: " in line
    )  # fmt: skip


@pytest.mark.parametrize(
    ("command", "status"),
    [(["no-such-command"], 127), (["/no/such/command", "a"], 127), (["/etc/passwd"], 126), (["/"], 126), ([""], 127)],
)
def test_what_can_not_run_is_told_as_the_shell_tells_it(job: Job, command: list[str], status: int) -> None:
    """Its words and its status, and a step that failed."""
    shell = subprocess.run(["sh", "-c", '"$@"', "sh", *command], capture_output=True, text=True, env=job.environ)
    done = job.host("run", "x", "--", *command)
    job.host("finalize", "-q")

    assert (done.returncode, done.stdout) == (shell.returncode, "") == (status, "")
    assert shell.stderr in done.stderr
    assert [step["exit_code"] for step in job.document()["steps"]] == [status]


def test_a_script_without_its_first_line_is_the_shells(job: Job, tmp_path: Path) -> None:
    """As a shell that is asked to run it does."""
    (tmp_path / "script").write_text("echo one; exit 5\n")
    (tmp_path / "script").chmod(0o755)
    done = job.host("run", "x", "--", str(tmp_path / "script"))

    assert (done.returncode, done.stdout) == (5, "one\n")


def test_words_of_the_shell_itself_run_too(job: Job) -> None:
    """`command -v` is no file on a disk."""
    done = job.host("run", "x", "--", "command", "-v", "cd")
    assert (done.returncode, done.stdout) == (0, "cd\n")


@pytest.mark.parametrize("number", FORWARDED, ids=lambda number: number.name)
def test_a_signal_to_its_pid_reaches_the_command_once(job: Job, started: Any, tmp_path: Path, number: int) -> None:
    """The command handles it; its status is what `run` gives, and no process stays."""
    noted = tmp_path / "noted"
    process = started(sys.executable, "-c", WITNESS, str(noted), str(int(number)))
    assert wait_for(noted.exists)
    os.kill(process.pid, number)
    _, stderr = process.communicate(timeout=30)

    assert (process.returncode, noted.read_text()) == (9, f"{int(number)}\n")
    assert b"Exit:          9" in stderr
    assert wait_for(lambda: not processes_of(job)), processes_of(job)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_to_the_whole_group_is_not_doubled(job: Job, started: Any, tmp_path: Path, number: int) -> None:
    """Ctrl-C: the command has it already, and a second one would end some at once."""
    noted = tmp_path / "noted"
    process = started(sys.executable, "-c", WITNESS, str(noted), str(int(number)))
    assert wait_for(noted.exists)
    os.killpg(process.pid, number)
    process.communicate(timeout=30)

    assert (process.returncode, noted.read_text()) == (9, f"{int(number)}\n")
    assert wait_for(lambda: not processes_of(job)), processes_of(job)


@pytest.mark.parametrize("number", FORWARDED, ids=lambda number: number.name)
def test_a_signal_that_ends_the_command_ends_run_and_the_step(job: Job, started: Any, number: int) -> None:
    """Its status is the shell's, the record has the signal, and nothing goes on in the background."""
    process = started("sh", "-c", "echo ready; exec sleep 300")
    assert process.stdout.readline() == b"ready\n"
    os.kill(process.pid, number)
    process.communicate(timeout=30)
    left = not wait_for(lambda: not processes_of(job))
    job.host("finalize", "-q")
    (step,) = job.document()["steps"]

    assert (process.returncode, left) == (128 + number, False)
    assert (step["exit_code"], step["signal"], step["status"]) == (128 + number, number, "failure")


def test_a_signal_that_the_caller_ignores_stays_ignored(job: Job, started: Any) -> None:
    """As under nohup."""

    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    process = started("sh", "-c", "echo ready; sleep 1; exit 4", preexec_fn=ignore)
    assert process.stdout.readline() == b"ready\n"
    os.kill(process.pid, signal.SIGHUP)
    process.communicate(timeout=30)

    assert process.returncode == 4


def test_a_command_has_the_signals_that_a_shell_gives_it(job: Job) -> None:
    """Nothing blocked, nothing ignored that Python ignores for itself (a broken pipe ends `yes` silently)."""
    show = "grep -E '^Sig(Blk|Ign)' /proc/self/status"
    wanted = subprocess.run(["sh", "-c", show], capture_output=True, text=True, restore_signals=True).stdout
    done = job.host("run", "x", "--", "sh", "-c", f"{show}; yes | head -n 1")

    assert done.stdout == f"{wanted}y\n"
    assert "roken pipe" not in done.stderr


def test_files_that_the_caller_opened_are_the_commands(job: Job, tmp_path: Path) -> None:
    """A script's file 3, and none of ours."""
    done = job.shell("buildtel-host run x -- sh -c 'echo three >&3; ls -1 /proc/self/fd' 3>three")

    assert (tmp_path / "three").read_text() == "three\n"
    assert done.stdout.split() == ["0", "1", "2", "3", "4"], "4 is the folder that ls reads"


def test_a_command_that_leaves_something_in_the_background_holds_nothing_up(job: Job) -> None:
    """`run` ends with the command, as the shell would."""
    begun = time.monotonic()
    done = job.host("run", "x", "--", "sh", "-c", "sleep 40 >/dev/null 2>&1 & echo $!")
    os.kill(int(done.stdout), signal.SIGKILL)

    assert (done.returncode, time.monotonic() - begun < 35) == (0, True)


def test_a_reader_of_stderr_that_has_gone_changes_nothing(job: Job) -> None:
    """Output and status are the command's; the step is recorded."""
    done = job.shell("{ buildtel-host run x -- sh -c 'echo out; exit 6'; echo $? >status; } 2>&1 >out | true")
    assert done.returncode == 0
    job.host("finalize", "-q")

    assert [(job.folder.parent / name).read_text() for name in ("out", "status")] == ["out\n", "6\n"]
    assert [step["exit_code"] for step in job.document()["steps"]] == [6]


def test_the_sampler_killed_is_no_failure(job: Job, started: Any) -> None:
    """The command goes on; its step has no end that anybody saw."""
    process = started("sh", "-c", "echo ready; read -r _ </dev/null; sleep 1; exit 3")
    assert process.stdout.readline() == b"ready\n"
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for child in children:
        if (
            b"sleep" not in Path(f"/proc/{child}/cmdline").read_bytes()
            and b"echo ready" not in Path(f"/proc/{child}/cmdline").read_bytes()
        ):
            os.kill(int(child), signal.SIGKILL)
    process.communicate(timeout=30)

    assert process.returncode == 3
    assert wait_for(lambda: not processes_of(job)), processes_of(job)


def test_its_own_load_and_commands_are_in_the_document(job: Job) -> None:
    """Apart from the runner's figures: the time line inside, and what said so."""
    script = "sleep 0.6; sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'; sleep 0.5"
    job.host("run", "two", "--", "sh", "-c", script)
    job.host("finalize")
    document = job.document()
    step = next(step for step in document["steps"] if step["name"] == "two")

    assert step["own_cpu_s"] > 0.02
    assert step["own_memory_peak_mb"] > 0
    assert step["accounts_from"] in ("taskstats", "sampled")
    assert [row["name"] for row in step["inside"] if row["name"] == "sleep"] == ["sleep", "sleep"]
