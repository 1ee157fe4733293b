"""Parses `[user@]host[:port]`."""

from __future__ import annotations

from dataclasses import dataclass

from buildtel.errors import UsageError

SCHEME = "ssh://"
FOR_SHELLS = frozenset("'`\"$;&<>|(){}")  # OpenSSH refuses them, too: names become part of a ProxyCommand


@dataclass(frozen=True, slots=True)
class Address:
    """A machine as it was named; what is None comes from ~/.ssh/config, or is SSH's default."""

    host: str
    user: str | None = None
    port: int | None = None

    def __str__(self) -> str:
        """As a user would write it."""
        host = f"[{self.host}]" if ":" in self.host and self.port is not None else self.host
        user = f"{self.user}@" if self.user is not None else ""
        return f"{user}{host}" + (f":{self.port}" if self.port is not None else "")


def parse_address(text: str) -> Address:
    """The address in `text`.

    Raises:
        UsageError: it is none; says what would be one.
    """
    user, at, rest = text.removeprefix(SCHEME).rpartition("@")
    host, port = _host_and_port(rest, text)
    odd = any(char.isspace() or not char.isprintable() or char in FOR_SHELLS for char in text)
    if odd or not host or host.startswith("-") or user.startswith("-") or (at and not user):
        raise UsageError(f"no address of a machine: {text!r}: write [user@]host[:port]")
    return Address(host, user if at else None, port)


def _host_and_port(rest: str, text: str) -> tuple[str, int | None]:
    if rest.startswith("["):
        host, bracket, port = rest[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            raise UsageError(f"no address of a machine: {text!r}: an IPv6 address with a port is [ADDRESS]:PORT")
        return host, _port(port[1:], text) if port else None
    if rest.count(":") != 1:
        return rest, None
    host, _, port = rest.partition(":")
    return host, _port(port, text)


def _port(digits: str, text: str) -> int:
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 5 and 0 < int(digits) < 65536):
        raise UsageError(f"no port in {text!r}: a port is a number from 1 to 65535")
    return int(digits)
