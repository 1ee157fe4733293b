"""`list`: lists the builds in the store."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from buildtel.report.builds_view import BuildRow
    from buildtel.store import Entry



def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from buildtel.cli.show import add_format
    from buildtel.cli.stores import add_store_arguments

    add_store_arguments(parser)
    parser.add_argument("--job", metavar="JOB", help="list only this job (default: all jobs)")
    parser.add_argument("--limit", type=positive, metavar="N", help="list only the N newest builds")
    add_format(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0, also where the store is empty."""
    from buildtel.cli.show import show
    from buildtel.cli.stores import check_place, open_store
    from buildtel.report.builds_view import ListView
    from buildtel.store.index import builds

    store = open_store(args)
    check_place(args)
    rows = [row_of(entry) for entry in builds(store, args.job, args.limit)]
    if rows or args.format != "table":
        show(ListView(rows), args.format)
    else:
        say_empty(store.address(), args.job)
    return 0


def row_of(entry: Entry) -> BuildRow:
    """The row of one entry of the index."""
    from buildtel.report.builds_view import BuildRow
    from buildtel.store.index import name_of

    name = name_of(entry.document)
    return BuildRow(name, entry.job, entry.version, entry.time, entry.status, entry.duration_s)


def say_empty(address: str, job: str | None) -> None:
    """Print one line on standard error: the store has no builds.

    Args:
        address: the store, as the user knows it.
        job: the job that was asked for, None for all jobs.
    """
    import sys

    of_job = f" of job {job!r}" if job is not None else ""
    print(f"no builds{of_job} in {address}. Upload one with `buildtel-host upload`", file=sys.stderr)


def positive(text: str) -> int:
    """A number of builds, read from `text`.

    Raises:
        argparse.ArgumentTypeError: `text` is not a positive number.
    """
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of builds, such as 10")
    return int(text)
