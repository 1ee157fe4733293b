"""`diagnose`: prints what one document's builds waited for, and what would help."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from buildtel.cli.show import add_format
    from buildtel.cli.stores import add_store_arguments

    add_store_arguments(parser)
    parser.add_argument(
        "which", nargs="?", default="latest", metavar="latest|^N|VERSION|FILE",
        help="a document's file, or a build in the store: the newest (latest), the Nth before it (^N), the "
        "newest of a VERSION, or one build of a version, VERSION@YYYYMMDD_HHMMSS (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("job", nargs="?", default="build", metavar="JOB", help="the job (default: %(default)s)")
    add_format(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if the build was found."""
    from buildtel.cli.resolve_build import BuildResolver
    from buildtel.cli.show import show
    from buildtel.report.diagnosis_view import DiagnosisView

    show(DiagnosisView(BuildResolver(args).build(args.which, args.job).document), args.format)
    return 0
