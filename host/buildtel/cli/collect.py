"""`collect`: turns a Packer log into one job document."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

from buildtel.cli.guest import add_ssh_arguments, reached, say
from buildtel.errors import BuildtelError, UsageError

if TYPE_CHECKING:
    from buildtel.events import Event
    from buildtel.local.keeping import Kept


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
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
    add_format(parser, "format of the report (default: %(default)s)")
    parser.add_argument("-q", "--quiet", action="store_true", help="print errors only, no report")
    parser.add_argument("--force", action="store_true", help="write a document even if the log has no line of Packer's")


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if a document was made, whatever the build's result."""
    if args.log is None and not args.spool and not args.ssh:
        raise UsageError("collect: no input. Name the log of `packer build`, - (standard input), --spool or --ssh")
    from buildtel.local.keeping import Request, keep

    kept = keep(Request(args.log, args.output, args.job, args.version, force=args.force), SpoolSources(args))
    if not args.quiet:
        print_result(kept, args.format, sys.stdout)
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


class SpoolSources:
    """The spools that belong to a log: files, and running machines over SSH.

    `notes` has a sentence for each one that could not be read.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._key = os.environ.get("BUILDTEL_KEY")
        self.notes: list[str] = []

    def events(self, has_log: bool) -> Iterator[Event]:
        """All records. If there is a log, a machine that can't be reached is a note, not an error.

        Raises:
            BuildtelError: a file can't be read; without a log: a machine can't be reached.
        """
        from buildtel.local.logs import chunks
        from buildtel.parse import read_spool

        for number, name in enumerate(self._args.spool):
            yield from read_spool(chunks(name), number, self._key)
        for number, host in enumerate(self._args.ssh, len(self._args.spool)):
            try:
                yield from self._reached(number, host)
            except BuildtelError as error:  # noqa: PERF203
                if not has_log or isinstance(error, UsageError):
                    raise
                self.note(f"--ssh {host}: {error}")

    def _reached(self, number: int, host: str) -> Iterator[Event]:
        from buildtel.parse import read_spool

        with reached(host, self._args) as guest:
            spools = guest.spools()
            if not spools.files:
                self.note(f"--ssh {host}: no spool found: no agent has run there, or the build has removed it.")
            yield from read_spool(guest.lines(spools), number, self._key)
            for words in spools.left_out:
                self.note(f"--ssh {host}: {words}")

    def note(self, words: str) -> None:
        """Print a note now and add it to the document."""
        say(words)
        self.notes.append(words if words.endswith(".") else f"{words}.")
