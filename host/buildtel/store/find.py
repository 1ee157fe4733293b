"""Finds the build that a name means: `latest`, `^1`, a version, or one build of a version."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone

from buildtel import naming
from buildtel.errors import BuildtelError
from buildtel.job import JobDocument, load_document
from buildtel.store import layout
from buildtel.store.contract import Store, StoreError
from buildtel.store.document_time import document_time
from buildtel.store.index import entries, jobs, name_of

BACK = re.compile(r"\^(\d{0,5})")
ONE = re.compile(r"(.*)@(\d{8}_\d{6})(?:_(\d{1,4}))?", re.S)
MOST_LISTED = 1000


@dataclass(frozen=True, slots=True)
class Found:
    """A build: its document, the name that asks for just it, and how many its version has, if that was counted."""

    name: str
    document: JobDocument
    builds_of_version: int | None = None


def find(store: Store, job: str, which: str) -> Found:
    """The build that `which` names: at most one list and one read, however many there are.

    Args:
        store: the store.
        job: the job's name.
        which: `latest`, `^N`, a version, or `VERSION@YYYYMMDD_HHMMSS`.

    Raises:
        BuildtelError: there is no such build; the message says what there is.
    """
    back = BACK.fullmatch(which)
    if back or which == "latest":
        return _back(store, job, int(back[1] or 1) if back else 0)
    one = ONE.fullmatch(which)
    found = _one(store, job, one) if one else None
    found = found or _newest_of(store, job, which)
    if found is None:
        raise BuildtelError(
            f"no file {which!r}, and no version {which!r} of job {job!r} in {store.address()}. "
            f"{_instead(store, job, which)}"
        )
    return found


def _instead(store: Store, job: str, which: str) -> str:
    """What the user may have meant: another job of that version, or a job of that name."""
    others = [name for name in jobs(store) if name != job]
    with_version = [name for name in others if store.get(layout.latest_key(name, which)) is not None]
    if with_version:
        return f"Job {with_version[0]!r} has that version: write it behind the version"
    if which in others:
        return f"{which!r} is a job: write `latest {which}`"
    return "Run `buildtel-host list` to see the builds"


def _back(store: Store, job: str, number: int) -> Found:
    known = list(entries(store, job, number + 1))
    if not known:
        raise BuildtelError(f"no document of job {job!r} in {store.address()}. Upload one with `buildtel-host upload`")
    if len(known) <= number:
        raise BuildtelError(f"no build ^{number} of job {job!r} in {store.address()}: it has {len(known)}")
    key = known[number].document
    stored = store.get(key)
    if stored is None:
        raise StoreError(f"{store.address()}: {key} is in the index but not in the store")
    return Found(name_of(key), load_document(stored.data, key))


def _one(store: Store, job: str, words: re.Match[str]) -> Found | None:
    try:
        time = datetime.strptime(words[2], naming.STAMP).replace(tzinfo=timezone.utc)
    except ValueError:
        return None
    key = layout.document_key(layout.folder_key(words[1], time, int(words[3] or 1)), job, time)
    stored = store.get(key)
    return None if stored is None else Found(name_of(key), load_document(stored.data, key))


def _newest_of(store: Store, job: str, version: str) -> Found | None:
    key = layout.latest_key(job, version)
    stored = store.get(key)
    if stored is None:
        return None
    document = load_document(stored.data, key)
    name = f"{version}@{naming.stamp(document_time(document, key))}"
    return Found(name, document, count_of_version(store, job, version))


def count_of_version(store: Store, job: str, version: str) -> int:
    """How many builds of a version there are, counted no further than one list goes.

    Args:
        store: the store.
        job: the job's name.
        version: the version.
    """
    keys = store.list(f"{naming.escape(version)}/", limit=MOST_LISTED)
    return sum(_is_document_of(key, job) for key in keys)


def _is_document_of(key: str, job: str) -> bool:
    folder, _, name = key.rpartition("/")
    words = ONE.fullmatch(f"@{folder.rpartition('/')[2]}")
    return words is not None and name == f"{naming.escape(job)}_{words[2]}.json"
