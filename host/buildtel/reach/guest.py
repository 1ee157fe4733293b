"""The actions on a machine: inspect, install the agent, fetch, remove."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from buildtel.errors import BuildtelError
from buildtel.reach.life_rows import LifeReader
from buildtel.reach.link import Link, RemoteFileMissing
from buildtel.reach.remote_files import (
    AGENT,
    Listed,
    SpoolFile,
    files_script,
    folders_script,
    listed,
    mistrust,
    must_be_root,
    sort_folders,
    spool_files,
)
from buildtel_agent import INSTALL_DIR

MAX_BYTES = 4 << 30
MAX_LIFE_BYTES = 64 << 20
FACTS = "id -u; date +%s; cat /proc/sys/kernel/random/boot_id; cut -d ' ' -f 1 /proc/uptime"


@dataclass(frozen=True, slots=True)
class Facts:
    """Who we are there, and the machine's boot and clocks."""

    uid: int
    now_s: float
    boot: str
    uptime_s: float


@dataclass(frozen=True, slots=True)
class Spools:
    """The files of all spools, oldest records first, and sentences about what is left out."""

    files: list[SpoolFile]
    left_out: list[str]

    @property
    def bytes(self) -> int:
        """Their size together."""
        return sum(file.size for file in self.files)


@dataclass(slots=True)
class Guest:
    """A machine reached by SSH."""

    link: Link
    max_bytes: int = MAX_BYTES
    _sudo: bool | None = None
    _facts: Facts | None = None

    @property
    def name(self) -> str:
        """As the user wrote it."""
        return str(self.link.address)

    def facts(self) -> Facts:
        """Asked once.

        Raises:
            BuildtelError: it is no Linux machine, or has no shell for this user.
        """
        if self._facts is None:
            words = self.link.ask(FACTS).output.split()
            try:
                uid, now, boot, uptime = (word.decode("ascii") for word in words[-4:])
                self._facts = Facts(int(uid), float(now), boot, float(uptime))
            except (ValueError, UnicodeDecodeError) as error:
                raise BuildtelError(
                    f"{self.name} does not answer like a Linux machine. The agent runs on Linux only"
                ) from error
        return self._facts

    def agent(self) -> Listed | None:
        """The installed agent, None if there is none.

        Raises:
            BuildtelError: somebody else may have put it there.
        """
        for entry in listed(self.link.ask(f"LC_ALL=C ls -lnd {INSTALL_DIR} {AGENT} 2>/dev/null; true").output):
            why = mistrust(entry, self.facts().uid)
            if why is not None:
                raise BuildtelError(f"{self.name}: {entry.name} must not be used: {why}. Remove it there as root")
            if entry.name == AGENT:
                return entry
        return None

    def version(self) -> str:
        """What the installed agent says it is."""
        done = self.link.ask(f"sh {AGENT} --version")
        return done.output.decode("utf-8", "replace").strip()[:40] or "of an unknown version"

    def spools(self) -> Spools:
        """The spools there are."""
        uid = self.facts().uid
        folders, left_out = sort_folders(listed(self.link.ask(folders_script()).output), uid)
        found: list[SpoolFile] = []
        for folder in folders:
            as_root = must_be_root(folder, None, uid)
            if as_root and not self.may_sudo():
                left_out.append(f"{folder.name} is left out: only root may read it, and sudo -n is not allowed here")
                continue
            files, refused = spool_files(folder, listed(self.link.ask(files_script(folder.name, as_root)).output), uid)
            found += [file for file in files if not file.as_root or self.may_sudo()]
            left_out += refused + [
                f"{file.path} is left out: only root may read it, and sudo -n is not allowed here"
                for file in files
                if file.as_root and not self.may_sudo()
            ]
        return Spools(sorted(found, key=lambda file: (file.is_life, file.path)), left_out)

    def may_sudo(self) -> bool:
        """Whether sudo works without a password."""
        if self._sudo is None:
            self._sudo = self.link.ask("sudo -n true").status == 0
        return self._sudo

    def lines(self, spools: Spools) -> Iterator[bytes]:
        """All of the spools as records, in pieces of any size; adds to `spools.left_out` what is not read."""
        room = self.max_bytes
        for file in spools.files:
            size = min(file.size, room, MAX_LIFE_BYTES if file.is_life else room)
            if size < file.size:
                spools.left_out.append(
                    f"{file.path}: {(file.size - size) / 2**20:.0f} MB of it are left out: too large"
                )
            room -= size
            data = self.link.read(file.path, 0, size, file.as_root)
            try:
                yield from self._life(file, data, spools) if file.is_life else _ended(data)
            except RemoteFileMissing:
                spools.left_out.append(f"{file.path} went away while the spool was read")

    def all_lines(self, told: Callable[[str], None]) -> Iterator[bytes]:
        """The bytes of all spools that are there now; `told` takes a sentence for each thing that is left out."""
        spools = self.spools()
        if not spools.files:
            told("no spool found: no agent has run there, or the build has removed it.")
        yield from self.lines(spools)
        for words in spools.left_out:
            told(words)

    def _life(self, file: SpoolFile, data: Iterator[bytes], spools: Spools) -> Iterator[bytes]:
        facts = self.facts()
        reader = LifeReader(file.name.partition("-")[2], facts.boot, facts.now_s - facts.uptime_s, facts.uptime_s)
        for block in data:
            yield from reader.feed(block)
        yield from reader.close()
        if reader.stale:
            spools.left_out.append(f"{file.path}: samples of an earlier boot are left out")

    def install(self, source: bytes, sudo: bool) -> str:
        """Put the agent there and start its sampler; gives what the agent said.

        Args:
            source: the agent's file.
            sudo: install as root by `sudo -n`.

        Raises:
            BuildtelError: it could not be installed.
        """
        self.agent()
        if sudo and self.facts().uid != 0 and not self.may_sudo():
            raise BuildtelError(
                f"{self.name}: sudo -n is not allowed for this user. Install without --sudo, or as root"
            )
        folder = f"/tmp/.buildtel-{secrets.token_hex(8)}"
        root = "sudo -n " if sudo and self.facts().uid != 0 else ""
        script = (
            f"mkdir -m 700 {folder} && cat >{folder}/buildtel_agent.py && "
            f"{root}sh {folder}/buildtel_agent.py install; s=$?; rm -rf {folder}; exit $s"
        )
        done = self.link.run(script, source)
        words = _said(done.output) or done.messages.strip().splitlines()[-1:]
        if done.status != 0 or self.agent() is None:
            why = " ".join(words) or f"exit status {done.status}"
            raise BuildtelError(f"{self.name}: the agent could not be installed: {why[:300]}")
        return " ".join(words)

    def remove(self) -> list[str]:
        """Take the agent and its spools away; what it said.

        Raises:
            BuildtelError: there is none, or it can't be removed.
        """
        agent = self.agent()
        if agent is None:
            raise BuildtelError(f"{self.name}: no agent is installed there, so there is nothing to remove")
        uid = self.facts().uid
        as_root = uid not in (agent.owner, 0)
        if as_root and not self.may_sudo():
            raise BuildtelError(
                f"{self.name}: root installed the agent, and sudo -n is not allowed here. Log in as root"
            )
        done = self.link.run(f"{'sudo -n ' if as_root else ''}sh {shlex.quote(AGENT)} finish")
        if self.agent() is not None:
            why = " ".join(_said(done.output)) or done.messages.strip()
            raise BuildtelError(f"{self.name}: the agent is still there: {why[:300]}")
        return _said(done.output)


def _ended(data: Iterator[bytes]) -> Iterator[bytes]:
    """The bytes of one file, a newline behind them: the next file's first record begins a line."""
    last = b"\n"
    for block in data:
        last = block[-1:]
        yield block
    if last != b"\n":
        yield b"\n"


def _said(output: bytes) -> list[str]:
    """The lines for people."""
    lines = output.decode("utf-8", "replace").splitlines()
    return [line.removeprefix("buildtel: ") for line in lines if line.startswith("buildtel: ")]
