"""The program `buildtel-host`: runs one command; each command is a module, imported only when it is used.

A command is a line of `COMMANDS` and a module with `add_arguments(parser)` and `run(args) -> int`.
"""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # `step` must cost little more than a start of Python: nothing is imported before it is known
    import argparse
    from collections.abc import Sequence
    from typing import Any

COMMANDS = {
    "packer": "run Packer and report where each second of its builds went; the template stays as it is",
    "live": "show the progress of a running build, in a second terminal",
    "wire": "add buildtel's files to a Packer template folder, or check the template",
    "init": "start a job on this runner; later `step` and `run` commands belong to it",
    "step": "start or end a step on this runner",
    "run": "run a command and measure it as a step on this runner",
    "finalize": "end the job that `init` started: write its document and print its report",
    "shell-init": "print shell functions: telemetry_init, telemetry_step_start, telemetry_step_end, telemetry_finalize",
    "collect": "turn a Packer log into a job document and print its report",
    "guest": "manage the agent on a machine over SSH: install, status, fetch, follow, remove",
    "report": "print the report of one job: its builds, steps and findings",
    "diagnose": "say what each second of a job's builds waited for, and what would help",
    "upload": "upload documents to the store (default: all documents in $TELEMETRY_DIR that are not uploaded yet)",
    "list": "list the builds of the store, newest first",
    "history": "show how long the last builds of a job took, and the trend",
    "compare": "compare two builds step by step: what became slower or faster",
    "prune": "remove old builds from the store",
    "doctor": "check this machine and the store: report what is missing and how to fix it",
}
PROGRAM = "buildtel-host"
ABOUT = "Shows where the time of a Packer build goes, measured on the host and inside the virtual machine."
STOPPED = 130
LONG_RUNNING = ("packer", "live", "guest", "run")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status: 0 done, 1 failed, 2 wrong usage."""
    _open_closed_streams()
    words = [*(sys.argv[1:] if argv is None else argv)]
    if words[:1] and words[0] not in LONG_RUNNING:
        gc.disable()  # to look for garbage among what is imported costs 9 % of a start
    if words[:1] == ["--version"]:
        from buildtel_agent import __version__

        print(PROGRAM, __version__)
        return 0
    if words[:1] == ["step"]:
        from buildtel.cli import fast_path

        if fast_path.wants(words):
            return fast_path.step_of(words)
    from buildtel.errors import BuildtelError

    try:
        status = _run(words)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        return _hung_up()
    except KeyboardInterrupt:
        return STOPPED
    except (BuildtelError, OSError) as error:
        print(f"{PROGRAM}: {_line(error)}", file=sys.stderr)
        return error.exit_code if isinstance(error, BuildtelError) else 1


def _run(words: list[str]) -> int:
    if words[:1] == ["packer"]:
        packer = _module("packer")
        simple = packer.simple(words[1:])
        if simple is not None:
            return int(packer.run(simple))
        words = ["packer", *packer.wrapped(words[1:])]
    args = _parser(words).parse_args(words)
    if args.command is None:
        _parser([]).print_help()
        return 0
    status: int = _module(args.command).run(args)
    return status


def _module(command: str) -> Any:
    from importlib import import_module

    return import_module(f"buildtel.cli.{command.replace('-', '_')}")


def _parser(words: list[str]) -> argparse.ArgumentParser:
    import argparse

    parser = argparse.ArgumentParser(prog=PROGRAM, description=ABOUT, allow_abbrev=False)
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    asked = [word for word in words[:1] if word in COMMANDS]
    for name in asked or COMMANDS:
        own = commands.add_parser(name, help=COMMANDS[name], description=COMMANDS[name], allow_abbrev=False)
        if asked:
            _module(name).add_arguments(own)
    return parser


def _open_closed_streams() -> None:
    """Put the null device where standard input, output or error is closed: no file of ours may get their numbers."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:  # noqa: PERF203
            os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))  # noqa: SIM115


def _hung_up() -> int:
    """The reader of standard output has closed it (`| head`): end without a message."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    return 0


def _line(error: BaseException) -> str:
    """An error's text on one line, free of control characters."""
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        text = f"{where}{error.strerror}"
    else:
        text = str(error)
    return "".join(char if char.isprintable() else "?" for char in " ".join(text.split("\n")))
