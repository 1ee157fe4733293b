"""The wrapper beside Packer: files, terminal, signals and status are its own, and each way to read tells the same."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from ..live.screen import Screen
from .watched import BUILDTEL, WATCHED, Bench, bench, builds, script

pytestmark = [pytest.mark.packer, pytest.mark.skipif(not shutil.which("packer"), reason="no packer here")]
ALONE = ("packer",)


@pytest.fixture(name="bench")
def a_bench(tmp_path: Path) -> Bench:
    """A template's folder."""
    made = bench(tmp_path)
    made.environ["TERM"] = "xterm-256color"
    return made


def test_the_steps_of_packer_have_what_they_have_alone(bench: Bench) -> None:
    """Session, group and terminal of a shell-local are the shell's own; as alone."""
    bench.template('inline = ["ps -o sid=,pgid=,tty= -p $$; readlink /proc/$$/fd/0; ulimit -n"]')

    def seen(prefix: tuple[str, ...]) -> list[str]:
        line = f"ps -o sid=,pgid=,tty= -p $$; {shlex.join([*prefix, 'build', '-color=false', '.'])}"
        shown = Screen(["bash", "-c", line], bench.folder, bench.environ, 120)
        assert shown.end() == 0
        text = [re.sub(r"^ *null.one: *", "", line).strip() for line in shown.everything()]
        numbers = [line.split() for line in text if re.fullmatch(r"\d+ +\d+ pts/\d+", line)]
        assert numbers[0] == numbers[1]
        return [line for line in text if line.startswith("/dev/") or line.isdigit()]

    assert seen(WATCHED) == seen(ALONE)


KILLED = {"Packer": signal.SIGKILL, "Packer by TERM": signal.SIGTERM, "Packer by ALRM": signal.SIGALRM}


@pytest.mark.parametrize("number", KILLED.values(), ids=KILLED.keys())
def test_a_killed_packer_is_a_killed_wrapper(bench: Bench, number: int) -> None:
    """The status in a shell is that of Packer alone: 137 after SIGKILL."""
    bench.template('inline = ["sleep 3"]')

    def struck(prefix: tuple[str, ...]) -> int:
        process = bench.start("build", "-color=false", ".", prefix=prefix)
        assert process.stdout is not None
        while b"Running local" not in process.stdout.readline():
            pass
        packer = process.pid if prefix == ALONE else child_of(process.pid)
        os.kill(packer, number)
        process.communicate(timeout=60)
        return process.returncode

    found = struck(WATCHED)
    assert found == struck(ALONE)
    if number == signal.SIGKILL:
        assert found == -signal.SIGKILL


