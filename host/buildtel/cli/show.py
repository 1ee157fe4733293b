"""A view written to standard output, in the form asked for; what `--format` may be."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from buildtel.report.formats import FORMATS, Output, render

if TYPE_CHECKING:
    import argparse

    from buildtel.job import JobDocument
    from buildtel.report.view import View


def add_format(parser: argparse.ArgumentParser, about: str = "default: %(default)s") -> None:
    """Declare `--format`; `about` is its help.

    Args:
        parser: the command's parser.
        about: the help of `--format`.
    """
    parser.add_argument("--format", choices=FORMATS, default="table", help=about)


def print_report(document: JobDocument, where: Path, form: str, to: TextIO | None = None) -> None:
    """Say where a document is, and print its report to `to`; on GitHub it is the job's summary, too.

    Args:
        document: the document.
        where: its file.
        form: the report's format.
        to: the stream for the report; None: standard output.
    """
    from buildtel.cli.summary import add_summary
    from buildtel.report.job_view import JobView

    view = JobView(document)
    add_summary(view, os.environ)
    print(f"document: {where}", file=sys.stderr)
    show(view, form, to)


def show(view: View, form: str, to: TextIO | None = None) -> None:
    """Print a view (to standard output by default); plain characters only where that is no terminal.

    Args:
        view: what is shown.
        form: one of `FORMATS`.
        to: the stream; None: standard output.
    """
    render(view, output(to or sys.stdout), form)


def output(to: TextIO) -> Output:
    """What a stream shows: a terminal of UTF-8 draws bars as lines."""
    from shutil import get_terminal_size

    from buildtel.text import printed

    utf8 = (to.encoding or "").lower().replace("-", "") == "utf8"
    terminal = to.isatty()
    coloured = not os.environ.get("NO_COLOR")
    if isinstance(to, io.TextIOWrapper):
        to.reconfigure(errors="backslashreplace")
    columns = get_terminal_size().columns
    return Output(lambda text: to.write(printed(text)), columns, not (utf8 and terminal), terminal, coloured)


def write(text: str, to: TextIO | None = None) -> None:
    """Print `text`; what the output's encoding does not have, or a CI's runner would obey, is escaped.

    Args:
        text: whole lines.
        to: the stream; None: standard output.
    """
    output(to or sys.stdout).write(text)
