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
    "Login shells and users": machines.SHELLS,
    "Environment": machines.ENVIRONMENTS,
    "Python": machines.PYTHONS,
    "Limits, open files, signals": machines.LIMITS,
    "Places": places.PLACES,
    "The sampler": places.SAMPLERS,
    "Left behind": places.LEFT,
}
WORLDS = tuple(world for worlds in SECTIONS.values() for world in worlds)
PYTHON = {True: "Python", False: "none"}


def plays(*, ci: bool = False) -> list[tuple[World, str, bool]]:
    """World, form, whether there is Python: those for CI alone, or all."""
    return [
        (world, form, python)
        for world in WORLDS
        if world.ci or not ci
        for form in world.forms
        if not ci or form in ("pre", "run", "sudo", "inside")
        for python in PYTHON
    ]
