"""`finalize`: the job is over; its document, with totals and all."""

from __future__ import annotations

import argparse
import os
import time

from buildtel.errors import BuildtelError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("log", metavar="LOG", nargs="?", help="Packer's log, if no `collect` has read it")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="where the document goes (default: $TELEMETRY_DIR/JOB_TIME.json)"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="show no report")


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if the document was written."""
    from buildtel.local import current_job
    from buildtel.local.logs import log_document
    from buildtel.local.raw_records import RawRecords

    found = current_job.current(os.environ)
    if found is None:
        raise BuildtelError("no job has begun here: `buildtel-host init JOB VERSION`, `step start` and `run` begin one")
    folder, facts = found
    facts = facts.model_copy(update={"ended_at": round(time.time(), 3)})
    raw = RawRecords()
    of_log = log_document(args.log, facts.meta, raw) if args.log else None
    document, facts = current_job.merged(folder, facts, of_log, raw)
    path, _ = current_job.keep(folder, facts, document, args.output)
    raw.write_beside(path, after_others=not args.log)
    folder.rename(folder.with_name(f"{folder.name}.{time.time_ns()}"))
    if not args.quiet:
        from buildtel.cli.show import print_report

        print_report(document, path, "table")
    return 0
