"""What to know of figures that a machine's kernel tells only roughly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from buildtel.job.model import Machine, Step

ESTIMATED = "{key}: its kernel does not tell MemAvailable: memory figures use MemFree + Buffers + Cached in its place."


def caveats(machines: Mapping[str, Machine], steps: Iterable[Step]) -> Iterator[str]:
    """A sentence for each machine and kind of figure that needs one."""
    known = list(steps)
    for key in machines:
        own = [step for step in known if step.machine == key]
        if any(is_memory_estimated(step) for step in own):
            yield ESTIMATED.format(key=key)


def is_memory_estimated(step: Step) -> bool:
    """True if the kernel did not tell what memory is available, and the agent told what stands for it."""
    memory = (step.counters.end or {}).get("mem") if step.counters is not None else None
    return isinstance(memory, list) and len(memory) > 2 and memory[1] is None and memory[2] is not None
