"""What is done to a build on purpose: each cause by at least three different programs.

A file `programs/CAUSE/PROGRAM.sh` makes the cause for `$1` seconds; `$2` is a folder on a disk, `$3` a port where
nobody answers, `$4` the address of a mute server. It needs PROGRAM.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
SECONDS = 8


@dataclass(frozen=True)
class Injected:
    """A script, and what the account must say of most of its time."""

    cause: str
    program: str
    script: Path

    @property
    def name(self) -> str:
        """`disk by fio`."""
        return f"{self.cause} by {self.program}"

    @property
    def is_here(self) -> bool:
        """Whether this machine has the program."""
        return shutil.which(self.program) is not None


INJECTED = [Injected(path.parent.name, path.stem, path) for path in sorted(PROGRAMS.glob("*/*.sh"))]
