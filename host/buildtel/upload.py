"""Uploads documents of this machine to the store; those that fail wait in the outbox."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from buildtel.errors import BuildtelError
from buildtel.local.documents import read_document
from buildtel.local.outbox import Outbox, OutboxError, Parcel
from buildtel.local.raw_records import read_beside
from buildtel.store import Store, StoreError

if TYPE_CHECKING:
    from buildtel.job import JobDocument

PATIENCE_S = 120.0
Kind = Literal["key", "note", "error"]  # a document's key in the store; what is good to know; what went wrong


@dataclass
class Upload:
    """Adds new documents to the queue, then uploads the queue in order.

    Attributes:
        store: where documents go.
        outbox: the queue.
        redirect: upload queued documents that are meant for other stores, too.
        told: takes each message with its kind.
        page_of: gives the page that goes with a document, empty for none; it takes the document and its file.
        failed: something could not be uploaded.
        delivered: the digests of the documents that the store has now.
    """

    store: Store
    outbox: Outbox
    redirect: bool
    told: Callable[[Kind, str], None]
    page_of: Callable[[JobDocument, Path], bytes] = field(default=lambda _document, _path: b"")
    failed: bool = False
    delivered: set[str] = field(default_factory=set)

    def close_jobs(self) -> None:
        """Make documents of jobs that are over and have none."""
        from buildtel.local import unfinished  # noqa: PLC0415  # the models: upload of nothing needs none

        for said, failed in unfinished.close_over(os.environ):
            self.failed |= failed
            self.told("error" if failed else "note", said)

    def run(self, paths: list[Path]) -> None:
        """Upload these documents and the queue; `failed` and `delivered` have the result."""
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
            self.told("error", str(error))
            self._deliver_directly([parcel for parcel in parcels if parcel.digest not in self.delivered])
        if self.store.caveat():
            self.told("error", self.store.caveat())

    def _parcel(self, path: Path) -> Iterator[Parcel]:
        """The document and the files that go with it; nothing if it is not a document."""
        from buildtel.job import load_document  # noqa: PLC0415  # likewise
        from buildtel.report.packer_steps import packer_steps  # noqa: PLC0415  # likewise
        from buildtel.store.document_time import document_time  # noqa: PLC0415  # likewise

        with self._explained():
            data = read_document(path)
            document = load_document(data, str(path))
            document_time(document, str(path))
            page = self.page_of(document, path)
            yield Parcel(str(path), data, packer_steps(document), read_beside(path), page)

    def _waiting(self) -> list[Path]:
        return self.outbox.waiting(None if self.redirect else self.store.address())

    def _deliver_waiting(self) -> None:
        waiting = self._waiting()
        try:
            while waiting:
                with self._explained(but=StoreError):
                    self._deliver(self.outbox.read(waiting[0]))
                    self.outbox.remove(waiting[0])
                waiting.pop(0)
        except StoreError as error:
            self._fail(f"{error}; {_count(len(waiting))} in {self.outbox.folder} for the next upload")

    def _deliver_directly(self, parcels: list[Parcel]) -> None:
        """Upload without a queue: a document that fails stays where it is."""
        try:
            for parcel in parcels:
                with self._explained(but=StoreError):
                    self._deliver(parcel)
        except StoreError as error:
            self._fail(f"{error}; {len(parcels) - len(self.delivered)} not uploaded, and there is no outbox")

    def _deliver(self, parcel: Parcel) -> None:
        from buildtel.store.delivery import deliver  # noqa: PLC0415  # likewise

        delivery = deliver(self.store, parcel.document, parcel.packer_steps, parcel.name, parcel.events, parcel.page)
        self.delivered.add(parcel.digest)
        self.told("key", f"{delivery.key}{'' if delivery.new else ' (already there)'}")

    def _tell_of_others(self) -> None:
        others = len(self.outbox.waiting()) - len(self.outbox.waiting(self.store.address()))
        if others and not self.redirect:
            text = f"{_count(others)} in {self.outbox.folder} for another store. Set that store, or use --redirect"
            self.told("note", text)

    @contextmanager
    def _explained(self, but: type[BuildtelError] | tuple[()] = ()) -> Iterator[None]:
        """Tell the error of one document and go on with the others."""
        try:
            yield
        except but:
            raise
        except BuildtelError as error:
            self._fail(error)

    def _fail(self, text: object) -> None:
        self.failed = True
        self.told("error", str(text))


def _count(number: int) -> str:
    return "1 document waits" if number == 1 else f"{number} documents wait"
