"""Notes on figures that the kernel of a machine measures only roughly."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from buildtel.job.model import Machine, Step

ESTIMATED = "{key}: its kernel does not tell MemAvailable: memory figures use MemFree + Buffers + Cached in its place."
ROUGH_UTIL = (
    "{key}: Linux {kernel} measures disk_util_percent roughly (all of 5.0 to 6.9 do), too low or too high: "
    "see psi_io_*, queue_depth and await_ms, too."
)
VERSION = re.compile(r"(\d+)\.(\d+)")


def caveats(machines: Mapping[str, Machine], steps: Iterable[Step]) -> Iterator[str]:
    """A sentence for each machine and kind of figure that its kernel measures only roughly.

    Args:
        machines: the machines of the document by their keys.
        steps: the steps of the document.
    """
    known = list(steps)
    for key, machine in machines.items():
        own = [step for step in known if step.machine == key]
        if any(is_memory_estimated(step) for step in own):
            yield ESTIMATED.format(key=key)
        if samples_disk_time(machine.kernel) and any(step.metrics.get("disk_util_percent") is not None for step in own):
            yield ROUGH_UTIL.format(key=key, kernel=machine.kernel)


def is_memory_estimated(step: Step) -> bool:
    """True if the kernel did not tell what memory is available, and the agent told what stands for it."""
    memory = (step.counters.end or {}).get("mem") if step.counters is not None else None
    return isinstance(memory, list) and len(memory) > 2 and memory[1] is None and memory[2] is not None


def samples_disk_time(kernel: str | None) -> bool:
    """True for a kernel that counts the busy time of disks by samples.

    Source: Linux 5.0 (commit 5b18b5a73760) to 6.9; 6.10 counts it exactly again (commit 99dc422335d8).
    """
    found = VERSION.match(kernel or "")
    return found is not None and (5, 0) <= (int(found[1]), int(found[2])) < (6, 10)
