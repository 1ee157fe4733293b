"""The agent as a process: its records, its life, what it leaves, on every Python found."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from buildtel_agent import __version__

from ..waiting import wait_for
from .conftest import AGENT, PROC, PYTHONS, ROOT, SHELLS, records, spools

GOLDEN = Path(__file__).parent / "golden.txt"
VERSION = f"{__version__}\n".encode()


def test_the_oldest_and_the_newest_python_are_tried_in_ci():
    """A green run must not hide that 3.6 or 3.13 was not there."""
    if not os.environ.get("CI"):
        pytest.skip("asked of CI only")
    assert {"3.6", "3.13"} <= set(PYTHONS)


def test_a_whole_run_on_fixtures_is_golden(edge_guest):
    """On the oldest and the newest Python two snapshots give the same output to the byte, but for times and ids."""
    common = ("--sys", str(PROC / "no-sys"), "--run", "c0ffee")
    first = edge_guest.run("start", "packer_build", "--proc", str(PROC / "debian12-start"), *common)
    last = edge_guest.run("end", "packer_build", "--status", "3", "--proc", str(PROC / "debian12-end"), *common)
    output = (first.stdout + last.stdout).decode()
    for pattern, fixed in (
        (r'"(t|m)":\d+', r'"\1":0'),
        (r'"sid":"\w+"', '"sid":"SID"'),
        (r'"step":"\w+', '"step":"SID'),
        (r'"crc":"\w+"', '"crc":"CRC"'),
        (r'"fs":\[\d+,\d+\]', '"fs":[0,0]'),
        (r'"(python|kernel|os|arch)":"[^"]*"', r'"\1":"X"'),
        (r'"(disk_total_kb|cpu_ms|bytes)":\d+', r'"\1":0'),
        (r"T\d\d:\d\d:\d\d[+-]\d\d:\d\d", "TIME"),
        (r"\d{4}-\d\d-\d\dTIME", "TIME"),
        (r"Duration:      [\d.]+s", "Duration:      0s"),
        (r"\(\d+MB/s", "(0MB/s"),
        (r"util=(\d+%|n/a)", "util=0%"),
        (r"queue=[\d.]+", "queue=0"),
        (r"Pressure:      .*", "Pressure:      X"),  # the files are ten seconds apart, the calls are not
    ):
        output = re.sub(pattern, fixed, output)
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(output)

    assert output == GOLDEN.read_text()
    assert not spools(edge_guest)


def test_a_step_is_measured_on_every_python(any_guest):
    """Start and end with counters, series, peak and cost; the block on stdout; the command's own status."""
    done = any_guest.run("run", "--step", "busy", "--", "sh", "-c", "echo hello; sleep 0.6; exit 3")
    found = records(done.stdout)

    assert done.returncode == 3
    assert done.stderr == b""
    assert [record["ev"] for record in found] == ["hello", "start", "end"]
    hello, start, end = found
    assert hello["python"].startswith(any_guest.version + ".")
    assert start["step"] == end["step"] == f"{start['sid']}.1"
    assert (start["name"], end["exit"], end["last"]) == ("busy", 3, True)
    assert 0.6e9 <= end["m"] - start["m"] <= 3e9
    assert end["peak_kb"] >= 1000
    assert len(end["series"]["m_ms"]) >= 3
    assert end["cost"]["cpu_ms"] >= 0
    assert b"[busy] START: " in done.stdout
    assert re.search(rb"END: .*\n\n  Duration:      \d+\.\ds\n", done.stdout)
    assert not spools(any_guest)


def test_install_leaves_a_compiled_copy_that_later_calls_run(guest):
    """The length of the source must not cost at each start."""
    guest.install()
    source = guest.home / "buildtel_agent.py"
    source.write_text(source.read_text().replace('"--version"]:', '"--version"]:\n        print("source")'))

    assert guest.run("--version").stdout == VERSION
    (guest.home / "agent.pyc").write_bytes(b"not for this interpreter")
    assert guest.run("--version").stdout == b"source\n" + VERSION


