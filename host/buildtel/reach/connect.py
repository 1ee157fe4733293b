"""Connects to a machine: directly, through a ProxyCommand, or over jump hosts."""

from __future__ import annotations

import logging
import socket
import subprocess
from dataclasses import dataclass, field
from typing import Any

import paramiko
from paramiko import Transport

from buildtel.errors import BuildtelError
from buildtel.reach import known_hosts
from buildtel.reach.address import parse_address
from buildtel.reach.auth import Secrets, log_in
from buildtel.reach.processes import end
from buildtel.reach.target import Config, Target

CONNECT_S = 15.0
HELLO_S = 10.0  # for the first line of an SSH server, and for the exchange of keys
LOGIN_S = 30.0
KEEPALIVE_S = 15
MAX_JUMPS = 5
# paramiko stalls where it asks for new keys just when a command ends; RFC 4344 allows 64 GB by one key of AES.
REKEY_BYTES = 1 << 34


@dataclass(slots=True)
class Connection:
    """A logged-in connection, and what it goes through."""

    transport: Transport
    through: list[Connection] = field(default_factory=list)
    proxy: subprocess.Popen[bytes] | None = None

    def close(self) -> None:
        """Hang up, the last hop first."""
        self.transport.close()
        if self.proxy is not None:
            end(self.proxy)
        for hop in reversed(self.through):
            hop.close()


def connect(target: Target, config: Config, secrets: Secrets, depth: int = MAX_JUMPS) -> Connection:
    """Open a connection to a machine.

    Args:
        target: the machine.
        config: gives the settings of jump hosts.
        secrets: asks for passphrases and passwords.
        depth: how many jumps may be nested.

    Raises:
        BuildtelError: it can't be had: one line that says why and how to fix it.
    """
    logging.getLogger("paramiko").addHandler(logging.NullHandler())
    logging.getLogger("paramiko").propagate = False
    hops: list[Connection] = []
    proxy = None
    try:
        for jump in target.jumps:
            hops.append(_over(config.target(parse_address(jump)), hops, config, secrets, depth))
        if hops:
            line = _tunnel(hops[-1].transport, target)
        elif target.command is not None:
            line, proxy = _proxied(target)
        else:
            line = _direct(target)
        return Connection(_logged_in(line, target, config, secrets), hops, proxy)
    except BaseException:
        if proxy is not None:
            end(proxy)
        for hop in reversed(hops):
            hop.close()
        raise


def _over(target: Target, hops: list[Connection], config: Config, secrets: Secrets, depth: int) -> Connection:
    """A jump host: the first as its own configuration says, each other one over the one before it."""
    if depth == 0:
        raise BuildtelError(f"{target}: more than {MAX_JUMPS} jump hosts in a row. Check ProxyJump in ~/.ssh/config")
    if not hops:
        return connect(target, config, secrets, depth - 1)
    return Connection(_logged_in(_tunnel(hops[-1].transport, target), target, config, secrets))


def _direct(target: Target) -> socket.socket:
    try:
        return socket.create_connection((target.host, target.port), timeout=CONNECT_S)
    except socket.gaierror as error:
        raise BuildtelError(
            f"no machine has the name {target.host} ({error.strerror}). Check the name, and HostName in "
            "~/.ssh/config"
        ) from error
    except ConnectionRefusedError as error:
        raise BuildtelError(
            f"{target.name} refuses connections to port {target.port}. Check that sshd runs there, and "
            "on that port; HOST:PORT names another one"
        ) from error
    except (TimeoutError, OSError) as error:
        why = "no answer" if isinstance(error, TimeoutError) else error.strerror or str(error)
        raise BuildtelError(
            f"can't reach {target.name} port {target.port} ({why}). Check that it is up and the port is open"
        ) from error


def _tunnel(jump: Transport, target: Target) -> Any:
    try:
        return jump.open_channel("direct-tcpip", (target.host, target.port), ("127.0.0.1", 0), timeout=CONNECT_S)
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise BuildtelError(
            f"the jump host can't reach {target.host} port {target.port} ({error}). Check ProxyJump, and "
            "AllowTcpForwarding there"
        ) from error


def _proxied(target: Target) -> tuple[socket.socket, subprocess.Popen[bytes]]:
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {target.command}"], stdin=theirs.fileno(), stdout=theirs.fileno(),
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    return ours, process


def _logged_in(line: Any, target: Target, config: Config, secrets: Secrets) -> Transport:
    try:
        transport = paramiko.Transport(line)
    except (paramiko.SSHException, EOFError, OSError) as error:
        line.close()
        raise _no_server(target, error) from error
    transport.banner_timeout = transport.handshake_timeout = HELLO_S
    transport.auth_timeout = LOGIN_S
    transport.channel_timeout = CONNECT_S
    transport.daemon = True
    transport.packetizer.REKEY_BYTES = REKEY_BYTES
    try:
        _shake_hands(transport, target, config.options.host_key_policy)
        log_in(transport, target, secrets)
    except BaseException as error:
        transport.close()
        if isinstance(error, (paramiko.SSHException, EOFError, OSError)):
            raise BuildtelError(f"{target} broke off the login ({_words(error)}). Try again, or ssh -v") from error
        raise
    transport.set_keepalive(KEEPALIVE_S)
    return transport


def _shake_hands(transport: Transport, target: Target, policy: str) -> None:
    """Agree on keys, and look at the machine's."""
    security = transport.get_security_options()
    wanted = known_hosts.kinds(known_hosts.known(target))
    if "ssh-rsa" in wanted:
        wanted += ["rsa-sha2-512", "rsa-sha2-256"]
    security.key_types = sorted(security.key_types, key=lambda kind: kind not in wanted)
    try:
        transport.start_client(timeout=HELLO_S)
        key = transport.get_remote_server_key()  # start_client is silent about its timeout, this is not
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise _no_server(target, error) from error
    known_hosts.check(target, key.get_name(), key.asbytes(), policy)


def _no_server(target: Target, error: BaseException) -> BuildtelError:
    text = _words(error)
    if not text or any(word in text for word in ("banner", "imeout", "No existing session")):
        return BuildtelError(
            f"{target} accepts connections but no SSH server speaks there (waited {HELLO_S:.0f} s). Check the port "
            "and the machine"
        )
    return BuildtelError(f"{target}: no SSH algorithm in common ({text}). Run `ssh -v` to see what the machine offers")


def _words(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
