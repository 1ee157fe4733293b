"""Finds out which job this is, from the environment, then from git."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from datetime import datetime, timezone

from buildtel import ci
from buildtel.job.model import Meta

GIT_WAIT_S = 5


def read_meta(environ: Mapping[str, str], job: str | None, version: str | None) -> Meta:
    """What this process knows of the job that it runs in; None where nothing tells.

    Args:
        environ: the environment.
        job: from the command line.
        version: from the command line; else the CI's tag, `git describe`, or `0`.
    """
    found = ci.told(environ)
    in_ci = found["git_sha"] is not None
    return Meta(
        job=job or "build",
        version=version or ci.tag(environ) or _git("describe", "--tags", "--always", "--dirty") or "0",
        collected_at=datetime.now(timezone.utc),
        runner=found["runner"],
        git_sha=found["git_sha"] if in_ci else _git("rev-parse", "HEAD"),
        git_ref=found["git_ref"] or (None if in_ci else _git("symbolic-ref", "-q", "HEAD")),
        run_id=found["run_id"],
        run_number=found["run_number"],
    )


def _git(*words: str) -> str | None:
    """What git prints in this directory; None without git, a checkout or an answer."""
    try:
        done = subprocess.run(
            ["git", *words], capture_output=True, text=True, errors="replace", timeout=GIT_WAIT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
