"""`shell-init`: prints the shell functions of the original system, for bash and dash."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

FUNCTIONS = """\
telemetry_init() { %(host)s init "$@" || :; }
telemetry_step_start() { %(host)s step start "$@" || :; }
telemetry_step_end() { %(host)s step end "$@" || :; }
telemetry_finalize() { %(host)s finalize "$@" || :; }
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments: it has none."""


def run(args: argparse.Namespace) -> int:
    """Prints the functions; a job sources them with `eval "$(buildtel-host shell-init)"`."""
    program = Path(sys.argv[0])
    host = shlex.quote(str(program.resolve())) if program.name == "buildtel-host" else "buildtel-host"
    print(FUNCTIONS % {"host": host}, end="")
    return 0
