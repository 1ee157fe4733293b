"""`live`: shows a running build in a second terminal, or below Packer's output with `packer --live always`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

WIDTH_OF_A_FILE = 120
ROWS_OF_A_FILE = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "log", metavar="LOG", nargs="?",
        help="the log that `buildtel-host packer` writes (default: the newest running build in $TELEMETRY_DIR)",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Show the view until the build ends or Ctrl-C; without a terminal print it once."""
    from buildtel.cli.stores import open_store
    from buildtel.live.log_follower import LogFollower, newest_log

    path = args.log or newest_log()
    with Path(path).open("rb", buffering=0) as file:
        follower = LogFollower(file, Path(path).name, open_store)
        if sys.stdout.isatty():
            follower.follow()
            print("The build has ended.")
        else:
            follower.read()
            print("\n".join(follower.view.rows(time.monotonic(), WIDTH_OF_A_FILE, ROWS_OF_A_FILE)))
    return 0
