"""Accounts of commands: who used the time of a step, by name, by order, and apart from the rest of the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

import buildtel_agent as agent

from ..waiting import wait_for
from .conftest import records, spools
from .loads import COMPILE, PACKAGES, THREADS, busy_children, count_short, end_of, measured_by_us

pytestmark = pytest.mark.calm  # sums of CPU time: a full machine makes them rough
try:
    agent.Tasks().close()
    HEARS = True
except OSError:
    HEARS = False
exact = pytest.mark.skipif(not HEARS, reason="needs root and a kernel that tells of tasks")
alone = pytest.mark.vm  # all of the machine's tasks count, or its CPUs
as_root = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root, to become others")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A short command that nobody else on this machine has."""
    return Path(shutil.copy("/bin/true", tmp_path / f"t{os.getpid()}"))


@exact
def test_the_time_line_of_a_script_is_told_within_50_ms(guest):
    """Its direct children in order: start, length, exit status; short neighbours as one row."""
    guest.install()
    script = "sleep 0.4; sh -c 'sleep 0.3; exit 3'; for n in 1 2 3 4 5 6 7 8; do /bin/true; done; sleep 0.6"
    line = end_of(guest.run("run", "--", "sh", "-c", script))["inside"]

    assert [(row[0], row[1], row[5]) for row in line] == [
        ("sleep", 1, 0),
        ("sh", 1, 3),
        ("true", 8, 0),
        ("sleep", 1, 0),
    ]
    assert [row[3] for row in line if row[1] == 1] == pytest.approx([0.4, 0.3, 0.6], abs=0.05)
    starts = [row[2] for row in line]
    assert [starts[1] - starts[0], starts[2] - starts[1]] == pytest.approx([0.4, 0.3], abs=0.05)


@exact
def test_the_time_line_is_of_the_script_that_ran_everything(guest, tmp_path):
    """A login shell, sudo and the like run one script: what that ran is shown."""
    guest.install()
    script = tmp_path / "script_1234.sh"
    script.write_text("#!/bin/sh\nsleep 0.3\nsleep 0.2\n")
    script.chmod(0o755)
    line = end_of(guest.run("run", "--", "sh", "-c", f"/bin/true; env sh -c '{script}; true'; /bin/true"))["inside"]

    assert [row[:2] for row in line] == [["sleep", 1], ["sleep", 1]]
    assert line[1][2] - line[0][2] == pytest.approx(0.3, abs=0.05)


@alone
@exact
@pytest.mark.parametrize("count", [20000])
def test_twenty_thousand_short_commands_are_all_there(guest, count):
    """The step goes from the whole-life sampler to a sampler of its own meanwhile: none is lost, none counts twice."""
    guest.install()
    found = end_of(guest.run("run", "--", "sh", "-c", count_short(count)))
    rows = {row[0]: row for row in found["cmds"]["own"]}

    assert (rows["true"][1], found["cmds"]["lost"], found["cmds"]["from"]) == (count, 0, "taskstats")
    assert [row[:2] for row in found["inside"]] == [["true", count]]
    assert found["cost"]["cpu_ms"] < 1000 * 0.02 * count / 1000  # 2 % of a core at a thousand a second


@alone
@exact
def test_what_is_lost_is_counted(monkeypatch):
    """A listener that could not listen for a while: what it has and what it says that it lost are all."""
    monkeypatch.setattr(agent, "BUFFERS_BYTES", 1 << 16)
    tasks, before = agent.Tasks(), begun()
    child = subprocess.Popen(["sh", "-c", count_short(3000)])
    assert child.wait() == 0
    had = tasks.take()
    had += tasks.settle()
    tasks.close()
    all_begun = begun() - before

    assert tasks.lost > 1000
    assert sum(task.parent == child.pid for task in had) + tasks.lost >= 3000
    # All of the machine are heard of or lost; a few more end than begin, or less.
    assert len(had) + tasks.lost == pytest.approx(all_begun, abs=30 + all_begun / 50)


