"""Decides which builds to delete, and deletes them index entry first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from buildtel import naming
from buildtel.store import layout
from buildtel.store.contract import Store
from buildtel.store.latest import settle_page
from buildtel.store.layout import Entry


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes and what stays; newest first."""

    gone: tuple[Entry, ...]
    kept: tuple[Entry, ...]


def plan(entries: Iterable[Entry], keep: int | None, older_than: datetime | None) -> Plan:
    """What retention means for the builds of one job, which come newest first.

    A build goes if it is not among the `keep` newest and older than `older_than` (None: that rule
    does not protect it). The newest of all stays.

    Args:
        entries: the index entries of one job, the newest first.
        keep: how many of the newest stay, None for no such limit.
        older_than: builds before this time go, None for no such limit.
    """
    gone: list[Entry] = []
    kept: list[Entry] = []
    for place, entry in enumerate(entries):
        young = older_than is not None and entry.time >= older_than
        (kept if place < (keep or 1) or young else gone).append(entry)
    return Plan(tuple(gone), tuple(kept))


def remove(store: Store, entry: Entry) -> None:
    """Remove a build: out of the index first, so that a removal that broke off leaves nothing that is seen.

    Its page goes with it; what else stands in its folder goes with the folder's last document, and `latest/` with the
    version's.

    Args:
        store: the store.
        entry: the index entry of the build.

    Raises:
        StoreError: the store failed.
    """
    store.delete(layout.index_key(entry))
    _settle_latest(store, entry)
    store.delete(layout.page_key(entry.document))
    store.delete(entry.document)
    folder = entry.document.rpartition("/")[0]
    beside = store.list(f"{folder}/")
    if not any(key.endswith(".json") for key in beside):
        for key in beside:
            store.delete(key)


def _settle_latest(store: Store, entry: Entry) -> None:
    """If `latest/` holds this build, the newest other one of its version takes its place, with its page, or none."""
    version = entry.document.partition("/")[0]
    key = layout.latest_key(entry.job, layout.unescape(version))
    latest, removed = store.get(key), store.get(entry.document)
    if latest is None or removed is None or latest.data != removed.data:
        return
    name = f"/{naming.escape(entry.job)}_"
    others = [other for other in store.list(f"{version}/") if name in other and other.endswith(".json")]
    heir = max((other for other in others if other != entry.document), default=None)
    found = None if heir is None else store.get(heir)
    if found is None:
        store.delete(key)
    else:
        store.replace(key, found.data, latest.version)
    settle_page(store, key)
