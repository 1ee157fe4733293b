"""All worlds, and the plays that come of them."""

from __future__ import annotations

from . import worlds_machines as machines
from . import worlds_places as places
from . import worlds_steps as steps
from .world import World

SECTIONS: dict[str, tuple[World, ...]] = {
    "What the step does": steps.STEPS,
    "What starts the step": steps.WRAPS,
    "Names": steps.NAMES,
    "Templates of before": steps.BEFORES,
    "Login shells and users": machines.SHELLS,
    "Environment": machines.ENVIRONMENTS,
    "Python": machines.PYTHONS,
    "Limits, open files, signals": machines.LIMITS,
    "Places": places.PLACES,
    "The sampler": places.SAMPLERS,
    "Left behind": places.LEFT,
}
WORLDS = tuple(world for worlds in SECTIONS.values() for world in worlds)
# Those that CI plays, in a few minutes: the ones that found the most.
IN_CI = (
    "plain", "exit 150 is no signal", "an unfinished line", "a process in the background writes late",
    "counts its own and its parent's children", "killed", "kills its parent", "kill 0 with handlers", "kill -USR1 0",
    "trap EXIT kill 0 and wait", "timeout --foreground", "subprocess.run(timeout=)", "a name that forges a record",
    "login shell fish", "login shell csh", "login shell zsh", "login shell dash", "a user with sudo",
    "inside sudo, by a user", "SHELLOPTS=pipefail", "environment_vars PATH=/opt/tool/bin with sudo",
    "python3 forks and stays", "full disks before install",
    "python3 prints without end", "python3 greets and makes ./conda", "PYTHONHOME is garbage", "ulimit -f 0",
    "fds 3 to 9 are the caller's", "stdout closed", "signals ignored by the caller", "a terminal",
    "a full pipe, nobody reads for 4 s", "full disks", "read-only places before install", "everything wiped",
    "as after a reboot", "its own PID namespace", "a chroot", "the sampler is stopped", "half an install",
    "a template of before",
)  # fmt: skip
PYTHON = {True: "Python", False: "none"}


def plays(*, ci: bool = False) -> list[tuple[World, str, bool]]:
    """World, form, whether there is Python: all, or those for CI alone, which are without Python in one form only."""
    return [
        (world, form, python)
        for world in WORLDS
        if not ci or world.name in IN_CI
        for form in world.forms
        if not ci or form not in ("own", "alone")
        for python in PYTHON
        if not ci or python or form == "pre"
    ]
