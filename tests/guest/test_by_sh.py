"""The sh part: what a machine without a usable Python still records, in every shell that may be its /bin/sh."""

from __future__ import annotations

import os
import shutil
import subprocess
import zlib
from pathlib import Path

import pytest

import buildtel_agent as agent
from buildtel import parse
from buildtel.measure.record_fields import read_body, read_record

from .conftest import AGENT, PROC, records, without_python

SHELLS = {
    name: [shutil.which(command[0]) or command[0], *command[1:]]
    for name, command in {"dash": ["dash"], "bash": ["bash"], "busybox": ["busybox", "sh"], "mksh": ["mksh"]}.items()
}
MARKER = "by-sh"


class Bare:
    """The agent in a folder of its own, run by one shell, told by its marker that Python is none of its business."""

    def __init__(self, folder: Path, shell: list[str]) -> None:
        self.shell, self.folder = shell, folder
        self.agent = folder / "buildtel_agent.py"
        shutil.copy(AGENT, self.agent)
        (folder / MARKER).touch()
        self.env = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}

    def run(self, *words: str | bytes | Path, **options) -> subprocess.CompletedProcess[bytes]:
        """Runs `SHELL buildtel_agent.py WORDS`."""
        options.setdefault("env", self.env)
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run([*self.shell, self.agent, *words], capture_output=True, timeout=300, **options)

    def places(self) -> list[Path]:
        """What this agent has on a tmpfs."""
        stem = f"buildtel-{zlib.crc32(str(self.folder).encode()):08x}-*"
        return list(Path("/dev/shm").glob(stem))


@pytest.fixture(params=SHELLS.items(), ids=lambda item: item[0])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Bare:
    """One for each shell."""
    name, shell = request.param
    if not os.access(shell[0], os.X_OK):
        pytest.skip(f"no {name} on this machine")
    return Bare(tmp_path, shell)


def counters_of(read: list[dict], event: str) -> dict:
    """`c` of an event, its parts together."""
    found: dict = {}
    for record in read:
        if record["ev"] == event:
            for key, value in record.get("c", {}).items():
                found.setdefault(key, {}).update(value) if isinstance(value, dict) else found.update({key: value})
    return found


def without_fs(counters: dict) -> dict:
    """The sh part has no statvfs."""
    return {key: value for key, value in counters.items() if key != "fs"}


def test_all_four_shells_are_tried_in_ci():
    """A green run must not hide that a shell was not there."""
    if not os.environ.get("CI"):
        pytest.skip("asked of CI only")
    assert all(os.access(shell[0], os.X_OK) for shell in SHELLS.values())


@pytest.mark.parametrize("case", sorted(path.name for path in PROC.iterdir()))
def test_counters_are_those_of_the_python_part(bare, case):
    """The same files give the same numbers, whoever reads them."""
    done = bare.run("start", "x", "--proc", PROC / case, "--sys", PROC / "no-sys")
    bare.run("end", "x")
    python = agent.Kernel(str(PROC / case), str(PROC / "no-sys")).counters()

    assert done.stderr == b""
    assert counters_of(records(done.stdout), "start") == without_fs(python)


def test_a_step_is_begun_and_has_its_status(bare):
    """Hello and start as the Python part writes them; the end is found by the host, in Packer's words."""
    done = bare.run("run", "--step", "a step", "--run", "c0ffee-1", "--", "sh", "-c", "echo out; sleep 0.3; exit 3")
    hello, start = records(done.stdout)

    assert (done.returncode, done.stderr) == (3, b"")
    assert [record["ev"] for record in (hello, start)] == ["hello", "start"]
    assert (hello["python"], hello["by"], hello["agent"]) == (None, "sh", agent.__version__)
    machine = agent.machine(agent.Kernel())
    assert {key: hello[key] for key in ("cpus", "memory_total_kb", "kernel", "os", "hz", "psi")} == {
        key: machine[key] for key in ("cpus", "memory_total_kb", "kernel", "os", "hz", "psi")
    }
    assert (start["name"], start["parent"], start["step"]) == ("a step", None, start["sid"] + ".1")
    assert {record["run"] for record in (hello, start)} == {"c0ffee-1"}
    assert b"\nout\n" in done.stdout


