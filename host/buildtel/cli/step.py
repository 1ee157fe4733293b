"""`step start|end NAME`: the fast way, without argparse, is `buildtel.cli.quick`; this is its help."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("what", metavar="start|end", choices=("start", "end"))
    parser.add_argument("name", metavar="NAME", help="the step's name; names may repeat, nest and overlap")
    parser.add_argument("--status", metavar="N", type=int, help="with end: the exit status of the step's work")


def run(args: argparse.Namespace) -> int:
    """Exit status 0: telemetry that fails is no failure of the job."""
    from buildtel.cli.quick import step

    return step(args.what, args.name, "" if args.status is None else str(args.status))
