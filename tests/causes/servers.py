"""Servers that answer nobody, for causes of waiting; the kernel alone serves them, no process of the step does."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path


@contextmanager
def servers(folder: Path) -> Iterator[tuple[int, str]]:
    """A port that drops who wants to connect, the address of a mute server; one more is `mute.sock` in the folder."""
    with ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):  # what its queue has room for, and more
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        mute = stack.enter_context(socket.socket())
        mute.bind((own_address(), 0))
        mute.listen(50)
        local = stack.enter_context(socket.socket(socket.AF_UNIX))
        local.bind(str(folder / "mute.sock"))
        local.listen(50)
        host, port = mute.getsockname()
        yield full.getsockname()[1], f"{host}:{port}"


def own_address() -> str:
    """The address of this machine on its network; one of loopback where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
