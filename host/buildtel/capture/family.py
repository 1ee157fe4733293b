"""Looks at all processes of this machine: who is whose child, and which are hypervisors."""

from __future__ import annotations

import os

import buildtel_agent as agent

# The names of hypervisors' processes (`comm`, 15 bytes), and whether Packer is their ancestor: VirtualBox's
# and VMware's are children of a service.
HYPERVISORS = (
    ("qemu-system", True), ("qemu-kvm", True), ("cloud-hyperv", True), ("firecracker", True),
    ("VBoxHeadless", False), ("VirtualBoxVM", False), ("vmware-vmx", False), ("prl_vm_app", False),
)  # fmt: skip
NAMES = tuple(name for name, _ in HYPERVISORS)


class Seen:
    """A process at one look: its name, parent, start (ticks since boot) and CPU time (ticks)."""

    __slots__ = ("cpu_ticks", "name", "parent", "start_ticks")

    def __init__(self, name: str, fields: list[bytes]) -> None:
        self.name, self.parent, self.start_ticks = name, int(fields[1]), int(fields[19])
        self.cpu_ticks = int(fields[11]) + int(fields[12])

    @property
    def is_machine(self) -> bool:
        """Whether it is a hypervisor's."""
        return self.name.startswith(NAMES)


def look() -> dict[int, Seen]:
    """Every process of this machine, by pid, as far as this user may see them."""
    found = {}
    for word in os.listdir("/proc"):
        one = stat(int(word)) if word.isdigit() else None
        if one is not None:
            found[int(word)] = Seen(*one)
    return found


def sees_all() -> bool:
    """Whether this user may see the processes of others."""
    return bool(agent.read_file("/proc/1/stat", 64))


def hypervisors(packer: int, seen: dict[int, Seen], since_ticks: int) -> dict[int, str]:
    """`{pid: name}` of the hypervisors that run for Packer, or that began after it.

    Args:
        packer: the pid of Packer.
        seen: every process, by pid.
        since_ticks: the start of this program, in ticks since boot; those of before are others'.
    """
    ours = {}
    for pid, one in seen.items():
        if one.is_machine and one.start_ticks >= since_ticks:
            is_packers = next(own for start, own in HYPERVISORS if one.name.startswith(start))
            if not is_packers or descends(pid, packer, seen):
                ours[pid] = f"{one.name}:{pid}"
    return ours


def descends(pid: int, ancestor: int, seen: dict[int, Seen]) -> bool:
    """Whether a process is `ancestor` or below it."""
    for _ in range(len(seen)):
        if pid == ancestor:
            return True
        pid = seen[pid].parent if pid in seen else 0
    return False


def stat(pid: int) -> tuple[str, list[bytes]] | None:
    """The name of a process and the fields behind it, the state first."""
    text = agent.read_file(f"/proc/{pid}/stat", 4096)
    opened, closed = text.find(b"("), text.rfind(b")")
    fields = text[closed + 2 :].split()
    return (text[opened + 1 : closed].decode("utf-8", "replace"), fields) if closed > 0 and len(fields) > 21 else None
