"""`step start|end NAME` with argparse: its help and unusual forms; `fast_path` runs the usual ones."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("what", metavar="start|end", choices=("start", "end"), help="what happens to the step")
    parser.add_argument("name", metavar="NAME", help="the step's name; names may repeat, nest and overlap")
    parser.add_argument("exit", metavar="STATUS", nargs="?", type=status, help="with end: the exit status of the work")
    parser.add_argument("--status", metavar="N", type=status, help="the same as STATUS")


def status(word: str) -> str:
    """The word itself, if it is an exit status.

    Raises:
        argparse.ArgumentTypeError: it is not a number from 0 to 255.
    """
    from buildtel.cli.fast_path import is_status

    if not is_status(word):
        raise argparse.ArgumentTypeError(f"an exit status is a number from 0 to 255, not {word!r}")
    return word


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or 1 if no such step is open; a failure of telemetry is not a failure of the job."""
    from buildtel.cli.fast_path import step

    return step(args.what, args.name, args.status or args.exit or "")
