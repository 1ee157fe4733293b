"""Builds found by name, jobs found without reading, old builds removed in the right order."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buildtel.errors import BuildtelError
from buildtel.store import Entry, MemoryStore, layout
from buildtel.store.delivery import deliver
from buildtel.store.find import find
from buildtel.store.index import builds, entries, jobs
from buildtel.store.retention import plan, remove

from .test_delivery import NOON, VERSIONS, document


class Counting(MemoryStore):
    """Counts what is asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def get(self, key: str) -> Any:
        """As any store."""
        self.asked.append("get")
        return super().get(key)

    def list(self, prefix: str, start_after: str = "", limit: int = 1000) -> list[str]:
        """As any store."""
        self.asked.append("list")
        return super().list(prefix, start_after, limit)


def filled(*builds: tuple[str, float], job: str = "build") -> Counting:
    """A store with a build for each (version, hours after NOON)."""
    store = Counting()
    for version, hours in builds:
        deliver(store, document(version, NOON + timedelta(hours=hours), job), f"{version} {hours}", "x")
    store.asked.clear()
    return store


THREE = (("1.0", 0), ("1.1", 1), ("1.1", 2))


@pytest.mark.parametrize(
    ("which", "name", "asked"),
    [
        ("latest", "1.1@20260124_140000", ["list", "get"]),
        ("^0", "1.1@20260124_140000", ["list", "get"]),
        ("^", "1.1@20260124_130000", ["list", "get"]),
        ("^1", "1.1@20260124_130000", ["list", "get"]),
        ("^2", "1.0@20260124_120000", ["list", "get"]),
        ("1.0", "1.0@20260124_120000", ["get", "list"]),
        ("1.1", "1.1@20260124_140000", ["get", "list"]),
        ("1.1@20260124_130000", "1.1@20260124_130000", ["get"]),
    ],
)
def test_a_build_is_found_by_name(which: str, name: str, asked: list[str]) -> None:
    """Each way to name one costs the same however many there are, and reads nothing that is not shown."""
    store = filled(*THREE)
    found = find(store, "build", which)

    assert (found.name, store.asked) == (name, asked)
    assert found.document.version == name.partition("@")[0]


def test_a_version_says_how_many_builds_it_has() -> None:
    """Two builds of one version are counted, those of another job are not."""
    store = filled(*THREE)
    deliver(store, document("1.1", NOON, "e2e"), "", "x")

    assert find(store, "build", "1.1").builds_of_version == 2
    assert find(store, "build", "1.0").builds_of_version == 1


def test_builds_of_one_second_have_names_of_their_own() -> None:
    """The second one's name has the number of its folder."""
    store = MemoryStore()
    for number in range(2):
        deliver(store, document(run_id=str(number)), f"{number}", "x")

    assert find(store, "build", "0.10.2@20260124_120000").document.run_id == "0"
    assert find(store, "build", "0.10.2@20260124_120000_2").document.run_id == "1"
    assert find(store, "build", "latest").name == "0.10.2@20260124_120000_2"


@pytest.mark.parametrize("version", [*VERSIONS, "a@b", "x@20260124_120000", "^1"])
def test_any_version_is_found_by_its_full_name(version: str) -> None:
    """Whatever characters a version has, `VERSION@STAMP` finds its build."""
    store = filled((version, 0))

    assert find(store, "build", f"{version}@20260124_120000").document.version == version


@pytest.mark.parametrize(
    ("which", "said"),
    [("^3", "it has 3"), ("9.9", "no version '9.9'"), ("1.1@20260124_999999", "no version"),
     ("1.1@20250101_000000", "no version"), ("", "no version ''")],
)  # fmt: skip
def test_what_is_not_there_is_said(which: str, said: str) -> None:
    """One clear error with what was asked for."""
    with pytest.raises(BuildtelError, match=said):
        find(filled(*THREE), "build", which)


def test_an_empty_store_says_so() -> None:
    """Not an index error, and not somebody else's job."""
    with pytest.raises(BuildtelError, match="no document of job 'e2e'"):
        find(filled(*THREE), "e2e", "latest")


def test_jobs_are_found_by_one_list_each() -> None:
    """However many builds a job has."""
    store = filled(*((f"v{number}", number) for number in range(40)))
    for job in ("e2e", "build-arm", "ünï/x"):
        deliver(store, document(job=job), "", "x")
    store.asked.clear()

    assert sorted(jobs(store)) == ["build", "build-arm", "e2e", "ünï/x"]
    assert store.asked == ["list"] * 5


def test_builds_of_all_jobs_come_newest_first() -> None:
    """The newest few of all jobs together, each job asked for no more than that."""
    store = filled(*THREE)
    deliver(store, document("1.1", NOON + timedelta(hours=1.5), "e2e"), "", "x")

    assert [(entry.job, entry.time.hour) for entry in builds(store, None, 3)] == [("build", 14), ("e2e", 13),
                                                                                  ("build", 13)]  # fmt: skip
    assert len(builds(store, "build", None)) == 3