def begun() -> int:
    """How many tasks this machine has begun since its boot."""
    line = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("processes "))
    return int(line.split()[1])


@alone
@exact
@pytest.mark.parametrize("load", [COMPILE, PACKAGES, THREADS], ids=["compiling", "unpacking", "threads"])
def test_the_seconds_of_all_commands_are_those_of_the_tree(guest, tmp_path, load):
    """Within 2 % of what the kernel tells the step's parent."""
    guest.install()
    output, real_s = measured_by_us(guest, load, tmp_path)
    found = end_of(output)

    assert found["own"]["cpu_ms"] / 1000 == pytest.approx(real_s, rel=0.02, abs=0.03)
    assert sum(row[2] for row in found["cmds"]["own"]) == pytest.approx(real_s, rel=0.02, abs=0.03)


@as_root
@pytest.mark.parametrize("load", [COMPILE, PACKAGES, THREADS], ids=["compiling", "unpacking", "threads"])
def test_without_rights_the_tree_is_sampled_and_said_to_be(open_guest, load):
    """Within 15 %, by looks at the tree and what it waited for."""
    guest, folder = open_guest
    output, real_s = measured_by_us(guest, load, folder)
    found = end_of(output)

    assert found["cmds"]["from"] == "sampled"
    assert {"others", "lost"}.isdisjoint(found["cmds"])
    assert found["own"]["cpu_ms"] / 1000 == pytest.approx(real_s, rel=0.15, abs=0.05)
    assert "(sampled)" in output.stdout.decode()


@as_root
def test_a_sampled_time_line_has_what_was_seen(open_guest):
    """Starts are exact, lengths within a look or two, exit statuses not known."""
    guest, _ = open_guest
    found = end_of(guest.run("run", "--", "sh", "-c", "sleep 1.2; sleep 0.8"))
    line = found["inside"]

    assert [(row[0], row[5]) for row in line] == [("sleep", None), ("sleep", None)]
    assert [row[3] for row in line] == pytest.approx([1.2, 0.8], abs=0.15)


@pytest.mark.parametrize("rights", [pytest.param("root", marks=exact), pytest.param("a user", marks=as_root)])
def test_a_loop_beside_a_sleeping_step_is_not_its_own(guest, request, rights):
    """The machine is busy, the step is not."""
    if rights == "root":
        guest.install()
    else:
        guest, _ = request.getfixturevalue("open_guest")
    beside = ["setpriv", "--reuid=1", "--regid=1", "--clear-groups"] if os.geteuid() == 0 else []
    loop = subprocess.Popen([*beside, "sh", "-c", "while :; do :; done"])
    try:
        output = guest.run("run", "--", "sh", "-c", "sleep 2.5; /bin/true")
    finally:
        loop.kill()
        loop.wait()
    found = end_of(output)

    assert found["own"]["cpu_ms"] / 1000 / 2.5 < 0.02
    assert all(row[2] < 0.05 for row in found["cmds"]["own"])


def test_alone_the_step_is_most_of_the_machine(guest):
    """Own figures and the machine's are of one kind: CPU within what else runs here, memory beside memory."""
    guest.install()
    script = "block = b'x' * (100 << 20); n = 0\nwhile n < 40000000: n += 1"
    found = end_of(guest.run("run", "--", "python3", "-c", script))
    seconds = sum(series[-1] - series[0] for series in [[0, *found["series"]["m_ms"][1:]]]) / 1000

    assert found["own"]["cpu_ms"] > 500
    assert 100 * 1024 < found["own"]["peak_kb"] < 130 * 1024
    assert seconds >= 0


