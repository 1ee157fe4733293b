"""Finds the agent and its spools on a machine, and checks their owner and type.

A folder in /tmp can be anybody's: one that is a link, that belongs neither to root nor to the user who
logged in, or that others may write to, is left out, and said.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from zlib import crc32

from buildtel.measure.field_checks import clean
from buildtel_agent import INSTALL_DIR, SPOOL_ROOTS

AGENT = f"{INSTALL_DIR}/buildtel_agent.py"
OWNER = f"{crc32(INSTALL_DIR.encode()):08x}"  # a spool is named by the folder of its agent, and by its user
DIGIT, UID_DIGITS = "[0-9]", 10
NAME_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
RECORDS, LIFE = ".jsonl", "life-"


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of `ls -ln`."""

    mode: str
    owner: int
    size: int
    name: str

    @property
    def is_folder(self) -> bool:
        """A real one, no link."""
        return self.mode.startswith("d")

    @property
    def is_file(self) -> bool:
        """A regular one."""
        return self.mode.startswith("-")

    @property
    def others_write(self) -> bool:
        """Whether its group or all others may write to it."""
        return self.mode[5] == "w" or self.mode[8] == "w"

    @property
    def others_read(self) -> bool:
        """Whether all others may read it; a folder: list and enter it."""
        return self.mode[7] == "r" and (not self.is_folder or self.mode[9] in "xt")


@dataclass(frozen=True, slots=True)
class SpoolFile:
    """A file of a spool; `as_root` if only root may read it."""

    path: str
    size: int
    as_root: bool

    @property
    def name(self) -> str:
        """Without its folder."""
        return self.path.rpartition("/")[2]

    @property
    def is_life(self) -> bool:
        """True for the rows of the whole-life sampler, False for records."""
        return self.name.startswith(LIFE)


def folders_script() -> str:
    """A piece of sh that lists each folder that has the name of a spool: no such name can hold anything odd."""
    lengths = range(1, UID_DIGITS + 1)
    stems = [f"{root}/buildtel-{OWNER}-{DIGIT * length}" for root in SPOOL_ROOTS for length in lengths]
    return f"LC_ALL=C ls -lnd {' '.join(stems)} 2>/dev/null; true"


def files_script(folder: str, as_root: bool) -> str:
    """A piece of sh that lists the files of a folder, as `listed` reads them.

    Args:
        folder: its path on the machine.
        as_root: list it by `sudo -n`.
    """
    return f"LC_ALL=C {'sudo -n ' if as_root else ''}ls -lnA {shlex.quote(folder)}/"


def listed(output: bytes) -> list[Listed]:
    """The lines of `ls -ln` that can be read."""
    return [entry for line in output.decode("utf-8", "replace").splitlines() if (entry := _entry(line)) is not None]


def _entry(line: str) -> Listed | None:
    words = line.split(None, 8)
    if len(words) < 9 or len(words[0]) < 10 or not (words[2].isdecimal() and words[4].isdecimal()):
        return None
    name = words[8].partition(" -> ")[0] if words[0].startswith("l") else words[8]
    return Listed(words[0], int(words[2]), int(words[4]), name)


def mistrust(entry: Listed, uid: int) -> str | None:
    """Why a folder or file must not be used; None if it may be.

    Args:
        entry: its line of `ls -ln`.
        uid: the user who logged in.
    """
    if not (entry.is_folder or entry.is_file):
        return "it is a link or something else that is no file"
    if entry.owner not in (0, uid):
        return f"it belongs to user {entry.owner}, neither to root nor to the user who logged in"
    if entry.others_write:
        return "other users may write to it"
    return None


def sort_folders(entries: Iterable[Listed], uid: int) -> tuple[list[Listed], list[str]]:
    """The folders to be used, and for each other one a sentence that says why it is left out.

    Args:
        entries: the lines of `ls -ln`.
        uid: the user who logged in.
    """
    trusted, refused = [], []
    for entry in entries:
        why = mistrust(entry, uid)
        if why is None and not entry.is_folder:
            why = "it is no folder"
        if why is None:
            trusted.append(entry)
        else:
            refused.append(f"{clean(entry.name, 200)} is left out: {why}")
    return trusted, refused


def spool_files(folder: Listed, entries: Iterable[Listed], uid: int) -> tuple[list[SpoolFile], list[str]]:
    """The files of a trusted folder that hold records or rows, and a sentence for each other file that is left out.

    Args:
        folder: the folder.
        entries: the lines of `ls -ln` of its files.
        uid: the user who logged in.
    """
    files, refused = [], []
    for entry in entries:
        if not (entry.name.endswith(RECORDS) or entry.name.startswith(LIFE)):
            continue
        why = mistrust(entry, uid) or ("it is no file" if not entry.is_file else None)
        if why is None and not NAME_CHARS.issuperset(entry.name):
            why = "no agent names a file so"
        if why is None:
            files.append(SpoolFile(f"{folder.name}/{entry.name}", entry.size, must_be_root(folder, entry, uid)))
        else:
            refused.append(f"{clean(folder.name + '/' + entry.name, 200)} is left out: {why}")
    return files, refused


def must_be_root(folder: Listed, entry: Listed | None, uid: int) -> bool:
    """Whether a user needs sudo to read a file or folder.

    Args:
        folder: the folder.
        entry: the file in it, None for the folder itself.
        uid: the user who logged in.
    """
    if uid == 0:
        return False
    return any(place is not None and place.owner != uid and not place.others_read for place in (folder, entry))
