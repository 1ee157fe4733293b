"""Reads the SSH configuration of a machine with `ssh -G` (`ssh(1)`)."""

from __future__ import annotations

import getpass
import os
import pwd
import re
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

from buildtel.reach.address import Address
from buildtel.reach.processes import end

NAME = "ssh"
ANSWER_S = 10.0  # `Match exec` and `CanonicalizeHostname` may take their time
DEFAULT_KEYS = frozenset(
    f"~/.ssh/{name}" for name in (
        "id_rsa", "id_dsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk", "id_xmss",
    )
)  # fmt: skip
ALWAYS_DEFAULT = frozenset({"~/.ssh/id_rsa", "~/.ssh/id_ecdsa", "~/.ssh/id_ed25519"})
DEFAULT_KNOWN_HOSTS = (".ssh/known_hosts", ".ssh/known_hosts2")
FILE_LISTS, FILE_BEGINS = ("userknownhostsfile", "globalknownhostsfile"), re.compile(r" +(?=[/~])")
TOKENS, TOKENS_AND_VARIABLES = re.compile(r"%(?P<token>.)"), re.compile(r"%(?P<token>.)|\$\{(?P<variable>\w+)\}")
EXPANDED = {
    "identityfile": TOKENS_AND_VARIABLES, "certificatefile": TOKENS_AND_VARIABLES,
    "proxycommand": TOKENS, "proxyjump": TOKENS,
}  # fmt: skip


class NoAnswer(Exception):
    """ssh did not say it; why, in words for people."""


def reads_the_same(config: Path | None) -> bool:
    """Whether ssh reads the files that the user means; without `-F` it ignores $HOME and asks the password database."""
    return config is not None or Path("~").expanduser().resolve() == Path(_account_home()).resolve()


def ask(program: str, address: Address, config: Path | None) -> dict[str, list[str]]:
    """The words of the configuration for a machine, in lower case, each with its values.

    Args:
        program: the path of ssh.
        address: the machine; its user and port count as they do on ssh's command line.
        config: the file of `-F`.

    Raises:
        NoAnswer: ssh can't be run, fails, or has not answered within ANSWER_S.
    """
    words = [program, "-T", "-G"]
    words += ["-F", str(config.absolute())] if config is not None else []
    words += ["-l", address.user] if address.user is not None else []
    words += ["-p", str(address.port)] if address.port is not None else []
    return parse(_output([*words, "--", address.host]), address.host)


def _output(command: list[str]) -> str:
    """What the command writes. It has no terminal, so nothing in it can ask the user."""
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
    except OSError as error:
        raise NoAnswer(f"{command[0]}: {error.strerror}") from error
    with process:
        try:
            output, messages = process.communicate(timeout=ANSWER_S)
        except BaseException as error:
            end(process)
            if isinstance(error, subprocess.TimeoutExpired):
                raise NoAnswer(f"no answer from ssh -G within {ANSWER_S:.0f} s") from error
            raise
    if process.returncode != 0:
        first = os.fsdecode(messages).strip().partition("\n")[0].strip()
        raise NoAnswer(first or f"ssh -G ends with status {process.returncode}")
    return os.fsdecode(output)


def parse(output: str, name: str) -> dict[str, list[str]]:
    """The words that `ssh -G` printed, without the lists of files that are only ssh's default.

    Args:
        output: lines `word value`; ssh quotes nothing.
        name: the machine as the user named it.
    """
    found: dict[str, list[str]] = {}
    for line in output.split("\n"):
        word, blank, value = line.partition(" ")
        if not blank:
            continue
        files = FILE_BEGINS.split(value) if word in FILE_LISTS else [value]
        found.setdefault(word.lower(), []).extend(files)
    if ALWAYS_DEFAULT <= set(found.get("identityfile", ())) <= DEFAULT_KEYS:
        del found["identityfile"]
    if found.get("userknownhostsfile") == [f"{_account_home()}/{file}" for file in DEFAULT_KNOWN_HOSTS]:
        del found["userknownhostsfile"]
    meanings = _meanings(found, name)
    return {
        word: [EXPANDED[word].sub(lambda match: _meaning(match, meanings), value) for value in values]
        if word in EXPANDED else values for word, values in found.items()
    }  # fmt: skip


def _meanings(found: Mapping[str, list[str]], name: str) -> dict[str, str]:
    """The tokens of `ssh_config(5)` that ssh replaces when it connects, not in what it prints."""
    local = socket.gethostname()
    host, port, user = (found.get(word, [""])[0] for word in ("hostname", "port", "user"))
    return {
        "%": "%", "d": str(Path("~").expanduser()), "h": host, "i": str(os.getuid()), "n": name, "p": port, "r": user,
        "L": local.partition(".")[0], "l": local, "k": found.get("hostkeyalias", [name])[0], "u": getpass.getuser(),
    }  # fmt: skip


def _meaning(match: re.Match[str], tokens: Mapping[str, str]) -> str:
    """What stands for a token or variable; one without a meaning stays as it is."""
    parts = match.groupdict()
    meaning = tokens.get(parts["token"]) if parts["token"] else os.environ.get(parts["variable"] or "")
    return match[0] if meaning is None else meaning


def _account_home() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return ""