@exact
def test_commands_outside_of_any_step_come_with_the_samples(guest, mine):
    """What ran in a provisioner that nobody wired: by intervals, until the next call of the agent."""
    guest.install()
    assert wait_for(lambda: any(folder.glob("life-*") for folder in spools(guest)))
    time.sleep(0.3)
    subprocess.run(["sh", "-c", count_short(200, mine)], check=True)
    time.sleep(1.2)
    intervals = [one for record in records(guest.run("mark", "x").stdout) for one in record.get("cmds", ())]
    commands = [row for one in intervals for row in one[3:]]

    assert sum(row[1] for row in commands if row[0] == mine.name) == 200
    assert all(one[0] < one[1] and one[2] == 0 for one in intervals)


@exact
def test_commands_of_the_last_moments_come_with_the_goodbye(guest, mine):
    """What ended since the last sample, as the machine's last provisioner begins."""
    guest.install()
    assert wait_for((guest.home / "life" / "pid").exists)
    subprocess.run(["sh", "-c", count_short(200, mine)], check=True)
    told = [row for record in records(guest.run("finish").stdout) for one in record.get("cmds", ()) for row in one[3:]]

    assert sum(row[1] for row in told if row[0] == mine.name) == 200


@exact
def test_commands_of_a_step_are_not_told_again_with_the_samples(guest, mine):
    """Its own records have them."""
    guest.install()
    assert wait_for((guest.home / "life" / "pid").exists)
    step = guest.run("run", "--", "sh", "-c", f"sleep 1.2; {count_short(500, mine)}; sleep 1.5")
    rest = guest.run("finish")
    told = [row for output in (step, rest) for record in records(output.stdout) for one in record.get("cmds", ())
            if record["ev"] == "samples" for row in one[3:]]  # fmt: skip

    assert {row[0]: row[1] for row in end_of(step)["cmds"]["own"]}[mine.name] == 500
    assert sum(row[1] for row in told if row[0] == mine.name) == 0


@exact
def test_names_of_any_kind_fit_into_the_records(guest, tmp_path):
    """Hundreds of commands whose names are nothing but bytes that must be escaped."""
    guest.install()
    folder = os.fsencode(tmp_path) + b"/odd"
    Path(os.fsdecode(folder)).mkdir()
    for number in range(1, 121):
        path = folder + b"/" + bytes([0xC3, 0xA9, 0x22, 0x5C]) * 3 + b"%03d" % number
        shutil.copy("/bin/true", path)
    script = f'for one in {tmp_path}/odd/*; do "$one"; sleep 0.11; done'
    output = guest.run("run", "--", "sh", "-c", script)
    found = end_of(output)

    assert found["inside"][-1][0] == ""
    assert sum(row[1] for row in found["inside"]) == 240
    assert sum(row[1] for row in found["cmds"]["own"]) == 241


@exact
def test_what_runs_on_behind_a_step_is_its_own(guest):
    """A child in the background that outlives the script's shell: what it used until then."""
    guest.install()
    busy = "while :; do :; done >/dev/null 2>&1 & loop=$!"
    found = end_of(guest.run("run", "--", "sh", "-c", f"{busy}; sleep 1.5; (sleep 1; kill $loop) >/dev/null 2>&1 &"))

    assert 500 < found["own"]["cpu_ms"] < 1700  # others want the CPUs, too


def test_threads_of_old_kernels_are_tasks_of_their_own():
    """Before Linux 5.18 no message tells whose a thread was; its time counts all the same."""
    head = (0, 0, 0, 0, 5, 7_000_000, b"worker\0\0", 12, 1, 2_000_000, 3, 4, 100, 4096, 8192, 0)
    task = agent.Threads().add(head, 50.0, True)

    assert (task.pid, task.name, task.length_s, task.run_ns, task.written) == (12, b"worker", 2.0, 7_000_000, 8192)


GROUP = (11, 3_000_000)
THREAD = (0, 0, 0, 0, 5, 1_000_000, b"worker\0", 12, 1, 2_000_000, 0, 0, 100, 1, 0, 0, *GROUP)
MAIN = (0, 0, 7 << 8, 0, 5, 2_000_000, b"java\0", 11, 1, 3_000_000, 0, 0, 300, 2, 0, 0, *GROUP)


