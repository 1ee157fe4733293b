"""Finds out which job this is, from the environment, then from git."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence

from buildtel import ci

GIT_WAIT_S = 5
QUESTIONS = {
    "version": ("describe", "--tags", "--always", "--dirty"),
    "git_sha": ("rev-parse", "HEAD"),
    "git_ref": ("symbolic-ref", "-q", "HEAD"),
}


def job_fields(environ: Mapping[str, str], job: str | None, version: str | None) -> dict[str, str | None]:
    """What this process knows of the job that it runs in, by the names of `job.model.Meta`; None where nothing tells.

    Args:
        environ: the environment.
        job: from the command line.
        version: from the command line; else the CI's tag, `git describe`, or `0`.
    """
    found = ci.told(environ)
    known = {**found, "version": version or ci.tag(environ)}
    in_ci = found["git_sha"] is not None
    asked = [name for name in QUESTIONS if not known[name] and (name == "version" or not in_ci)]
    known |= _git({name: QUESTIONS[name] for name in asked})
    return {**known, "job": job or "build", "version": known["version"] or "0"}


def _git(questions: Mapping[str, Sequence[str]]) -> dict[str, str | None]:
    """What git prints in this directory for each question, asked at once; None without git, a checkout or an answer."""
    asked = {name: _start(words) for name, words in questions.items()}
    return {name: None if process is None else _answer(process) for name, process in asked.items()}


def _start(words: Sequence[str]) -> subprocess.Popen[str] | None:
    try:
        return subprocess.Popen(
            ["git", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors="replace"
        )
    except OSError:
        return None


def _answer(process: subprocess.Popen[str]) -> str | None:
    with process:
        try:
            told, _ = process.communicate(timeout=GIT_WAIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            return None
    return told.strip() or None if process.returncode == 0 else None
