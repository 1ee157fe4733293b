"""Tells GitHub Actions why a job failed: an annotation for each failure.

Source: GitHub's documentation, "Workflow commands for GitHub Actions": at most 10 errors of a step are shown; what
stands for a percent sign, a line's end, and in the title for a colon and a comma, is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from buildtel.insight.failures import Failure, failures
from buildtel.job import JobDocument

MOST = 10
LONGEST_CHARS = 4096  # a longer message is cut by GitHub


def error_annotations(document: JobDocument, environ: Mapping[str, str]) -> Iterator[str]:
    """The lines for standard error, without newlines; none outside of GitHub Actions.

    Args:
        document: the document of the job.
        environ: the environment, which says whether this is GitHub Actions.
    """
    if environ.get("GITHUB_ACTIONS") == "true":
        yield from map(_command, islice(failures(document), MOST))


def _command(failure: Failure) -> str:
    lines = [*failure.why, *(["Its last lines:", *failure.output] if failure.output else [])]
    text = "\n".join(lines)
    if len(text) > LONGEST_CHARS:
        text = f"{lines[0]}\n...{text[len(lines[0]) + 5 - LONGEST_CHARS :]}"
    title = _escaped(failure.title).replace(":", "%3A").replace(",", "%2C")
    return f"::error title={title}::{_escaped(text)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
