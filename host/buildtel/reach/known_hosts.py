"""Checks host keys against known_hosts files (`sshd(8)`)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from buildtel.errors import BuildtelError
from buildtel.reach.target import ACCEPT_NEW, Target

REVOKED, AUTHORITY = "@revoked", "@cert-authority"
HASHED = "|1|"


@dataclass(frozen=True, slots=True)
class Known:
    """One line of a known_hosts file that names the machine."""

    path: Path
    line: int
    marker: str
    kind: str
    key: str


def known(target: Target) -> list[Known]:
    """The lines that name the machine, of all files that are there."""
    return [entry for path in target.known_hosts for entry in _entries(path, target.known_as)]


def _entries(path: Path, name: str) -> Iterator[Known]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for number, line in enumerate(lines, 1):
        words = line.split()
        marker = words.pop(0) if words[:1] and words[0].startswith("@") else ""
        if len(words) >= 3 and not words[0].startswith("#") and marker != AUTHORITY and names(words[0], name):
            yield Known(path, number, marker, words[1], words[2])


def names(field: str, name: str) -> bool:
    """Whether the first field of a line names the machine: a hash, or patterns with `*`, `?` and `!`.

    Args:
        field: the first field of a line, without its marker.
        name: the machine's name in small letters: OpenSSH hashes no capitals.
    """
    if field.startswith(HASHED):
        return _is_hash_of(field, name)
    patterns = field.lower().split(",")
    refused = any(_fits(name, pattern[1:]) for pattern in patterns if pattern.startswith("!"))
    return not refused and any(_fits(name, pattern) for pattern in patterns)


def _fits(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern.replace("[", "[[]"))


def _is_hash_of(field: str, name: str) -> bool:
    salt, _, digest = field.removeprefix(HASHED).partition("|")
    try:
        right = hmac.new(base64.b64decode(salt), name.encode(), hashlib.sha1).digest()
        return hmac.compare_digest(right, base64.b64decode(digest))
    except ValueError:
        return False


def kinds(entries: Iterable[Known]) -> list[str]:
    """The types of the known keys, so that the machine is asked for one of those."""
    return list(dict.fromkeys(entry.kind for entry in entries if entry.marker != REVOKED))


def check(target: Target, kind: str, blob: bytes, policy: str) -> None:
    """Accept the host key that a machine showed, or refuse it.

    Args:
        target: the machine, with its known_hosts files.
        kind: the key's type as in known_hosts: `ssh-ed25519`.
        blob: the key, as in RFC 4253, 6.6.
        policy: what to do with an unknown key: `accept-new`, or refuse it.

    Raises:
        BuildtelError: it is unknown, another than the known one, or revoked; the message says how to fix it.
    """
    key, entries = base64.b64encode(blob).decode(), known(target)
    shown = f"{kind} {fingerprint(blob)}"
    if any(entry.marker == REVOKED and entry.key == key for entry in entries):
        raise BuildtelError(f"the host key of {target} is revoked ({shown}). Do not log in to this machine")
    own = [entry for entry in entries if entry.marker != REVOKED]
    if any(entry.key == key for entry in own):
        return
    if own:
        place = f"{own[0].path} line {own[0].line}"
        raise BuildtelError(
            f"the host key of {target} has changed: it shows {shown}, {place} has another. Nothing was sent. If the "
            f"machine was made anew, run ssh-keygen -f {own[0].path} -R '{target.known_as}'"
        )
    if policy != ACCEPT_NEW:
        raise BuildtelError(
            f"the host key of {target} is not known ({shown}). Compare it with the machine's, then log in once by ssh, "
            "or add --host-key-policy accept-new"
        )
    remember(target, kind, key)


def remember(target: Target, kind: str, key: str) -> None:
    """Append a machine's key to the user's first known_hosts file.

    Args:
        target: the machine.
        kind: the key's type.
        key: the key in base64.
    """
    path = target.known_hosts[0]
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        with path.open("a+", encoding="utf-8") as file:
            file.seek(max(file.tell() - 1, 0))
            before = "\n" if file.read(1) not in ("", "\n") else ""
            file.write(f"{before}{target.known_as} {kind} {key}\n")
    except OSError as error:
        raise BuildtelError(f"can't write the host key of {target} in {path}: {error.strerror}") from error


def fingerprint(blob: bytes) -> str:
    """As ssh prints it: `SHA256:` and base64 without padding."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
