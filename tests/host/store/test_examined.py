"""`doctor`, `prune` and the finding of builds, against a real S3 server."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from .conftest import S3Home
from .proxy import Proxy
from .test_delivery import NOON, document

ORIGINAL = sorted((Path(__file__).parents[3] / "fixtures" / "original").glob("*.json"))


def examined(home: S3Home, **environ: str) -> tuple[int, dict[str, str], str]:
    """Exit status, states by subject, and all that was printed."""
    done = home.run("doctor", "--format", "json", **environ)
    found = {row["about"]: row["state"] for row in json.loads(done.stdout)}
    return done.returncode, found, (done.stdout + done.stderr).decode()


def test_a_sound_server(home: S3Home) -> None:
    """Nothing fails, the clocks agree, and the probe is gone."""
    status, found, _ = examined(home)

    assert (status, found["clock"], found["reachable"], found["write access"]) == (0, "ok", "ok", "ok")
    assert (found["concurrent uploads"], found["delete access"]) == ("ok", "ok")
    assert json.loads(home.run("list", "--format", "json").stdout) == []


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"MINIO_SECRET_KEY": "wrong-but-long-enough"}, "secret key"),
        ({"MINIO_ACCESS_KEY": "nobody"}, "access key"),
        ({"TELEMETRY_BUCKET": "not-there"}, "not-there"),
    ],
    ids=["secret key", "access key", "bucket"],
)
def test_what_is_refused_is_named(home: S3Home, environ: dict[str, str], said: str) -> None:
    """A wrong key and a missing bucket fail, each in its own words, and no secret is shown."""
    status, found, printed = examined(home, **environ)

    assert status == 1 and "fail" in found.values()
    assert said in printed and "wrong-but-long-enough" not in printed


def test_finding_builds_asks_little(home: S3Home, proxy: Proxy) -> None:
    """Requests of each reading command: at most one list for each job and one read for each build shown."""
    home.run("upload", *map(str, ORIGINAL))
    counts: dict[str, dict[str, int]] = {}
    for words in ("list --limit 2", "history 5", "report latest", "report 0.10.1", "compare ^1 latest"):
        proxy.seen.clear()
        assert home.run(*words.split()).returncode == 0, words
        counts[words] = proxy.counts()

    assert counts == {
        "list --limit 2": {"LIST": 5},
        "history 5": {"LIST": 1},
        "report latest": {"LIST": 1, "GET": 1},
        "report 0.10.1": {"LIST": 1, "GET": 1},
        "compare ^1 latest": {"LIST": 2, "GET": 2},
    }


def test_prune_on_a_server(home: S3Home) -> None:
    """Old builds go from bucket and index; the newest of a version stays."""
    for hours in range(3):
        path = home.put_document(f"{hours}.json", document("1.0", NOON + timedelta(hours=hours)))
        home.run("upload", str(path))
    done = home.run("prune", "--older-than", "1h")

    assert done.returncode == 0, done.stderr
    assert [row["build"] for row in json.loads(home.run("list", "--format", "json").stdout)] == ["1.0@20260124_140000"]
    assert home.run("report", "1.0@20260124_120000").returncode == 1
