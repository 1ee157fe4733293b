"""The two commands that a job calls again and again: nothing is imported for them but the agent."""

from __future__ import annotations

import os
import sys

from buildtel.capture import steps
from buildtel.errors import BuildtelError


def wants(words: list[str]) -> bool:
    """Whether these are plain words of a `step` that need no parser."""
    if words[:2] == ["step", "end"] and len(words) == 5:
        return words[3] == "--status" and words[4].isdigit() and words[2][:1] != "-"
    return words[:1] == ["step"] and len(words) == 3 and words[1] in ("start", "end") and words[2][:1] != "-"


def step_of(words: list[str]) -> int:
    """`step start NAME` or `step end NAME [--status N]`."""
    return step(words[1], words[2], words[4] if len(words) == 5 else "")


def step(what: str, name: str, status: str) -> int:
    """Begins or ends a step. Exit status 0, whatever happens: telemetry that fails is no failure of the job."""
    try:
        if what == "start":
            steps.start(os.environ, name)
        elif not steps.end(os.environ, name, status):
            complain(f"no step {name!r} is open: `buildtel-host step start` it first, under the same name")
    except (BuildtelError, OSError, ValueError) as error:
        complain(f"step {name!r} is not measured: {error}")
    return 0


def complain(text: str) -> None:
    """One line to stderr."""
    sys.stderr.write(f"buildtel-host: {text}\n")
