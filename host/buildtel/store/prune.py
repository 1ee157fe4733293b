"""Retention: which builds may go, and how they go without ever leaving an index entry without its document."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from buildtel.store import layout
from buildtel.store.contract import Store
from buildtel.store.layout import Entry


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes, what stays, and what stays only because it is the newest of its version; newest first."""

    gone: tuple[Entry, ...]
    kept: tuple[Entry, ...]
    newest_of_version: tuple[Entry, ...]


def plan(entries: Iterable[Entry], keep: int | None, older_than: datetime | None) -> Plan:
    """What retention means for the builds of one job, which come newest first.

    A build goes if it is not among the `keep` newest and older than `older_than` (None: that rule
    does not protect it), but never the newest of its version: `latest/` holds that one. Where two
    of a version are of the same newest second, both stay.
    """
    gone: list[Entry] = []
    kept: list[Entry] = []
    spared: list[Entry] = []
    newest: dict[str, datetime] = {}
    for place, entry in enumerate(entries):
        version = entry.document.partition("/")[0]
        at = newest.setdefault(version, entry.time)
        if (keep is not None and place < keep) or (older_than is not None and entry.time >= older_than):
            kept.append(entry)
        elif entry.time == at:
            spared.append(entry)
        else:
            gone.append(entry)
    return Plan(tuple(gone), tuple(kept), tuple(spared))


def remove(store: Store, entry: Entry) -> None:
    """Remove a build: out of the index first, so that a removal that broke off leaves nothing that is seen.

    What else stands in its folder goes with the folder's last document.

    Raises:
        StoreError: the store failed.
    """
    store.delete(layout.index_key(entry))
    folder = entry.document.rpartition("/")[0]
    store.delete(entry.document)
    beside = store.list(f"{folder}/")
    if not any(key.endswith(".json") for key in beside):
        for key in beside:
            store.delete(key)
