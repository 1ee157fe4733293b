"""`finalize`: ends the job and writes its document."""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import replace

from buildtel.cli.page_beside import add_html, write_page
from buildtel.cli.redact_flags import add_redaction, redactor_of
from buildtel.errors import BuildtelError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("log", metavar="LOG", nargs="?", help="Packer's log, unless `collect` has read it already")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="file to write the document to (default: $TELEMETRY_DIR/JOB_TIME.json)"
    )
    parser.add_argument(
        "--force", action="store_true", help="read LOG even if it has no line of Packer's and no record"
    )
    add_redaction(parser)
    add_html(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="print no report")


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if the document was written."""
    from buildtel.local import current_job
    from buildtel.local.folders import put_aside
    from buildtel.local.logs import log_document
    from buildtel.local.raw_records import RawRecords

    found = current_job.current(os.environ)
    if found is None:
        raise BuildtelError("no job is in progress. Start one with `buildtel-host init`, `step start` or `run`")
    folder, facts = found
    facts = replace(facts, ended_at=round(time.time(), 3))
    raw = RawRecords(redactor_of(args))
    of_log = log_document(args.log, facts.meta, raw, force=args.force) if args.log else None
    document, facts = current_job.merged(folder, facts, of_log, raw)
    path, _ = current_job.keep(folder, facts, document, args.output)
    raw.write_beside(path, after_others=not args.log)
    put_aside(str(folder))
    if not args.quiet:
        from buildtel.cli.show import print_report

        print_report(document, path, "table")
    write_page(args, document, path)
    return 0
