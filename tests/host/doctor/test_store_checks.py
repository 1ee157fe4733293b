"""The checks of a store: what it refuses, its clock, its encryption."""

from __future__ import annotations

from datetime import datetime, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from buildtel.doctor import store_checks
from buildtel.settings import S3Place
from buildtel.store import MemoryStore, StoreError, StoreUnavailable


class Forgetful(MemoryStore):
    """Knows no conditions."""

    def put_new(self, key: str, data: bytes) -> bool:
        """Written, whatever stood there."""
        self._values[key] = data
        return True


class Closed(MemoryStore):
    """May be listed, not written."""

    def put_new(self, key: str, data: bytes) -> bool:
        """Refused."""
        raise StoreError("may not write")


class Mute(MemoryStore):
    """May be written, not listed."""

    def list(self, prefix: str, start_after: str = "", limit: int = 1000) -> list[str]:
        """Refused."""
        raise StoreError("may not list")


class Away(MemoryStore):
    """Does not answer."""

    def list(self, prefix: str, start_after: str = "", limit: int = 1000) -> list[str]:
        """No answer."""
        raise StoreUnavailable("no answer")


@pytest.mark.parametrize(
    ("store", "worst"),
    [
        (MemoryStore(), {}),
        (Forgetful(), {"concurrent uploads": "warn"}),
        (Closed(), {"write access": "fail"}),
        (Mute(), {"list access": "fail"}),
        (Away(), {"reachable": "fail"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_store_lacks(store: MemoryStore, worst: dict[str, str], tmp_path: Path) -> None:
    """Each thing that a store refuses is one finding of its own, and no probe is left behind."""
    found = list(store_checks.findings(store, tmp_path))

    assert {finding.about: finding.state for finding in found if finding.state != "ok"} == worst
    assert store._values == {}


@pytest.mark.parametrize(("ahead_s", "state"), [(0, "ok"), (-300, "warn"), (4000, "fail")])
def test_the_servers_clock(ahead_s: int, state: str) -> None:
    """A server a minute off is warned of, one that S3's signatures fail with fails; a refusal still has a date."""

    class Server(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response_only(403)
            moment = datetime.fromtimestamp(datetime.now(timezone.utc).timestamp() + ahead_s, timezone.utc)
            self.send_header("Date", format_datetime(moment, usegmt=True))
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Server) as server:
        Thread(target=server.handle_request, daemon=True).start()
        place = S3Place(bucket="b", endpoint=f"http://127.0.0.1:{server.server_port}")
        (finding,) = store_checks.clock(place)

    assert finding.state == state


def test_a_server_without_tls_is_warned_of() -> None:
    """Not on this machine itself."""
    assert [finding.state for finding in store_checks.transport("http://minio.example:9000")] == ["warn"]
    assert list(store_checks.transport("http://127.0.0.1:9000")) == []
    assert list(store_checks.transport(None)) == []
