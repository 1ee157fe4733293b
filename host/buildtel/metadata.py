"""Finds out which job this is, from the environment, then from git."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

from buildtel import ci

GIT_WAIT_S = 5


def job_fields(environ: Mapping[str, str], job: str | None, version: str | None) -> dict[str, str | None]:
    """What this process knows of the job that it runs in, by the names of `job.model.Meta`; None where nothing tells.

    Args:
        environ: the environment.
        job: from the command line.
        version: from the command line; else the CI's tag, `git describe`, or `0`.
    """
    found = ci.told(environ)
    in_ci = found["git_sha"] is not None
    return {
        **found,
        "job": job or "build",
        "version": version or ci.tag(environ) or _git("describe", "--tags", "--always", "--dirty") or "0",
        "git_sha": found["git_sha"] if in_ci else _git("rev-parse", "HEAD"),
        "git_ref": found["git_ref"] or (None if in_ci else _git("symbolic-ref", "-q", "HEAD")),
    }


def _git(*words: str) -> str | None:
    """What git prints in this directory; None without git, a checkout or an answer."""
    try:
        done = subprocess.run(
            ["git", *words], capture_output=True, text=True, errors="replace", timeout=GIT_WAIT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
