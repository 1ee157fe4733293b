"""`collect`: a log into one document."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from buildtel.cli.guest import add_ssh_arguments, reached, say
from buildtel.errors import BuildtelError, UsageError

if TYPE_CHECKING:
    from buildtel.cli.raw import RawRecords
    from buildtel.events import Event
    from buildtel.job import JobDocument, Meta
    from buildtel.job.runner import JobFacts

CHUNK = 256 * 1024
FORMATS = ("table", "json", "csv", "markdown")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("log", metavar="LOG", nargs="?", help="the log of `packer build`, or - for standard input")
    parser.add_argument(
        "--spool", metavar="FILE", action="append", default=[],
        help="records that a machine kept, downloaded or fetched: they fill what the log lacks (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--ssh", metavar="HOST", action="append", default=[],
        help="the same, from a machine that still runs: [user@]host[:port] (repeatable)",
    )  # fmt: skip
    add_ssh_arguments(parser)
    parser.add_argument(
        "-o", "--output", metavar="FILE",
        help="where the document goes (default: $TELEMETRY_DIR/JOB_TIME.json; - is standard output)",
    )  # fmt: skip
    parser.add_argument("--job", metavar="NAME", help="the job's name (default: build)")
    parser.add_argument(
        "--version", metavar="V", help="the appliance's version (default: the CI's tag, git describe, or 0)"
    )
    parser.add_argument("--format", choices=FORMATS, default="table", help="of the report (default: %(default)s)")
    parser.add_argument("-q", "--quiet", action="store_true", help="show no report, and say nothing but errors")


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if a document was made, whatever the build's result."""
    if args.log is None and not args.spool and not args.ssh:
        raise UsageError("collect what? name the log of `packer build` (or - for standard input), --spool or --ssh")
    from buildtel.cli.documents import check_named
    from buildtel.cli.raw import RawRecords
    from buildtel.settings import read_meta

    if args.job is None and args.version is None and args.output != "-":
        from buildtel.cli import jobs

        begun = jobs.current(os.environ)
        if begun is not None:
            return _into_job(args, *begun)
    meta = read_meta(os.environ, args.job, args.version)
    if args.output not in (None, "-"):
        check_named(Path(args.output), meta.job)
    raw = RawRecords()
    document = collect(args.log, meta, raw, Beside(args))
    where = _write(document, args.output, meta)
    if where is not None and args.output is None:
        raw.write_beside(where)
    if where is not None and not args.quiet:
        from buildtel.cli.show import tell

        tell(document, where, args.format)
    return 0


def _into_job(args: argparse.Namespace, folder: Path, facts: JobFacts) -> int:
    """The log as part of the job that `init` began."""
    from buildtel.cli import jobs
    from buildtel.cli.documents import check_named
    from buildtel.cli.raw import RawRecords

    if args.output is not None:
        check_named(Path(args.output), facts.meta.job)
    raw = RawRecords()
    document, facts = jobs.merged(folder, facts, collect(args.log, facts.meta, raw, Beside(args)), raw)
    path, _ = jobs.keep(folder, facts, document, args.output)
    if args.output is None:
        raw.write_beside(path)
    if not args.quiet:
        from buildtel.cli.show import tell

        tell(document, path, args.format)
    return 0


def collect(log: str | None, meta: Meta, raw: RawRecords | None = None, beside: Beside | None = None) -> JobDocument:
    """The document of a log and what is `beside` it; `raw` is given the events, too.

    Raises:
        BuildtelError: the log or a spool can't be read.
    """
    from buildtel.job import Fold
    from buildtel.parse import LogReader

    reader, fold, chunks = LogReader(os.environ.get("BUILDTEL_KEY")), Fold(), _chunks(log) if log is not None else ()
    logged = chain(map(reader.feed, chunks), [reader.close()])
    for events in chain(logged, beside.events(log is not None) if beside is not None else ()):
        for event in events:
            fold.add(event)
            if raw is not None:
                raw.add(event)
    document = fold.document(meta, logged=log is not None)
    if beside is None or not beside.notes:
        return document
    return document.model_copy(update={"notes": [*document.notes, *beside.notes]})


class Beside:
    """The spools that stand beside a log: files, and machines that SSH reaches.

    `notes` are sentences about what could not be had of them.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._key = os.environ.get("BUILDTEL_KEY")
        self.notes: list[str] = []

    def events(self, has_log: bool) -> Iterator[list[Event]]:
        """All records. A machine that is lost is no error where there is a log: a note says it.

        Raises:
            BuildtelError: a file can't be read; without a log: a machine can't be reached.
        """
        for number, name in enumerate(self._args.spool):
            yield from self._read(number, _chunks(name))
        for number, host in enumerate(self._args.ssh, len(self._args.spool)):
            try:
                yield from self._reached(number, host)
            except BuildtelError as error:  # noqa: PERF203
                if not has_log or isinstance(error, UsageError):
                    raise
                self._note(f"--ssh {host}: {error}")

    def _read(self, number: int, chunks: Iterator[bytes]) -> Iterator[list[Event]]:
        from buildtel.parse.spool import SpoolReader

        reader = SpoolReader(number, self._key)
        yield from map(reader.feed, chunks)
        yield reader.close()

    def _reached(self, number: int, host: str) -> Iterator[list[Event]]:
        with reached(host, self._args) as guest:
            spools = guest.spools()
            if not spools.files:
                self._note(f"--ssh {host}: no spool is there: no agent has measured, or the build took it away.")
            yield from self._read(number, guest.lines(spools))
            for words in spools.left_out:
                self._note(f"--ssh {host}: {words}")

    def _note(self, words: str) -> None:
        say(words)
        self.notes.append(words if words.endswith(".") else f"{words}.")


def _chunks(log: str) -> Iterator[bytes]:
    if log == "-":
        yield from _read(sys.stdin.buffer, "standard input")
        return
    if Path(log).is_dir():
        raise BuildtelError(f"can't read {log}: it is a directory: name the log in it")
    with _explained(log), Path(log).open("rb") as file:
        yield from _read(file, log)


def _read(file: BinaryIO, name: str) -> Iterator[bytes]:
    while True:
        with _explained(name):
            chunk = file.read(CHUNK)
        if not chunk:
            return
        yield chunk


@contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BuildtelError(f"can't read {name}: {error.strerror or error}") from error


def _write(document: JobDocument, output: str | None, meta: Meta) -> Path | None:
    """Where the document is, None if it went to standard output."""
    from buildtel.cli.documents import telemetry_dir, write_named, write_new
    from buildtel.settings import read_settings

    data = document.to_json().encode("utf-8", "replace")
    if output == "-":
        sys.stdout.buffer.write(data)
        return None
    if output is None:
        folder = telemetry_dir(read_settings(os.environ).telemetry_dir)
        return write_new(folder, meta.job, meta.collected_at, data)
    write_named(Path(output), data, meta.job)
    return Path(output)
