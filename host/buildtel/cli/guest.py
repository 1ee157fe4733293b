"""`guest`: the agent on a machine over SSH: install, status, fetch, follow, remove."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from buildtel.errors import BuildtelError, UsageError

if TYPE_CHECKING:
    from buildtel.events import Event
    from buildtel.reach import Guest, Line

POLICIES = ("strict", "accept-new")
SHOWN_BEFORE = 10
ACTIONS = {
    "install": "install the agent on the machine and start sampling; its steps can then be measured",
    "status": "show which agent is installed and how much it has measured",
    "fetch": "download the measurements into a file for `collect --spool`",
    "follow": "show steps while they run, until the agent is removed",
    "remove": "remove the agent and all its measurements from the machine",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    for name, words in ACTIONS.items():
        action = actions.add_parser(name, help=words, description=words, allow_abbrev=False)
        action.add_argument("host", metavar="HOST", help="[user@]host[:port], or a host name of ~/.ssh/config")
        add_ssh_arguments(action)
        if name == "install":
            action.add_argument("--sudo", action="store_true", help="install as root with `sudo -n`")
        elif name == "fetch":
            action.add_argument(
                "-o", "--output", metavar="FILE", help="file to write (default: HOST.spool.jsonl; - is standard output)"
            )
        elif name == "follow":
            action.add_argument("--format", choices=("text", "json"), default="text", help="default: %(default)s")
            action.add_argument(
                "--all", action="store_true", help=f"show all events from the start, not only the last {SHOWN_BEFORE}"
            )


def add_ssh_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of SSH connections."""
    parser.add_argument(
        "-i", "--identity", metavar="KEY", action="append", default=[], help="use this private key (repeatable)"
    )
    parser.add_argument("-F", "--ssh-config", metavar="FILE", help="use this file instead of ~/.ssh/config")
    parser.add_argument(
        "--host-key-policy", choices=POLICIES, default=POLICIES[0],
        help="what to do with an unknown host key; a changed key is always rejected (default: %(default)s)",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if the action succeeded."""
    with reached(args.host, args) as guest:
        status: int = globals()[f"_{args.action}"](guest, args)
        return status


@contextmanager
def reached(host: str, args: argparse.Namespace) -> Iterator[Guest]:
    """The machine, connected over SSH for the `with` block.

    Args:
        host: `[user@]host[:port]`.
        args: parsed arguments of `add_ssh_arguments`.
    """
    from buildtel.reach import Guest, Link, Options, Secrets, parse_address

    options = Options(
        keys=tuple(Path(key).expanduser() for key in args.identity),
        config=Path(args.ssh_config).expanduser() if args.ssh_config else None,
        host_key_policy=args.host_key_policy,
    )
    for key in options.keys:
        if not key.is_file():
            raise UsageError(f"-i {key}: there is no such file. Check the name")
    given = (os.environ.get("BUILDTEL_SSH_PASSWORD"), os.environ.get("BUILDTEL_SSH_PASSPHRASE"))
    with Link(parse_address(host), options, Secrets(_ask, *given), told=say) as link:
        yield Guest(link)


def say(words: str) -> None:
    """Print one line on standard error."""
    from buildtel.text import safe

    print(f"buildtel-host: {safe(words)}", file=sys.stderr)


def _ask(words: str) -> str | None:
    """The answer typed on the terminal, unseen; None without a terminal."""
    from getpass import getpass

    try:
        with Path("/dev/tty").open("rb") as terminal:
            if not os.isatty(terminal.fileno()):
                return None
        return getpass(words)
    except (OSError, EOFError):
        return None


def _install(guest: Guest, args: argparse.Namespace) -> int:
    from buildtel.shipped import agent

    words = guest.install(agent().read_bytes(), args.sudo)
    say(f"{guest.name}: {words or 'installed'}")
    return 0


def _remove(guest: Guest, args: argparse.Namespace) -> int:
    if guest.agent() is None:
        say(f"{guest.name}: no agent is installed; nothing to remove")
        return 0
    for words in guest.remove():
        say(f"{guest.name}: {words}")
    say(f"{guest.name}: removed")
    return 0


def _status(guest: Guest, args: argparse.Namespace) -> int:
    from buildtel.text import safe

    agent, spools = guest.agent(), guest.spools()
    if agent is None and not spools.files and not spools.left_out:
        print(f"{guest.name}: no agent is installed. Install it with `buildtel-host guest install {guest.name}`")
        return 0
    if agent is None:
        print(f"{guest.name}: no agent is installed, but there are spools")
    else:
        owner = "root" if agent.owner == 0 else f"user {agent.owner}"
        print(f"{guest.name}: agent {safe(guest.version())}, installed by {owner}")
    records = [file for file in spools.files if not file.is_life]
    rows = [file for file in spools.files if file.is_life]
    print(f"  records  {len(records)} file(s), {_mb(sum(file.size for file in records))}")
    print(f"  samples  {len(rows)} file(s), {_mb(sum(file.size for file in rows))}")
    for words in spools.left_out:
        print(f"  note     {safe(words)}")
    return 0


def _mb(size: int) -> str:
    return f"{size / 2**20:.2f} MB"


def _fetch(guest: Guest, args: argparse.Namespace) -> int:
    from buildtel.local.spool_file import write_spool
    from buildtel.naming import escape

    spools = guest.spools()
    if not spools.files:
        for words in spools.left_out:
            say(words)
        raise BuildtelError(
            f"{guest.name}: nothing to fetch: no agent has run there, or its spool was removed (by `guest remove` or "
            f"the build's last step). Install the agent with `buildtel-host guest install {guest.name}`"
        )
    if args.output == "-":
        for block in guest.lines(spools):
            sys.stdout.buffer.write(block)
    else:
        path = Path(args.output or f"{escape(guest.link.address.host)}.spool.jsonl")
        use = f"use it with `buildtel-host collect LOG --spool {path}`"
        write_spool(path, guest.lines(spools), lambda size: say(f"{guest.name}: {_mb(size)} in {path}; {use}"))
    for words in spools.left_out:
        say(words)
    return 0


def _follow(guest: Guest, args: argparse.Namespace) -> int:
    from buildtel.reach import Follower

    if guest.agent() is None:
        raise BuildtelError(
            f"{guest.name}: no agent is installed. Install it with `buildtel-host guest install {guest.name}`"
        )
    follower = Follower(guest, os.environ.get("BUILDTEL_KEY"))
    before: deque[str] | None = None if args.all else deque(maxlen=SHOWN_BEFORE)
    for line in _lines(follower.until_gone(), args.format):
        if line is None:
            for old in before or ():
                print(old)
            before = None
            sys.stdout.flush()
        elif before is not None:
            before.append(line)
        else:
            print(line)
    say(f"{guest.name}: the agent was removed")
    return 0


def _lines(events: Iterator[Event | None], form: str) -> Iterator[str | None]:
    """Each event as a line of text; None after the last event that is known now."""
    from buildtel.events import AgentRecord
    from buildtel.reach import Narrator

    narrator = Narrator()
    for event in events:
        if event is None:
            yield None
        elif form == "json":
            if isinstance(event, AgentRecord):
                yield json.dumps(event.fields)
        elif (line := narrator.tell(event)) is not None:
            yield _text(line)


def _text(line: Line) -> str:
    from buildtel.text import safe

    when = time.strftime("%H:%M:%S", time.localtime(line.time_s)) if line.time_s < 2**34 else "?"
    return f"{when}  {line.word:<6} {safe(line.name)}" + ("  " + ", ".join(line.words) if line.words else "")