def test_the_path_of_a_step_imports_nothing_that_costs(guest):
    """Bar A6: it also runs on python3-minimal, which has no json."""
    guest.install()
    done = subprocess.run(
        [PYTHONS[list(PYTHONS)[-1]], "-I", "-S", "-X", "importtime", guest.home / "agent.pyc", "start", "x"],
        capture_output=True, env=guest.env, check=True,
    )  # fmt: skip
    imported = {line.rsplit(b"|", 1)[-1].strip().decode() for line in done.stderr.splitlines()}

    assert not imported & {"json", "re", "argparse", "subprocess", "pathlib", "tempfile", "typing", "enum", "signal"}


@pytest.mark.parametrize("shell", SHELLS.values(), ids=SHELLS)
def test_the_originals_functions_measure_inside_a_script(guest, shell):
    """`telemetry_step_start` and `_end` nest under the wrapped step, in each shell."""
    guest.install()
    script = guest.folder / "step.sh"
    script.write_text(
        "set -eu\n"
        'eval "$(sh "$BUILDTEL" shell-init)"\n'
        "telemetry_step_start 'install docker'\nprintf unfinished\ntelemetry_step_end 'install docker' --status 4\n"
        "cat\n"
    )
    done = guest.run("run", "--", *shell, str(script), shell=" ".join(shell), stdin=None, input=b"stdin is the step's")
    found = [record for record in records(done.stdout) if record["ev"] in ("start", "end")]

    assert done.returncode == 0, done.stderr
    assert b"stdin is the step's" in done.stdout
    outer, inner, inner_end, outer_end = found
    assert inner["parent"] == outer["step"]
    assert (inner["name"], inner_end["step"], inner_end["exit"]) == ("install docker", inner["step"], 4)
    assert outer_end["step"] == outer["step"]


@pytest.mark.parametrize("installed", [False, True])
@pytest.mark.parametrize("command", ["start", "end", "mark"])
def test_a_record_begins_its_line_where_a_script_left_one_unfinished(guest, command, installed):
    """Be it a hello, or the samples that have come since: what a log reader looks for stands at the line's begin."""
    if installed:
        guest.install()
    agent, news = guest.home / "buildtel_agent.py" if installed else guest.agent, "samples" if installed else "hello"
    found: list[str] = []
    while news not in found:
        script = f'printf unfinished; exec sh "{agent}" {command} x'
        done = subprocess.run(["sh", "-c", script], capture_output=True, env=guest.env, stdin=subprocess.DEVNULL)
        found = [record["ev"] for record in records(done.stdout)]
        assert done.stdout.startswith(b"unfinished\n")

    assert found == [news, command]


@pytest.mark.parametrize("shell", SHELLS.values(), ids=SHELLS)
def test_the_functions_are_no_ops_where_there_is_no_agent(guest, shell):
    """A script keeps working when the agent is gone, in the middle or from the start."""
    init = guest.run("shell-init").stdout.decode()
    script = f"set -eu\n{init}\ntelemetry_step_start a\ntelemetry_step_end a\necho done"
    done = subprocess.run([*shell, "-c", script], capture_output=True, env={**guest.env, "BUILDTEL": "/no/agent"})

    assert (done.returncode, done.stdout, done.stderr) == (0, b"done\n", b"")


def test_a_long_step_sends_beats_with_counters(guest, monkeypatch):
    """Every half minute (here: every half second) the log learns what a killed build would have lost."""
    source = guest.agent.read_text().replace("BEAT_S = 30.0", "BEAT_S = 0.5")
    guest.agent.write_text(source)
    beats = [record for record in records(guest.run("run", "--", "sleep", "1.8").stdout) if record["ev"] == "beat"]

    assert len(beats) == 3
    assert all(beat["c"]["cpu"] and beat["peak_kb"] and beat["step"] for beat in beats)
    assert all(beat["wait"][1:] == ["sleep", "sleep", ""] and "busy" not in beat for beat in beats[1:])


