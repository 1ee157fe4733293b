"""The sampler of the machine's whole life: what it keeps, when it ends, what `finish` removes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from ..waiting import wait_for
from .conftest import records, spools, steps_events, without_python


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


@pytest.mark.parametrize("content", ["", "exit 9; ) (("], ids=["nothing", "garbage"])
def test_a_sampler_ends_where_its_agent_is_overwritten(guest, content):
    """Nobody could end it any more: it ends by itself."""
    guest.install()
    assert wait_for((guest.home / "life" / "pid").exists)
    pid = int((guest.home / "life" / "pid").read_text().split()[0])
    (guest.home / "agent.pyc").write_text(content)

    assert wait_for(lambda: not Path(f"/proc/{pid}").exists())
    shutil.rmtree(guest.home)


def test_what_was_sampled_before_a_reboot_comes_after_it(guest):
    """The machine goes down and says so: what is not sent yet outlives it, and the next call brings it, once."""
    guest.run("install", "c0ffee", "--dir", guest.home)
    assert wait_for(lambda: any(folder.glob("life-*") for folder in spools(guest)))
    time.sleep(1.5)
    shut_down(guest)
    first = records(guest.run("mark", "after", "--run", "c0ffee").stdout)
    second = records(guest.run("mark", "later", "--run", "c0ffee").stdout)

    assert [record["ev"] for record in first] == ["hello", "samples", "mark"]
    assert len(first[1]["cols"]["m_ms"]) >= 3
    assert (first[1]["run"], first[1]["sid"] == first[0]["sid"]) == ("c0ffee", False)
    assert first[1]["cols"] not in [record.get("cols") for record in second]
    assert not list(guest.home.glob("buildtel_rest-*"))


def test_a_finish_leaves_nothing_to_bring(guest):
    """What a sampler kept for after a reboot goes with the rest, brought or not; finish itself makes none."""
    guest.install()
    assert wait_for(lambda: samples(guest))  # on a busy machine it begins late
    (guest.home / "buildtel_rest-0123456789ab").write_bytes(b"no record\n")
    (guest.home / "buildtel_rest-x").mkdir()
    done = guest.run("finish")

    assert {record["ev"] for record in records(done.stdout)} == {"samples", "bye"}
    assert [path.name for path in guest.home.iterdir()] == ["buildtel_rest-x"]  # not ours, and not in the way


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


def shut_down(guest) -> None:
    """What an orderly reboot does: the sampler gets HUP and TERM, and every tmpfs is empty afterwards."""
    for number in ("HUP", "TERM"):
        subprocess.run(["pkill", f"-{number}", "-f", f"{guest.home}/agent.pyc life"], check=True)
    assert wait_for(lambda: not running(guest))
    for folder in spools(guest):
        shutil.rmtree(folder)


def running(guest) -> bool:
    """Whether the sampler of the whole life lives."""
    return subprocess.run(["pgrep", "-f", f"{guest.home}/agent.pyc life"], capture_output=True).returncode == 0


def test_the_whole_life_sampler_holds_no_file_of_the_provisioner(guest):
    """Packer waits until every holder of the output is gone: install must come back at once."""
    begun = time.monotonic()
    guest.install()

    assert time.monotonic() - begun < 20
    assert wait_for((guest.home / "life" / "pid").exists)  # it has opened all that it keeps open
    pid = int(subprocess.run(["pgrep", "-f", f"{guest.home}/agent.pyc life"], capture_output=True, check=True).stdout)
    targets = {str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()} - netlink_sockets()
    assert not [target for target in targets if target.startswith(("pipe", "socket", "/dev/pts"))]


def netlink_sockets() -> set[str]:
    """The sockets of this machine that lead to its kernel."""
    return {f"socket:[{line.split()[-1]}]" for line in Path("/proc/net/netlink").read_text().splitlines()[1:]}


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
    number.unlink()
    script = LIFE_WITHOUT_FORK.format(folder=str(guest.folder), home=str(guest.home))
    command = [guest.bin / "python3", "-I", "-S", "-c", script]
    with subprocess.Popen(command, env=guest.env, stdin=subprocess.DEVNULL) as sampler:
        try:
            assert wait_for(lambda: number.exists() and number.read_text().startswith(f"{sampler.pid} "))
            long, short = guest.run("run", "--", "sleep", "0.4"), guest.run("run", "--", "true")
            assert sampler.poll() is None
        finally:
            sampler.terminate()

    assert (long.returncode, steps_events(long.stdout)) == (0, ["start"])
    assert (short.returncode, steps_events(short.stdout)) == (0, ["start", "end"])


@pytest.mark.parametrize("python", [True, False], ids=["Python", "sh"])
def test_a_users_files_beside_the_agent_stay(guest, python):
    """`install --dir` into a folder that has files already: `finish` removes ours, and none that begins as ours do."""
    own = ["__pycache__/theirs.cpython-311.pyc", "interpreter.txt", "lifecycle.txt", "rest-api.md"]
    (guest.home / "__pycache__").mkdir(parents=True)
    for name in own:
        (guest.home / name).write_text("theirs")
    if not python:
        without_python(guest.agent)
    installed = guest.run("install", "c0ffee", "--dir", guest.home)
    finished = guest.run("finish")

    assert (b"no usable Python" in installed.stdout) is not python
    assert [record["ev"] for record in records(finished.stdout)][-1] == "bye"
    assert sorted(str(path.relative_to(guest.home)) for path in guest.home.rglob("*") if path.is_file()) == own
