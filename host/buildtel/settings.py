"""Where things are and which job this is: from the environment, then from git."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from buildtel import ci
from buildtel.job.model import Meta

GIT_WAIT_S = 5


@dataclass(frozen=True, slots=True)
class Settings:
    """The places that buildtel uses."""

    telemetry_dir: Path
    store_dir: Path


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The places named by the environment, or the defaults."""
    data_home = environ.get("XDG_DATA_HOME") or str(Path(environ.get("HOME") or "~").expanduser() / ".local/share")
    return Settings(
        telemetry_dir=Path(environ.get("TELEMETRY_DIR") or "/tmp/telemetry"),
        store_dir=Path(data_home) / "buildtel",
    )


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
