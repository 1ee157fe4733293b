"""Tells GitHub Actions why a job failed, and what made it much longer: an annotation for each.

Source: GitHub's documentation, "Workflow commands for GitHub Actions": at most 10 of a kind of a step are shown; what
stands for a percent sign, a line's end, and in the title for a colon and a comma, is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from buildtel.insight.failures import failures
from buildtel.insight.findings import findings
from buildtel.job import JobDocument
from buildtel.report.diagnosis_parts import item_of

MOST = 10
LONGEST_CHARS = 4096  # a longer message is cut by GitHub


def annotation_lines(document: JobDocument, environ: Mapping[str, str]) -> Iterator[str]:
    """An error for each failure, a warning for each severe finding, as lines without newlines; elsewhere none.

    Args:
        document: the document of the job.
        environ: the environment, which says whether this is GitHub Actions.
    """
    if environ.get("GITHUB_ACTIONS") == "true":
        for failure in islice(failures(document), MOST):
            output = ["Its last lines:", *failure.output] if failure.output else []
            yield _command("error", failure.title, [*failure.why, *output])
        severe = (one for one in findings(document) if one.severity == "severe")
        for finding in islice(severe, MOST):
            item = item_of(finding)
            saves = [f"saves: {item.saves}"] if item.saves else []
            yield _command("warning", f"{finding.build} {item.where}", [item.words, *saves, f"try: {item.help}"])


def _command(kind: str, title: str, lines: Sequence[str]) -> str:
    text = "\n".join(lines)
    if len(text) > LONGEST_CHARS:
        text = f"{lines[0]}\n...{text[len(lines[0]) + 5 - LONGEST_CHARS :]}"
    shown = _escaped(title).replace(":", "%3A").replace(",", "%2C")
    return f"::{kind} title={shown}::{_escaped(text)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
