"""`run NAME -- COMMAND`: runs a command and measures it as a step of this runner."""

from __future__ import annotations

import argparse
import os
import sys

from buildtel.errors import BuildtelError, UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("name", metavar="NAME", help="the step's name")
    parser.add_argument("words", metavar="-- COMMAND", nargs=argparse.REMAINDER, help="the command and its arguments")


def run(args: argparse.Namespace) -> int:
    """The command's own exit status; the command runs even if it can't be measured."""
    from buildtel import shipped
    from buildtel.capture import command as runner

    command = args.words[1:] if args.words[:1] == ["--"] else args.words
    if not command:
        raise UsageError("run: no command given. Write `buildtel-host run NAME -- COMMAND`")
    try:
        return runner.run(os.environ, args.name, command, str(shipped.agent()))
    except BuildtelError as error:
        print(f"buildtel-host: step {args.name!r} is not measured: {error}", file=sys.stderr, flush=True)
    return runner.become(command, os.environ)
