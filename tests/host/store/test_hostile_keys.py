"""Keys that somebody else put into the store: each is told in one line, none is followed, none makes us hang."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buildtel.store import layout
from buildtel.store.contract import StoreError, check_key
from buildtel.store.index import builds, entries, jobs
from buildtel.store.layout import Entry
from buildtel.store.memory import MemoryStore

TIME = datetime(2026, 1, 24, 12, 0, 0, tzinfo=timezone.utc)
GOOD = layout.index_key(Entry("build", "1.0", TIME, "success", 21.5, "1.0/20260124_120000/build_20260124_120000.json"))
INVERSE = GOOD.split("/")[2].split("~")[0]

BAD = {
    "no parts": "index/build/x",
    "another folder": GOOD.replace("index/", "other/"),
    "a time of 200 digits": GOOD.replace(INVERSE, "9" * 200),
    "a time before all": GOOD.replace(INVERSE, "9" * 13),
    "a negative time": GOOD.replace(INVERSE, "-" + INVERSE[1:]),
    "digits of another script": GOOD.replace(INVERSE, "\u0661" * 13),
    "two times": GOOD.replace("20260124_120000", "20260124_120001"),
    "no number": GOOD.replace("21.500", "nan"),
    "infinite": GOOD.replace("21.500", "1e999"),
    "huge": GOOD.replace("21.500", "9" * 200 + ".000"),
    "status of control characters": GOOD.replace("success", "\x1b[31m"),
    "status in capitals": GOOD.replace("success", "::warning::"),
    "version above": GOOD[: -len("1.0")] + "..",
    "version reserved": GOOD[: -len("1.0")] + "latest",
    "version empty": GOOD[: -len("1.0")],
    "version of control characters": GOOD + "\n",
    "version too long": GOOD + "x" * 300,
    "job above": GOOD.replace("/build/", "/../"),
    "more parts": GOOD + "/x",
    "a newline in front": "\n" + GOOD,
}


@pytest.mark.parametrize("key", BAD.values(), ids=BAD)
def test_a_strangers_key_is_no_index_key(key: str) -> None:
    """It is refused whatever it holds; nothing of it becomes a time, a figure or a path."""
    with pytest.raises(ValueError, match=r"index key|two times"):
        layout.parse_index_key(key)


@given(st.text(max_size=60), st.text(max_size=60), st.integers(0, 4_000_000_000), st.none() | st.floats(0, 1e9))
def test_every_key_that_we_make_is_read(job: str, version: str, unix_s: int, length_s: float | None) -> None:
    """Of any job and version, at any time; and the document's key is a key."""
    time = datetime.fromtimestamp(unix_s, timezone.utc)
    document = layout.document_key(layout.folder_key(version, time, 1), job, time)
    found = layout.parse_index_key(layout.index_key(Entry(job, version, time, "success", length_s, document)))

    assert (found.time, found.status) == (time, "success")
    assert check_key(found.document).count("/") == 2
    if len(job.encode("utf-8", "replace")) < 20:
        assert found.document == document


@given(st.text(max_size=80))
def test_no_text_makes_the_reader_of_keys_fail_otherwise(text: str) -> None:
    """Any text is an entry or a ValueError."""
    with suppress(ValueError):
        check_key(layout.parse_index_key(f"index/{text}").document)


def test_a_strangers_key_is_told_with_its_mend() -> None:
    """The list names it and says what to do."""
    store = MemoryStore()
    store.put_new(GOOD, b"")
    store.put_new("index/build/zzz", b"")

    with pytest.raises(StoreError, match=r"'index/build/zzz' is not an index key\. Remove it"):
        list(entries(store, "build"))


@pytest.mark.parametrize("key", ["index/build/~~x", "index/build/~", "index/build/~/x", "index/x", "index/~/~~"])
def test_no_key_makes_the_search_for_jobs_go_on_for_ever(key: str) -> None:
    """A key behind all of ours is passed, and every job is found once."""
    store = MemoryStore()
    for each in (GOOD, GOOD.replace("/build/", "/e2e/"), key):
        store.put_new(each, b"")
    found = jobs(store)

    assert {"build", "e2e"} <= set(found) and len(found) == len(set(found))


def test_builds_of_all_jobs_stand_together() -> None:
    """What the search finds can be listed."""
    store = MemoryStore()
    for each in (GOOD, GOOD.replace("/build/", "/e2e/")):
        store.put_new(each, b"")

    assert [entry.job for entry in builds(store, None, None)] == ["build", "e2e"]
