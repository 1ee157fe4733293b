"""`buildtel-host wire`: the files beside a template, the lines to add, and what is not wired."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from buildtel.errors import BuildtelError

if TYPE_CHECKING:
    from buildtel.wire.template import Template


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what the command takes."""
    parser.add_argument("dir", metavar="DIR", type=Path, help="the folder that `packer build` is given")
    parser.add_argument("--check", action="store_true", help="change nothing; say what is not wired (exit 1)")
    parser.add_argument(
        "--level",
        type=int,
        choices=(1, 2),
        default=2,
        help="with --check: 1 accepts shell provisioners that are not measured as steps of their own",
    )
    parser.add_argument("--force", action="store_true", help="replace files that are not buildtel's")


def run(args: argparse.Namespace) -> int:
    """Does it; 0 if all is well, 1 if the check found something wrong."""
    from buildtel.wire import lines, place
    from buildtel.wire.template import read_folder

    template = read_folder(args.dir)
    if args.check:
        return _check(template, args.level)
    _refuse_json(template)
    for path, done in place.put(args.dir, force=args.force):
        print(f"{path}: {done}", file=sys.stderr)
    print(lines.GUIDE, end="")
    return 0


def _refuse_json(template: Template) -> None:
    if template.blocks:
        return
    json_files = template.json_files + template.legacy_files
    if json_files:
        raise BuildtelError(
            f"{json_files[0]} is a JSON template, which can't be wired: it gets level 0, what its log says,"
            " by `buildtel-host collect packer.log`; `packer hcl2_upgrade` makes it HCL2"
        )
    raise BuildtelError(f"{template.folder} has no *.pkr.hcl: name the folder that `packer build` is given")


def _check(template: Template, level: int) -> int:
    from buildtel.wire import check

    findings = check.check(template)
    for finding in findings:
        line = "" if finding.line is None else f":{finding.line}"
        print(f"{finding.path}{line}: {finding.level}: {finding.text}")
    levels = [finding.level for finding in findings]
    steps, shells = check.measured_steps(template)
    wrong = f"{levels.count(check.WRONG)} wrong"
    print(f"{steps} of {shells} shell provisioners are measured as steps; {wrong}", file=sys.stderr)
    failing = (check.WRONG, check.UNMEASURED) if level == 2 else (check.WRONG,)
    return 1 if any(found in failing for found in levels) else 0
