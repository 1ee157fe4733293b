"""`collect`: a log into one document."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

from buildtel.cli.guest import add_ssh_arguments, reached, say
from buildtel.errors import BuildtelError, UsageError

if TYPE_CHECKING:
    from buildtel.cli.raw import RawRecords
    from buildtel.events import Event
    from buildtel.job import JobDocument, Meta
    from buildtel.job.runner import JobFacts

CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """What is to become of a log.

    Attributes:
        log: its file, `-` for standard input, None where there are only spools.
        output: where the document goes; None is the telemetry folder, `-` standard output.
        job: the job's name, None for that of the job under way, else `build`.
        version: the appliance's version, None for what the environment says.
        stem: the name of the document's file in the telemetry folder, None for a new one by job and time.
        form: the form of the report.
        quiet: show no report.
        force: make a document of a log without a line of Packer's, too.
    """

    log: str | None
    output: str | None = None
    job: str | None = None
    version: str | None = None
    stem: str | None = None
    form: str = "table"
    quiet: bool = False
    force: bool = False


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
        help="where the document goes (default: $TELEMETRY_DIR/JOB_TIME.json; - is standard output)",
    )  # fmt: skip
    parser.add_argument("--job", metavar="NAME", help="the job's name (default: build)")
    parser.add_argument(
        "--version", metavar="V", help="the appliance's version (default: the CI's tag, git describe, or 0)"
    )
    add_format(parser, "of the report (default: %(default)s)")
    parser.add_argument("-q", "--quiet", action="store_true", help="show no report, and say nothing but errors")
    parser.add_argument("--force", action="store_true", help="make a document, even if no line of the log is Packer's")


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if a document was made, whatever the build's result."""
    if args.log is None and not args.spool and not args.ssh:
        raise UsageError("collect what? name the log of `packer build` (or - for standard input), --spool or --ssh")
    request = Request(
        args.log, args.output, args.job, args.version, form=args.format, quiet=args.quiet, force=args.force
    )
    print_report(keep(request, SpoolSources(args)), request, sys.stdout)
    return 0


@dataclass(frozen=True, slots=True)
class Kept:
    """A document that was written; `path` is None if it went to standard output."""

    document: JobDocument
    path: Path | None


def keep(request: Request, spools: SpoolSources | None = None) -> Kept:
    """Make the document of a log and write it.

    Raises:
        BuildtelError: the log can't be read, or the document not written.
    """
    from buildtel.cli.raw import RawRecords

    raw = RawRecords()
    kept = Kept(*_kept(request, spools, raw))
    if kept.path is not None and request.output is None:
        raw.write_beside(kept.path)
    return kept


def print_report(kept: Kept, request: Request, to: TextIO) -> None:
    """Say where the document is, and print its report; nothing of one that went to standard output."""
    from buildtel.cli.show import tell

    if kept.path is not None and not request.quiet:
        tell(kept.document, kept.path, request.form, to)


def _kept(request: Request, spools: SpoolSources | None, raw: RawRecords) -> tuple[JobDocument, Path | None]:
    from buildtel.cli.documents import check_named
    from buildtel.settings import read_meta

    if request.job is None and request.version is None and request.output != "-":
        from buildtel.cli import jobs

        begun = jobs.current(os.environ)
        if begun is not None:
            return _into_job(request, spools, raw, *begun)
    meta = read_meta(os.environ, request.job, request.version)
    if request.output not in (None, "-"):
        check_named(Path(request.output), meta.job)
    document = log_document(request.log, meta, raw, spools)
    if not request.force and not tells_anything(document):
        name = "standard input" if request.log == "-" else request.log or "the spool"
        raise BuildtelError(
            f"{name} is not a Packer log: it has no line of Packer's and no record; nothing was written. "
            "Name the output of `packer build`, or use --force"
        )
    return document, _write(document, request, meta)


def tells_anything(document: JobDocument) -> bool:
    """Whether a line of Packer's, a record or a step is in a document."""
    from buildtel.job.finish import PREFIX_UNKNOWN

    packer, integrity = document.packer, document.integrity
    of_packer = packer is not None and bool(packer.runs or packer.version or packer.plugins)
    of_agent = integrity is not None and bool(integrity.records or integrity.damaged or integrity.foreign)
    return of_packer or of_agent or bool(document.steps) or PREFIX_UNKNOWN in document.notes


def _into_job(
    request: Request, spools: SpoolSources | None, raw: RawRecords, folder: Path, facts: JobFacts
) -> tuple[JobDocument, Path]:
    """The log as part of the job that `init` began."""
    from buildtel.cli import jobs
    from buildtel.cli.documents import check_named

    if request.output is not None:
        check_named(Path(request.output), facts.meta.job)
    document, facts = jobs.merged(folder, facts, log_document(request.log, facts.meta, raw, spools), raw)
    path, _ = jobs.keep(folder, facts, document, request.output, request.stem)
    return document, path


def log_document(
    log: str | None, meta: Meta, raw: RawRecords, spools: SpoolSources | None = None
) -> JobDocument:
    """The document of a log and of the spools beside it; `raw` keeps the records among the events.

    Raises:
        BuildtelError: the log or a spool can't be read.
    """
    from buildtel.job import document
    from buildtel.parse import read

    logged = read(_chunks(log), os.environ.get("BUILDTEL_KEY")) if log is not None else ()
    beside = spools.events(log is not None) if spools is not None else ()
    made = document(raw.keeping(chain(logged, beside)), meta, logged=log is not None)
    if spools is None or not spools.notes:
        return made
    return made.model_copy(update={"notes": [*made.notes, *spools.notes]})


class SpoolSources:
    """The spools that stand beside a log: files, and running machines over SSH.

    `notes` are sentences about what could not be had of them.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._key = os.environ.get("BUILDTEL_KEY")
        self.notes: list[str] = []

    def events(self, has_log: bool) -> Iterator[Event]:
        """All records. A machine that is lost is no error where there is a log: a note says it.

        Raises:
            BuildtelError: a file can't be read; without a log: a machine can't be reached.
        """
        from buildtel.parse import read_spool

        for number, name in enumerate(self._args.spool):
            yield from read_spool(_chunks(name), number, self._key)
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
                self.note(f"--ssh {host}: no spool is there: no agent has measured, or the build took it away.")
            yield from read_spool(guest.lines(spools), number, self._key)
            for words in spools.left_out:
                self.note(f"--ssh {host}: {words}")

    def note(self, words: str) -> None:
        """Say it now, and in the document."""
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


def _write(document: JobDocument, request: Request, meta: Meta) -> Path | None:
    """Where the document is, None if it went to standard output."""
    from buildtel.cli.documents import telemetry_dir, write_named, write_new
    from buildtel.naming import stem_of
    from buildtel.settings import read_settings

    data = document.to_json().encode("utf-8", "replace")
    if request.output == "-":
        sys.stdout.buffer.write(data)
        return None
    if request.output is None:
        folder = telemetry_dir(read_settings(os.environ).telemetry_dir)
        return write_new(folder, request.stem or stem_of(meta.job, meta.collected_at), data)
    write_named(Path(request.output), data, meta.job)
    return Path(request.output)
