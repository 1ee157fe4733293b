"""A network between the machine that is built and this one: its own interface, a line of known rate, a far side."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

RATE_MBS = 6


@dataclass(frozen=True)
class Line:
    """A network namespace `name`, whose interface has the address `near`; this machine's end of the line has `far`."""

    name: str
    near: str
    far: str

    @property
    def within(self) -> tuple[str, ...]:
        """The beginning of a command that runs in the namespace."""
        return ("nsenter", f"--net=/run/netns/{self.name}")


@contextmanager
def line() -> Iterator[Line]:
    """A line on which each side sends at most `RATE_MBS`; it needs root, `ip` and `tc`."""
    number = os.getpid() % 16000
    name, device, third, fourth = f"causes-{number}", f"causes{number}", number // 64, number % 64 * 4
    made = Line(name, f"10.213.{third}.{fourth + 2}", f"10.213.{third}.{fourth + 1}")
    limit = f"root tbf rate {RATE_MBS * 8}mbit burst 64k latency 100ms"
    try:
        for text in (
            f"ip netns add {name}",
            f"ip link add {device} type veth peer name eth0 netns {name}",
            f"ip address add {made.far}/30 dev {device}",
            f"ip link set {device} up",
            f"ip -n {name} address add {made.near}/30 dev eth0",
            f"ip -n {name} link set eth0 up",
            f"ip -n {name} link set lo up",
            f"ip -n {name} route add default via {made.far}",
            f"tc qdisc add dev {device} {limit}",
            f"ip netns exec {name} tc qdisc add dev eth0 {limit}",
        ):
            subprocess.run(text.split(), check=True)
        yield made
    finally:
        subprocess.run(["ip", "link", "delete", device], check=False)  # the namespace may stay a while
        subprocess.run(["ip", "netns", "delete", name], check=False)
