"""`upload`: documents into the store."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from buildtel.errors import BuildtelError

if TYPE_CHECKING:
    from buildtel.store import Store

HELP = "put documents into the store (default: every one of $TELEMETRY_DIR not delivered yet)"
DELIVERED = ".delivered.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("documents", nargs="*", metavar="job.json", help="the documents to deliver")
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing but errors")


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if all was delivered; the rest is delivered even if one document can't be."""
    from buildtel.cli.documents import telemetry_dir
    from buildtel.settings import read_settings
    from buildtel.store import DirectoryStore

    settings = read_settings(os.environ)
    store = DirectoryStore(settings.store_dir)
    if args.documents:
        done = [_upload(store, Path(name), args.quiet) for name in args.documents]
        return 0 if all(done) else 1
    return 0 if _upload_rest(store, telemetry_dir(settings.telemetry_dir), args.quiet) else 1


def _upload_rest(store: Store, folder: Path, quiet: bool) -> bool:
    """Deliver what the folder's list of deliveries does not have; True if nothing failed."""
    delivered = _read_delivered(folder)
    known = delivered.setdefault(store.address(), {})
    done, new = True, 0
    for path in _documents(folder):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if known.get(path.name) == digest:
            continue
        new += 1
        if _upload(store, path, quiet):
            known[path.name] = digest
            _write_delivered(folder, delivered)
        else:
            done = False
    if not new and not quiet:
        print(f"nothing to deliver: every document of {folder} is in {store.address()}", file=sys.stderr)
    return done


def _upload(store: Store, path: Path, quiet: bool) -> bool:
    from buildtel.cli.documents import read_document
    from buildtel.job import load_document
    from buildtel.report import packer_steps
    from buildtel.store import deliver

    try:
        data = read_document(path)
        steps = packer_steps(load_document(data, str(path)))
        delivery = deliver(store, data, steps, str(path))
    except BuildtelError as error:
        print(f"buildtel-host: {error}", file=sys.stderr)
        return False
    if not quiet:
        print(f"{delivery.key}{'' if delivery.new else ' (was there)'}")
    return True


def _documents(folder: Path) -> list[Path]:
    from buildtel.cli.documents import is_regular

    return [path for path in sorted(folder.glob("*.json")) if not path.name.startswith(".") and is_regular(path)]


def _read_delivered(folder: Path) -> dict[str, dict[str, str]]:
    """Store to file name to digest; empty if there is no list, or none that can be read: all is idempotent."""
    try:
        value = json.loads((folder / DELIVERED).read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(value, dict):
        return {}
    return {store: dict(files) for store, files in value.items() if isinstance(files, dict)}


def _write_delivered(folder: Path, delivered: dict[str, dict[str, str]]) -> None:
    aside = folder / f"{DELIVERED}.{os.getpid()}"
    aside.write_text(json.dumps(delivered))
    aside.replace(folder / DELIVERED)
