"""Reads ~/.ssh/config where there is no ssh program (`ssh_config(5)`).

Unlike ssh, it reads what a file includes inside a `Host` or `Match` that does not fit as if it did fit.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import paramiko

from buildtel.errors import BuildtelError

SSH_FOLDER = Path("~/.ssh")
SYSTEM_CONFIG = Path("/etc/ssh/ssh_config")
MAX_INCLUDES = 8
FOR_ALL = "Host *"
LISTS = ("certificatefile", "userknownhostsfile", "globalknownhostsfile")


@dataclass(frozen=True, slots=True)
class SshConfig:
    """The text of the configuration files, each `Include` replaced by what it names."""

    text: str

    @classmethod
    def read(cls, named: Path | None) -> SshConfig:
        """Read the file of `-F`, or those of the user and of the system where `named` is None.

        Raises:
            BuildtelError: the file of `-F` can't be read.
        """
        if named is not None:
            try:
                text = named.read_text(encoding="utf-8", errors="replace")
            except OSError as error:
                raise BuildtelError(f"can't read {named} (-F): {error.strerror}") from error
            return cls("\n".join(_included(text, MAX_INCLUDES, FOR_ALL)))
        paths = (SSH_FOLDER / "config", SYSTEM_CONFIG)
        return cls("\n".join(line for path in paths for line in [FOR_ALL, *_read(path.expanduser(), MAX_INCLUDES)]))

    def lookup(self, host: str) -> dict[str, list[str]]:
        """The words that count for a machine, in lower case, each with its values.

        Raises:
            BuildtelError: the text is no configuration.
        """
        parsed = paramiko.SSHConfig()
        try:
            parsed.parse(io.StringIO(self.text))
            found = parsed.lookup(host)
        except (paramiko.SSHException, ValueError, KeyError, AttributeError) as error:
            raise BuildtelError(f"can't read the SSH configuration for {host}: {error}. Fix it, or name another: -F"
                                ) from error  # fmt: skip
        return {word: _values(word, value) for word, value in found.items() if value is not None}


def _read(path: Path, depth: int, block: str = FOR_ALL) -> Iterator[str]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    yield from _included(text, depth, block)


def _included(text: str, depth: int, block: str) -> Iterator[str]:
    """The lines of a file, `Include` replaced by what it names, then by the line that began the block around it.

    Args:
        text: what the file holds.
        depth: how many files may still include each other.
        block: the line `Host` or `Match` that counts where the text begins.
    """
    for line in text.splitlines():
        words = line.strip().replace("=", " ", 1).split()
        word = words[0].lower() if words else ""
        if word != "include":
            block = line if word in ("host", "match") else block
            yield line
            continue
        for pattern in words[1:] if depth else ():
            place = (SSH_FOLDER / pattern.strip('"')).expanduser() if pattern[:1] != "~" else _path(pattern)
            for path in sorted(Path("/").glob(str(place.absolute())[1:])):
                yield from _read(path, depth - 1, block)
                yield block


def _values(word: str, value: str | list[str]) -> list[str]:
    lines = [value] if isinstance(value, str) else value
    return [part.strip('"') for line in lines for part in (line.split() if word in LISTS else [line])]


def _path(name: str) -> Path:
    return Path(name.strip('"')).expanduser()
