"""Adds the report to the job summary of GitHub Actions."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from buildtel.report.formats import rendered
from buildtel.report.view import View

LARGEST_BYTES = 1024 * 1024  # of all that a step writes there; GitHub refuses more
CUT = "\n\n*(cut: GitHub limits the size of a summary; the document has everything)*\n"


def add_summary(view: View, environ: Mapping[str, str]) -> None:
    """Append the report to the job summary, if there is one; a report that is too long is cut with a note.

    Args:
        view: the report.
        environ: the environment, which names the summary's file.
    """
    path = environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    try:
        with open(path, "ab") as file:  # noqa: PTH123
            file.write(fitting(rendered(view, "markdown"), LARGEST_BYTES - file.tell()))
    except OSError as error:
        print(f"buildtel-host: can't write the job summary {path}: {error.strerror}", file=sys.stderr)


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
