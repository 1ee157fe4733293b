"""~/.ssh/config: what it says of a machine (`ssh_config(5)` has the meaning of each word)."""

from __future__ import annotations

import getpass
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import paramiko

from buildtel.errors import BuildtelError
from buildtel.reach.address import Address, parse_address

SSH_FOLDER = Path("~/.ssh")
SYSTEM_CONFIG = Path("/etc/ssh/ssh_config")
SYSTEM_KNOWN_HOSTS = "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"
DEFAULT_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
MAX_INCLUDES = 8
SSH_PORT = 22
STRICT, ACCEPT_NEW = "strict", "accept-new"


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says of connections: `-i`, `-F`, `--host-key-policy`."""

    keys: tuple[Path, ...] = ()
    config: Path | None = None
    host_key_policy: str = STRICT


@dataclass(frozen=True, slots=True)
class Target:
    """A machine with all that is needed to reach it."""

    name: str
    host: str
    port: int
    user: str
    keys: tuple[Path, ...]
    certificates: tuple[Path, ...]
    only_these_keys: bool
    known_hosts: tuple[Path, ...]
    key_alias: str | None
    jumps: tuple[str, ...]
    command: str | None

    @property
    def known_as(self) -> str:
        """The name under which known_hosts files have it."""
        return self.key_alias or (self.host if self.port == SSH_PORT else f"[{self.host}]:{self.port}")

    def __str__(self) -> str:
        """For messages."""
        return self.name if self.port == SSH_PORT else f"{self.name} port {self.port}"


@dataclass(slots=True)
class Config:
    """The configuration files, read once."""

    options: Options = field(default_factory=Options)
    _text: str | None = None

    def target(self, address: Address) -> Target:
        """What the files say of `address`; what was written in it comes first.

        Raises:
            BuildtelError: a file that was asked for can't be read, or is none.
        """
        found = self._lookup(address.host)
        own = tuple(self.options.keys)
        configured = tuple(_path(name) for name in found.get("identityfile", ()))
        only = str(found.get("identitiesonly", "no")).lower() == "yes"
        jumps, command = str(found.get("proxyjump", "none")), str(found.get("proxycommand", "none"))
        return Target(
            name=address.host,
            host=str(found.get("hostname", address.host)),
            port=address.port or _port(found.get("port"), address.host),
            user=address.user or str(found.get("user") or getpass.getuser()),
            keys=own + (configured or (() if own and only else _default_keys())),
            certificates=tuple(_path(name) for name in _words(found.get("certificatefile"))),
            only_these_keys=only,
            known_hosts=_known_hosts(found),
            key_alias=next(iter(_words(found.get("hostkeyalias"))), None),
            jumps=() if jumps.lower() == "none" else tuple(jump.strip() for jump in jumps.split(",")),
            command=None if command.lower() == "none" else command,
        )

    def _lookup(self, host: str) -> dict[str, str | list[str]]:
        if self._text is None:
            self._text = "\n".join(self._lines())
        parsed = paramiko.SSHConfig()
        try:
            parsed.parse(io.StringIO(self._text))
            return dict(parsed.lookup(host))
        except (paramiko.SSHException, ValueError, KeyError, AttributeError) as error:
            raise BuildtelError(f"can't read the SSH configuration for {host}: {error}: mend it, or name another by -F"
                                ) from error  # fmt: skip

    def _lines(self) -> Iterator[str]:
        if self.options.config is not None:
            try:
                text = self.options.config.read_text(encoding="utf-8", errors="replace")
            except OSError as error:
                raise BuildtelError(f"can't read {self.options.config} (-F): {error.strerror}") from error
            yield from _included(text, MAX_INCLUDES)
            return
        for path in (SSH_FOLDER / "config", SYSTEM_CONFIG):
            yield from _read(path.expanduser(), MAX_INCLUDES)
            yield "Host *"


def jump_address(text: str) -> Address:
    """The address of a `ProxyJump`, which may be a URL."""
    return parse_address(text)


def _read(path: Path, depth: int) -> Iterator[str]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    yield from _included(text, depth)


def _included(text: str, depth: int) -> Iterator[str]:
    """The lines of a file, `Include` replaced by what it names."""
    for line in text.splitlines():
        words = line.strip().replace("=", " ", 1).split()
        if not words or words[0].lower() != "include":
            yield line
            continue
        for pattern in words[1:] if depth else ():
            place = (SSH_FOLDER / pattern.strip('"')).expanduser() if pattern[:1] != "~" else _path(pattern)
            for path in sorted(Path("/").glob(str(place.absolute())[1:])):
                yield from _read(path, depth - 1)


def _known_hosts(found: dict[str, str | list[str]]) -> tuple[Path, ...]:
    own = _words(found.get("userknownhostsfile")) or ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"]
    system = _words(found.get("globalknownhostsfile")) or SYSTEM_KNOWN_HOSTS.split()
    return tuple(_path(name) for name in [*own, *system])


def _words(value: str | list[str] | None) -> list[str]:
    if value is None:
        return []
    lines = [value] if isinstance(value, str) else value
    return [word.strip('"') for line in lines for word in line.split()]


def _default_keys() -> tuple[Path, ...]:
    return tuple(path for name in DEFAULT_KEYS if (path := _path(str(SSH_FOLDER / name))).exists())


def _path(name: str) -> Path:
    return Path(name.strip('"')).expanduser()


def _port(value: str | list[str] | None, host: str) -> int:
    if value is None:
        return SSH_PORT
    if not (isinstance(value, str) and value.isdecimal() and 0 < int(value) < 65536):
        raise BuildtelError(f"the SSH configuration has no port for {host}: {value!r}: write a number from 1 to 65535")
    return int(value)
