"""Makes all keys of a store; any version and job name is safe.

Keys: `VERSION/YYYYMMDD_HHMMSS/JOB_YYYYMMDD_HHMMSS.json`, beside it `packer_steps.txt`,
`JOB_YYYYMMDD_HHMMSS.events.jsonl.gz` and, where it was asked for, the page, `JOB_YYYYMMDD_HHMMSS.html`;
`latest/JOB_VERSION.json`, with its page beside it; `index/JOB/` with one key a build, whose name sorts newest first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from urllib.parse import unquote

from buildtel.naming import CUT, NOTHING, RESERVED, escape, stamp

NEWEST_FIRST = 10**13
_PART = r"%|(?!\.)[A-Za-z0-9._+%-]{1,119}(?:%~[0-9a-f]{16})?"
_INDEX_KEY = re.compile(
    rf"index/(?P<job>{_PART})/(?P<inverse>1?[0-9]{{13}})~(?P<folder>[0-9]{{8}}_[0-9]{{6}}(?:_[0-9]{{1,3}})?)"
    rf"~(?P<status>[a-z]{{1,20}})~(?P<length>-|-?[0-9]{{1,12}}\.[0-9]{{3}})~(?P<version>{_PART})"
)


def unescape(part: str) -> str:
    """The name that `escape` was given; a cut one ends in `…`."""
    if part == NOTHING:
        return ""
    kept, cut, _ = part.partition(CUT)
    return unquote(kept) + ("…" if cut else "")


def folder_key(version: str, time: datetime, copy: int) -> str:
    """The folder of one build; `copy` counts builds of one second, from 1.

    Args:
        version: the version.
        time: the time of the build, in UTC.
        copy: the number of the build within its second, from 1.
    """
    return f"{escape(version)}/{stamp(time)}" + (f"_{copy}" if copy > 1 else "")


def document_key(folder: str, job: str, time: datetime) -> str:
    """The document in its folder.

    Args:
        folder: the key of the folder.
        job: the job's name.
        time: the time of the build, in UTC.
    """
    return f"{folder}/{escape(job)}_{stamp(time)}.json"


def events_key(document: str) -> str:
    """The raw records of a document, beside it."""
    return document.removesuffix(".json") + ".events.jsonl.gz"


def page_key(document: str) -> str:
    """The page of a document, beside it; also of one in `latest/`."""
    return document.removesuffix(".json") + ".html"


def steps_key(folder: str) -> str:
    """Packer's own steps as text, beside the document."""
    return f"{folder}/packer_steps.txt"


def latest_key(job: str, version: str) -> str:
    """The newest document of a job and version; the only key whose value changes.

    Args:
        job: the job's name.
        version: the version.
    """
    return f"latest/{escape(job).replace('_', '%5F')}_{escape(version)}.json"


def index_prefix(job: str) -> str:
    """The folder of a job's index."""
    return f"index/{escape(job)}/"


@dataclass(frozen=True, slots=True)
class Entry:
    """What the name of an index key says of a build. `version` ends in `…` if it was too long."""

    job: str
    version: str
    time: datetime
    status: str
    duration_s: float | None
    document: str


def index_key(entry: Entry) -> str:
    """The key of an entry: newest sorts first, and within one second the later folder."""
    version, folder, _ = entry.document.split("/")
    copy = int([*folder.split("_"), "1"][2])
    inverse = NEWEST_FIRST - (int(entry.time.timestamp()) * 1000 + copy - 1)
    length = "-" if entry.duration_s is None else f"{entry.duration_s:.3f}"
    name = "~".join((f"{inverse:013d}", folder, entry.status, length, version))
    return index_prefix(entry.job) + name


def parse_index_key(key: str) -> Entry:
    """What `index_key` was given.

    Raises:
        ValueError: it is no index key.
    """
    found = _INDEX_KEY.fullmatch(key)
    if found is None or {found["job"], found["version"]} & set(RESERVED):
        raise ValueError("not an index key")
    time = datetime.fromtimestamp((NEWEST_FIRST - int(found["inverse"])) // 1000, timezone.utc)
    if not found["folder"].startswith(stamp(time)):
        raise ValueError("its two times do not agree")
    job, version = unescape(found["job"]), found["version"]
    document = document_key(f"{version}/{found['folder']}", job, time)
    duration_s = None if found["length"] == "-" else float(found["length"])
    return Entry(job, unescape(version), time, found["status"], duration_s, document)
