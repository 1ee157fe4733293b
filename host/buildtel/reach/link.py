"""Runs commands over a connection that may break, and resumes reading of files."""

from __future__ import annotations

import secrets as random
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import paramiko
from paramiko import Channel

from buildtel.errors import BuildtelError
from buildtel.reach.address import Address
from buildtel.reach.auth import Secrets
from buildtel.reach.connect import Connection, connect
from buildtel.reach.target import Config, Options, Target

READ_S = 30.0  # a command that says nothing for so long has hung
COMMAND_S = 120.0  # whatever it says
BLOCK_BYTES = 64 * 1024
MAX_SURPLUS_BYTES = 1 << 20  # what a file grew is read to its end, not cut off: dropbear takes that ill
MAX_OUTPUT_BYTES = 1 << 20
MAX_RECONNECTS = 200
BROKE = (paramiko.SSHException, EOFError, OSError)  # what paramiko raises where the connection goes
PAUSES_S = (0.5, 1, 2, 4, 8)  # before each attempt to connect again; as many as these in a row


class RemoteFileMissing(BuildtelError):
    """A file is not there any more, or not for this user."""


class ConnectionLost(Exception):
    """The connection broke, or the machine fell silent."""


class CommandNotStarted(ConnectionLost):
    """It broke before the command was begun."""


@dataclass(frozen=True, slots=True)
class Done:
    """A command that ran: its exit status, its output, and the first MiB of its messages."""

    status: int
    output: bytes
    messages: str


