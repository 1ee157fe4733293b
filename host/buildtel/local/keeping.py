"""Makes the document of a log and writes it to the job in progress, the telemetry folder or a file."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from buildtel.job import JobDocument, Meta
from buildtel.job.facts import JobFacts
from buildtel.local import current_job
from buildtel.local.begun import ENDED, STARTED
from buildtel.local.documents import check_named, write_named, write_new
from buildtel.local.folders import RECORDS, make_telemetry_folder, put_aside
from buildtel.local.logs import SpoolSources, log_document
from buildtel.local.raw_records import RawRecords
from buildtel.naming import stem_of
from buildtel.redact import Redactor


@dataclass(frozen=True, slots=True)
class Request:
    """How to make a document of a log, and where to write it.

    Attributes:
        log: its file, `-` for standard input, None where there are only spools.
        redactor: hides secrets.
        output: where the document goes; None is the telemetry folder, `-` standard output.
        job: the job's name, None for that of the job under way, else `build`.
        version: the appliance's version, None for what the environment says.
        stem: the name of the document's file in the telemetry folder, None for a new one by job and time.
        force: make a document of a log without a line of Packer's, too.
        began_s: when Packer began, in Unix seconds: a job that a step of its build began ends with the document, so
            that the next build has not its steps, too. None where nobody knows.
    """

    log: str | None
    redactor: Redactor
    output: str | None = None
    job: str | None = None
    version: str | None = None
    stem: str | None = None
    force: bool = False
    began_s: float | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A document that was written; `path` is None if it went to standard output."""

    document: JobDocument
    path: Path | None


def keep(request: Request, spools: SpoolSources | None = None) -> Kept:
    """Make the document of a log and write it.

    Args:
        request: which log, and where the document goes.
        spools: records beside the log.

    Raises:
        BuildtelError: the log can't be read, is none of Packer's, or the document can't be written.
    """
    raw = RawRecords(request.redactor)
    kept = Kept(*_kept(request, spools, raw))
    if kept.path is not None and request.output is None:
        raw.write_beside(kept.path)
    return kept


def _kept(request: Request, spools: SpoolSources | None, raw: RawRecords) -> tuple[JobDocument, Path | None]:
    if request.job is None and request.version is None and request.output != "-":
        begun = current_job.current(os.environ)
        if begun is not None:
            return _into_job(request, spools, raw, *begun)
    meta = current_job.read_meta(os.environ, request.job, request.version)
    if request.output not in (None, "-"):
        check_named(Path(str(request.output)), meta.job)
    document = log_document(request.log, meta, raw, spools, force=request.force)
    return document, _write(document, request, meta)


def _into_job(
    request: Request, spools: SpoolSources | None, raw: RawRecords, folder: Path, facts: JobFacts
) -> tuple[JobDocument, Path]:
    """Add the log to the job in progress."""
    if request.output is not None:
        check_named(Path(request.output), facts.meta.job)
    of_log = log_document(request.log, facts.meta, raw, spools, force=request.force)
    ends = _ends_with_build(folder, facts, request.began_s)
    if ends:
        facts = replace(facts, started_at=request.began_s or facts.started_at, ended_at=round(time.time(), 3))
    document, facts = current_job.merged(folder, facts, of_log, raw)
    path, _ = current_job.keep(folder, facts, document, request.output, request.stem)
    if ends:
        put_aside(str(folder))
    return document, path


def _ends_with_build(folder: Path, facts: JobFacts, began_s: float | None) -> bool:
    """Whether a step within the build began the job, and every step of it has ended."""
    if not facts.unasked or began_s is None or facts.started_at < began_s:
        return False
    try:
        records = (folder / RECORDS).read_bytes()
    except OSError:
        return False
    return records.count(STARTED) == records.count(ENDED)


def _write(document: JobDocument, request: Request, meta: Meta) -> Path | None:
    """Where the document is, None if it went to standard output."""
    data = document.to_json().encode("utf-8", "replace")
    if request.output == "-":
        sys.stdout.buffer.write(data)
        return None
    if request.output is None:
        folder = Path(make_telemetry_folder(os.environ))
        return write_new(folder, request.stem or stem_of(meta.job, meta.collected_at), data)
    write_named(Path(request.output), data, meta.job)
    return Path(request.output)
