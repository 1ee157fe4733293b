"""`step start` and `step end` without argparse: a job calls them often, so they import only the agent."""

from __future__ import annotations

import os
import sys

from buildtel.capture import runner_steps
from buildtel.errors import BuildtelError


def wants(words: list[str]) -> bool:
    """Whether the words are a `step` command in its simple form, which needs no parser."""
    if words[:2] == ["step", "end"] and len(words) in (4, 5) and words[3:-1] in ([], ["--status"]):
        return is_status(words[-1]) and words[2][:1] != "-"
    return words[:1] == ["step"] and len(words) == 3 and words[1] in ("start", "end") and words[2][:1] != "-"


def step_of(words: list[str]) -> int:
    """`step start NAME` or `step end NAME [[--status] N]`."""
    return step(words[1], words[2], words[-1] if len(words) > 3 else "")


def is_status(word: str) -> bool:
    """Whether it is an exit status as a shell has it."""
    return word.isdecimal() and word.isascii() and len(word) <= 3 and int(word) <= 255


def step(what: str, name: str, status: str) -> int:
    """Start or end a step; the exit status: 0 (also if it can't be measured), 1 if no such step is open.

    Args:
        what: `start` or `end`.
        name: the step's name.
        status: with `end` the exit status of the work, empty if it is not known.
    """
    try:
        if what == "start":
            runner_steps.start(os.environ, name)
        elif not runner_steps.end(os.environ, name, status):
            complain(f"no step {name!r} is open. Start it first: `buildtel-host step start {name}`")
            return 1
    except (BuildtelError, OSError, ValueError) as error:
        complain(f"step {name!r} is not measured: {error}")
    return 0


def complain(text: str) -> None:
    """Print one line on standard error."""
    sys.stderr.write(f"buildtel-host: {text}\n")