def test_the_host_accepts_every_field(bare):
    """Nothing of these records is refused, and the clocks are those of the machine."""
    output = b"".join(bare.run(*words).stdout for words in (("run", "--", "true"), ("start", "x"), ("end", "x")))
    events = [*parse.read([output])]
    read = [event.fields for event in events if type(event).__name__ == "AgentRecord"]

    assert [fields["ev"] for fields in read if fields["ev"] != "hello"] == ["start", "start", "end"]
    for fields in read:
        record = read_record(fields)
        assert read_body(record.ev, record.body)[1] == []
        assert abs(record.m_ns - agent.boottime_ns()) < 60e9
        assert abs(record.t_ns / 1e9 - __import__("time").time()) < 60


def test_no_other_command_is_run_to_record(bare):
    """With no PATH at all the start is told; only the block's time of day is not."""
    (bare.folder / MARKER).write_text("")
    done = bare.run("run", "--", shutil.which("true"), env={"PATH": "/nonexistent"})
    found = records(done.stdout)

    assert (done.returncode, done.stderr) == (0, b"")
    assert [record["ev"] for record in found] == ["hello", "start"]
    assert b"START: n/a" in done.stdout or "busybox" in bare.shell[0]  # whose date is its own


NAMES = {
    "quotes": 'a "quoted" \\ name',
    "letters of all lengths": "é € 😀 x",
    "blanks around": "  x  ",
    "control characters": "a\tb\x1b[31mc",
    "patterns": "*[a-z]?${x}`x`$(x)",
    "long": "x" * 300,
    "long and wide": "😀" * 200,
    "dashes": "-n %s \\n",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_names_are_cleaned_as_the_python_part_does(bare, name):
    """Whatever a user's name holds: one JSON string, at most 120 characters, nothing run or expanded."""
    done = bare.run("run", "--step", name, "--", "true")

    assert [record["name"] for record in records(done.stdout) if record["ev"] != "hello"] == [agent.clean_name(name)]


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"a\xc3", b"\xe2\x82x", b"\xc3\xa9\xa9", b"\xf0\x9f\x98"])
def test_bytes_that_are_no_text_do_no_harm(bare, raw):
    """They become U+FFFD, and the CRC holds."""
    done = bare.run(b"run", b"--step", raw, b"--", b"true")
    named = [record["name"] for record in records(done.stdout) if record["ev"] == "start"]

    assert len(named) == 1
    assert "\ufffd" in named[0]


WORDS = {
    "Packer's own": ("BUILDTEL_STEP='install docker' A='b'", "install docker"),
    "a quote": ("BUILDTEL_STEP='it'\"'\"'s here' A='b'", "it's here"),
    "no quotes": ("BUILDTEL_STEP=plain;", "plain"),
    "double quotes": ('BUILDTEL_STEP="two words" A=b', "two words"),
    "behind a newline": ("A='x\ny' BUILDTEL_STEP='late'", "late"),
}


@pytest.mark.parametrize(("words", "name"), WORDS.values(), ids=WORDS)
def test_a_step_behind_the_piece_is_named_by_its_command_line(bare, words, name):
    """As its shell takes the name, and the start is there."""
    piece = f"/bin/sh -c '{{ test -r $0 && . $0; }} 2>/dev/null' {bare.agent} tell c0ffee; "
    done = subprocess.run([*bare.shell, "-c", f"{piece}{words} true"], capture_output=True, env=bare.env)
    start = records(done.stdout)[-1]

    assert (done.returncode, done.stderr, start["ev"], start["name"]) == (0, b"", "start", name)


def test_start_and_end_find_each_other_by_name(bare):
    """Nested steps of one script: an end belongs to the last start of its name, and nothing stays behind."""
    started = [records(bare.run("start", name).stdout)[-1] for name in ("a", "b", "a")]
    ended = [
        records(bare.run("end", name, "--status", status).stdout)[-1] for name, status in (("a", "0"), ("b", "137"))
    ]
    last = records(bare.run("end", "a").stdout)[-1]
    lost = records(bare.run("end", "never begun").stdout)[-1]

    assert [ended[0]["step"], ended[1]["step"]] == [started[2]["step"], started[1]["step"]]
    assert (ended[1]["exit"], ended[1]["signal"]) == (137, 9)
    assert (last["step"], last["exit"]) == (started[0]["step"], None)
    assert lost["step"] is None
    assert bare.places() == []


def test_a_step_begun_by_sh_is_ended_by_python(bare):
    """Python may come with a step of the build: the end still finds its start."""
    started = records(bare.run("start", "x").stdout)[-1]
    (bare.folder / MARKER).unlink()
    for path in bare.places():
        stem = f"buildtel-{zlib.crc32(str(bare.agent).encode()):08x}-{os.getuid()}"
        path.rename(path.with_name(stem))
    ended = records(bare.run("end", "x").stdout)[-1]

    assert "cost" in ended
    assert ended["step"] == started["step"]


