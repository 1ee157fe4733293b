"""A report written to standard output, in the form asked for."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from shutil import get_terminal_size
from typing import TextIO

from buildtel.cli.summary import add_summary
from buildtel.job import JobDocument
from buildtel.report import render_csv, render_json, render_markdown, report_of

RENDERERS = {"json": render_json, "csv": render_csv, "markdown": render_markdown}


def tell(document: JobDocument, where: Path, form: str, to: TextIO | None = None) -> None:
    """Say where a document is, and print its report to `to`; on GitHub it is the job's summary, too."""
    add_summary(document, os.environ)
    print(f"document: {where}", file=sys.stderr)
    show(document, form, to)


def show(document: JobDocument, form: str, to: TextIO | None = None) -> None:
    """Print the report (to standard output by default); plain characters only where that is no terminal."""
    to = to or sys.stdout
    if form in RENDERERS:
        write(RENDERERS[form](document), to)
        return
    _show_table(document, to)


def _show_table(document: JobDocument, to: TextIO) -> None:
    from rich.console import Console

    from buildtel.report.terminal import render_terminal

    terminal = to.isatty()
    drawn = io.StringIO()  # not stdout itself: rich would answer a closed pipe with exit status 1
    console = Console(
        file=drawn,
        width=width(),
        no_color=bool(os.environ.get("NO_COLOR")) or None,
        force_terminal=terminal,
        legacy_windows=False,
    )
    render_terminal(report_of(document), console, ascii_only=plain_output(to))
    write(drawn.getvalue(), to)


def write(text: str, to: TextIO | None = None) -> None:
    """Print `text`; what the output's encoding does not have, or a CI's runner would obey, is escaped."""
    from buildtel.text import printed

    to = to or sys.stdout
    if isinstance(to, io.TextIOWrapper):
        to.reconfigure(errors="backslashreplace")
    to.write(printed(text))


def width() -> int:
    """How wide a line may be."""
    return get_terminal_size().columns


def plain_output(to: TextIO | None = None) -> bool:
    """Whether bars must be drawn in ASCII: the output is no terminal, or none of UTF-8."""
    to = to or sys.stdout
    utf8 = (to.encoding or "").lower().replace("-", "") == "utf8"
    return not (utf8 and to.isatty())
