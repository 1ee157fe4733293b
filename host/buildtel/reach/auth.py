"""Logs in over SSH: agent, keys, certificates, passphrases, passwords."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import paramiko
from paramiko import PKey, Transport

from buildtel.errors import BuildtelError
from buildtel.reach.target import Target

PASSWORD_TRIES = 3
PASSWORD_WAYS = frozenset({"password", "keyboard-interactive"})


@dataclass(slots=True)
class Secrets:
    """What only the user knows. `ask` shows its words and gives the answer, None where nobody can be asked.

    Answers are kept while the process lives, so that a connection that breaks can be made again.
    """

    ask: Callable[[str], str | None] = lambda words: None
    password: str | None = None
    passphrase: str | None = None
    _passphrases: dict[Path, str] = field(default_factory=dict)
    _passwords: dict[str, str] = field(default_factory=dict)

    def passphrases(self, key: Path) -> Iterator[str]:
        """Passphrases to try for a key."""
        if key in self._passphrases:
            yield self._passphrases[key]
            return
        for given in (self.passphrase, self.ask(f"passphrase of {key}: ") if self.passphrase is None else None):
            if given is not None:
                self._passphrases[key] = given
                yield given

    def passwords(self, who: str) -> Iterator[str]:
        """Passwords to try for `user@host`."""
        if who in self._passwords:
            yield self._passwords[who]
            return
        if self.password is not None:
            yield self.password
            return
        for _ in range(PASSWORD_TRIES):
            given = self.ask(f"password of {who}: ")
            if given is None:
                return
            self._passwords[who] = given
            yield given
        self._passwords.pop(who, None)


def log_in(transport: Transport, target: Target, secrets: Secrets) -> None:
    """Log in by a method that the machine offers and the user has.

    Args:
        transport: the connection, whose host key is checked already.
        target: the machine and the user.
        secrets: asks for passphrases and passwords.

    Raises:
        BuildtelError: nothing did; says what was tried.
    """
    tried: list[str] = []
    ways = _ways(transport, target)
    if ways is None:
        return
    if "publickey" in ways:
        for words, key in _keys(target, secrets, tried):
            tried.append(words)
            if _with_key(transport, target, key):
                return
    if ways & PASSWORD_WAYS:
        for password in secrets.passwords(f"{target.user}@{target}"):
            tried.append("a password")
            if _with_password(transport, target, password):
                return
    raise BuildtelError(_refused(target, ways, tried))


def _refused(target: Target, ways: set[str], tried: list[str]) -> str:
    had = ", ".join(dict.fromkeys(tried)) or "nothing that it takes"
    advice = "a key with -i, another user as USER@HOST"
    if ways & PASSWORD_WAYS:
        advice += ", or the password in BUILDTEL_SSH_PASSWORD"
    return f"{target} does not let {target.user} in (it takes {', '.join(sorted(ways))}; tried: {had}). Give {advice}"


def _ways(transport: Transport, target: Target) -> set[str] | None:
    """How the machine lets users in, None if it just did."""
    try:
        transport.auth_none(target.user)
    except paramiko.BadAuthenticationType as refused:
        return set(refused.allowed_types)
    except paramiko.AuthenticationException:
        return {"publickey", *PASSWORD_WAYS}
    return None


def _with_key(transport: Transport, target: Target, key: PKey) -> bool:
    try:
        return not transport.auth_publickey(target.user, key)
    except paramiko.BadAuthenticationType:
        return False
    except paramiko.AuthenticationException:
        return _went_on(transport, target)


def _with_password(transport: Transport, target: Target, password: str) -> bool:
    try:
        return not transport.auth_password(target.user, password)
    except paramiko.AuthenticationException:
        return _went_on(transport, target)


def _went_on(transport: Transport, target: Target) -> bool:
    """False; the machine may have had enough of it."""
    if not transport.is_active():
        raise BuildtelError(
            f"{target} hung up while {target.user} logged in: too many keys were tried, or it took too long. Name "
            "one key with -i and IdentitiesOnly in ~/.ssh/config"
        )
    return False


def _keys(target: Target, secrets: Secrets, tried: list[str]) -> Iterator[tuple[str, PKey]]:
    """Keys to try, with words for each: the agent's, then those of files, each with its certificate before it."""
    yield from _agent_keys(target)
    for path in target.keys:
        key = load_key(path, secrets)
        if isinstance(key, str):
            tried.append(key)
            continue
        for certificate in _certificates(path, target):
            with_it = load_key(path, secrets)
            if not isinstance(with_it, str) and _certified(with_it, certificate):
                yield f"key {path} with certificate {certificate.name}", with_it
        yield f"key {path}", key


def _agent_keys(target: Target) -> Iterator[tuple[str, PKey]]:
    try:
        keys = paramiko.Agent().get_keys()
    except (paramiko.SSHException, OSError):
        return
    allowed = {_public(path) for path in target.keys} if target.only_these_keys else None
    for key in keys:
        if allowed is None or key.get_base64() in allowed:
            yield "the agent's keys", key


def _public(path: Path) -> str | None:
    try:
        words = path.with_name(path.name + ".pub").read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return None
    return words[1] if len(words) > 1 else None


def _certificates(path: Path, target: Target) -> Iterator[Path]:
    beside = path.with_name(path.name + "-cert.pub")
    yield from [beside] if beside.is_file() else []
    yield from target.certificates


def _certified(key: PKey, certificate: Path) -> bool:
    """Whether the certificate can be one of this key; the key carries it then."""
    try:
        key.load_certificate(str(certificate))
    except Exception:  # paramiko raises whatever its parsers do
        return False
    return True


def load_key(path: Path, secrets: Secrets) -> PKey | str:
    """The private key of a file, or a text that says why it can't be used.

    Args:
        path: the file.
        secrets: asks for its passphrase.
    """
    if not path.is_file():
        return f"key {path} (no such file)"
    try:
        return _load(path, None)
    except paramiko.PasswordRequiredException:
        pass
    except (paramiko.SSHException, OSError, ValueError) as error:
        return f"key {path} (can't be read: {_short(error)})"
    why = "encrypted: put the passphrase into BUILDTEL_SSH_PASSPHRASE"
    for passphrase in secrets.passphrases(path):
        try:
            return _load(path, passphrase)
        except (paramiko.SSHException, OSError, ValueError):  # noqa: PERF203
            why = "the passphrase is wrong"
    return f"key {path} ({why})"


def _load(path: Path, passphrase: str | None) -> PKey:
    last: Exception = paramiko.SSHException("no private key")
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key_file(str(path), passphrase)
        except paramiko.PasswordRequiredException:  # noqa: PERF203
            raise
        except (paramiko.SSHException, ValueError, IndexError, UnicodeDecodeError) as error:
            last = error
    raise paramiko.SSHException("no key of a known kind, or damaged") from last


def _short(error: Exception) -> str:
    return error.strerror or "?" if isinstance(error, OSError) else str(error).partition("\n")[0][:100]
