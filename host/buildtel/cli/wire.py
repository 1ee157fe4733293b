"""`buildtel-host wire`: the files beside a template, the lines to add, and what is not wired."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from buildtel.errors import BuildtelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from buildtel.wire.builds import Build
    from buildtel.wire.finding import Finding
    from buildtel.wire.template import Template


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what the command takes."""
    parser.add_argument("path", metavar="DIR|FILE", type=Path, help="what `packer build` is given")
    parser.add_argument("--check", action="store_true", help="change nothing; say what is not wired (exit 1)")
    parser.add_argument(
        "--level",
        type=int,
        choices=(1, 2),
        default=2,
        help="with --check: 1 accepts shell provisioners that are not measured as steps of their own",
    )
    parser.add_argument("--force", action="store_true", help="replace files that were edited or are not buildtel's")


def run(args: argparse.Namespace) -> int:
    """Does it; 0 if all is well, 1 if the check found something wrong."""
    from buildtel.wire import builds, lines, place
    from buildtel.wire.template import read

    template = read(args.path)
    if args.check:
        return _check(template, args.level)
    found = builds.of_template(template)
    _refuse(template, found)
    for path, done in place.put(template.folder, alone=template.file is not None, force=args.force):
        print(f"{path}: {done}", file=sys.stderr)
    for note in _notes(template, found):
        print(note, file=sys.stderr)
    print(lines.guide(template, found), end="")
    return 0


def _refuse(template: Template, builds: Sequence[Build]) -> None:
    """Looks whether there is anything to wire, before anything is written."""
    from buildtel.wire import lines
    from buildtel.wire.template import JSON_ADVICE
    from buildtel.wire.template_rules import refused

    json_files = template.json_files + template.legacy_files
    if not builds and json_files:
        raise BuildtelError(f"{json_files[0]} is a JSON template: {JSON_ADVICE}; nothing was written")
    if not builds:
        raise BuildtelError(f"{template.path}: no *.pkr.hcl here has a build block: name the folder of the template")
    for finding in refused(template):
        raise BuildtelError(f"{finding.path}:{finding.line}: {finding.text}; nothing was written")
    if any(build.measurable for build in builds):
        return
    reasons = "".join(f"\n  {note}" for note in _guests(builds))
    if all(source.guest.is_none for build in builds for source in build.sources):
        raise BuildtelError(
            f"{template.path} builds no guest that can be measured:{reasons}\n"
            "To measure what its shell-local provisioners run on this machine:\n"
            f"{lines.SHELL_LOCAL}Nothing was written"
        )
    raise BuildtelError(
        f"{template.path} builds no Linux guest: leave it unwired, `buildtel-host packer build …` still shows"
        f" what Packer's log says; nothing was written:{reasons}"
    )


def _notes(template: Template, builds: Sequence[Build]) -> list[str]:
    json_files = template.json_files + template.legacy_files
    return [f"{path}: note: is a JSON template, which can't be wired" for path in json_files] + _guests(builds)


def _guests(builds: Sequence[Build]) -> list[str]:
    """Why sources are left out, each once."""
    from buildtel.wire.build_rules import guests

    return list(dict.fromkeys(_line(finding) for build in builds for finding in guests(build)))


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
    return f"{finding.path}{line}: {finding.level}: {finding.text}"


def _summary(template: Template, wrong: int) -> str:
    from buildtel.wire import check, place

    steps, shells = check.measured_steps(template)
    version = place.agent_version(template.folder)
    agent = "no agent beside the template" if version is None else f"agent {version}"
    return f"{steps} of {shells} shell provisioners are measured as steps; {wrong} wrong; {agent}"
