"""Reads the index of a store: jobs and builds, without reading documents."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from itertools import islice

from buildtel.store import layout
from buildtel.store.contract import Store, StoreError
from buildtel.store.layout import Entry

PAGE = 1000
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
    """The newest builds of a job or, for None, of all jobs together, at most `limit`.

    Args:
        store: the store.
        job: the job's name, None for all jobs.
        limit: the largest number of builds, None for all.
    """
    names = [job] if job is not None else jobs(store)
    streams = (entries(store, name, limit) for name in names)
    return list(islice(merge(*streams, key=lambda entry: -entry.time.timestamp()), limit))


def newest(store: Store, job: str) -> Entry | None:
    """The newest build of a job, whatever its version; one list, no read.

    Args:
        store: the store.
        job: the job's name.
    """
    return next(entries(store, job, limit=1), None)


def entries(store: Store, job: str, limit: int | None = None) -> Iterator[Entry]:
    """The builds of a job, newest first, at most `limit`: one list for each 1,000 of them, no read.

    Args:
        store: the store.
        job: the job's name.
        limit: the largest number of builds, None for all.
    """
    start_after = ""
    left = limit
    while left is None or left > 0:
        asked = PAGE if left is None else min(left, PAGE)
        keys = store.list(layout.index_prefix(job), start_after, asked)
        yield from (_entry(store, key) for key in keys)
        if len(keys) < asked:
            return
        start_after = keys[-1]
        left = None if left is None else left - len(keys)


def _entry(store: Store, key: str) -> Entry:
    try:
        return layout.parse_index_key(key)
    except ValueError:
        raise StoreError(f"{store.address()}: {key!r} is not an index key. Remove it") from None


def newest_of_version(store: Store, job: str, version: str) -> str | None:
    """The key of the newest document of a version, None if there is none.

    Args:
        store: the store.
        job: the job's name.
        version: the version.
    """
    key = layout.latest_key(job, version)
    return key if store.get(key) is not None else None


def name_of(key: str) -> str:
    """The name that asks for just the document under `key`: `VERSION@YYYYMMDD_HHMMSS`."""
    version, folder, _ = key.split("/")
    return f"{layout.unescape(version)}@{folder}"
