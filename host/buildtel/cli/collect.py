"""`collect`: turns a Packer log into one job document."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

from buildtel.cli.guest import add_ssh_arguments, reached, say
from buildtel.cli.redact_flags import add_redaction, redactor_of
from buildtel.errors import UsageError

if TYPE_CHECKING:
    from buildtel.local.keeping import Kept
    from buildtel.local.logs import SpoolSources, Told


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from buildtel.cli.page_beside import add_html
    from buildtel.cli.show import add_format

    parser.add_argument("log", metavar="LOG", nargs="?", help="the log of `packer build`, or - for standard input")
    parser.add_argument(
        "--spool", metavar="FILE", action="append", default=[],
        help="spool file with records that are missing in the log (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--ssh", metavar="HOST", action="append", default=[],
        help="fetch the spool over SSH from a running machine: [user@]host[:port] (repeatable)",
    )  # fmt: skip
    add_ssh_arguments(parser)
    parser.add_argument(
        "-o", "--output", metavar="FILE",
        help="file to write the document to (default: $TELEMETRY_DIR/JOB_TIME.json; - is standard output)",
    )  # fmt: skip
    parser.add_argument("--job", metavar="NAME", help="the job's name (default: build)")
    parser.add_argument(
        "--version", metavar="V", help="the appliance's version (default: the CI's tag, `git describe`, or 0)"
    )
    add_redaction(parser)
    add_format(parser, "format of the report (default: %(default)s)")
    add_html(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="print errors only, no report")
    parser.add_argument("--force", action="store_true", help="write a document even if the log has no line of Packer's")


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if a document was made, whatever the build's result."""
    if args.log is None and not args.spool and not args.ssh:
        raise UsageError("collect: no input. Name the log of `packer build`, - (standard input), --spool or --ssh")
    if (args.html or args.open) and args.output == "-":
        raise UsageError("collect --html -o -: a page stands beside a document. Name a file with -o")
    from buildtel.cli.page_beside import write_page
    from buildtel.cli.show import check_stream
    from buildtel.local.keeping import Request, keep

    request = Request(args.log, redactor_of(args), args.output, args.job, args.version, force=args.force)
    if not args.quiet:
        check_stream(args.format, sys.stdout)
    kept = keep(request, spool_sources(args.spool, args))
    if not args.quiet:
        print_result(kept, args.format, sys.stdout)
    if kept.path is not None:
        write_page(args, kept.document, kept.path)
    return 0


def print_result(kept: Kept, form: str, to: TextIO) -> None:
    """Print where the document is, and its report; nothing if the document went to standard output.

    Args:
        kept: the document and its file.
        form: the format of the report.
        to: the stream for the report.
    """
    from buildtel.cli.show import print_report

    if kept.path is not None:
        print_report(kept.document, kept.path, form, to)


def spool_sources(files: Sequence[str], args: argparse.Namespace) -> SpoolSources:
    """The spools that belong to a log.

    Args:
        files: those that are files.
        args: parsed arguments: `--ssh`, and those of `add_ssh_arguments`.
    """
    from buildtel.local.logs import SpoolSources

    def fetched(host: str, told: Told) -> Iterator[bytes]:
        with reached(host, args) as guest:
            yield from guest.all_lines(told)

    return SpoolSources(files, args.ssh, fetched, say, os.environ.get("BUILDTEL_KEY"))
