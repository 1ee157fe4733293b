"""The jobs that a store knows, found without reading their builds."""

from __future__ import annotations

from heapq import merge
from itertools import islice

from buildtel.store import layout
from buildtel.store.catalog import entries
from buildtel.store.contract import Store
from buildtel.store.layout import Entry

INDEX = "index/"
BEHIND_ALL = "~"  # the names of index keys begin with digits, which sort before it


def jobs(store: Store) -> list[str]:
    """The names of all jobs: one list for each, and one more."""
    found: list[str] = []
    start_after = ""
    while keys := store.list(INDEX, start_after, 1):
        job = keys[0].split("/")[1]
        if job in found[-1:]:
            start_after = keys[0]  # a stranger's key behind all of ours
        else:
            found.append(job)
            start_after = f"{INDEX}{job}/{BEHIND_ALL}"
    return [layout.unescape(job) for job in found]


def builds(store: Store, job: str | None, limit: int | None) -> list[Entry]:
    """The newest builds of a job or, for None, of all jobs together, at most `limit`."""
    names = [job] if job is not None else jobs(store)
    streams = (entries(store, name, limit) for name in names)
    return list(islice(merge(*streams, key=lambda entry: -entry.time.timestamp()), limit))
