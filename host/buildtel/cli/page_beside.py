"""Writes the page of a document beside it, where `--html` or the configuration file asks for it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from buildtel.job import JobDocument

SCREENS = ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")


def add_html(parser: argparse.ArgumentParser) -> None:
    """Declare `--html` and `--open`."""
    parser.add_argument(
        "--html", action="store_true",
        help="also write the report as a page beside the document; `upload` takes it along "
        "(in the configuration: html = true)",
    )  # fmt: skip
    parser.add_argument("--open", action="store_true", help="as --html, and open the page in a browser")


def wants_page(args: argparse.Namespace) -> bool:
    """Whether a page is wanted, by the command line or the configuration file.

    Raises:
        UsageError: the configuration file is wrong.
    """
    from buildtel.settings import read_wants_page

    return args.html or args.open or read_wants_page()


def write_page(args: argparse.Namespace, document: JobDocument, path: Path) -> None:
    """Write the page of a document beside it if it is wanted, or one is there; say where, on standard error.

    Args:
        args: of a parser with `add_html`.
        document: the document.
        path: its file.

    Raises:
        BuildtelError: it can't be written, or something else stands there.
    """
    page = page_path(path)
    if not wants_page(args) and not is_page(page):
        return
    from buildtel.local.documents import write_report

    write_report(page, page_bytes(document), only_over=is_page)
    print(f"page: {page}", file=sys.stderr)
    if args.open and not _opened(page):
        print(f"buildtel-host: no browser found to open {page}. Open it by hand", file=sys.stderr)


def _opened(page: Path) -> bool:
    """Whether a browser took the page; one that would take the terminal instead is not asked."""
    import webbrowser

    return any(os.environ.get(name) for name in SCREENS) and webbrowser.open(page.resolve().as_uri())


def page_for_upload(document: JobDocument, path: Path) -> bytes:
    """The page that goes with a document into the store, made of it as it is now; empty if none was asked for.

    Args:
        document: the document.
        path: its file.

    Raises:
        UsageError: the configuration file is wrong.
    """
    from buildtel.settings import read_wants_page

    return page_bytes(document) if is_page(page_path(path)) or read_wants_page() else b""


def page_bytes(document: JobDocument) -> bytes:
    """The page of a document."""
    from buildtel.page.form_html import html
    from buildtel.report.job_view import JobView

    return html(JobView(document)).encode("utf-8", "replace")


def page_path(path: Path) -> Path:
    """The file of a document's page: its name with `.html` for `.json`."""
    return path.with_name(path.name.removesuffix(".json") + ".html")


def is_page(path: Path) -> bool:
    """Whether a file is a page of ours, and no link."""
    from buildtel.page import GENERATOR

    try:
        if path.is_symlink() or not path.is_file():
            return False
        with path.open("rb") as file:
            return GENERATOR in file.read(4096)
    except OSError:
        return False
