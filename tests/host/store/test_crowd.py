"""Many uploaders at once, a line that breaks, processes that are killed: every build is there exactly once."""

from __future__ import annotations

import random
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from itertools import chain
from pathlib import Path

import pytest

from buildtel.store import Entry
from buildtel.store.index import entries
from buildtel.store.layout import steps_key
from buildtel.store.s3 import S3Store

from ..cli.conftest import PROGRAM
from . import proxy as faults
from .conftest import S3Home
from .proxy import Proxy, proxying
from .s3server import Server
from .test_delivery import NOON, document

UPLOADERS = 8
BUILDS = 200
SHARED = 16  # so many builds are given to two uploaders
RUNS = 40
MEETING_S = 0.1  # what lies between looking and writing, so that writers of one second meet there
FAULTS = [faults.CUT_REQUEST, faults.CUT_ANSWER, faults.LOSE_ANSWER, faults.UNAVAILABLE]


def builds() -> list[bytes]:
    """The documents: each differs, a third of them of one version and eight to a second."""
    same = [document("1.0", NOON + timedelta(seconds=n // 8), run_id=str(n)) for n in range(BUILDS // 3)]
    rest = range(BUILDS // 3, BUILDS)
    return [*same, *(document(f"2.{n % 5}", NOON + timedelta(minutes=n), run_id=str(n)) for n in rest)]


class Uploader(threading.Thread):
    """A machine: it uploads, is killed, and uploads again until all of its builds are delivered."""

    def __init__(self, home: S3Home, proxy: Proxy, seed: int) -> None:
        super().__init__()
        self.home, self.proxy = home, proxy
        self.dice = random.Random(seed)
        self.process: subprocess.Popen[bytes] | None = None
        self.killed = 0
        self.kill_at = 0
        self.done = False
        proxy.fault = self.fault

    def fault(self, kind: str, path: str) -> str | None:
        """One request in ten goes wrong, at one of them the process is killed, and writes of `1.0` take a while."""
        if kind == "PUT" and "/1.0/" in path:
            time.sleep(self.dice.uniform(0, MEETING_S))
        if len(self.proxy.seen) >= self.kill_at > 0 and self.process is not None:
            self.kill_at = 0
            self.killed += 1
            self.process.kill()
            return self.dice.choice([faults.CUT_REQUEST, faults.PASS])
        return self.dice.choice(FAULTS) if self.dice.random() < 0.1 else faults.PASS

    def run(self) -> None:
        """The first runs are killed, at a request drawn by chance; the later ones are not."""
        for number in range(RUNS):
            self.kill_at = len(self.proxy.seen) + self.dice.randint(1, 60) if number < 2 else 0
            self.process = subprocess.Popen(
                [*PROGRAM, "upload", "-q"], env=self.home.environ, cwd=self.home.path,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            )  # fmt: skip
            _, said = self.process.communicate()
            assert b"Traceback" not in said, said
            if self.process.returncode == 0:
                self.done = True
                return


@pytest.fixture
def uploaders(tmp_path: Path, server: Server) -> Iterator[list[Uploader]]:
    """Eight, with all builds dealt out among them."""
    bucket = server.new_bucket()
    with ExitStack() as proxies:
        made = []
        for number in range(UPLOADERS):
            own = proxies.enter_context(proxying(server.port))
            path = tmp_path / str(number)
            path.mkdir()
            settings = server.environ(bucket, MINIO_ENDPOINT=own.endpoint, BUILDTEL_STORE_TIMEOUT_S="20")
            made.append(Uploader(S3Home(path, settings), own, seed=number))
        for number, data in enumerate([*builds(), *builds()[:SHARED]]):
            taker = made[(number * 3 + number // BUILDS) % UPLOADERS]
            taker.home.put_document(f"{number:03d}.json", data)
        yield made


@pytest.mark.parametrize("server", ["seaweedfs"], indirect=True)  # once, as it takes long
def test_every_build_is_there_exactly_once(uploaders: list[Uploader], server: Server) -> None:
    """No build lost, none doubled, `latest` the newest of each version, and nothing in the index without a document."""
    for uploader in uploaders:
        uploader.start()
    for uploader in uploaders:
        uploader.join()

    assert all(uploader.done for uploader in uploaders)
    assert sum(uploader.killed for uploader in uploaders) >= UPLOADERS
    assert [uploader.home.waiting() for uploader in uploaders] == [[]] * UPLOADERS
    store = S3Store(server.place(uploaders[0].home.settings["TELEMETRY_BUCKET"]))
    listed = list(entries(store, "build"))
    found = [stored.data for entry in listed if (stored := store.get(entry.document))]
    assert len(found) == len(listed)
    assert Counter(found) == Counter(builds())
    _check_keys(store, listed)
    _check_latest(store, listed)


def _check_keys(store: S3Store, listed: list[Entry]) -> None:
    """No document stands outside of the index."""
    keys = [key for key in store.list("", limit=10_000) if not key.startswith(("index/", "latest/"))]
    folders = [entry.document.rpartition("/")[0] for entry in listed]
    assert sorted(keys) == sorted(chain(set(map(steps_key, folders)) & set(keys), (e.document for e in listed)))


def _check_latest(store: S3Store, listed: list[Entry]) -> None:
    """`latest` holds a newest build of each version."""
    for version in {entry.version for entry in listed}:
        newest = max(entry.time for entry in listed if entry.version == version)
        at_that_time = [entry for entry in listed if entry.version == version and entry.time == newest]
        stored = store.get(f"latest/build_{version}.json")
        documents = [found.data for entry in at_that_time if (found := store.get(entry.document))]
        assert stored is not None and stored.data == max(documents)
