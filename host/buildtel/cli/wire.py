"""`wire`: adds buildtel's files to a template folder, prints the lines to add, or checks the template."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from buildtel.errors import BuildtelError

_CHECK_HELP = (
    "change nothing; list what is not wired, and exit with 1 if anything is. The comment `# buildtel: ignore` above or"
    " in a build, source or provisioner skips it"
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from buildtel.wire.build_block import Build
    from buildtel.wire.finding import Finding
    from buildtel.wire.template import Template


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("path", metavar="DIR|FILE", type=Path, help="the folder or file that `packer build` gets")
    parser.add_argument("--check", action="store_true", help=_CHECK_HELP)
    parser.add_argument(
        "--level",
        type=int,
        choices=(1, 2),
        default=2,
        help="with --check: 1 allows shell provisioners that are not measured as steps (default: 2)",
    )
    parser.add_argument("--force", action="store_true", help="replace files that were edited or are not buildtel's")


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or 1 if the check found something."""
    from buildtel.wire import build_block, copies, lines_to_add
    from buildtel.wire.template import read

    template = read(args.path)
    if args.check:
        return _check(template, args.level)
    found = build_block.of_template(template)
    _refuse(template, found)
    if not any(build.measurable for build in found):
        _say_why_not(template, found)
        return 0
    written = copies.put(template.folder, alone=template.file is not None, force=args.force)
    for line in (*_notes(template, found), *(f"{path}: {done}" for path, done in written)):
        print(line, file=sys.stderr)
    print(lines_to_add.guide(template, found), end="")
    return 0


def _refuse(template: Template, builds: Sequence[Build]) -> None:
    """Stop with an error, before any file is written, if the template can't be wired."""
    from buildtel.wire.template import JSON_ADVICE
    from buildtel.wire.template_rules import refused

    json_files = template.json_files + template.legacy_files
    if not builds and json_files:
        raise BuildtelError(f"{json_files[0]} is a JSON template: {JSON_ADVICE}. Nothing was written")
    if not builds:
        raise BuildtelError(f"{template.path}: no *.pkr.hcl has a build block. Name the folder of the template")
    for finding in refused(template):
        raise BuildtelError(f"{finding.path}:{finding.line}: {finding.text}. Nothing was written")


def _say_why_not(template: Template, builds: Sequence[Build]) -> None:
    """Print why nothing is written: the template has no Linux guest, which is not an error."""
    from buildtel.wire import lines_to_add

    for note in _notes(template, builds):
        print(note, file=sys.stderr)
    if all(source.guest.is_none for build in builds for source in build.sources):
        print(lines_to_add.shell_local(template.folder), end="")
        print(f"{template.path} builds no guest: there is nothing to wire. Nothing was written", file=sys.stderr)
        return
    print(
        f"{template.path} builds no Linux guest, so there is nothing to wire. Nothing was written."
        "\n`buildtel-host packer build …` still reports what Packer's log says",
        file=sys.stderr,
    )


def _notes(template: Template, builds: Sequence[Build]) -> list[str]:
    json_files = template.json_files + template.legacy_files
    notes = [f"{path}:1: note: is a JSON template, which can't be wired (level 0)" for path in json_files]
    return notes + _guests(builds)


def _guests(builds: Sequence[Build]) -> list[str]:
    """Why sources are not wired, each reason once."""
    from buildtel.wire.build_rules import guests, ignored

    found = (finding for build in builds for rule in (ignored, guests) for finding in rule(build))
    return list(dict.fromkeys(map(_line, found)))


def _check(template: Template, level: int) -> int:
    from buildtel.wire import check
    from buildtel.wire.finding import UNMEASURED, WRONG

    findings = check.check(template)
    for finding in findings:
        print(_line(finding))
    levels = [finding.level for finding in findings]
    print(_summary(template, levels.count(WRONG)), file=sys.stderr)
    failing = (WRONG, UNMEASURED) if level == 2 else (WRONG,)
    return 1 if any(found in failing for found in levels) else 0


def _line(finding: Finding) -> str:
    line = "" if finding.line is None else f":{finding.line}"
    whole = f"{finding.path}{line}: {finding.level}: {finding.text}"
    return "".join(char if char.isprintable() else "?" for char in whole)


def _summary(template: Template, wrong: int) -> str:
    from buildtel.wire import build_block, check, copies

    steps, shells = check.measured_steps(template)
    version = copies.agent_version(template.folder)
    agent = "no agent beside the template" if version is None else f"agent {version}"
    if not any(build.measurable for build in build_block.of_template(template)):
        agent = "no Linux guest to measure"
    return f"{steps} of {shells} shell provisioners are measured as steps; {wrong} wrong; {agent}"
