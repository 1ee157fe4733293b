"""What the commands of a quiet step waited for, told by the end record."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from threading import Thread

import pytest

import buildtel_agent as agent

from ..causes.servers import servers
from ..waiting import wait_for
from .conftest import AGENT, records

pytestmark = pytest.mark.calm
SECONDS = 3
MUTE = """import socket
connection = socket.socket(socket.AF_{f})
connection.connect({a})
connection.settimeout(3)
try:
    connection.recv(1)
except OSError:
    pass
"""


def own_address() -> str:
    """The address of this machine on its network; one of loopback where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def waits_of(*command: str, before: Sequence[str] = (), **options: object) -> list[tuple[str, str, str]]:
    """Kind, command and holder of the longest wait of a step; its length is checked. `before` begins the call."""
    done = subprocess.run([*before, "sh", AGENT, "run", "--", *command], stdout=subprocess.PIPE, check=False, **options)
    (end,) = [record for record in records(done.stdout) if record["ev"] == "end"]
    longest = sorted(end.get("waits", []), key=lambda row: -row[1])[:1]
    return [(kind, name, holder) for _, seconds, kind, name, holder in longest if seconds > SECONDS / 3]


def test_a_sleep_and_a_lock_with_its_holder(tmp_path):
    """The command that waits is named, and who has the lock."""
    lock = str(tmp_path / "lock")
    holder = subprocess.Popen(["flock", lock, "sleep", str(SECONDS)])
    time.sleep(0.2)

    found = waits_of("flock", lock, "true")
    holder.wait()
    assert found == [("lock", "flock", "flock")]
    assert waits_of("sh", "-c", f"sleep {SECONDS}; true") == [("sleep", "sleep", "")]


def test_servers_that_do_not_answer(tmp_path):
    """Nobody takes the connection; a server takes it and is mute; so does a local one."""
    address = own_address()
    with servers(tmp_path, address) as ports:
        asked = f"('{address}', {ports['FULL']}), {SECONDS}"
        silent = f"import socket\ntry: socket.create_connection({asked})\nexcept OSError: pass"
        assert waits_of("python3", "-c", silent) == [("silent", "python3", "")]
        remote = MUTE.format(f="INET", a=(address, int(ports["MUTE"])))
        assert waits_of("python3", "-c", remote) == [("remote", "python3", "")]
        local = MUTE.format(f="UNIX", a=repr(str(tmp_path / "mute.sock")))
        assert waits_of("python3", "-c", local) == [("daemon", "python3", "")]


def test_a_busy_machine_hides_no_wait(tmp_path):
    """Looks that take long because others have the CPU are no reason to look less often."""
    cpu = str(min(os.sched_getaffinity(0)))
    on_it = ["taskset", "-c", cpu]
    with servers(tmp_path, own_address()) as ports:
        asked = f"('{own_address()}', {ports['FULL']}), {SECONDS}"
        silent = f"import socket\ntry: socket.create_connection({asked})\nexcept OSError: pass"
        loop = [*on_it, "sh", "-c", "while :; do :; done"]
        loops = [subprocess.Popen(loop, start_new_session=True) for _ in range(30)]
        try:
            found = waits_of("python3", "-c", silent, before=on_it)
        finally:
            for one in loops:
                one.kill()
                one.wait()

    assert found == [("silent", "python3", "")]


def send(server: socket.socket) -> None:
    """Sends to one client what it leaves unread, and waits until it goes."""
    with server.accept()[0] as connection:
        connection.send(bytes(50_000))
        with suppress(ConnectionResetError):  # it left something unread
            connection.recv(1)


def test_who_has_something_to_read_waits_for_nobody():
    """A program that reads slowly is slow by itself, though it sleeps in its socket again and again."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(1)
        reader = (
            f"import select, socket, time; c = socket.create_connection(('127.0.0.1', {server.getsockname()[1]})); "
            f"c.settimeout(9); e = time.time() + {SECONDS}\n"
            "p = select.epoll(); p.register(c, select.EPOLLERR)\n"
            "while time.time() < e: p.poll(0.2)"
        )
        sender = Thread(target=send, args=(server,))
        sender.start()
        assert waits_of("python3", "-c", reader) == []
        sender.join()


def test_a_prompt_waits_for_the_user(tmp_path):
    """A terminal that nobody types on."""
    master, slave = pty.openpty()
    question = f"import select, sys; select.select([0], [], [], {SECONDS})"
    found = waits_of("python3", "-c", question, stdin=slave)
    os.close(master)
    os.close(slave)

    assert found == [("user", "python3", "")]


def test_an_odd_wait_is_told_by_the_kernels_name():
    """A pipe that nobody writes into is `other`."""
    reading, writing = os.pipe()
    writer = subprocess.Popen(["sleep", str(SECONDS)], pass_fds=[writing])
    os.close(writing)
    ((kind, name, wchan),) = waits_of("cat", stdin=reading)
    os.close(reading)
    writer.wait()

    assert (kind, name) == ("other", "cat")
    assert "pipe" in wchan


def test_a_step_that_computes_waits_for_nothing():
    """One that runs is not told, whoever sleeps beside it."""
    loop = f"sleep {SECONDS} & end=$(($(date +%s) + {SECONDS})); while [ $(date +%s) -le $end ]; do i=0; done"

    assert waits_of("sh", "-c", loop) == []


def test_a_thread_that_computes_is_no_wait():
    """The main thread sleeps, as that of every program that leaves its work to others."""
    program = f"import threading, time; e = time.time() + {SECONDS}\n" + (
        "def work():\n    while time.time() < e: sum(range(100000))\n"
        f"threading.Thread(target=work).start(); time.sleep({SECONDS})"
    )

    assert waits_of("python3", "-c", program) == []


# Each waits for a child that it has just begun: until the child has its program, and until it ends.
BEGINS = {
    "vfork": "import os; os.posix_spawn('/bin/true', ['true'], {}, file_actions=[(os.POSIX_SPAWN_OPEN, 0, 'p', 0, 0)])",
    "wait": "import subprocess; subprocess.run(['sleep', '5'])",
}


@pytest.mark.parametrize("program", BEGINS.values(), ids=BEGINS)
def test_who_has_just_begun_a_child_waits_for_nobody(tmp_path, program):
    """A look that comes before the child is known takes its parent for one without children."""
    os.mkfifo(tmp_path / "p")
    with subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path, start_new_session=True) as parent:
        tree, waits = agent.Tree(parent.pid), agent.Waits()
        assert wait_for(lambda: tree.look() is not None and len(tree.known) == 2)
        time.sleep(0.3)
        tree.known = {pid: one for pid, one in tree.known.items() if pid == parent.pid}
        waits.look(tree)
        os.killpg(parent.pid, signal.SIGKILL)

    assert waits.rows(0.0) == []


@pytest.mark.parametrize(("start", "kind"), agent.WCHANS)
def test_each_beginning_is_of_a_known_kind(start, kind):
    """What is told apart by sockets becomes one of the kinds that records have, or none."""
    assert start and kind in (*agent.WAIT_KINDS, "socket", "poll", agent.RUNS)
