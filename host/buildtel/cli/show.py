"""A report written to standard output, in the form asked for."""

from __future__ import annotations

import io
import os
import sys
from shutil import get_terminal_size

from buildtel.job import JobDocument
from buildtel.report import render_csv, render_json, render_markdown, report_of

RENDERERS = {"json": render_json, "csv": render_csv, "markdown": render_markdown}


def show(document: JobDocument, form: str) -> None:
    """Print the report; plain characters only where the output is no terminal."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    if form in RENDERERS:
        sys.stdout.write(RENDERERS[form](document))
        return
    _show_table(document)


def _show_table(document: JobDocument) -> None:
    from rich.console import Console

    from buildtel.report.terminal import render_terminal

    terminal = sys.stdout.isatty()
    drawn = io.StringIO()  # not stdout itself: rich would answer a closed pipe with exit status 1
    console = Console(
        file=drawn,
        width=get_terminal_size().columns,
        no_color=bool(os.environ.get("NO_COLOR")) or None,
        force_terminal=terminal,
        legacy_windows=False,
    )
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    render_terminal(report_of(document), console, ascii_only=not (terminal and utf8))
    sys.stdout.write(drawn.getvalue())