def test_install_and_finish_leave_nothing(bare):
    """Hello is said once and again after a reboot; finish says bye and takes everything."""
    (bare.folder / MARKER).unlink()
    home = bare.folder / "home"
    (bare.folder / "bin").mkdir()
    env = {"PATH": f"{bare.folder}/bin:/usr/bin:/bin"}
    without_python(bare.agent)
    installed = bare.run("install", "c0ffee", "--dir", home, env=env)
    bare.agent = home / "buildtel_agent.py"
    first, again = (bare.run("run", "--", "true", env=env) for _ in range(2))
    (home / MARKER).write_text("another-boot\n")
    rebooted = bare.run("mark", "x", env=env)
    bare.run("start", "left open", env=env)
    finished = bare.run("finish", env=env)

    assert [record["ev"] for record in records(installed.stdout)] == ["hello"]
    assert records(installed.stdout)[0]["run"] == "c0ffee"
    assert b"no usable Python" in installed.stdout
    assert [record["ev"] for record in records(first.stdout)] == ["start"]
    assert [record["ev"] for record in records(again.stdout)] == ["start"]
    assert [record["ev"] for record in records(rebooted.stdout)] == ["hello", "mark"]
    assert [record["ev"] for record in records(finished.stdout)] == ["bye"]
    assert not home.exists()
    stem = f"buildtel-{zlib.crc32(str(home).encode()):08x}-*"
    assert [path for root in agent.SPOOL_ROOTS for path in Path(root).glob(stem)] == []


def test_an_install_that_finds_python_ends_the_reign_of_sh(guest):
    """An earlier build's marker, or one of before Python came, does not outlive a new install."""
    guest.home.mkdir()
    (guest.home / MARKER).write_text("a boot\n")
    guest.install()
    step = records(guest.run("run", "--", "true").stdout)

    assert not (guest.home / MARKER).exists()
    assert "cost" in next(record for record in step if record["ev"] == "end")


def test_finish_never_follows_a_link_out_of_its_place(bare):
    """Another user's link under our folder's name: what it leads to stays as it is."""
    victim = bare.folder / "victim"
    victim.mkdir()
    (victim / "precious").touch()
    stem = f"buildtel-{zlib.crc32(str(bare.folder).encode()):08x}-"
    link = Path(f"/dev/shm/{stem}4242")
    link.symlink_to(victim)
    try:
        bare.run("finish")
        assert (victim / "precious").exists()
    finally:
        link.unlink(missing_ok=True)


def test_forty_disks_make_parts_that_fit(bare):
    """Each record stays under its limit, and together they hold every disk."""
    proc = bare.folder / "proc"
    shutil.copytree(PROC / "debian12-start", proc)
    lines = [
        f" 8 {n} sd{chr(97 + n // 26)}{chr(97 + n % 26)} " + " ".join(["999999999999999999"] * 17) for n in range(40)
    ]
    (proc / "diskstats").write_text("\n".join(lines) + "\n")
    parts = [
        record for record in records(bare.run("start", "😀" * 120, "--proc", proc).stdout) if record["ev"] == "start"
    ]
    bare.run("end", "😀" * 120)

    assert len(parts) > 1
    assert [record["part"] for record in parts] == list(range(1, len(parts) + 1))
    assert {(record["of"], record["t"], record["m"], record["step"]) for record in parts} == {
        (len(parts), parts[0]["t"], parts[0]["m"], parts[0]["step"])
    }
    assert len(counters_of(parts, "start")["disk"]) == 40
    assert [record.get("last") for record in parts] == [None] * (len(parts) - 1) + [True]


@pytest.mark.parametrize("seconds", ["86400.00", "3000000.05", "0.01"])
def test_the_time_since_boot_needs_no_long_numbers(bare, seconds):
    """A step of a day, and a machine up for a month: nanoseconds as text, also where a shell has 32 bits."""
    proc = bare.folder / "proc"
    shutil.copytree(PROC / "debian12-start", proc)
    (proc / "uptime").write_text(f"{seconds} 1.00\n")
    with (proc / "stat").open("a") as stat:
        stat.write("btime 1769257200\n")
    record = records(bare.run("mark", "x", "--proc", proc).stdout)[-1]

    assert record["m"] == round(float(seconds) * 1e9)
    assert record["t"] == 1769257200 * 10**9 + record["m"]


