"""Makes documents of jobs that ended without `finalize`."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from buildtel import ci
from buildtel.errors import BuildtelError
from buildtel.job import JobDocument, Meta
from buildtel.job.facts import JobFacts, read_facts
from buildtel.local import current_job
from buildtel.local.begun import folders_with_steps
from buildtel.local.folders import FACTS, RECORDS, is_aside, job_folder, put_aside
from buildtel.local.raw_records import RawRecords
from buildtel.settings import read_redactor

SILENT_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class Job:
    """A job's folder and facts; `is_own` if it is the one that this process belongs to."""

    folder: Path
    facts: JobFacts
    is_own: bool

    @property
    def is_closed(self) -> bool:
        """True if its document is final and its folder was renamed."""
        return is_aside(str(self.folder)) and self.facts.document is not None


def over(environ: Mapping[str, str]) -> list[Job]:
    """The ended jobs that have steps and no document, the oldest first.

    That of this process is, unless this is a part of one of its steps: who asks knows. Another one is over if its
    place on the machine is ours, if it was put aside, or if nothing was heard of it for a day.
    """
    own = Path(job_folder(environ))
    found = [_job(folder, environ, is_own=folder == own) for folder in map(Path, folders_with_steps(environ))]
    return sorted((job for job in found if _is_over(job, environ)), key=lambda job: job.facts.started_at)


def close_over(environ: Mapping[str, str]) -> Iterator[tuple[str, bool]]:
    """Makes a document of each ended job; yields a message, and whether it failed."""
    for job in over(environ):
        if job.is_own and not job.facts.unasked and job.facts.document is not None:
            continue  # `collect` made a document, and the job may go on
        name = f"job {job.facts.meta.job} {job.facts.meta.version}"
        try:
            path, document = close(job, cancelled=not job.facts.unasked)
        except (BuildtelError, OSError) as error:
            yield f"{name} never reached `finalize`, and {job.folder} is kept: {error}", True
        else:
            status = "cancelled" if document.status == "cancellation" else document.status
            yield f"{name} never reached `finalize`: its document is {path} ({status})", False


def close_own(environ: Mapping[str, str]) -> Iterator[str]:
    """Makes a document of the job that this process belongs to, before another one starts; yields messages."""
    for job in over(environ):
        if job.is_own:
            name = f"job {job.facts.meta.job} {job.facts.meta.version}"
            try:
                yield f"{name} is closed: its document is {close(job, cancelled=False)[0]}"
            except (BuildtelError, OSError) as error:
                yield f"{name} has no document, its records are put aside: {error}"


def close(job: Job, *, cancelled: bool) -> tuple[Path, JobDocument]:
    """Writes the document of a job that nobody finished; gives its path and the document.

    If no log tells the job's status and no step failed, a job that was cancelled, or has an open step, is a
    cancellation.

    Args:
        job: the job.
        cancelled: it was started by `init` and never reached `finalize`.

    Raises:
        BuildtelError: it can't be written.
    """
    facts, redactor = job.facts, read_redactor(os.environ)
    raw = RawRecords(redactor)
    document, facts = current_job.merged(job.folder, facts, None, raw)
    if not cancelled:
        facts, raw = replace(facts, ended_at=document.job_end), RawRecords(redactor)
        document, facts = current_job.merged(job.folder, facts, None, raw)
    if facts.told is None and document.status != "failure" and (cancelled or any(s.unfinished for s in document.steps)):
        document = replace(document, status="cancellation")
    path, _ = current_job.keep(job.folder, facts, document, None)
    raw.write_beside(path, after_others=True)
    if not is_aside(str(job.folder)):
        put_aside(str(job.folder))
    return path, document


def _job(folder: Path, environ: Mapping[str, str], *, is_own: bool) -> Job:
    try:
        known = current_job.current(environ) if is_own else None
    except BuildtelError:
        known = None
    return Job(folder, known[1] if known is not None else _facts(folder), is_own)


def _facts(folder: Path) -> JobFacts:
    """What is known of it; of a job without facts, or with damaged ones, when it was last written to."""
    try:
        return read_facts((folder / FACTS).read_bytes())
    except (OSError, ValueError):
        seen_s = (folder / RECORDS).stat().st_mtime
        meta = Meta(collected_at=datetime.fromtimestamp(seen_s, timezone.utc))
        return JobFacts(meta=meta, started_at=seen_s, unasked=True)


def _is_over(job: Job, environ: Mapping[str, str]) -> bool:
    if job.is_closed:
        return False
    if job.is_own:
        return not environ.get("BUILDTEL_PARENT")
    if is_aside(str(job.folder)) or job.facts.slot == ci.slot(environ):
        return True
    return time.time() - (job.folder / RECORDS).stat().st_mtime > SILENT_S
