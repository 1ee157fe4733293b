"""All that is needed to reach a machine: the command line's settings, then the configuration's."""

from __future__ import annotations

import getpass
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from buildtel.errors import BuildtelError
from buildtel.reach import ssh_program
from buildtel.reach.address import Address
from buildtel.reach.ssh_config import SshConfig

DEFAULT_KEYS = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
KNOWN_HOSTS = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
SYSTEM_KNOWN_HOSTS = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
SSH_PORT = 22
STRICT, ACCEPT_NEW = "strict", "accept-new"
NONE = "none"


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
        """The name under which known_hosts files have it; OpenSSH folds its case, too."""
        return (self.key_alias or (self.host if self.port == SSH_PORT else f"[{self.host}]:{self.port}")).lower()

    def __str__(self) -> str:
        """For messages."""
        return self.name if self.port == SSH_PORT else f"{self.name} port {self.port}"


@dataclass(slots=True)
class Config:
    """The client's configuration: told by `ssh -G`, or by our own reader where ssh can't tell it.

    Attributes:
        options: what the command line says.
        told: takes a sentence for people, where `ssh -G` fails.
    """

    options: Options = field(default_factory=Options)
    told: Callable[[str], None] = lambda words: None
    _own: SshConfig | None = None

    def target(self, address: Address) -> Target:
        """What the configuration says of `address`; what was written in it comes first.

        Raises:
            BuildtelError: a file that was asked for can't be read, or is none.
        """
        found = self._words_of(address)
        only = _one(found, "identitiesonly", "no").lower() == "yes"
        jumps, command = _one(found, "proxyjump", NONE), _one(found, "proxycommand", NONE)
        return Target(
            name=address.host,
            host=_one(found, "hostname", address.host),
            port=address.port or _port(_one(found, "port", str(SSH_PORT)), address.host),
            user=address.user or _one(found, "user", "") or getpass.getuser(),
            keys=_keys(self.options.keys, found.get("identityfile"), only),
            certificates=_paths(found.get("certificatefile", ())),
            only_these_keys=only,
            known_hosts=_known_hosts(found),
            key_alias=_one(found, "hostkeyalias", "") or None,
            jumps=() if jumps.lower() == NONE else tuple(jump.strip() for jump in jumps.split(",")),
            command=None if command.lower() == NONE else command,
        )

    def _words_of(self, address: Address) -> Mapping[str, Sequence[str]]:
        program = shutil.which(ssh_program.NAME)
        if self._own is None and program is not None and ssh_program.reads_the_same(self.options.config):
            try:
                return ssh_program.ask(program, address, self.options.config)
            except ssh_program.NoAnswer as error:
                self._own = SshConfig.read(self.options.config)
                self.told(f"ssh can't say how to reach {address.host} ({error}): buildtel reads the files itself")
        self._own = self._own or SshConfig.read(self.options.config)
        return self._own.lookup(address.host)


def _keys(own: tuple[Path, ...], configured: Sequence[str] | None, only: bool) -> tuple[Path, ...]:
    """The keys to try: those of `-i`, then those of the configuration, or the default ones that are there."""
    if configured is not None:
        return own + _paths(configured)
    return own if own and only else own + tuple(path for path in _paths(DEFAULT_KEYS) if path.exists())


def _known_hosts(found: Mapping[str, Sequence[str]]) -> tuple[Path, ...]:
    """The user's files, then those of the system; for the first, new keys are kept in it."""
    own = _paths(found.get("userknownhostsfile", KNOWN_HOSTS)) or (Path("/dev/null"),)
    return own + _paths(found.get("globalknownhostsfile", SYSTEM_KNOWN_HOSTS))


def _paths(names: Sequence[str]) -> tuple[Path, ...]:
    return tuple(Path(name).expanduser() for name in names if name.lower() != NONE)


def _one(found: Mapping[str, Sequence[str]], word: str, default: str) -> str:
    return next(iter(found.get(word, ())), default)


def _port(value: str, host: str) -> int:
    if not (value.isdecimal() and 0 < int(value) < 65536):
        raise BuildtelError(f"the SSH configuration has a bad port for {host}: {value!r}. Write a number up to 65535")
    return int(value)
