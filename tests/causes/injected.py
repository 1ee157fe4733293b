"""What is done to a build on purpose: each kind by at least three different programs.

`programs/KIND/PROGRAM.sh` is a step that makes a cause for `LENGTH_S` seconds, `PROGRAM.hcl` a provisioner that does; a
kind is the cause's name, with `-` and a word where there are several kinds of it. A step's environment: `FOLDER` lies
on a disk, `FAR` is the address of the far side of the line, whose servers are in `servers.py`. A step needs PROGRAM.
Where a rule's limits were chosen by measurements, they were by the first program of a kind, in the order of names.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
SECONDS = 8


@dataclass(frozen=True)
class Injected:
    """A script or a provisioner, and the kind of cause that it makes."""

    kind: str
    program: str
    source: Path

    @property
    def cause(self) -> str:
        """What the account must say of most of its time."""
        return self.kind.partition("-")[0]

    @property
    def name(self) -> str:
        """`disk-flush by perl`."""
        return f"{self.kind} by {self.program}"

    @property
    def is_step(self) -> bool:
        """Whether it is a step's script."""
        return self.source.suffix == ".sh"

    @property
    def is_here(self) -> bool:
        """Whether this machine has the program."""
        return not self.is_step or shutil.which(self.program) is not None


INJECTED = [Injected(path.parent.name, path.stem, path) for path in sorted(PROGRAMS.glob("*/*.*"))]
FIRST = [next(group) for _, group in groupby((one for one in INJECTED if one.is_here), key=lambda one: one.kind)]
