"""The folders of this machine; imports little, because every `step` imports it."""

from __future__ import annotations

import os
import time
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
LOG_SUFFIX = ".packer.log"
MOST_IN_A_SECOND = 1000


def job_key(environ: Mapping[str, str]) -> str:
    """The folder's name of the CI job that this process belongs to; `local` outside of CI."""
    for names in KEY_VARIABLES:
        if environ.get(names[0]):
            words = "-".join(environ.get(name, "") for name in names)
            return _plain(words)
    return "local"


def _plain(words: str) -> str:
    return "".join(char if char.isalnum() and char.isascii() else "-" for char in words)[:LONGEST]


def job_folder(environ: Mapping[str, str]) -> str:
    """The folder of the current job; it may not exist yet."""
    return f"{telemetry_folder(environ)}/.jobs/{job_key(environ)}"


def telemetry_folder(environ: Mapping[str, str]) -> str:
    """The folder for all measurements of this machine; it may not exist yet."""
    return environ.get("TELEMETRY_DIR") or "/tmp/telemetry"


def log_path(environ: Mapping[str, str], stem: str) -> str:
    """Creates the file for the log of a Packer that starts now: `STEM.packer.log` in the telemetry folder.

    A number stands behind the stem if a log or a document has that name already.

    Args:
        environ: the environment.
        stem: the name without its suffix.

    Raises:
        BuildtelError: it can't be created.
    """
    folder = make_telemetry_folder(environ)
    for copy in range(1, MOST_IN_A_SECOND):
        begun = f"{folder}/{stem}{f'_{copy}' if copy > 1 else ''}"
        name = f"{begun}{LOG_SUFFIX}"
        if os.path.lexists(f"{begun}.json"):
            continue
        try:
            os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            continue
        except OSError as error:
            raise BuildtelError(f"can't write into {folder} ({error.strerror}). Set TELEMETRY_DIR") from error
        return name
    raise BuildtelError(f"{folder} has {MOST_IN_A_SECOND} logs of this second already. Try again")


def make_job_folder(environ: Mapping[str, str]) -> str:
    """The folder of the current job, created if it does not exist.

    Raises:
        BuildtelError: see `own_folder`; a folder on the way counts too.
    """
    folder = job_folder(environ)
    jobs = os.path.dirname(folder)
    for path in (os.path.dirname(jobs), jobs):
        own_folder(path)
    return own_folder(folder)


def put_aside(folder: str) -> None:
    """Rename a job's folder, so that another job can begin in its place; no key of a job has a dot in it.

    Raises:
        OSError: it can't be renamed.
    """
    os.rename(folder, f"{folder}.{time.time_ns()}")


def is_aside(folder: str) -> bool:
    """Whether `put_aside` renamed this folder."""
    return "." in os.path.basename(folder)


def make_telemetry_folder(environ: Mapping[str, str]) -> str:
    """The folder for all measurements of this machine, created if it does not exist.

    Raises:
        BuildtelError: see `own_folder`.
    """
    return own_folder(telemetry_folder(environ))


def own_folder(path: str, setting: str = "TELEMETRY_DIR") -> str:
    """`path`, created for this user only if it does not exist.

    Args:
        path: the folder.
        setting: the environment variable that names it, for the error.

    Raises:
        BuildtelError: it can't be made, is no directory, or belongs to another user.
    """
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        owners = {os.stat(path).st_uid, os.lstat(path).st_uid}
    except FileExistsError as error:
        raise BuildtelError(f"{error.filename or path} is not a directory. Set {setting} to a directory") from None
    except OSError as error:
        raise BuildtelError(f"cannot use {path}: {error.strerror}. Set {setting} to a directory of yours") from error
    if owners != {os.geteuid()}:
        raise BuildtelError(f"{path} belongs to another user. Set {setting} to a directory of yours")
    return path
