"""Starts a job on this runner: its folder and facts; imports little, because the first `step` may start a job."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping

import buildtel_agent as agent
from buildtel import ci, files
from buildtel.local.folders import FACTS, RECORDS, job_folder, make_job_folder, put_aside

STARTED, ENDED = b'"ev":"start"', b'"ev":"end"'


def begin(environ: Mapping[str, str], fields: Mapping[str, str | None]) -> str:
    """Start a job; an unfinished one in its folder is renamed and kept.

    Args:
        environ: the environment.
        fields: what `metadata.job_fields` tells.

    Returns:
        The job's folder.

    Raises:
        BuildtelError: the job's folder can't be created.
    """
    folder = job_folder(environ)
    if os.path.exists(f"{folder}/{FACTS}") or os.path.exists(f"{folder}/{RECORDS}"):
        put_aside(folder)
    make_job_folder(environ)
    note_facts(environ, folder, fields, unasked=False)
    return folder


def note_facts(environ: Mapping[str, str], folder: str, fields: Mapping[str, object], *, unasked: bool) -> None:
    """Write the facts of a job that starts now, unless another process has just written them.

    Args:
        environ: the environment.
        folder: the job's folder.
        fields: those of `job.model.Meta`, without the time.
        unasked: whether a step began the job, not `init`.
    """
    now_s = time.time()
    meta = {**fields, "collected_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now_s))}
    facts = {"meta": meta, "started_at": now_s, "unasked": unasked, "slot": ci.slot(environ)}
    files.create(f"{folder}/{FACTS}", agent.dumps(facts).encode())


def folders_with_steps(environ: Mapping[str, str]) -> Iterator[str]:
    """The folders of jobs on this machine that have a step, including the current one."""
    jobs = os.path.dirname(job_folder(environ))
    for name in sorted(os.listdir(jobs)) if os.path.isdir(jobs) else ():
        try:
            with open(f"{jobs}/{name}/{RECORDS}", "rb") as file:
                if STARTED in file.read():
                    yield f"{jobs}/{name}"
        except OSError:  # noqa: PERF203
            continue
