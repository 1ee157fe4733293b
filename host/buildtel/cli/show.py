"""Prints a view in the chosen format; declares `--format`."""

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
    """Print where the document is, and its report; on GitHub Actions add it to the job summary, and say why it failed.

    Args:
        document: the document.
        where: its file.
        form: the report's format.
        to: the stream for the report; None: standard output.
    """
    from buildtel.cli.annotations import error_annotations
    from buildtel.cli.summary import add_summary
    from buildtel.report.job_view import JobView

    view = JobView(document)
    add_summary(view, os.environ)
    print(f"document: {where}", file=sys.stderr)
    for line in error_annotations(document, os.environ):
        print(line, file=sys.stderr)
    show(view, form, to)


def show(view: View, form: str, to: TextIO | None = None) -> None:
    """Print a view; use ASCII characters only if the stream is not a terminal.

    Args:
        view: what to print.
        form: one of `FORMATS`.
        to: the stream; None: standard output.
    """
    render(view, output(to or sys.stdout), form)


def output(to: TextIO) -> Output:
    """The abilities of a stream: width, colours, and UTF-8 lines for bars on a terminal."""
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
    """Print `text`; characters that the encoding lacks and commands to a CI runner are escaped.

    Args:
        text: whole lines.
        to: the stream; None: standard output.
    """
    output(to or sys.stdout).write(text)
