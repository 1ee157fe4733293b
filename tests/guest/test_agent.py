"""The agent as a process: its records, its life, what it leaves, on every Python found."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from buildtel_agent import __version__

from ..waiting import wait_for
from .conftest import AGENT, PROC, PYTHONS, ROOT, SHELLS, records

GOLDEN = Path(__file__).parent / "golden.txt"
VERSION = f"{__version__}\n".encode()


def spools(guest) -> list[Path]:
    """What the agents of this guest have on a tmpfs just now."""
    import zlib

    owners = (str(guest.home), str(guest.agent))
    stems = [f"buildtel-{zlib.crc32(owner.encode()):08x}-*" for owner in owners]
    return [path for stem in stems for path in Path("/dev/shm").glob(stem)]


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


def test_the_whole_life_is_sampled_between_install_and_finish(edge_guest):
    """Samples reach the log with the next call; finish brings the rest and leaves nothing, whatever the Python."""
    installed = edge_guest.install()
    assert b"installed" in installed.stdout
    assert [record["ev"] for record in records(installed.stdout)] == ["hello"]
    time.sleep(2.3)
    marked = records(edge_guest.run("mark", "here").stdout)
    finished = records(edge_guest.run("finish").stdout)

    assert [record["ev"] for record in marked] == ["samples", "mark"]
    assert len(marked[0]["cols"]["m_ms"]) >= 2
    assert all(len(column) == len(marked[0]["cols"]["m_ms"]) for column in marked[0]["cols"].values())
    # One sample of the last second, and the sampler's last one.
    assert [record["ev"] for record in finished] in (["samples", "bye"], ["samples", "samples", "bye"])
    assert not edge_guest.home.exists()
    assert wait_for(lambda: not spools(edge_guest))


def test_a_second_install_begins_anew(guest):
    """A build that failed before its last provisioner leaves samples that are none of the next build's."""
    guest.install()
    time.sleep(1.3)
    again = records(guest.install().stdout)
    marked = records(guest.run("mark", "x").stdout)

    assert [record["ev"] for record in again] == ["hello"]
    assert all(len(record["cols"]["m_ms"]) <= 1 for record in marked if record["ev"] == "samples")
    assert len(subprocess.run(["pgrep", "-f", f"{guest.home}/agent.pyc life"], capture_output=True).stdout.split()) <= 2


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


def test_a_sampler_of_the_whole_life_begins_again_after_a_reboot(guest):
    """A reboot wipes the tmpfs and kills the sampler: the next call says hello and starts another."""
    guest.install()
    assert wait_for(lambda: any(folder.glob("life-*") for folder in spools(guest)))
    subprocess.run(["pkill", "-9", "-f", f"{guest.home}/agent.pyc life"], check=True)
    for folder in spools(guest):
        shutil.rmtree(folder)
    first = records(guest.run("mark", "after").stdout)
    assert [record["ev"] for record in first] == ["hello", "mark"]
    time.sleep(1.5)

    assert [record["ev"] for record in records(guest.run("mark", "later").stdout)] == ["samples", "mark"]


def test_what_was_sampled_before_a_reboot_comes_after_it(guest):
    """The machine goes down and says so: what is not sent yet outlives it, and the next call brings it, once."""
    guest.run("install", "c0ffee", "--dir", guest.home)
    assert wait_for(lambda: any(folder.glob("life-*") for folder in spools(guest)))
    time.sleep(1.5)
    for number in ("HUP", "TERM"):
        subprocess.run(["pkill", f"-{number}", "-f", f"{guest.home}/agent.pyc life"], check=True)
    assert wait_for(lambda: not running(guest))
    for folder in spools(guest):
        shutil.rmtree(folder)
    first = records(guest.run("mark", "after", "--run", "c0ffee").stdout)
    second = records(guest.run("mark", "later", "--run", "c0ffee").stdout)

    assert [record["ev"] for record in first] == ["hello", "samples", "mark"]
    assert len(first[1]["cols"]["m_ms"]) >= 3
    assert (first[1]["run"], first[1]["sid"] == first[0]["sid"]) == ("c0ffee", False)
    assert first[1]["cols"] not in [record.get("cols") for record in second]
    assert not list(guest.home.glob("rest-*"))


def test_a_finish_leaves_nothing_to_bring(guest):
    """What a sampler kept for after a reboot goes with the rest, brought or not; finish itself makes none."""
    guest.install()
    assert wait_for(lambda: samples(guest))  # on a busy machine it begins late
    (guest.home / "rest-0123456789ab").write_bytes(b"no record\n")
    (guest.home / "rest-x").mkdir()
    done = guest.run("finish")

    assert {record["ev"] for record in records(done.stdout)} == {"samples", "bye"}
    assert [path.name for path in guest.home.iterdir()] == ["rest-x"]  # not ours, and not in the way


def samples(guest) -> bool:
    """Whether the sampler of the whole life has its file locked: from then on it is known to live."""
    import fcntl

    for path in (file for folder in spools(guest) if folder.is_dir() for file in folder.glob("*life-*")):
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return True
    return False


def running(guest) -> bool:
    """Whether the sampler of the whole life lives."""
    return subprocess.run(["pgrep", "-f", f"{guest.home}/agent.pyc life"], capture_output=True).returncode == 0


def test_the_whole_life_sampler_holds_no_file_of_the_provisioner(guest):
    """Packer waits until every holder of the output is gone: install must come back at once."""
    begun = time.monotonic()
    guest.install()

    assert time.monotonic() - begun < 20
    pid = int(subprocess.run(["pgrep", "-f", f"{guest.home}/agent.pyc life"], capture_output=True, check=True).stdout)
    targets = {str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()}
    assert not [target for target in targets if target.startswith(("pipe", "socket", "/dev/pts"))]


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


def test_the_series_stays_within_sixty_points_whatever_the_length(guest):
    """A step of a day has as many points as one of a minute."""
    import buildtel_agent as agent

    class Clockwork(agent.Watch):
        def __init__(self):
            self.series = agent.Series(0, {})
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


LIFE_WITHOUT_FORK = """
import sys
sys.path.insert(0, {folder!r})
import buildtel_agent as agent
def refused():
    raise BlockingIOError(11, "no more processes")
agent.posix.fork = refused
sys.argv = [{home!r} + "/agent.pyc", "life"]
agent.life({{"run": "c0ffee00-1111"}})
"""


def test_a_sampler_that_can_start_no_process_goes_on(guest):
    """A step that goes on has no end record then; one that is over at once has, and the sampler is there for it."""
    guest.install()
    number = guest.home / "life" / "pid"
    assert wait_for(number.exists)
    first = int(number.read_text().split()[0])
    os.kill(first, signal.SIGKILL)
    assert wait_for(lambda: not Path(f"/proc/{first}").exists())
    script = LIFE_WITHOUT_FORK.format(folder=str(guest.folder), home=str(guest.home))
    command = [guest.bin / "python3", "-I", "-S", "-c", script]
    with subprocess.Popen(command, env=guest.env, stdin=subprocess.DEVNULL) as sampler:
        assert wait_for(lambda: number.read_text().startswith(f"{sampler.pid} "))
        long, short = guest.run("run", "--", "sleep", "0.4"), guest.run("run", "--", "true")
        assert sampler.poll() is None
        sampler.terminate()

    assert (long.returncode, steps_events(long.stdout)) == (0, ["start"])
    assert (short.returncode, steps_events(short.stdout)) == (0, ["start", "end"])


def steps_events(output):
    """The kinds of the records of steps in it."""
    return [record["ev"] for record in records(output) if record["ev"] != "samples"]


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