@dataclass(slots=True)
class Link:
    """One machine; connects when first asked for something, and again where the connection broke."""

    address: Address
    options: Options = field(default_factory=Options)
    secrets: Secrets = field(default_factory=Secrets)
    told: Callable[[str], None] = lambda words: None
    pauses_s: tuple[float, ...] = PAUSES_S
    _config: Config | None = None
    _target: Target | None = None
    _connection: Connection | None = None

    def __enter__(self) -> Link:
        """The link itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up."""
        self.close()

    def close(self) -> None:
        """Hang up; asked for something, it connects again."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()

    def run(self, script: str, stdin: bytes = b"") -> Done:
        """Run a piece of sh on the machine. It is not repeated if the connection breaks: it may have done its work.

        Args:
            script: the text for `sh -c`.
            stdin: the bytes of its standard input.

        Raises:
            BuildtelError: the machine can't be reached or does not answer.
        """
        for attempt in self._attempts():
            try:
                return self._run(script, stdin)
            except CommandNotStarted as broken:  # noqa: PERF203
                attempt(broken)
            except ConnectionLost as broken:
                self.close()
                raise BuildtelError(f"{self.address}: {broken}. Try again") from broken
        raise AssertionError

    def ask(self, script: str) -> Done:
        """As `run`, and again if the connection breaks: for what changes nothing."""
        for attempt in self._attempts():
            try:
                return self._run(script, b"")
            except ConnectionLost as broken:  # noqa: PERF203
                attempt(broken)
        raise AssertionError

    def read(self, path: str, offset: int, end: int, sudo: bool = False) -> Iterator[bytes]:
        """The bytes of a part of a file; reconnects if the connection breaks.

        Args:
            path: the file on the machine.
            offset: the first byte, from 0.
            end: the byte behind the last one; a shorter file gives fewer bytes.
            sudo: read it as root by `sudo -n`.

        Raises:
            BuildtelError: the machine can't be reached any more, or the file can't be read.
        """
        for _ in range(MAX_RECONNECTS if offset < end else 0):
            begun = offset
            for attempt in self._attempts():
                try:
                    for block in self._tail(path, offset, end, sudo):
                        offset += len(block)
                        yield block
                    return
                except ConnectionLost as broken:  # noqa: PERF203
                    self.close()
                    if offset > begun:
                        break  # it went on: count the attempts anew
                    attempt(broken)
        if offset < end:
            raise BuildtelError(f"{self.address}: {MAX_RECONNECTS} connections broke while {path} was read. Try again")

    def _attempts(self) -> Iterator[Callable[[ConnectionLost], None]]:
        """One turn for each attempt; what it gives takes the error of a failed one, and raises after the last."""
        for number in range(len(self.pauses_s) + 1):

            def failed(broken: ConnectionLost, number: int = number) -> None:
                self.close()
                if number >= len(self.pauses_s):
                    raise BuildtelError(f"{self.address}: {broken}, {number + 1} times in a row. Try again") from broken
                self.told(f"{self.address}: {broken}; connecting again")
                time.sleep(self.pauses_s[number])

            yield failed

    def _connected(self) -> Connection:
        if self._connection is None or not self._connection.transport.is_active():
            again = self._connection is not None or self._target is not None
            self.close()
            self._config = self._config or Config(self.options, self.told)
            self._target = self._target or self._config.target(self.address)
            try:
                self._connection = connect(self._target, self._config, self.secrets)
            except BuildtelError as error:
                if again and not _final(error):
                    raise ConnectionLost(str(error)) from error
                raise
        return self._connection

    @contextmanager
    def _channel(self, script: str) -> Iterator[Channel]:
        channel = self._opened(script)
        try:
            yield channel
        except TimeoutError as error:
            raise ConnectionLost(f"no answer for {READ_S:.0f} s") from error
        except BROKE as error:
            raise ConnectionLost("the connection broke") from error
        finally:
            with suppress(*BROKE):  # the connection may have gone meanwhile
                channel.close()

    def _opened(self, script: str) -> Channel:
        connection = self._connected()
        try:
            channel = connection.transport.open_session(timeout=READ_S)
            channel.settimeout(READ_S)
            channel.exec_command(f"sh -c {shlex.quote(script)}")
        except BROKE as error:
            words = "it runs no command" if connection.transport.is_active() else "the connection broke"
            raise CommandNotStarted(words) from error
        return channel

    def _run(self, script: str, stdin: bytes) -> Done:
        mark = _mark()
        with self._channel(f"echo {mark}; {script}") as channel:
            channel.sendall(stdin)
            channel.shutdown_write()
            output, give_up = bytearray(), time.monotonic() + COMMAND_S
            for block in _blocks(channel):
                output += block
                if len(output) > MAX_OUTPUT_BYTES or time.monotonic() > give_up:
                    raise BuildtelError(f"{self.address} sends endless output at login. Check its login scripts")
            messages = _drained(channel)
            if not channel.status_event.wait(READ_S) or channel.exit_status < 0:
                raise ConnectionLost("the connection broke")
        _, _, rest = bytes(output).partition(mark.encode() + b"\n")
        return Done(channel.exit_status, rest, messages.decode("utf-8", "replace"))

    def _tail(self, path: str, offset: int, end: int, sudo: bool) -> Iterator[bytes]:
        """From `offset` to before `end`, as far as this connection goes."""
        mark = _mark().encode() + b"\n"
        command = f"{'sudo -n ' if sudo else ''}tail -c +{offset + 1} {shlex.quote(path)}"
        head: bytearray | None = bytearray()
        surplus = 0
        with self._channel(f"echo {mark.decode().strip()}; exec {command} 2>/dev/null") as channel:
            for block in _blocks(channel):
                data = block
                if head is not None:
                    head += block
                    _, found, rest = bytes(head).partition(mark)
                    if not found and len(head) > MAX_OUTPUT_BYTES:
                        raise BuildtelError(f"{self.address} sends endless output at login. Check its login scripts")
                    if not found:
                        continue
                    head, data = None, rest
                surplus += max(len(data) - (end - offset), 0)
                data = data[: end - offset]
                if data:
                    offset += len(data)
                    yield data
                if surplus > MAX_SURPLUS_BYTES:
                    return
            if offset >= end:
                return
            if not channel.status_event.wait(READ_S) or channel.exit_status < 0:
                raise ConnectionLost("the connection broke")
            if channel.exit_status != 0:
                raise RemoteFileMissing(f"{self.address}: can't read {path}: it is gone, or not for this user")


def _final(error: BuildtelError) -> bool:
    """True for what another attempt would not fix."""
    return "host key" in str(error) or "does not let" in str(error)


def _mark() -> str:
    """What tells a command's output from what a login script prints before it."""
    return f"buildtel-{random.token_hex(8)}"


def _blocks(channel: Channel) -> Iterator[bytes]:
    while block := channel.recv(BLOCK_BYTES):
        yield block


def _drained(channel: Channel) -> bytes:
    messages = bytearray()
    while channel.recv_stderr_ready() and len(messages) < MAX_OUTPUT_BYTES:
        messages += channel.recv_stderr(BLOCK_BYTES)
    return bytes(messages)