def test_a_beat_tells_the_busiest_command_since_the_one_before(guest):
    """Commands that ended and that live, of one name together: first a shell's loops, then another's, then none."""
    source = guest.agent.read_text().replace("BEAT_S = 30.0", "BEAT_S = 2.0")
    guest.agent.write_text(source)
    loop = "i=0; while [ $i -lt %d ]; do i=$((i + 1)); done"
    script = f"dash -c '{loop % 200000}'; exec bash -c 'end=$((SECONDS + 4)); while [ $SECONDS -lt $end ]; do :; done'"
    beats = [record for record in records(guest.run("run", "--", "sh", "-c", script).stdout) if record["ev"] == "beat"]

    name, cpu_s, seconds = beats[-1]["busy"]
    assert name == "bash" and seconds == pytest.approx(2, abs=0.5) and 0.3 * seconds < cpu_s <= 1.1 * seconds
    assert "wait" not in beats[-1]


def test_the_series_stays_within_sixty_points_whatever_the_length(guest):
    """A step of a day has as many points as one of a minute."""
    import buildtel_agent as agent

    class Clockwork(agent.Watch):
        def __init__(self):
            self.series, self.load = agent.Series(0, {}), agent.Load(0)
            self.points, self.peak_kb, self.stride_s = self.series.points, 0, 0.0

    watch = Clockwork()
    now_s = [0.0]
    watch.kernel = type("Still", (), {"counters": staticmethod(lambda: {"mem": [10, 3]})})()
    agent_boottime = agent.boottime_ns
    agent.boottime_ns = lambda: int(now_s[0] * 1e9)
    try:
        while now_s[0] < 86400:
            now_s[0] += watch._sample(now_s[0])
            assert len(watch.points) < 60
    finally:
        agent.boottime_ns = agent_boottime

    times_s = [point[0] / 1000 for point in watch.points]
    assert times_s[-1] > 86400 * 0.9
    assert max(b - a for a, b in itertools.pairwise(times_s)) < 86400 / 14


def test_the_busiest_processes_are_named_with_cpu_time(guest):
    """Names only: the argument, which could be a secret, is nowhere."""
    busy = "while :; do :; done & pid=$!; sleep 3.5; kill $pid # s3cret-argument"
    done = guest.run("run", "--", "sh", "-c", busy)
    end = [record for record in records(done.stdout) if record["ev"] == "end"][-1]

    assert any(name == "sh" and cpu_s > 0 for name, cpu_s, _ in end["procs"]), end["procs"]
    assert b"s3cret" not in done.stdout


def test_forty_disks_still_fit_into_records(guest, tmp_path):
    """More than 3,500 bytes are cut into parts that together hold everything."""
    proc = tmp_path / "proc"
    shutil.copytree(PROC / "debian12-start", proc)
    lines = [f" 8 {n} sd{chr(97 + n // 26)}{chr(97 + n % 26)} " + " ".join(["4000000000"] * 17) for n in range(40)]
    (proc / "diskstats").write_text("\n".join(lines) + "\n")
    parts = [r for r in records(guest.run("start", "x", "--proc", str(proc)).stdout) if r["ev"] == "start"]
    guest.run("end", "x")

    assert len(parts) > 1
    assert [part["part"] for part in parts] == list(range(1, parts[0]["of"] + 1))
    assert len({name for part in parts for name in part.get("c", {}).get("disk", {})}) == 40


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["start", "--nonsense", "x"], ["run"], ["run", "--step", "x"]])
def test_wrong_usage_is_told_and_has_status_2(guest, arguments):
    """A person who tries the agent by hand learns what it takes."""
    done = guest.run(*arguments)

    assert done.returncode == 2
    assert b"usage" in done.stderr
    assert b"Traceback" not in done.stderr


def test_python_as_the_outermost_process_becomes_the_shell(guest):
    """`python3 -I -S buildtel_agent.py run` gives way to sh, so that killing Python can't hurt."""
    command = "echo me $$; cat /proc/$$/comm"
    process = subprocess.Popen([guest.bin / "python3", "-I", "-S", AGENT, "run", "--", "sh", "-c", command],
                               stdout=subprocess.PIPE, env=guest.env)  # fmt: skip
    stdout, _ = process.communicate(timeout=20)

    assert process.returncode == 0
    assert b"me %d\nsh\n" % process.pid in stdout


