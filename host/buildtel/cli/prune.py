"""`prune`: deletes old builds from the store."""

from __future__ import annotations

import argparse
import re
import sys
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from buildtel.errors import UsageError

if TYPE_CHECKING:
    from buildtel.store import Store
    from buildtel.store.retention import Plan

UNITS = {"h": 1, "d": 24, "w": 24 * 7}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from buildtel.cli.list import positive
    from buildtel.cli.stores import add_store_arguments

    add_store_arguments(parser)
    parser.add_argument("--keep", type=positive, metavar="N", help="keep the N newest builds of each job")
    parser.add_argument("--older-than", type=age, metavar="D", help="delete builds older than this age: 12h, 90d, 8w")
    parser.add_argument("--job", metavar="JOB", help="prune only this job (default: all jobs)")
    parser.add_argument("--dry-run", action="store_true", help="print what would be deleted; delete nothing")


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if all old builds were deleted."""
    from buildtel.cli.stores import check_place, open_store
    from buildtel.store.index import jobs

    if args.keep is None and args.older_than is None:
        raise UsageError("prune: no limit given. Use --keep N, --older-than D, or both")
    check_place(args)
    store = open_store(args)
    for job in [args.job] if args.job is not None else jobs(store):
        _prune(store, job, args)
    return 0


def _prune(store: Store, job: str, args: argparse.Namespace) -> None:
    from buildtel.cli.show import write
    from buildtel.store.index import entries, name_of
    from buildtel.store.retention import plan, remove
    from buildtel.text import safe

    older_than = None if args.older_than is None else datetime.now(timezone.utc) - args.older_than
    planned = plan(entries(store, job), args.keep, older_than)
    for entry in reversed(planned.gone):
        if not args.dry_run:
            remove(store, entry)
        write(f"{'would delete' if args.dry_run else 'deleted'} {safe(job)} {safe(name_of(entry.document))}\n")
    print(_summary(safe(job), planned, args.dry_run), file=sys.stderr)


def _summary(job: str, planned: Plan, dry_run: bool) -> str:
    done = "would be deleted" if dry_run else "deleted"
    return f"{job}: {len(planned.gone)} build(s) {done}, {len(planned.kept)} kept"


def age(text: str) -> timedelta:
    """An age, read from a number with h (hours), d (days) or w (weeks).

    Raises:
        argparse.ArgumentTypeError: `text` has another form.
    """
    words = re.fullmatch(r"([0-9]{1,5})([hdw])", text)
    if words is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not an age, such as 12h, 90d or 8w")
    return timedelta(hours=int(words[1]) * UNITS[words[2]])
