"""A provisioner unit while a log is read."""

from __future__ import annotations

import re
from dataclasses import dataclass

from buildtel.events import When


@dataclass(slots=True)
class Unit:
    """A provisioner unit of one build, and what records came through it.

    `saw_setup` says that our agent began or ended there, `saw_bye` that it ended; `saw_step` that a step ran there.
    """

    index: int
    kind: str
    detail: str
    at: When | None
    line: int
    target: str | None = None
    saw_setup: bool = False
    saw_bye: bool = False
    saw_step: bool = False

    @property
    def is_agents(self) -> bool:
        """True if its script is our agent: no step runs in it."""
        return self.saw_bye or re.split(r"[/\\]", self.detail)[-1] == "buildtel_agent.py"

    @property
    def looks_own(self) -> bool:
        """True if it did nothing but start or end our agent."""
        return self.saw_setup and not self.saw_step
