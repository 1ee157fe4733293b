"""Putting our files beside a template, without ever overwriting a file that is not ours."""

from __future__ import annotations

import os
import tempfile
from enum import Enum
from pathlib import Path

from buildtel import shipped
from buildtel.errors import BuildtelError

# What every version of a file of ours holds, whatever else changes.
_MARKS = {
    shipped.AGENT_NAME: b"BUILDTEL:",
    shipped.LIBRARY_NAME: b'variable "buildtel_enabled"',
}


class State(Enum):
    """A file beside a template, compared with the one this buildtel ships."""

    MISSING = "missing"
    SAME = "unchanged"
    OTHER = "another version of ours"
    FOREIGN = "not ours"


def state(source: Path, target: Path) -> State:
    """How `target` stands to the shipped file `source`.

    Raises:
        BuildtelError: it is there and can't be read.
    """
    try:
        there = target.read_bytes()
    except FileNotFoundError:
        return State.MISSING
    except OSError as error:
        raise BuildtelError(f"{target} can't be read: {error.strerror}") from error
    if there == source.read_bytes():
        return State.SAME
    return State.OTHER if _MARKS[source.name] in there else State.FOREIGN


def put(folder: Path, *, force: bool = False) -> tuple[tuple[Path, str], ...]:
    """Copies agent and library into `folder`; gives each path with created, updated or unchanged.

    Nothing is written if one of them would replace a file that is not ours, unless `force`.

    Raises:
        BuildtelError: such a file is there, or `folder` can't be written.
    """
    plan = [(source, folder / source.name) for source in (shipped.agent(), shipped.library())]
    states = {target: state(source, target) for source, target in plan}
    foreign = [target for target, found in states.items() if found is State.FOREIGN]
    if foreign and not force:
        raise BuildtelError(f"{foreign[0]} is there and is not buildtel's: rename it, or say --force")
    return tuple((target, _put(source, target, states[target])) for source, target in plan)


def _put(source: Path, target: Path, found: State) -> str:
    if found is State.SAME:
        return "unchanged"
    _write_atomically(target, source.read_bytes())
    return "created" if found is State.MISSING else "updated"


def _write_atomically(target: Path, content: bytes) -> None:
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise BuildtelError(f"{target.parent} can't be written: {error.strerror}") from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        temporary.chmod(0o644)
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise BuildtelError(f"{target} can't be written: {error.strerror}") from error
