"""Machines that let Packer wait for SSH, each in another way: what is done to them, and how it is undone."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..wired.machine import Machine
from .line import Line

Act = Callable[[Machine, Line], object]


def _keys(machine: Machine) -> Path:
    return Path(f"/proc/{machine.pid()}/root/mnt/etc/keys")


def _link(near: Line, state: str) -> None:
    subprocess.run(["ip", "-n", near.name, "link", "set", "eth0", state], check=True)


BOOTS: dict[str, tuple[Act, Act]] = {
    "key": (  # no login yet, as before cloud-init puts the key there
        lambda machine, _: _keys(machine).rename(_keys(machine).with_name("later")),
        lambda machine, _: _keys(machine).with_name("later").rename(_keys(machine)),
    ),
    "link": (lambda _, near: _link(near, "down"), lambda _, near: _link(near, "up")),  # no network yet
    "sshd": (  # the port is open, and says nothing yet
        lambda machine, _: os.kill(machine.pid(), signal.SIGSTOP),
        lambda machine, _: os.kill(machine.pid(), signal.SIGCONT),
    ),
}


@contextmanager
def booting(name: str, machine: Machine, near: Line, seconds: int) -> Iterator[None]:
    """The machine begins to serve logins after so many seconds.

    Args:
        name: which of BOOTS.
        machine: what Packer connects to.
        near: its network.
        seconds: how long it does not serve.
    """
    begin, end = BOOTS[name]
    begin(machine, near)
    timer = threading.Timer(seconds, end, (machine, near))
    timer.start()
    try:
        yield
    finally:
        timer.join()