def planned(store: MemoryStore, keep: int | None = None, older_than: datetime | None = None) -> list[str]:
    """The builds that would go, by version and hour."""
    gone = plan(entries(store, "build"), keep, older_than).gone
    return [f"{entry.version} {entry.time.hour}" for entry in gone]


FIVE = (("1.0", 0), ("1.0", 1), ("1.1", 2), ("1.1", 3), ("1.1", 4))


def test_what_retention_takes() -> None:
    """Neither the newest nor the young; with both rules only what both let go; the newest of all stays."""
    store = filled(*FIVE)

    assert planned(store, keep=1) == ["1.1 15", "1.1 14", "1.0 13", "1.0 12"]
    assert planned(store, keep=4) == ["1.0 12"]
    assert planned(store, older_than=NOON + timedelta(hours=2.5)) == ["1.1 14", "1.0 13", "1.0 12"]
    assert planned(store, 3, NOON + timedelta(hours=99)) == ["1.0 13", "1.0 12"]
    assert planned(store, older_than=NOON + timedelta(days=9)) == ["1.1 15", "1.1 14", "1.0 13", "1.0 12"]
    assert planned(store, older_than=NOON) == []


def test_latest_goes_with_the_last_build_of_its_version() -> None:
    """After the sharpest pruning `latest/` stands for builds that are there, and for no other."""
    store = filled(*FIVE)
    for entry in reversed(plan(entries(store, "build"), None, NOON + timedelta(days=9)).gone):
        remove(store, entry)

    (kept,) = [entry.document for entry in entries(store, "build")]
    latest, stored = store.get(layout.latest_key("build", "1.1")), store.get(kept)
    assert latest is not None and stored is not None and latest.data == stored.data
    assert store.list("latest/") == [layout.latest_key("build", "1.1")]


def test_of_two_builds_of_one_second_the_other_becomes_latest() -> None:
    """A version that still has a build has a `latest/`."""
    store = MemoryStore()
    for number in range(2):
        deliver(store, document("1", NOON, run_id=str(number)), f"{number}", "x")
    remove(store, next(entries(store, "build")))

    latest = store.get(layout.latest_key("build", "1"))
    (left,) = entries(store, "build")
    stored = store.get(left.document)
    assert latest is not None and stored is not None and latest.data == stored.data


def test_nothing_of_a_removed_build_is_left() -> None:
    """Index, document, Packer's steps and raw records: all gone, the other builds untouched."""
    store = filled(*FIVE)
    before = set(store.list(""))
    (entry,) = plan(entries(store, "build"), 4, None).gone
    remove(store, entry)

    gone = before - set(store.list(""))
    assert gone == {layout.index_key(entry), entry.document, layout.steps_key(entry.document.rpartition("/")[0])}


def test_a_folder_that_another_job_shares_keeps_what_is_its_own() -> None:
    """Two jobs of one second may share a folder: Packer's steps go with the last of them."""
    store = MemoryStore()
    for job in ("build", "e2e"):
        deliver(store, document("1", NOON, job), "same steps", "x")
    first, second = (next(entries(store, job)) for job in ("build", "e2e"))
    remove(store, first)
    assert store.get("1/20260124_120000/packer_steps.txt") is not None
    remove(store, second)

    assert store.list("1/") == []


class Watching(MemoryStore):
    """Looks after every single removal."""

    def delete(self, key: str) -> None:
        """Remove, then see that no index entry lacks its document."""
        super().delete(key)
        for index in self.list("index/"):
            assert self.get(layout.parse_index_key(index).document) is not None, "an entry without its document"


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 6)), min_size=1, max_size=12), st.integers(1, 4))
def test_no_entry_is_ever_without_its_document(made: list[tuple[str, int]], keep: int) -> None:
    """At no moment of a pruning, of any builds of any times, the same second included."""
    store = Watching()
    for number, (version, hours) in enumerate(made):
        deliver(store, document(version, NOON + timedelta(hours=hours), run_id=str(number)), f"{number}", "x")
    planned = plan(entries(store, "build"), keep, None)
    for entry in reversed(planned.gone):
        remove(store, entry)

    left = list(entries(store, "build"))
    assert sorted(map(key_of, left)) == sorted(map(key_of, planned.kept))
    assert len(planned.kept) == min(keep, len(made))
    for version in {entry.document.partition("/")[0] for entry in left}:
        latest = store.get(layout.latest_key("build", version))
        assert latest is not None and latest.data in [found.data for e in left if (found := store.get(e.document))]
    assert len(store.list("latest/")) == len({entry.document.partition("/")[0] for entry in left})


def key_of(entry: Entry) -> str:
    """What tells builds apart."""
    return entry.document
