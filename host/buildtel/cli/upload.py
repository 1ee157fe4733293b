"""`upload`: uploads documents to the store; those that fail wait in a queue (the outbox)."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from buildtel.upload import Kind


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from buildtel.cli.stores import add_store_arguments

    parser.add_argument("documents", nargs="*", metavar="job.json", help="the documents to upload")
    parser.add_argument(
        "--redirect", action="store_true", help="also upload queued documents meant for another store"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="print errors only")
    add_store_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if all documents were uploaded; the others wait in the outbox."""
    from buildtel.cli.page_beside import page_for_upload
    from buildtel.cli.stores import open_store
    from buildtel.local.begun import folders_with_steps
    from buildtel.local.delivered import Delivered
    from buildtel.local.folders import make_telemetry_folder
    from buildtel.local.outbox import Outbox
    from buildtel.settings import state_folder
    from buildtel.upload import Upload

    store = open_store(args)
    outbox = Outbox(state_folder() / "outbox")
    upload = Upload(store, outbox, args.redirect, partial(_tell, args.quiet), page_for_upload)
    if args.documents:
        upload.run([Path(name) for name in args.documents])
        return int(upload.failed)
    folder = Path(make_telemetry_folder(os.environ))
    if any(folders_with_steps(os.environ)):
        upload.close_jobs()
    delivered = Delivered(folder, store.address())
    upload.run(delivered.missing())
    delivered.add(upload.delivered)
    if not upload.delivered and not upload.failed and not args.quiet:
        print(f"nothing to upload: all documents of {folder} are in {store.address()}", file=sys.stderr)
    return int(upload.failed)


def _tell(quiet: bool, kind: Kind, text: str) -> None:
    """Print keys on standard output, all else on standard error; only errors if quiet."""
    if kind == "error" or not quiet:
        shown, stream = (text, sys.stdout) if kind == "key" else (f"buildtel-host: {text}", sys.stderr)
        print(shown, file=stream, flush=True)
