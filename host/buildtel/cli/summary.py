"""Tells a CI how a job went, in short: the job summary of GitHub Actions, the end of a log of GitLab's or Jenkins'."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from buildtel.job import JobDocument
    from buildtel.report.summary_view import SummaryView

LARGEST_BYTES = 1024 * 1024  # of all that a step writes there; GitHub refuses more
CUT = "\n\n*(cut: GitHub limits the size of a summary; the document has everything)*\n"
FOLDED = "\n<details><summary>All builds, steps and figures</summary>\n\n"
FOLDED_END = "\n</details>\n"
LOGS_ONLY = ("GITLAB_CI", "JENKINS_URL")  # CIs whose only place for a report is the log
GITLAB_SECTION = "buildtel_report"


def add_summary(document: JobDocument, environ: Mapping[str, str]) -> None:
    """Append the short report, and the whole one folded, to the job summary, if there is one.

    What is too long is cut with a note.

    Args:
        document: the document.
        environ: the environment, which names the summary's file.
    """
    path = environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    try:
        with open(path, "ab") as file:  # noqa: PTH123
            file.write(summary(document, LARGEST_BYTES - file.tell()))
    except OSError as error:
        print(f"buildtel-host: can't write the job summary {path}: {error.strerror}", file=sys.stderr)


def summary(document: JobDocument, room_bytes: int) -> bytes:
    """The job summary as Markdown in UTF-8.

    Args:
        document: the document.
        room_bytes: how many bytes there is room for.
    """
    from buildtel.report.formats import rendered
    from buildtel.report.job_view import JobView
    from buildtel.report.summary_view import SummaryView

    head = fitting(rendered(SummaryView(document), "markdown"), room_bytes)
    around = len((FOLDED + FOLDED_END).encode())
    whole = fitting(rendered(JobView(document), "markdown"), room_bytes - len(head) - around)
    return head + FOLDED.encode() + whole + FOLDED_END.encode() if head and whole else head


def fitting(text: str, room_bytes: int) -> bytes:
    """As many whole lines of `text` as fit, with a note if lines are left out.

    Args:
        text: Markdown.
        room_bytes: how many bytes of UTF-8 there is room for.
    """
    data = text.encode("utf-8", "replace")
    if len(data) <= room_bytes:
        return data
    kept = data[: max(room_bytes - len(CUT.encode()), 0)]
    kept = kept[: kept.rfind(b"\n") + 1]
    return kept + CUT.encode() if kept else b""


def short_report(document: JobDocument, environ: Mapping[str, str]) -> SummaryView | None:
    """What stands at the end of a log of GitLab's or Jenkins', where people look first; None elsewhere.

    Args:
        document: the document.
        environ: the environment, which says which CI this is.
    """
    if not any(environ.get(name) for name in LOGS_ONLY):
        return None
    from buildtel.report.summary_view import SummaryView

    return SummaryView(document)


@contextmanager
def folded(environ: Mapping[str, str], to: TextIO) -> Iterator[None]:
    """What is printed meanwhile is a section of GitLab's log, folded; elsewhere nothing of the kind.

    Source: GitLab's documentation, "Expand and collapse job log sections".

    Args:
        environ: the environment, which says whether this is GitLab.
        to: where it is printed.
    """
    if not environ.get("GITLAB_CI"):
        yield
        return
    head = f"section_start:{int(time.time())}:{GITLAB_SECTION}[collapsed=true]"
    to.write(f"\x1b[0K{head}\r\x1b[0KThe whole report of buildtel\n")
    try:
        yield
    finally:
        to.write(f"\x1b[0Ksection_end:{int(time.time())}:{GITLAB_SECTION}\r\x1b[0K\n")
