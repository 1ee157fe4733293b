"""Builds in which nothing is wrong: each has the cause that it should have, and no finding above `low`.

`healthy/NAME.sh` is the one step of a build; its comments say what it does, which causes are right for most of its
time, and which programs it needs.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from .injected import Injected

FOLDER = Path(__file__).parent / "healthy"


@dataclass(frozen=True)
class Healthy:
    """A build of one step that does real work."""

    source: Path

    @property
    def about(self) -> str:
        """What it does, in a sentence."""
        return self.source.read_text().splitlines()[1].lstrip("# ")

    @property
    def causes(self) -> list[str]:
        """What most of its time may be."""
        return self._words("cause")

    @property
    def is_here(self) -> bool:
        """Whether this machine has its programs."""
        return all(shutil.which(program) for program in self._words("needs"))

    @property
    def step(self) -> Injected:
        """The step of its build."""
        return Injected("healthy", self.source.stem, self.source)

    def _words(self, name: str) -> list[str]:
        found = re.search(rf"^# {name}: (.*)$", self.source.read_text(), re.MULTILINE)
        assert found is not None, self.source
        return found[1].split()


HEALTHY = [Healthy(path) for path in sorted(FOLDER.glob("*.sh"))]