def last(fields: tuple) -> tuple:
    """The same as the last of its group."""
    return (*fields[:3], agent.AGROUP, *fields[4:])


@pytest.mark.parametrize(
    "order", [(THREAD, last(MAIN)), (MAIN, last(THREAD)), (last(MAIN), THREAD), (last(THREAD), MAIN)]
)
def test_threads_are_joined_to_their_process(order):
    """One process, with the main thread's name and status, in whatever order the CPUs' messages come."""
    threads = agent.Threads()
    assert [threads.add(fields, 10.0, True) for fields in order] == [None, None]
    (task,) = threads.over()

    assert (task.pid, task.name, task.run_ns, task.delay_ns, task.read) == (11, b"java", 3_000_000, 10, 3)
    assert (task.code, threads.over()) == (7 << 8, [])


def test_the_status_of_a_main_thread_that_left_first_tells_nothing():
    """Others went on, as the kernel's lengths tell; when the messages were read does not matter."""
    left = (*MAIN[:9], 2_000_000, *MAIN[10:16], 11, 2_000_000)
    for main, code in ((left, None), (MAIN, 7 << 8)):
        for times in ((10.0, 10.95, 11.0), (10.0, 10.0, 10.0)):
            threads = agent.Threads()
            for fields, at_s in zip((main, THREAD, last(THREAD)), times, strict=True):
                threads.add(fields, at_s, True)
            (task,) = threads.over()

            assert (task.name, task.code, task.length_s) == (b"java", code, 3.0)


def test_a_number_that_was_another_processs_is_not_joined():
    """Numbers come again: the last message of the one before was lost."""
    threads = agent.Threads()
    threads.add(MAIN, 10.0, True)
    assert threads.over() == []
    threads.add(last(THREAD), 50.0, True)

    assert [(task.name, task.run_ns) for task in threads.over()] == [(b"worker", 1_000_000)]


def test_what_was_filed_under_a_number_is_not_its_next_owners():
    """Its last child was heard of after itself."""
    account = agent.Account(1)
    old, late, new = (agent.Task(pid, parent, name, 0.5, at_s) for pid, parent, name, at_s in (
        (7, 3, b"old", 10.0), (8, 7, b"late", 10.0), (7, 1, b"new", 50.0)))  # fmt: skip
    for task in (old, late, new):
        account.add([task])
    own, others = account.divided()

    assert (set(own.used), set(others.used)) == ({"new"}, {"old", "late"})


@exact
def test_nothing_is_heard_where_it_can_not_be(monkeypatch):
    """No root, no taskstats, a form that we do not know: None, and no file left open."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    monkeypatch.setattr(agent, "TASK_FORMAT", agent.TASK_FORMAT.replace("48x", "8x", 1).replace("40xQ32s", "48xQ32s"))
    assert agent.Tasks.opened() is None
    monkeypatch.setattr(agent.posix, "getuid", lambda: 1000)

    assert agent.Tasks.opened() is None
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_busiest_commands_are_by_cpu_and_two_by_io():
    """The rest is one row without a name."""
    commands = busy_children(30)
    rows = commands.busiest(10)

    assert [row[0] for row in rows] == [f"c{n:02}" for n in range(30, 22, -1)] + ["c02", "c01", ""]
    assert sum(row[1] for row in rows) == 30
    assert rows[-1][1] == 20


def test_children_come_before_their_parents():
    """Messages of several CPUs come in no order: a parent's may come first."""
    tasks = [
        agent.Task(pid, parent, b"x", 1.0, 1.0) for pid, parent in ((9, 1), (5, 1), (6, 5), (8, 7), (7, 5), (4, 1))
    ]

    assert [task.pid for task in agent.children_first(tasks)] == [9, 6, 8, 7, 5, 4]
