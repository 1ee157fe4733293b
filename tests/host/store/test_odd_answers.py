"""What a store seldom answers, and what a machine seldom leaves."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, HTTPClientError

from buildtel.errors import BuildtelError
from buildtel.local.outbox import ADDRESS, Outbox, OutboxError, Parcel
from buildtel.settings import S3Place
from buildtel.store import MemoryStore, StoreError, StoreUnavailable, delivery
from buildtel.store.find import find
from buildtel.store.index import newest
from buildtel.store.s3 import S3Store

from .test_delivery import document, put


def test_a_time_without_a_zone_is_utc() -> None:
    """As the original wrote them."""
    store = MemoryStore()
    data = json.dumps({"job": "build", "version": "1", "timestamp": "2026-01-24T12:00:00", "steps": []}).encode()

    assert put(store, data) == "1/20260124_120000/build_20260124_120000.json"


class Contested(MemoryStore):
    """Somebody else writes `latest` so many times just before us."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def replace(self, key: str, data: bytes, version: str | None) -> bool:
        """Refused, as the version is an old one."""
        contested = key.startswith("latest/") and self.times > 0
        self.times -= contested
        return not contested and super().replace(key, data, version)


def test_latest_is_tried_again_where_somebody_was_faster() -> None:
    """And given up where that never ends; the document itself stands."""
    store = Contested(2)
    put(store, document())
    assert [key for key in store.list("") if key.startswith("latest/")] == ["latest/build_0.10.2.json"]

    store = Contested(1000)
    with pytest.raises(StoreError, match="written by other uploads all the time"):
        put(store, document())
    assert store.get("0.10.2/20260124_120000/build_20260124_120000.json") is not None


def test_more_builds_of_a_version_in_a_second_than_anybody_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Said, not looped over for ever."""
    monkeypatch.setattr(delivery, "MOST_IN_A_SECOND", 3)
    store = MemoryStore()
    for number in range(3):
        put(store, document(run_number=str(number)))
    with pytest.raises(StoreError, match=r"more than 3 builds of '0\.10\.2' in one second"):
        put(store, document(run_number="3"))


def test_steps_of_somebody_else_take_no_ones_place() -> None:
    """A folder that another upload has begun with other steps is not ours."""
    store = MemoryStore()
    store.put_new("0.10.2/20260124_120000/packer_steps.txt", b"other steps\n")

    assert put(store, document()) == "0.10.2/20260124_120000_2/build_20260124_120000.json"


def test_an_empty_store_has_no_build_before_the_newest() -> None:
    """`^1` of nothing says what to do."""
    store = MemoryStore()
    assert (newest(store, "build"), store.caveat()) == (None, "")
    with pytest.raises(BuildtelError, match="Upload one with"):
        find(store, "build", "^1")


def test_a_parcel_that_does_not_say_where_to_is_of_no_store(tmp_path: Path) -> None:
    """A damaged one is not sent anywhere, and not lost."""
    outbox = Outbox(tmp_path / "outbox")
    with outbox.locked(1):
        outbox.add(Parcel("job.json", document()), "s3://mine")
        (parcel,) = outbox.waiting("s3://mine")
        (parcel / ADDRESS).unlink()

        assert (outbox.waiting("s3://mine"), outbox.waiting()) == ([], [parcel])


def test_an_outbox_that_is_held_is_waited_for(tmp_path: Path) -> None:
    """A little, and then it is said."""
    first, second = Outbox(tmp_path / "outbox"), Outbox(tmp_path / "outbox")
    with first.locked(1), pytest.raises(OutboxError, match="another upload uses"), second.locked(0.15):
        raise AssertionError


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> S3Store:
    """A store that no request is sent to."""
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    return S3Store(S3Place("mine", region="eu-central-1", access_key="a", secret_key="b"))


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (HTTPClientError(error="x"), StoreUnavailable, "the connection broke (HTTPClientError)"),
        (ConnectionResetError(), StoreUnavailable, "the connection broke (ConnectionResetError)"),
        (BotoCoreError(), StoreError, "bad settings (BotoCoreError)"),
    ],
)
def test_an_error_of_no_known_kind_is_a_line(aws: S3Store, error: Exception, kind: type, words: str) -> None:
    """What may pass is tried again, what will not is said."""
    found = aws._failed(error)

    assert type(found) is kind
    assert words in str(found)


def test_a_server_without_conditions_is_written_to_without(aws: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """501: it does not know them; then a look before each write is all there is."""

    def not_implemented(*_: object) -> bool:
        raise aws._refused("NotImplemented", 501, "write")

    monkeypatch.setattr(aws, "_write", not_implemented)

    assert not aws._found_heeding("IfMatch")


class Drip:
    """A body that comes, a byte at a time, and never ends."""

    def iter_chunks(self, _size: int) -> Iterator[bytes]:
        """One byte after the other."""
        while True:
            time.sleep(0.01)
            yield b"x"


def test_a_body_that_only_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time that an answer may take."""
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    store = S3Store(S3Place("mine", region="eu-central-1", access_key="a", secret_key="b", timeout_s=0.05))
    with pytest.raises(StoreUnavailable, match="too slow to answer"):
        store._read(Drip())
