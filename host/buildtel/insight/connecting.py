"""What would help against a long wait for a machine, by what came of Packer's tries to connect: data.

The words of tries are those of `parse.debug_texts`; only logs with debug lines have them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from buildtel.timeline.packer_model import Build, Phase
from buildtel.timeline.reached import TRY

LEAST_PART = 0.5  # of the wait that tries of one kind must take


@dataclass(frozen=True, slots=True)
class Way:
    """What most tries of a wait say, by the words that they begin with, and what would help.

    `late` is for a machine that was reached in the end, `never` for one that was not.
    """

    words: str
    late: str
    never: str


WAYS = (
    Way(
        "login fails",
        "the machine refuses the login until it has the user's key or password: put the key into the image, or find "
        "out why cloud-init, preseed or kickstart sets it late",
        "check whether ssh_username, ssh_private_key_file and ssh_password are right, and whether cloud-init, preseed "
        "or kickstart set them in the machine",
    ),
    Way(
        "handshake fails",
        "see the log of the machine's sshd: it is there, and does not agree with Packer yet",
        "see the log of the machine's sshd: it and Packer have no cipher or key type in common",
    ),
    Way(
        "port refuses",
        "the machine is up, and its sshd starts late: see what it waits for (`systemd-analyze critical-chain "
        "ssh.service`)",
        "the machine is up, and nothing listens: see whether sshd is installed and started, and whether ssh_port "
        "is its port",
    ),
    Way(
        "port accepts, then nothing is said",
        "the port is forwarded to a machine that still boots (QEMU), or its sshd hangs: use an image that boots "
        "faster; see the log of sshd, and set UseDNS no",
        "see the screen of the machine: the port may be forwarded to one that does not boot (QEMU); else the log "
        "of its sshd",
    ),
    Way(
        "connection closed",
        "the port is forwarded to a machine that still boots, or its sshd restarts: use an image that boots "
        "faster; see the log of sshd",
        "see the screen of the machine: the port may be forwarded to one without sshd; else the log of its sshd "
        "(MaxStartups, host keys)",
    ),
    Way(
        "no answer",
        "the machine gets its address late, or a firewall opens late: see when its network is up (`systemd-analyze "
        "critical-chain`)",
        "see whether the machine has that address (DHCP, ssh_host), and whether a firewall or security group drops "
        "the packets",
    ),
    Way(
        "no route to the machine",
        "the machine's network comes late: see when it gets its address (DHCP)",
        "see whether the machine has that address, and whether the runner has a route to it (bridge, subnet, VPN)",
    ),
    Way(
        "name of the machine is not known",
        "the machine's name comes late into the name server: set ssh_host to its address",
        "see ssh_host: the runner's name server does not know it; set the address in its place",
    ),
    Way(
        "no address yet",
        "the machine reports its address late: find out when it gets one (DHCP), and when its guest tools start",
        "check whether the machine gets an address (DHCP), and whether the guest tools that report it are running "
        "(open-vm-tools, qemu-guest-agent)",
    ),
)


def most_tries(build: Build, phase: Phase | None, lasted_s: float) -> tuple[str, str] | None:
    """What most tries of a wait say and how many, in the log's words, and what would help.

    Args:
        build: the build that waits.
        phase: the wait; None where it is not known.
        lasted_s: how long it was, in seconds.

    Returns:
        None where the log tells no tries, or no kind of them took half of the wait.
    """
    took_s: dict[Way, float] = defaultdict(float)
    told: dict[Way, tuple[str, int]] = {}
    for part in () if phase is None else phase.parts:
        way = next((way for way in WAYS if part.kind == TRY and part.name.startswith(way.words)), None)
        if way is not None and part.count and part.started_at is not None and part.ended_at is not None:
            took_s[way] += part.ended_at - part.started_at
            told[way] = (part.name, told.get(way, ("", 0))[1] + part.count)
    way = max(took_s, key=lambda way: took_s[way], default=None)
    if way is None or took_s[way] < LEAST_PART * lasted_s:
        return None
    name, count = told[way]
    is_reached = build.result == "success" or bool(build.provisioners)
    return f"{name}, {count} {'time' if count == 1 else 'times'}", way.late if is_reached else way.never
