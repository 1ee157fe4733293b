"""`history`: lists the last builds of a job with their trend."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from buildtel.errors import BuildtelError, UsageError

if TYPE_CHECKING:
    from buildtel.job import JobDocument
    from buildtel.store import Entry, Store

BUILDS = 10
JOB = "build"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from buildtel.cli.show import add_format, add_output
    from buildtel.cli.stores import add_store_arguments

    add_store_arguments(parser)
    parser.add_argument(
        "words", nargs="*", metavar="N|JOB",
        help=f"number of builds (default: {BUILDS}), name of the job (default: {JOB})",
    )  # fmt: skip
    add_format(parser)
    add_output(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0, also where the store is empty."""
    from buildtel.cli.list import row_of, say_empty
    from buildtel.cli.show import HTML, show_or_write
    from buildtel.cli.stores import check_place, open_store
    from buildtel.report.builds_view import HistoryView
    from buildtel.store.index import builds

    number, job = asked(args.words)
    check_place(args)
    store = open_store(args)
    entries = list(builds(store, job, number))
    rows = [row_of(entry) for entry in entries]
    documents = [document_of(store, entry) for entry in entries] if args.format == HTML else []
    if rows or args.format != "table":
        show_or_write(HistoryView(rows, documents=documents), args.format, args.output)
    else:
        say_empty(store.address(), job)
    return 0


def document_of(store: Store, entry: Entry) -> JobDocument | None:
    """The document of a build, None where the store lacks it or it can't be read.

    Args:
        store: the store.
        entry: the build's index entry.
    """
    from buildtel.job import load_document

    stored = store.get(entry.document)
    try:
        return None if stored is None else load_document(stored.data, entry.document)
    except BuildtelError:
        return None


def asked(words: list[str]) -> tuple[int, str]:
    """The number of builds and the job that the words name: `5`, `e2e`, `5 e2e`.

    Raises:
        UsageError: the words are something else.
    """
    from buildtel.cli.list import positive

    numbers = [word for word in words if word.lstrip("-").isdigit()]
    names = [word for word in words if word not in numbers]
    if len(numbers) > 1 or len(names) > 1:
        raise UsageError(f"history: expected one number of builds and one job, got {' '.join(words)!r}")
    try:
        return (positive(numbers[0]) if numbers else BUILDS), (names[0] if names else JOB)
    except argparse.ArgumentTypeError as error:
        raise UsageError(str(error)) from None
