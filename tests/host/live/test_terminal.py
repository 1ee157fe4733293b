"""The wrapper on a terminal: keys, prompts, signals, sizes, and the view, below the output or in a second terminal."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from ..capture.watched import BUILDTEL, Bench, bench, builds, check_account
from .screen import Screen

pytestmark = [pytest.mark.packer, pytest.mark.skipif(not shutil.which("packer"), reason="no packer here")]
PACKER = (*BUILDTEL, "packer")
ON_A_TERMINAL = {"TERM": "xterm-256color", "CI": ""}


@pytest.fixture(name="bench")
def a_bench(tmp_path: Path) -> Bench:
    """A template's folder."""
    made = bench(tmp_path)
    made.environ.update(ON_A_TERMINAL)
    return made


def screen(bench: Bench, *words: str, columns: int = 80, rows: int = 30) -> Screen:
    """The wrapper on a terminal, with the view below Packer's output."""
    return Screen([*PACKER, "--live", "always", *words], bench.folder, bench.environ, columns, rows)


def has(text: str):
    """Whether a screen shows a text."""
    return lambda lines: any(text in line for line in lines)


def test_a_prompt_is_answered_from_the_keyboard(bench: Bench) -> None:
    """`-on-error=ask`: the prompt is there, the view is not in its way, `r` tries again, and the wait has a name."""
    bench.template('inline = ["test -e ok"]')
    shown = screen(bench, "build", "-on-error=ask", ".", columns=160)
    lines = shown.look(has("[r] retry step"))
    time.sleep(1.5)
    (bench.folder / "ok").write_text("")
    assert not has(" null.one  ")(lines[lines.index(next(line for line in lines if "[c] Clean up" in line)) :])
    shown.type(b"r\r")

    assert shown.end() == 1  # Packer 1.6.6 does not forgive the first failure
    (build,) = builds(bench.document())
    assert [part["name"] for part in build["account"] if part["name"] != "unattributed"][:4] == [
        "start", "provisioner", "wait_user", "provisioner",
    ]  # fmt: skip
    asked = [part["duration_s"] for part in build["account"] if part["name"] == "wait_user"]
    assert len(asked) == 1
    assert asked[0] >= 1.4
    check_account(build)


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_reaches_packer_once_each_time(bench: Bench, times: int) -> None:
    """Packer cleans up after the first, stops after the second, and ends as it does alone."""
    bench.template('inline = ["sleep 4"]')

    def interrupted(prefix: tuple[str, ...]) -> tuple[int, bool]:
        shown = Screen([*prefix, "build", "-color=false", "."], bench.folder, bench.environ, 120)
        shown.look(has("Running local"))
        time.sleep(0.5)
        for _ in range(times):
            shown.type(b"\x03")
            time.sleep(0.3)
        return shown.end(), has("Cleanly cancelled builds after being interrupted")(shown.everything())

    # Whether Packer is done with the first when the second comes is chance, without us, too.
    assert any(interrupted((*PACKER, "-q")) == interrupted(("packer",)) for _ in range(3))


def test_ctrl_z_stops_and_continues(bench: Bench) -> None:
    """A shell's job control works: stopped, the terminal is the shell's; continued, the build goes on to its end."""
    bench.template('inline = ["sleep 3"]')
    shown = Screen(["bash", "--norc", "-i"], bench.folder, {**bench.environ, "PS1": "prompt> "})
    shown.look(has("prompt>"))
    shown.type(" ".join(f"'{word}'" for word in (*PACKER, "-q", "build", ".")).encode() + b"\n")
    shown.look(has("==> null.one: Running local"))
    shown.type(b"\x1a")
    lines = shown.look(has("Stopped"), 10)
    assert has("Stopped")(lines)
    shown.type(b"fg\n")
    lines = shown.look(has("Builds finished"), 20)
    assert has("Builds finished")(lines)
    shown.type(b"exit\n")
    shown.end(10)


@pytest.mark.parametrize("prefix", [("packer",), (*PACKER, "-q")], ids=["alone", "with us"])
def test_a_stop_of_the_one_process_stops_packer(bench: Bench, prefix: tuple[str, ...]) -> None:
    """TSTP sent to the process that the shell knows: the job is stopped, Packer with it; `fg` lets both go on."""
    bench.template('inline = ["sleep 1; echo one; sleep 1; touch over; sleep 1"]')
    shown = Screen(["bash", "--norc", "-i"], bench.folder, {**bench.environ, "PS1": "prompt> "})
    shown.look(has("prompt>"))
    shown.type(" ".join(f"'{word}'" for word in (*prefix, "build", "-color=false", ".")).encode() + b"\n")
    shown.look(has("Running local"))
    time.sleep(0.3)
    (job,) = children(shown.pid)
    os.kill(job, signal.SIGTSTP)
    lines = shown.look(has("Stopped"), 10)
    packers = [pid for pid in (job, *children(job)) if Path(f"/proc/{pid}/comm").read_text() == "packer\n"]
    states = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] for pid in (job, packers[0])]
    shown.type(b"fg\n")
    assert has("Stopped")(lines)
    assert states == ["T", "T"]
    assert has("Builds finished")(shown.look(has("Builds finished"), 20))
    shown.type(b"exit\n")
    shown.end(10)


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize("columns", [80, 200])
def test_the_view_stands_below_the_output(bench: Bench, columns: int) -> None:
    """The build, its phase, its time and the host's gauges; the output above it as it was; at the end no trace."""
    bench.template('inline = ["echo one; sleep 5; echo two; sleep 1"]')
    shown = screen(bench, "build", "-color=false", ".", columns=columns)
    lines = shown.look(lambda lines: has("total")(lines) and has("host cpu")(lines) and has("    null.one: one")(lines))
    output = next(at for at, line in enumerate(lines) if line == "    null.one: one")
    view = next(at for at, line in enumerate(lines) if line.startswith(" null.one  shell-local /tmp/"))

    assert view == output + 2
    assert lines[view].endswith(" s")
    assert lines[view + 1].strip().startswith("total")
    assert max(len(line) for line in lines) <= columns
    assert shown.end() == 0
    text = shown.everything()
    assert not has("total ")(text)
    above = text[: next(at for at, line in enumerate(text) if line.startswith("log: "))]
    alone = subprocess.run(
        ["packer", "build", "-color=false", "."], cwd=bench.folder, env=bench.environ, capture_output=True, text=True
    ).stdout.splitlines()
    assert [line.split("/tmp")[0] for line in above if "after" not in line] == [
        line.split("/tmp")[0] for line in alone if "after" not in line
    ]


