"""`init`: starts a job on this runner."""

from __future__ import annotations

import argparse
import os
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("job", metavar="JOB", help="the job's name, such as build or e2e")
    parser.add_argument(
        "version", metavar="VERSION", nargs="?",
        help="the appliance's version (default: the CI's tag, `git describe`, or 0)",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if the folder of the job could be created."""
    from buildtel.capture import runner_steps
    from buildtel.local.begun import begin, folders_with_steps
    from buildtel.metadata import job_fields

    if any(folders_with_steps(os.environ)):
        from buildtel.local import unfinished

        for said in unfinished.close_own(os.environ):
            print(said, file=sys.stderr)
    folder = begin(os.environ, job_fields(os.environ, args.job, args.version))
    runner_steps.options(os.environ, "")
    print(f"job {args.job} started; records: {folder}", file=sys.stderr)
    return 0
