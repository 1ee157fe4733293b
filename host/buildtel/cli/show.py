"""Prints a view in the chosen format; declares `--format`."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from buildtel.errors import UsageError
from buildtel.report.formats import FORMATS, Output, render

if TYPE_CHECKING:
    import argparse

    from buildtel.job import JobDocument
    from buildtel.report.view import View

HTML = "html"  # a page: the one format that is not lines of text


def add_format(parser: argparse.ArgumentParser, about: str = "default: %(default)s") -> None:
    """Declare `--format`; `about` is its help.

    Args:
        parser: the command's parser.
        about: the help of `--format`.
    """
    parser.add_argument("--format", choices=(*FORMATS, HTML), default="table", help=about)


def add_output(parser: argparse.ArgumentParser) -> None:
    """Declare `-o`, for a report that goes to a file."""
    parser.add_argument("-o", "--output", metavar="FILE", help="file to write it to (default: standard output)")


def show_or_write(view: View, form: str, path: str | None) -> None:
    """Print a view, or write it to the file that the user named.

    Args:
        view: what to show.
        form: as for `show`.
        path: the file; None or `-`: standard output.

    Raises:
        BuildtelError: it can't be written, or a page would go to a terminal.
    """
    if path is None or path == "-":
        show(view, form)
        return
    from buildtel.local.documents import write_report

    write_report(Path(path), as_text(view, form).encode("utf-8", "replace"))
    print(f"written: {path}", file=sys.stderr)


def as_text(view: View, form: str) -> str:
    """A view as a file has it: in UTF-8, without styles.

    Args:
        view: what to show.
        form: as for `show`.
    """
    if form == HTML:
        from buildtel.page.form_html import html

        return html(view)
    from buildtel.report.formats import rendered

    return rendered(view, form)


def print_report(document: JobDocument, where: Path, form: str, to: TextIO | None = None) -> None:
    """Print where the document is, and its report; tell GitHub Actions, GitLab or Jenkins in short how the job went.

    Args:
        document: the document.
        where: its file.
        form: the report's format.
        to: the stream for the report; None: standard output.
    """
    from buildtel.cli.annotations import annotation_lines
    from buildtel.cli.summary import add_summary, folded, short_report
    from buildtel.report.job_view import JobView

    add_summary(document, os.environ)
    print(f"document: {where}", file=sys.stderr)
    for line in annotation_lines(document, os.environ):
        print(line, file=sys.stderr)
    short = short_report(document, os.environ) if form == "table" else None
    if short is None:
        show(JobView(document), form, to)
        return
    with folded(os.environ, to or sys.stdout):
        show(JobView(document), form, to)
    show(short, form, to)


def show(view: View, form: str, to: TextIO | None = None) -> None:
    """Print a view; use ASCII characters only if the stream is not a terminal.

    Args:
        view: what to print.
        form: one of `FORMATS`, or `html`.
        to: the stream; None: standard output.

    Raises:
        UsageError: a page would go to a terminal.
    """
    stream = to or sys.stdout
    check_stream(form, stream)
    if form != HTML:
        render(view, output(stream), form)
        return
    page = as_text(view, form).encode("utf-8", "replace")  # it says itself that it is UTF-8
    stream.flush()
    stream.buffer.write(page)


def check_stream(form: str, stream: TextIO) -> None:
    """Check that a format can go to a stream.

    Args:
        form: as for `show`.
        stream: where it would go.

    Raises:
        UsageError: a page would go to a terminal.
    """
    if form == HTML and stream.isatty():
        raise UsageError("--format html: a page is for a browser. Redirect the output to a file (`report`: -o FILE)")


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
