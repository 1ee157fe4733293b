"""The job that `init` started, between two commands: its facts, records and document."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from buildtel import files
from buildtel.errors import BuildtelError
from buildtel.job import JobDocument, Meta, load_document
from buildtel.job.facts import JobFacts, LogSummary, read_facts
from buildtel.job.fold import document as fold
from buildtel.job.redaction import redacted
from buildtel.job.runner import with_runner
from buildtel.local.documents import read_document, write_named, write_new
from buildtel.local.folders import FACTS, RECORDS, job_folder, make_telemetry_folder
from buildtel.local.raw_records import RawRecords
from buildtel.metadata import job_fields
from buildtel.naming import stem_of
from buildtel.parse import read


def read_meta(environ: Mapping[str, str], job: str | None, version: str | None) -> Meta:
    """The job that this process belongs to, with the present time.

    Args:
        environ: the environment.
        job: its name from the command line, None for `build`.
        version: the appliance's from the command line, None for what CI or git tell.
    """
    fields: dict[str, Any] = job_fields(environ, job, version)
    return Meta(**fields, collected_at=datetime.now(timezone.utc))


def current(environ: Mapping[str, str]) -> tuple[Path, JobFacts] | None:
    """The folder and facts of the current job, None if neither `init` nor a step started one."""
    folder = Path(job_folder(environ))
    try:
        data = (folder / FACTS).read_bytes()
    except OSError:
        return None
    try:
        facts = read_facts(data)
    except ValueError as error:
        raise BuildtelError(f"{folder / FACTS} is damaged. Remove it, or run `buildtel-host init` again") from error
    if not facts.unasked:
        return folder, facts
    # The step that began it had no time to ask git.
    known = read_meta(environ, facts.meta.job, None if facts.meta.version == "0" else facts.meta.version)
    return folder, replace(facts, meta=replace(known, collected_at=facts.meta.collected_at))


def write_facts(folder: Path, facts: JobFacts) -> None:
    """Writes the facts of a job, whole or not at all.

    Args:
        folder: the job's folder.
        facts: the facts.
    """
    files.replace(str(folder / FACTS), facts.to_json().encode("utf-8", "replace"))


def merged(
    folder: Path, facts: JobFacts, document: JobDocument | None, raw: RawRecords
) -> tuple[JobDocument, JobFacts]:
    """Join the runner's steps with a document; gives the joined document, and the facts with what the log told.

    Args:
        folder: the job's folder.
        facts: what is known of the job.
        document: what a log told just now; None: the document that an earlier collect wrote, if there is one.
        raw: collects the runner's records; its redactor hides secrets.
    """
    if document is not None:
        # A second log of a job that nobody began by `init` is another document.
        written = None if facts.unasked and facts.told is not None else facts.document
        facts = replace(facts, told=LogSummary.by(document), document=written)
    elif facts.told is not None and facts.document and Path(facts.document).is_file():
        document = facts.told.alone(load_document(read_document(Path(facts.document)), facts.document))
    return with_runner(document, runner_document(folder, facts, raw), facts), facts


def runner_document(folder: Path, facts: JobFacts, raw: RawRecords) -> JobDocument:
    """The document of the runner's records alone.

    Args:
        folder: the job's folder.
        facts: what is known of the job.
        raw: collects the runner's records.
    """
    try:
        data = (folder / RECORDS).read_bytes()
    except FileNotFoundError:
        data = b""
    return redacted(fold(raw.keeping(read([data])), facts.meta), raw.redactor)


def keep(
    folder: Path, facts: JobFacts, document: JobDocument, output: str | None, stem: str | None = None
) -> tuple[Path, JobFacts]:
    """Writes the job's document, always to the same file; gives its path, and the facts that name it.

    Args:
        folder: the job's folder.
        facts: what is known of the job.
        document: the document.
        output: the file that the user named, None for the file of an earlier collect or a new one.
        stem: the name of a new file without `.json`; None: made of the job and the time of its start.
    """
    data = document.to_json().encode("utf-8", "replace")
    if output is not None:
        path = Path(output)
        write_named(path, data, facts.meta.job)
    elif facts.document and Path(facts.document).is_file():
        path = Path(facts.document)
        write_named(path, data, facts.meta.job)
    else:
        place = Path(make_telemetry_folder(os.environ))
        path = write_new(place, stem or stem_of(facts.meta.job, facts.meta.collected_at), data)
    facts = replace(facts, document=str(path.resolve()))
    write_facts(folder, facts)
    return path, facts
