"""Opens the store that flags, environment or configuration file name."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from buildtel.errors import UsageError

if TYPE_CHECKING:
    from buildtel.settings import S3Place
    from buildtel.store import Store


def add_store_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags that name a store."""
    group = parser.add_argument_group("store", "environment and configuration file can set these too (docs/store.md)")
    group.add_argument("--store", metavar="DIR", dest="store_directory", help="use this directory as the store")
    group.add_argument("--endpoint", metavar="URL", dest="store_endpoint", help="use this S3 server: http://HOST:PORT")
    group.add_argument("--bucket", metavar="NAME", dest="store_bucket", help="bucket (default: appliance-telemetry)")


def store_place(args: argparse.Namespace | None = None) -> Path | S3Place:
    """The directory or bucket that is set; `args` are of a parser with `add_store_arguments`.

    Raises:
        UsageError: a setting is not usable.
    """
    from buildtel.settings import read_store_place

    flags = {name: getattr(args, f"store_{name}", None) for name in ("directory", "endpoint", "bucket")}
    return read_store_place(os.environ, flags)


def check_place(args: argparse.Namespace) -> None:
    """Check the directory that `--store` names, if it is given.

    Raises:
        UsageError: it is a file, or is not there.
    """
    named = getattr(args, "store_directory", None)
    if not named:
        return
    path = Path(named).expanduser()
    if path.exists() and not path.is_dir():
        raise UsageError(f"--store {named}: it is a file. Name a directory (`report {named}` shows a file)")
    if not path.exists():
        raise UsageError(f"--store {named}: there is no such directory. Check the name")


def open_store(args: argparse.Namespace | None = None) -> Store:
    """The store that is set.

    Raises:
        UsageError: a setting is not usable.
        StoreError: the settings can't make a store.
    """
    place = store_place(args)
    if isinstance(place, Path):
        from buildtel.store import DirectoryStore

        return DirectoryStore(place)
    from buildtel.store.retry import Retrying
    from buildtel.store.s3 import S3Store

    return Retrying(S3Store(place), budget_s=place.timeout_s)
