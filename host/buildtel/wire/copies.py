"""Writes buildtel's files beside a template; never overwrites a user's file.

Each copy ends with a line that has its version and a checksum of all before it. A copy whose checksum is right was not
edited, so that another version replaces it; anything else is replaced only by force.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import buildtel_agent
from buildtel import files, shipped
from buildtel.errors import BuildtelError

_SEAL = re.compile(rb"# buildtel ([\w.+-]{1,40}) sha256:([0-9a-f]{64})\s*\Z")

_VERSION = re.compile(rb'^__version__ = "([\w.+-]{1,40})"', re.MULTILINE)

# Each version of a shipped file has this text.
_MARKS = {
    shipped.AGENT_NAME: b"BUILDTEL:",
    shipped.LIBRARY_NAME: b'variable "buildtel_enabled"',
}


class Kind(Enum):
    """A file beside a template, compared with the one this buildtel ships."""

    MISSING = "missing"
    SAME = "the same"
    OTHER = "another version, not edited"
    EDITED = "edited"
    FOREIGN = "not buildtel's"


@dataclass(frozen=True, slots=True)
class State:
    """A file compared with the shipped one; `version` is None if its last line has none."""

    kind: Kind
    version: str | None = None

    @property
    def words(self) -> str:
        """The words for a message, behind the file's name."""
        if self.kind is Kind.OTHER:
            return f"is from buildtel {self.version} (this is {buildtel_agent.__version__})"
        return "was edited" if self.kind is Kind.EDITED else f"is {self.kind.value}"


def sealed(content: bytes) -> bytes:
    """A shipped file as it is copied: with a last line that has version and checksum."""
    return content + f"# buildtel {buildtel_agent.__version__} sha256:{_checksum(content)}\n".encode()


def state(source: Path, target: Path) -> State:
    """Compare the file `target` with the shipped file `source`.

    Raises:
        BuildtelError: it is there and can't be read.
    """
    try:
        there = target.read_bytes()
    except FileNotFoundError:
        return State(Kind.MISSING)
    except OSError as error:
        raise BuildtelError(f"{target} can't be read: {error.strerror}") from error
    content = source.read_bytes()
    seal = _SEAL.search(there)
    version = seal[1].decode() if seal else None
    if there == sealed(content):
        return State(Kind.SAME, version)
    # A checkout on Windows, or an older buildtel, changes neither meaning nor owner: line ends, or no last line.
    if there == content or (seal and _checksum(there[: seal.start()]) == seal[2].decode()):
        return State(Kind.OTHER, version or buildtel_agent.__version__)
    return State(Kind.EDITED if seal or _MARKS[source.name] in there else Kind.FOREIGN, version)


def needed(*, alone: bool) -> tuple[Path, ...]:
    """The shipped files that a template needs beside it; a file that is built `alone` contains the library's lines."""
    return (shipped.agent(),) if alone else (shipped.agent(), shipped.library())


def agent_version(folder: Path) -> str | None:
    """The version of the agent beside a template; None without an agent, or without a version in it."""
    try:
        content = (folder / shipped.AGENT_NAME).read_bytes()
    except OSError:
        return None
    found = _SEAL.search(content) or _VERSION.search(content)
    return found[1].decode() if found else None


def put(folder: Path, *, alone: bool = False, force: bool = False) -> tuple[tuple[Path, str], ...]:
    """Copies our files into `folder`; gives each path with created, updated or unchanged.

    Nothing is written if one of them would replace a file that is not ours or was edited, unless `force`.

    Args:
        folder: where the template is.
        alone: only what a file needs that Packer loads alone.
        force: replace whatever is there.

    Raises:
        BuildtelError: such a file is there, or the folder can't be written.
    """
    plan = [(source, folder / source.name) for source in needed(alone=alone)]
    states = {target: state(source, target) for source, target in plan}
    for target, found in states.items():
        if found.kind in (Kind.EDITED, Kind.FOREIGN) and not force:
            raise BuildtelError(f"{target} {found.words}. Rename it, or replace it with --force. Nothing was written")
    return tuple((target, _put(source, target, states[target])) for source, target in plan)


def _put(source: Path, target: Path, found: State) -> str:
    if found.kind is Kind.SAME:
        return "unchanged"
    _write(target, sealed(source.read_bytes()))
    if found.kind is Kind.MISSING:
        return "created"
    return f"updated from {found.version}" if found.version not in (None, buildtel_agent.__version__) else "updated"


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()


def _write(target: Path, content: bytes) -> None:
    try:
        files.replace(str(target), content, 0o644)
    except OSError as error:
        raise BuildtelError(f"{target} can't be written: {error.strerror}") from error
