"""With 10,000 builds in the bucket, what is asked of the server does not grow with the store."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from buildtel.store import Entry, layout
from buildtel.store.delivery import deliver
from buildtel.store.s3 import S3Store

from .conftest import S3Home
from .proxy import Proxy
from .s3server import Server
from .test_delivery import NOON, document

# Ten thousand keys are put by the back door of one server.
ON_ONE_SERVER = pytest.mark.parametrize("server", ["seaweedfs"], indirect=True)

MANY = 10_000
SHOWN = 30  # so many of the newest have a document; nothing else may be asked for


def index_key(number: int) -> str:
    """The index key of an older build, of one of fifty versions."""
    time = NOON - timedelta(minutes=number)
    version = f"0.{number % 50}"
    key = layout.document_key(layout.folder_key(version, time, 1), "build", time)
    return layout.index_key(Entry("build", version, time, "success", 2100.0, key))


@pytest.fixture(scope="module")
def buckets(server: Server) -> dict[int, str]:
    """A bucket with a hundred builds, and one with all."""
    made = {}
    for size in (100, MANY):
        bucket = made[size] = server.new_bucket()
        store = S3Store(server.place(bucket))
        for number in range(SHOWN):
            deliver(store, document(f"1.{number}", NOON + timedelta(hours=number)), "", "a.json")
        server.seed(bucket, [index_key(number) for number in range(size - SHOWN)])
    return made


# The command: how many requests of each kind it makes.
COUNTS: dict[str, dict[str, int]] = {
    "report": {"LIST": 1, "GET": 1},
    "report latest": {"LIST": 1, "GET": 1},
    "report 1.7": {"LIST": 1, "GET": 1},
    "list --limit 20": {"LIST": 3},
    "history 5": {"LIST": 1},
    "compare ^1 latest": {"LIST": 2, "GET": 2},
}


@ON_ONE_SERVER
@pytest.mark.parametrize("command", COUNTS)
def test_the_number_of_requests_does_not_grow(
    home: S3Home, proxy: Proxy, buckets: dict[int, str], command: str
) -> None:
    """As many at a hundred builds as at ten thousand, and as few as docs/store.md says."""
    for bucket in buckets.values():
        proxy.seen.clear()
        done = home.run(*command.split(), TELEMETRY_BUCKET=bucket)

        assert (done.returncode, done.stderr) == (0, b"")
        assert proxy.counts() == COUNTS[command]


@ON_ONE_SERVER
def test_everything_is_listed_by_a_request_for_each_thousand(
    home: S3Home, proxy: Proxy, buckets: dict[int, str]
) -> None:
    """All builds, none twice, and no document is fetched."""
    done = home.run("list", "--format", "csv", TELEMETRY_BUCKET=buckets[MANY])

    assert len(set(done.stdout.splitlines())) == MANY + 1
    assert set(proxy.counts()) == {"LIST"} and proxy.counts()["LIST"] <= MANY / 1000 + 3


@ON_ONE_SERVER
def test_an_upload_costs_the_same_however_full_the_store_is(
    home: S3Home, proxy: Proxy, buckets: dict[int, str]
) -> None:
    """Two reads; a write each for document, `latest`, index and the probe; no list."""
    home.put_document("a.json", document("9.9"))
    for bucket in buckets.values():
        proxy.seen.clear()
        assert home.run("upload", TELEMETRY_BUCKET=bucket).returncode == 0
        assert proxy.counts() == {"GET": 2, "PUT": 4}


def test_the_documentation_has_these_counts() -> None:
    """docs/store.md names each command with its requests."""
    text = (Path(__file__).parents[3] / "docs" / "store.md").read_text()
    for command, counts in COUNTS.items():
        row = f"| `{command}` | {counts['LIST']} | {counts.get('GET', 0)} |"
        assert row in text, row
