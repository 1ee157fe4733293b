"""`upload`: uploads documents to the store; those that fail wait in a queue (the outbox)."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from buildtel.errors import BuildtelError

if TYPE_CHECKING:
    from buildtel.local.outbox import Outbox, Parcel
    from buildtel.store import Store

PATIENCE_S = 120.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from buildtel.cli.stores import add_store_arguments

    parser.add_argument("documents", nargs="*", metavar="job.json", help="the documents to upload")
    parser.add_argument(
        "--redirect", action="store_true", help="also upload queued documents meant for another store"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="print errors only")
    add_store_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if all documents were uploaded; the others wait in the outbox."""
    from buildtel.cli.stores import open_store
    from buildtel.local.begun import folders_with_steps
    from buildtel.local.delivered import Delivered
    from buildtel.local.folders import make_telemetry_folder
    from buildtel.local.outbox import Outbox
    from buildtel.settings import state_folder

    store = open_store(args)
    upload = Upload(store, Outbox(state_folder() / "outbox"), args.quiet, args.redirect)
    if args.documents:
        upload.run([Path(name) for name in args.documents])
        return upload.status
    folder = Path(make_telemetry_folder(os.environ))
    if any(folders_with_steps(os.environ)):
        upload.close_jobs()
    delivered = Delivered(folder, store.address())
    upload.run(delivered.missing())
    delivered.add(upload.delivered)
    if not upload.delivered and upload.status == 0 and not args.quiet:
        print(f"nothing to upload: all documents of {folder} are in {store.address()}", file=sys.stderr)
    return upload.status


@dataclass
class Upload:
    """One run of the command: adds new documents to the queue, then uploads the queue in order."""

    store: Store
    outbox: Outbox
    quiet: bool
    redirect: bool
    status: int = 0
    delivered: set[str] = field(default_factory=set)

    def close_jobs(self) -> None:
        """Make documents of jobs that are over and have none."""
        from buildtel.local import unfinished

        for said, failed in unfinished.close_over(os.environ):
            self.status |= failed
            if failed or not self.quiet:
                print(f"buildtel-host: {said}", file=sys.stderr)

    def run(self, paths: list[Path]) -> None:
        """Upload these documents and the queue; `status` and `delivered` (digests) have the result."""
        from buildtel.local.outbox import OutboxError

        parcels = [parcel for path in paths for parcel in self._parcel(path)]
        try:
            with self.outbox.locked(PATIENCE_S):
                there = {self.outbox.digest(entry) for entry in self._waiting()}
                for parcel in parcels:
                    if parcel.digest not in there:
                        self.outbox.add(parcel, self.store.address())
                self._deliver_waiting()
                self._tell_of_others()
        except OutboxError as error:
            print(f"buildtel-host: {error}", file=sys.stderr)
            self._deliver_directly([parcel for parcel in parcels if parcel.digest not in self.delivered])
        if self.store.caveat():
            print(f"buildtel-host: {self.store.caveat()}", file=sys.stderr)

    def _parcel(self, path: Path) -> Iterator[Parcel]:
        """The document and the files that go with it; nothing if it is not a document."""
        from buildtel.job import load_document
        from buildtel.local.documents import read_document
        from buildtel.local.outbox import Parcel
        from buildtel.local.raw_records import read_beside
        from buildtel.report.packer_steps import packer_steps
        from buildtel.store.delivery import document_time

        with self._told():
            data = read_document(path)
            document = load_document(data, str(path))
            document_time(document, str(path))
            yield Parcel(str(path), data, packer_steps(document), read_beside(path))

    def _waiting(self) -> list[Path]:
        return self.outbox.waiting(None if self.redirect else self.store.address())

    def _deliver_waiting(self) -> None:
        from buildtel.store import StoreError

        waiting = self._waiting()
        try:
            while waiting:
                with self._told(but=StoreError):
                    self._deliver(self.outbox.read(waiting[0]))
                    self.outbox.remove(waiting[0])
                waiting.pop(0)
        except StoreError as error:
            self._fail(f"{error}; {_count(len(waiting))} in {self.outbox.folder} for the next upload")

    def _deliver_directly(self, parcels: list[Parcel]) -> None:
        """Upload without a queue: a document that fails stays where it is."""
        from buildtel.store import StoreError

        try:
            for parcel in parcels:
                with self._told(but=StoreError):
                    self._deliver(parcel)
        except StoreError as error:
            self._fail(f"{error}; {len(parcels) - len(self.delivered)} not uploaded, and there is no outbox")

    def _deliver(self, parcel: Parcel) -> None:
        from buildtel.store.delivery import deliver

        delivery = deliver(self.store, parcel.document, parcel.packer_steps, parcel.name, parcel.events)
        self.delivered.add(parcel.digest)
        if not self.quiet:
            print(f"{delivery.key}{'' if delivery.new else ' (already there)'}", flush=True)

    def _tell_of_others(self) -> None:
        others = len(self.outbox.waiting()) - len(self.outbox.waiting(self.store.address()))
        if others and not self.redirect and not self.quiet:
            text = f"{_count(others)} in {self.outbox.folder} for another store. Set that store, or use --redirect"
            print(f"buildtel-host: {text}", file=sys.stderr)

    @contextmanager
    def _told(self, but: type[BuildtelError] | tuple[()] = ()) -> Iterator[None]:
        """Print the error of one document and go on with the others."""
        try:
            yield
        except but:
            raise
        except BuildtelError as error:
            self._fail(error)

    def _fail(self, text: object) -> None:
        self.status = 1
        print(f"buildtel-host: {text}", file=sys.stderr)


def _count(number: int) -> str:
    return "1 document waits" if number == 1 else f"{number} documents wait"