def test_the_sh_part_passes_shellcheck(tmp_path):
    """The lines above the Python part are POSIX sh."""
    shellcheck = shutil.which("shellcheck", path=f"{Path(os.sys.executable).parent}:{os.environ['PATH']}")
    if not shellcheck:
        pytest.skip("no shellcheck on this machine")
    head = AGENT.read_text().split('\n":"""\n', 1)[0].replace('""":"', "", 1)
    (tmp_path / "head.sh").write_text(head + "\n")
    done = subprocess.run([shellcheck, "-s", "sh", tmp_path / "head.sh"], capture_output=True, text=True)

    assert done.stdout == ""


@pytest.mark.parametrize("shell", SHELLS.values(), ids=SHELLS)
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_wrapper_begun_with_closed_files_runs_the_step(guest, shell, closed):
    """Whatever the caller left open: the step runs, and its status is the wrapper's."""
    ran = guest.folder / "ran"
    command = f"{' '.join(shell)} {guest.agent} run -- sh -c 'echo x >{ran}; exit 4' {closed}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, env=guest.env, stdin=subprocess.DEVNULL)

    assert (done.returncode, ran.exists(), done.stderr) == (4, True, b"")


def test_a_killed_sampler_costs_the_end_only(guest):
    """SIGKILL to the sampler in the middle of a step: the step's result is its own; its end is left to the host."""
    process = subprocess.Popen(["sh", guest.agent, "run", "--", "sh", "-c", "sleep 1; exit 5"], env=guest.env,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    time.sleep(0.5)
    found = subprocess.run(["pgrep", "-f", f"{guest.agent} watch"], capture_output=True, text=True).stdout.split()
    assert found
    for pid in found:
        os.kill(int(pid), signal.SIGKILL)
    stdout, stderr = process.communicate(timeout=20)

    assert (process.returncode, stderr) == (5, b"")
    assert [record["ev"] for record in records(stdout)] == ["hello", "start"]


@pytest.mark.parametrize("further", ["", "touch {folder}/by-sh; "], ids=["Python", "sh"])
def test_a_step_is_begun_once(guest, further):
    """Who comes after a sampler that began the step and was killed begins no second one, by Python or by sh."""
    words = f"/bin/sh -c '. $0' {guest.agent} tell c0ffee; "
    kill = f"pkill -9 -f '^[^ ]*python3 .*{guest.agent} watch'; "
    script = words + kill + further.format(folder=guest.folder) + words + "exit 3"
    done = subprocess.run(["sh", "-c", script], env=guest.env, stdin=subprocess.DEVNULL, capture_output=True)

    assert (done.returncode, done.stderr) == (3, b"")
    assert [record["ev"] for record in records(done.stdout)].count("start") == 1


REAPED_AT_ONCE = """
import ctypes, signal, subprocess, sys
PR_SET_CHILD_SUBREAPER = 36
assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
subprocess.run(sys.argv[1:], preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_DFL))
"""


def test_a_sampler_that_ends_at_once_says_nothing(guest):
    """Where the sampler of a step has gone before the shell looks for it, the step's error output stays empty."""
    (guest.folder / "interpreter").write_text("true\n")
    step = ["sh", "-c", f"/bin/sh -c '. $0' {guest.agent} tell c0ffee; echo step >&2"]
    for _ in range(10):
        done = subprocess.run([sys.executable, "-c", REAPED_AT_ONCE, *step], env=guest.env, capture_output=True)
        assert done.stderr == b"step\n"


def test_a_reader_that_comes_later_keeps_nobody_waiting(guest):
    """A step that is over at once and whose output is full has its end when it is read; other steps have theirs now."""
    guest.install()
    assert wait_for((guest.home / "life" / "pid").exists)
    command = ["sh", guest.home / "buildtel_agent.py", "run", "--", "true"]
    full = subprocess.Popen(command, env=guest.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pipesize=4096)
    assert full.wait(timeout=20) == 0
    other = guest.run("run", "--", "true")
    stdout, _ = full.communicate(timeout=20)

    for output in (other.stdout, stdout):
        (end,) = [record for record in records(output) if record["ev"] == "end"]
        assert end["exit"] == 0


def test_the_version_is_the_one_that_the_package_has():
    """One literal, in the file that travels."""
    import buildtel_agent

    assert f'__version__ = "{buildtel_agent.__version__}"' in (ROOT / "guest" / "buildtel_agent.py").read_text()
