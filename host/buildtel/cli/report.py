"""`report`: prints the report of one document."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from buildtel.cli.show import add_format, add_output
    from buildtel.cli.stores import add_store_arguments

    add_store_arguments(parser)
    parser.add_argument(
        "which", nargs="?", default="latest", metavar="latest|^N|VERSION|FILE",
        help="a document's file, or a build in the store: the newest (latest), the Nth before it (^N), the "
        "newest of a VERSION, or one build of a version, VERSION@YYYYMMDD_HHMMSS (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("job", nargs="?", default="build", metavar="JOB", help="the job (default: %(default)s)")
    add_format(parser)
    add_output(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if the build was found."""
    from buildtel.cli.resolve_build import BuildResolver
    from buildtel.cli.show import show_or_write
    from buildtel.report.job_view import JobView

    view = JobView(BuildResolver(args).build(args.which, args.job).document)
    show_or_write(view, args.format, args.output)
    return 0