def test_a_machine_without_proc_runs_the_step_unmeasured(bare):
    """No clock, no records; the step and its status are what they are."""
    done = bare.run(
        "run", "--proc", "/nonexistent", "--", "sh", "-c", "echo out; exit 4", env={"PATH": "/usr/bin:/bin"}
    )

    assert done.returncode == 4
    assert done.stderr == b""
    assert b"out\n" in done.stdout
    records(done.stdout)


@pytest.mark.parametrize("words", [[], ["nonsense"], ["start", "--nonsense", "x"], ["run"]])
def test_wrong_usage_is_told_here_too(bare, words):
    """The Python part's own usage, and status 2."""
    done = bare.run(*words)

    assert done.returncode == 2
    assert b"usage" in done.stderr


def test_what_it_prints_for_scripts_is_the_python_parts(bare):
    """Version and shell functions."""
    assert bare.run("--version").stdout == f"{agent.__version__}\n".encode()
    assert bare.run("shell-init").stdout.decode() == agent.SHELL_INIT % str(bare.agent)


@pytest.mark.parametrize("status", [1, 126, 127, 132, 139])
def test_a_python_that_is_too_old_or_broken_is_none(tmp_path, status):
    """It says nothing, and the sh part takes over: for a wrapped step as for a start within one."""
    shutil.copy(AGENT, tmp_path / "buildtel_agent.py")
    broken = tmp_path / "python3"
    broken.write_text(f"#!/bin/sh\nexit {status}\n")
    broken.chmod(0o755)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    run = subprocess.run(["sh", tmp_path / "buildtel_agent.py", "run", "--", "true"], env=env, capture_output=True)
    start = subprocess.run(["sh", tmp_path / "buildtel_agent.py", "start", "x"], env=env, capture_output=True)
    end = subprocess.run(["sh", tmp_path / "buildtel_agent.py", "end", "x"], env=env, capture_output=True)

    assert [record["ev"] for record in records(run.stdout)] == ["hello", "start"]
    assert [record["ev"] for record in records(start.stdout)] == ["hello", "start"]
    assert records(end.stdout)[-1]["step"] == records(start.stdout)[-1]["step"]
    assert (run.returncode, start.returncode, end.returncode) == (0, 0, 0)


@pytest.mark.parametrize("command", ["start", "mark"])
def test_a_record_begins_its_line_where_a_script_left_one_unfinished(bare, command):
    """A hello, too, which comes after a reboot."""
    script = 'printf unfinished; "$@"'
    words = ["sh", "-c", script, "sh", *bare.shell, str(bare.agent), command, "x"]
    done = subprocess.run(words, capture_output=True, env=bare.env, stdin=subprocess.DEVNULL)
    bare.run("end", "x")

    assert done.stdout.startswith(b"unfinished\n")
    assert [record["ev"] for record in records(done.stdout)] == ["hello", command]


@pytest.mark.parametrize("has_block", [True, False], ids=["default", "no block"])
def test_the_block_is_left_out_where_install_was_told(bare, has_block):
    """Start and end by sh have their records, each on a line of its own, with or without the block around them."""
    if not has_block:
        (bare.folder / "buildtel_quiet").write_text("block records\n")
    begun, ended = bare.run("start", "mine"), bare.run("end", "mine", "0")
    by_run = bare.run("run", "--step", "x", "--", "echo", "out")
    read = records(begun.stdout) + records(ended.stdout) + records(by_run.stdout)

    assert [record["ev"] for record in read if record["ev"] != "hello"] == ["start", "end", "start"]
    assert ["═".encode() in done.stdout for done in (begun, ended, by_run)] == [has_block] * 3
    assert b"out\n" in by_run.stdout
    assert begun.stdout.startswith(b"\n")


def test_install_by_sh_keeps_what_it_was_told(bare, tmp_path):
    """What `install` is told is beside the agent that it leaves, and goes with it; hello promises no spool."""
    home = tmp_path / "there"
    said = bare.run("install", "c0ffee", "--dir", home, "--block", "false", "--records", "spool")
    kept = (home / "buildtel_quiet").read_text().split()
    subprocess.run([*bare.shell, home / "buildtel_agent.py", "finish"], capture_output=True, env=bare.env, check=True)

    assert kept == ["block", "records"]
    assert "records" not in records(said.stdout)[0]
    assert not home.exists()
