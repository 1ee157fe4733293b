"""`compare`: two builds side by side."""

from __future__ import annotations

import argparse

FORMATS = ("table", "json", "csv", "markdown")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from buildtel.cli.stores import add_store_arguments

    add_store_arguments(parser)
    names = "a document's file, latest, ^1 (the one before it), VERSION, or VERSION@YYYYMMDD_HHMMSS"
    parser.add_argument("before", nargs="?", default="^1", metavar="A", help=f"{names} (default: %(default)s)")
    parser.add_argument("after", nargs="?", default="latest", metavar="B", help="as A (default: %(default)s)")
    parser.add_argument("--job", default="build", metavar="JOB", help="of A and B in the store (default: %(default)s)")
    parser.add_argument("--format", choices=FORMATS, default="table", help="default: %(default)s")


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if both were found, whatever differs."""
    from buildtel.cli.asked import Asked
    from buildtel.cli.show import width, write
    from buildtel.insight.comparison import compare
    from buildtel.report.compared import render_comparison

    asked = Asked(args)
    before, after = asked.build(args.before, args.job), asked.build(args.after, args.job)
    comparison = compare(before.document, after.document, before.name, after.name)
    write(render_comparison(comparison, args.format, width()))
    return 0
