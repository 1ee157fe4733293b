"""`doctor`: checks this machine and the store, and says how to fix what is missing."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator

from buildtel.report.view import Check


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from buildtel.cli.show import add_format
    from buildtel.cli.stores import add_store_arguments

    add_store_arguments(parser)
    about = "where the kernel's files are (default: %(default)s)"
    parser.add_argument("--proc", default="/proc", metavar="DIR", help=about)
    add_format(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 1 if anything failed; warnings do not count."""
    from buildtel.cli.show import show
    from buildtel.report.checks_view import ChecksView

    states: set[str] = set()
    show(ChecksView(_noted(_findings(args), states)), args.format)
    return 1 if "fail" in states else 0


def _noted(checks: Iterable[Check], states: set[str]) -> Iterator[Check]:
    """The checks, the state of each added to `states` on the way."""
    for check in checks:
        states.add(check.state)
        yield check


def _findings(args: argparse.Namespace) -> Iterable[Check]:
    from buildtel.cli.stores import open_store, store_place
    from buildtel.doctor import machine_checks, store_checks
    from buildtel.errors import BuildtelError

    yield from machine_checks.findings(os.environ, args.proc)
    try:
        place, store = store_place(args), open_store(args)
    except BuildtelError as error:
        yield Check("fail", "store", str(error), "correct the setting that it names")
        return
    yield from store_checks.findings(store, place)