def test_the_view_knows_how_long_it_usually_takes(bench: Bench) -> None:
    """With an earlier build of the job on this machine, in words."""
    bench.template('inline = ["sleep 4"]')
    bench.run("build", ".")
    shown = screen(bench, "-q", "build", ".")

    assert has(" s last time")(shown.look(has("    4."), 20))
    shown.end()


@pytest.mark.parametrize("way", ["below", "second"])
def test_the_view_tells_what_runs_on_this_machine(bench: Bench, way: str) -> None:
    """A loop of a shell-local, named with its share of one CPU, in both kinds of view."""
    (bench.folder / "looping").symlink_to(shutil.which("sh") or "/bin/sh")
    bench.template('inline = ["timeout 8 ./looping -c \'while :; do :; done\' || true"]')
    process = None
    if way == "below":
        shown = screen(bench, "-q", "build", ".")
    else:
        process = bench.start("build", ".", prefix=(*PACKER, "-q"))
        assert process.stdout is not None
        process.stdout.readline()
        shown = Screen([*BUILDTEL, "live"], bench.folder, bench.environ)
    lines = shown.look(has("runs looping "), 20)
    assert has("runs looping ")(lines), lines
    if process is not None:
        process.communicate(timeout=60)
    assert shown.end() == 0, shown.everything()
    (share,) = (int(line.rpartition("runs looping ")[2].rstrip("%")) for line in lines if "runs looping" in line)
    assert 20 <= share <= 110


@pytest.mark.parametrize(("words", "environ"), [
    (["--live", "never"], {}), ([], {}),
], ids=["never", "by itself"])  # fmt: skip
def test_there_is_no_view_where_nobody_wants_it(bench: Bench, words: list[str], environ: dict[str, str]) -> None:
    """Output on a terminal without a single byte of ours before Packer's end."""
    bench.template('inline = ["sleep 2"]')
    bench.environ.update(environ)
    shown = Screen([*PACKER, *words, "-q", "build", "-color=false", "."], bench.folder, bench.environ)

    assert shown.end() == 0
    assert b"\x1b" not in shown.raw
    assert not has("total")(shown.everything())


def test_a_piped_build_shows_the_view_only_where_it_is_asked_for(bench: Bench) -> None:
    """There is none by itself; `--live always` draws it wherever the output goes."""
    bench.template('inline = ["sleep 2"]')
    prefix = (*PACKER, "-q")
    assert b"total" not in bench.run("build", ".", prefix=prefix).stdout
    assert b"total" in bench.run("build", ".", prefix=(*prefix, "--live", "always")).stdout


def test_a_new_size_reaches_packer_and_the_view(bench: Bench) -> None:
    """Packer's programs see the new size of the terminal; the view fits into it."""
    bench.template('inline = ["sleep 2; stty size </dev/tty; sleep 2"]')
    shown = screen(bench, "-q", "build", "-color=false", ".", columns=120)
    shown.look(has("total"))
    shown.resize(60, 20)
    lines = shown.look(has("20 60"), 20)

    assert has("null.one: 20 60")(lines)
    lines = shown.look(lambda lines: has("20 60")(lines) and has("total")(lines), 5)
    assert max(len(line) for line in lines) <= 60
    assert shown.end() == 0


def test_a_killed_wrapper_leaves_the_terminal_as_packer_does(bench: Bench) -> None:
    """A signal that ends Packer ends the wrapper the same way; the modes are those that Packer leaves when killed."""
    bench.template('inline = ["sleep 20"]')

    def killed(prefix: tuple[str, ...]) -> tuple[int, object]:
        shown = Screen([*prefix, "build", "-color=false", "."], bench.folder, bench.environ)
        shown.look(has("Running local"))
        os.kill(shown.pid, signal.SIGHUP)
        time.sleep(0.5)
        modes = shown.modes()[:4]
        return shown.end(), modes

    assert killed((*PACKER, "-q")) == killed(("packer",))


def test_a_second_terminal_shows_the_view(bench: Bench) -> None:
    """`live` finds the build that runs and shows it until its end, with times since its start."""
    bench.template('inline = ["echo one; sleep 5"]')
    process = bench.start("build", "-color=false", ".", prefix=(*PACKER, "-q"))
    assert process.stdout is not None
    output = b""
    while b"one: one" not in output:
        output += process.stdout.readline()
    once = bench.run("live", prefix=BUILDTEL, env={"NO_COLOR": "1"}).stdout
    second = Screen([*BUILDTEL, "live"], bench.folder, bench.environ)
    lines = second.look(lambda lines: has(" null.one  shell-local /tmp/")(lines) and has("host cpu")(lines))
    process.communicate(timeout=60)

    assert b" null.one  " in once
    assert b"total" in once
    assert has("total")(lines)
    assert second.end() == 0
    assert second.lines() == ["The build has ended."]
    assert process.returncode == 0
    assert b"no running build" in bench.run("live", prefix=BUILDTEL).stderr
