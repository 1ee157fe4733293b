"""All worlds, and the plays that come of them."""

from __future__ import annotations

from . import worlds_machines as machines
from . import worlds_places as places
from . import worlds_steps as steps
from .world import World

WORLDS: tuple[World, ...] = (
    *steps.STEPS, *steps.WRAPS, *steps.NAMES,
    *machines.SHELLS, *machines.ENVIRONMENTS, *machines.PYTHONS, *machines.LIMITS,
    *places.PLACES, *places.SAMPLERS, *places.LEFT,
)  # fmt: skip
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
