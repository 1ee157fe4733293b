"""A report written to standard output, in the form asked for."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from shutil import get_terminal_size

from buildtel.cli.summary import add_summary
from buildtel.job import JobDocument
from buildtel.report import render_csv, render_json, render_markdown, report_of

RENDERERS = {"json": render_json, "csv": render_csv, "markdown": render_markdown}


def tell(document: JobDocument, where: Path, form: str) -> None:
    """Say where a document is, and print its report; on GitHub it is the job's summary, too."""
    print(f"document: {where}", file=sys.stderr)
    show(document, form)
    add_summary(document, os.environ)


def show(document: JobDocument, form: str) -> None:
    """Print the report; plain characters only where the output is no terminal."""
    if form in RENDERERS:
        write(RENDERERS[form](document))
        return
    _show_table(document)


def _show_table(document: JobDocument) -> None:
    from rich.console import Console

    from buildtel.report.terminal import render_terminal

    terminal = sys.stdout.isatty()
    drawn = io.StringIO()  # not stdout itself: rich would answer a closed pipe with exit status 1
    console = Console(
        file=drawn,
        width=width(),
        no_color=bool(os.environ.get("NO_COLOR")) or None,
        force_terminal=terminal,
        legacy_windows=False,
    )
    render_terminal(report_of(document), console, ascii_only=plain_output())
    write(drawn.getvalue())


def write(text: str) -> None:
    """Print `text`; what the output's encoding does not have, or a CI's runner would obey, is escaped."""
    from buildtel.report.words import printed

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.stdout.write(printed(text))


def width() -> int:
    """How wide a line may be."""
    return get_terminal_size().columns


def plain_output() -> bool:
    """Whether bars must be drawn in ASCII: the output is no terminal, or none of UTF-8."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    return not (utf8 and sys.stdout.isatty())
