"""`compare`: compares two builds step by step."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from buildtel.cli.show import add_format, add_output
    from buildtel.cli.stores import add_store_arguments

    add_store_arguments(parser)
    names = "a document's file, latest, ^1 (the one before it), VERSION, or VERSION@YYYYMMDD_HHMMSS"
    parser.add_argument(
        "before", nargs="?", default="^1", metavar="A", help=f"the older build: {names} (default: %(default)s)"
    )
    parser.add_argument(
        "after", nargs="?", default="latest", metavar="B", help="the newer build, named like A (default: %(default)s)"
    )
    parser.add_argument(
        "--job", default="build", metavar="JOB", help="the job of A and B in the store (default: %(default)s)"
    )
    add_format(parser)
    add_output(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if both were found, whatever differs."""
    from buildtel.cli.resolve_build import BuildResolver
    from buildtel.cli.show import show_or_write
    from buildtel.insight.comparison import compare
    from buildtel.report.comparison_view import ComparisonView

    resolver = BuildResolver(args)
    before, after = resolver.build(args.before, args.job), resolver.build(args.after, args.job)
    comparison = compare(before.document, after.document, before.name, after.name)
    view = ComparisonView(comparison, documents=(before.document, after.document))
    show_or_write(view, args.format, args.output)
    return 0