def child_of(pid: int) -> int:
    """The Packer that a wrapper started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return next(int(child) for child in children if Path(f"/proc/{child}/comm").read_text().strip() == "packer")


@pytest.mark.parametrize("delay_s", [0.05, 0.15, 0.3, 0.5, 0.9, 1.4])
def test_a_killed_wrapper_leaves_the_build_alone(bench: Bench, delay_s: float) -> None:
    """SIGKILL of the wrapper at any moment: the build goes on to its own end, its output whole."""
    bench.template('inline = ["sleep 1; seq 1 300; touch over"]')
    process = bench.start("build", "-color=false", ".")
    time.sleep(delay_s)
    try:
        child_of(process.pid)
        began = True
    except StopIteration:
        began = False
    process.kill()
    output, _ = process.communicate(timeout=60)  # the output is open until Packer's end

    assert not began or (b"null.one: 300\n" in output and (bench.folder / "over").exists())
    for log in bench.telemetry.glob("*.packer.log"):
        collected = bench.run("collect", "-q", "-o", "some.json", str(log), prefix=BUILDTEL)
        assert collected.returncode == 0 or b"is not a Packer log" in collected.stderr


def test_ctrl_z_and_fg_under_a_script(bench: Bench) -> None:
    """Typed while a script runs the wrapper: all stops, `fg` goes on, and the build ends."""
    bench.template('inline = ["sleep 3"]')
    (bench.folder / "run.sh").write_text(f"{shlex.join([*WATCHED, 'build', '.'])}\necho status $?\n")
    shown = Screen(["bash", "--norc", "-i"], bench.folder, {**bench.environ, "PS1": "prompt> "})
    shown.look(lambda lines: any("prompt>" in line for line in lines))
    shown.type(b"sh run.sh\n")
    shown.look(lambda lines: any("Running local" in line for line in lines))
    shown.type(b"\x1a")
    stopped = shown.look(lambda lines: any("Stopped" in line for line in lines), 10)
    shown.type(b"fg\n")
    lines = shown.look(lambda lines: "status 0" in lines, 20)
    shown.type(b"exit\n")
    shown.end(10)

    assert any("Stopped" in line for line in stopped)
    assert "status 0" in lines


def test_what_a_shell_local_leaves_behind_holds_nobody(bench: Bench) -> None:
    """The wrapper ends with Packer, and what stays in the background writes to the output as it does without us."""
    bench.template('inline = ["(sleep 2; echo late) >&4 & true"]')
    environ = bench.environ
    line = f"exec 4>&1; {shlex.join([*WATCHED, 'build', '.'])} >/dev/null; echo over"
    done = subprocess.run(["bash", "-c", line], cwd=bench.folder, env=environ, capture_output=True, timeout=60)

    assert done.stdout.startswith(b"over\n")


def form_of(name: str, bench: Bench) -> dict[str, Any]:
    """Environment and words of a form in which Packer is read."""
    real = shutil.which("packer")
    closing = 'for fd in {3..40}; do eval "exec $fd>&-"; done; '
    own = str(bench.folder / "own.log")
    return {
        "beside": {"env": {}, "read_from": "debug log"},
        "timestamps": {"env": {}, "after": ("-timestamp-ui",), "read_from": "debug log"},
        "pipes, timestamps": {"env": {"PACKER_LOG": "0"}, "after": ("-timestamp-ui",), "read_from": "pipes"},
        "pipes, machine-readable": {"env": {"PACKER_LOG": "0"}, "words": ("-machine-readable",), "read_from": "pipes"},
        "machine-readable": {"env": {}, "words": ("-machine-readable",), "read_from": "debug log"},
        "a script": {"script": f'exec {real} "$@"', "read_from": "debug log"},
        "a script that closes files": {"script": f'{closing}exec {real} "$@"', "read_from": "debug log"},
        "as sudo": {"script": f'{closing}exec env -i PATH=/usr/bin {real} "$@"', "read_from": "pipes"},
        "the user's log": {"env": {"PACKER_LOG": "1", "PACKER_LOG_PATH": own}, "read_from": "the user's debug log"},
        "the user's stderr": {"env": {"PACKER_LOG": "1"}, "read_from": "pipes"},
        "switched off": {"env": {"PACKER_LOG": "0"}, "read_from": "pipes"},
    }[name]


FORMS = [
    "beside", "machine-readable", "a script", "a script that closes files", "as sudo", "the user's log",
    "the user's stderr", "switched off", "timestamps", "pipes, timestamps", "pipes, machine-readable",
]  # fmt: skip


NOTING = 'inline = ["date +%s.%N >> clock; {}; date +%s.%N >> clock; {}"]'


@pytest.mark.parametrize("name", FORMS)
def test_each_form_tells_the_same(bench: Bench, name: str) -> None:
    """Names, order and results are equal, instants within 0.1 s of the steps' own clock; the document names the form.

    On a busy machine a step's clock is read late, or ours: three tries.
    """
    bench.template(NOTING.format("sleep 1", "echo a"), NOTING.format("sleep 0.5", "exit 3"), sources="one")
    form = form_of(name, bench)
    environ = script(bench, form["script"]) if "script" in form else form["env"]
    for _ in range(3):
        shutil.rmtree(bench.telemetry, ignore_errors=True)
        (bench.folder / "clock").unlink(missing_ok=True)
        done = bench.run(*form.get("words", ()), "build", "-color=false", *form.get("after", ()), ".", env=environ)
        document = bench.document()
        (build,) = builds(document)
        parts = [part for part in build["account"] if part["name"] != "unattributed"]
        steps = [part for part in parts if part["name"] == "provisioner"]
        found = [instant for part in steps for instant in (part["started_at"], part["ended_at"])]
        clock = [float(line) for line in (bench.folder / "clock").read_text().split()]
        if found == pytest.approx(clock, abs=0.1):
            break

    assert done.returncode == 1
    assert document["packer"]["read_from"] == form["read_from"]
    assert (build["name"], build["result"], document["status"]) == ("null.one", "failure", "failure")
    assert [unit["kind"] for unit in build["provisioners"]] == ["shell-local", "shell-local"]
    assert [part["name"] for part in parts] == ["start", "provisioner", "provisioner", "error_cleanup"]
    assert found == pytest.approx(clock, abs=0.1)
    assert document["packer"]["version"]


def test_the_log_in_memory_stays_small(bench: Bench) -> None:
    """What was read is freed while the build runs: of 16 MB of output hardly any is left."""
    bench.template('inline = ["head -c 16000000 /dev/zero | tr \\"\\\\0\\" x | fold -w 4000"]')
    process = bench.start("build", ".")
    assert process.stdout is not None
    deadline = time.monotonic() + 100
    held = 0
    for _ in iter(lambda: process.stdout.read(1 << 20), b""):
        held = max(held, blocks_of(process.pid))
        assert time.monotonic() < deadline
    process.communicate(timeout=60)

    assert 0 < held < 8 << 20


def blocks_of(pid: int) -> int:
    """The bytes that the debug log of this wrapper holds in memory."""
    try:
        files = list(Path(f"/proc/{pid}/fd").iterdir())
        return sum(file.stat().st_blocks * 512 for file in files if "packer-log" in str(file.readlink()))
    except OSError:
        return 0
