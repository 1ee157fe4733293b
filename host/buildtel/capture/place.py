"""Where the job that runs now keeps its records; light, because every `step` pays for it."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping

from buildtel.errors import BuildtelError

# What tells one CI job from another on the same machine, of GitHub Actions, GitLab, Jenkins, Buildkite,
# CircleCI and Azure Pipelines; the first that is there counts.
KEY_VARIABLES = (
    ("BUILDTEL_JOB_KEY",),
    ("GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT", "GITHUB_JOB", "RUNNER_NAME"),
    ("CI_JOB_ID",),
    ("BUILDKITE_JOB_ID",),
    ("CIRCLE_WORKFLOW_JOB_ID",),
    ("SYSTEM_JOBID",),
    ("BUILD_TAG",),
)
RECORDS = "records.jsonl"
FACTS = "job.json"
LONGEST = 100


def job_key(environ: Mapping[str, str]) -> str:
    """The folder's name of the CI job that this process belongs to; `local` outside of CI."""
    for names in KEY_VARIABLES:
        if environ.get(names[0]):
            words = "-".join(environ.get(name, "") for name in names)
            return "".join(char if char.isalnum() and char.isascii() else "-" for char in words)[:LONGEST]
    return "local"


def job_folder(environ: Mapping[str, str]) -> str:
    """The folder of the job that runs now, which may not be there yet."""
    return f"{environ.get('TELEMETRY_DIR') or '/tmp/telemetry'}/.jobs/{job_key(environ)}"


def make_folder(folder: str) -> str:
    """`folder`, for this user alone, with its parents.

    Raises:
        BuildtelError: it can't be made, or a folder on the way belongs to somebody else.
    """
    jobs = os.path.dirname(folder)
    try:
        for path in (os.path.dirname(jobs), jobs, folder):
            os.makedirs(path, mode=0o700, exist_ok=True)
            found = os.lstat(path)
            if found.st_uid != os.geteuid() or not stat.S_ISDIR(os.stat(path).st_mode):
                raise BuildtelError(f"{path} belongs to somebody else: set TELEMETRY_DIR to a directory of yours")
    except OSError as error:
        raise BuildtelError(f"can't use {error.filename}: {error.strerror}: set TELEMETRY_DIR") from error
    return folder
