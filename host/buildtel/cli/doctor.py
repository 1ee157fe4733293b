"""`doctor`: what is missing on this machine and in its store, in words that say the mend."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from dataclasses import asdict

from buildtel.cli.findings import Finding, fail

FORMATS = ("table", "json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from buildtel.cli.stores import add_store_arguments

    add_store_arguments(parser)
    parser.add_argument("--proc", default="/proc", metavar="DIR", help="where the kernel's files are (%(default)s)")
    parser.add_argument("--format", choices=FORMATS, default="table", help="default: %(default)s")


def run(args: argparse.Namespace) -> int:
    """Exit status 1 if anything failed; warnings do not count."""
    from buildtel.cli.show import write
    from buildtel.report.table import json_text

    found: list[Finding] = []
    for finding in _findings(args):
        found.append(finding)
        if args.format == "table":
            write("".join(f"{line}\n" for line in _lines(finding)))
    if args.format == "json":
        write(json_text([asdict(finding) for finding in found]))
    return 1 if any(finding.state == "fail" for finding in found) else 0


def _findings(args: argparse.Namespace) -> Iterable[Finding]:
    from buildtel.cli import examine_machine, examine_store
    from buildtel.cli.stores import open_store, store_place
    from buildtel.errors import BuildtelError

    yield from examine_machine.findings(os.environ, args.proc)
    try:
        place, store = store_place(args), open_store(args)
    except BuildtelError as error:
        yield fail("store", str(error), "mend the setting that it names")
        return
    yield from examine_store.findings(store, place)


def _lines(finding: Finding) -> Iterable[str]:
    from buildtel.text import safe

    yield f"{finding.state:<5}{finding.about:<20} {safe(finding.said)}"
    if finding.mend:
        yield f"{'':<5}{'':<20} mend: {safe(finding.mend)}"
