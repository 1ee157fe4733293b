"""`report`: one document, shown."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from buildtel.errors import BuildtelError

if TYPE_CHECKING:
    from buildtel.job import JobDocument
    from buildtel.store import Store

HELP = "show one job: its builds, steps and bottlenecks"
FORMATS = ("table", "json", "csv", "markdown")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from buildtel.cli.stores import add_store_arguments

    add_store_arguments(parser)
    parser.add_argument(
        "which", nargs="?", default="latest", metavar="latest|VERSION|FILE",
        help="a document's file, a version's newest in the store, or the newest of all (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("job", nargs="?", default="build", metavar="JOB", help="the job (default: %(default)s)")
    parser.add_argument("--format", choices=FORMATS, default="table", help="default: %(default)s")


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if there was something to show."""
    from buildtel.cli.show import show
    from buildtel.cli.stores import open_store

    show(_find(args.which, args.job, lambda: open_store(args)), args.format)
    return 0


def _find(which: str, job: str, open_store: Callable[[], Store]) -> JobDocument:
    """The document asked for: a file if there is one of that name, else from the store."""
    from buildtel.cli.documents import read_document
    from buildtel.job import load_document

    path = Path(which)
    if which != "latest" and (path.is_file() or which.endswith(".json")):
        return load_document(read_document(path), which)
    store = open_store()
    key = _key(which, job, store)
    stored = store.get(key)
    if stored is None:
        raise BuildtelError(f"{store.address()}: {key} is in the index but not in the store")
    return load_document(stored.data, key)


def _key(which: str, job: str, store: Store) -> str:
    from buildtel.store import newest, newest_of_version

    if which == "latest":
        entry = newest(store, job)
        if entry is None:
            raise BuildtelError(f"no document of job {job!r} in {store.address()}: put one there with upload")
        return entry.document
    key = newest_of_version(store, job, which)
    if key is None:
        raise BuildtelError(f"no file {which!r}, and no version {which!r} of job {job!r} in {store.address()}")
    return key
