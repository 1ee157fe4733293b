"""`doctor`: what it looks at, what it says of what is missing, and its exit status."""

from __future__ import annotations

import json
import os
import shutil
from datetime import datetime, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from buildtel.cli import check_machine, check_store
from buildtel.settings import S3Place
from buildtel.store import MemoryStore, StoreError, StoreUnavailable

from .conftest import Home

FIXTURES = Path(__file__).parents[3] / "fixtures" / "proc"


def states(home: Home, *words: str, **environ: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """Exit status, and what was found: state and fix by subject."""
    done = home.run("doctor", "--format", "json", *words, **environ)
    found = json.loads(done.stdout)
    return done.returncode, {row["about"]: (row["state"], row["fix"]) for row in found}


def test_a_sound_machine(home: Home) -> None:
    """Nothing fails, every subject is there, and nothing is left behind."""
    status, found = states(home)

    assert status == 0 and {state for state, _ in found.values()} <= {"ok", "warn"}
    assert list(found) == [
        "python", "packer", "git", "TELEMETRY_DIR", "job", "unfinished jobs", "/proc", "disks", "network",
        "pressure (PSI)", "upload queue", "store", "reachable", "write access", "concurrent uploads", "delete access",
    ]  # fmt: skip
    assert all(fix for state, fix in found.values() if state != "ok")
    assert [path for path in home.store.rglob("*") if path.is_file() and path.name != ".buildtel-lock"] == []
    assert not home.telemetry.exists()


def test_lines_for_people(home: Home) -> None:
    """Each line begins with its state; below what is missing stands how to fix it."""
    done = home.run("doctor", "--proc", str(FIXTURES / "rhel7-3.10"))
    text = done.stdout.decode()

    assert all(line[:5].strip() in ("ok", "warn", "fail", "") for line in text.splitlines())
    (psi, fix) = text[text.index("warn pressure") :].splitlines()[:2]
    assert "off" in psi and fix.strip().startswith("fix: boot a kernel 4.20 or newer with psi=1")


def test_without_the_kernels_files_nothing_can_be_measured(home: Home) -> None:
    """An unreadable /proc fails, and says what would help in a container."""
    status, found = states(home, "--proc", str(home.path))

    assert (status, found["/proc"][0], found["disks"][0], found["network"][0]) == (1, "fail", "warn", "warn")


def test_a_folder_that_is_no_folder(home: Home) -> None:
    """A file where the documents should go fails, and the finding says how to fix it."""
    (home.path / "telemetry").write_text("")
    status, found = states(home)

    assert status == 1 and found["TELEMETRY_DIR"][0] == "fail" and "set TELEMETRY_DIR" in found["TELEMETRY_DIR"][1]


@pytest.mark.parametrize(
    ("prints", "state"),
    [("Packer v1.6.6", "ok"), ("Packer v1.16.0", "ok"), ("Packer v1.5.9", "warn"), ("usage: packer dict", "warn")],
)
def test_which_packer_it_is(tmp_path: Path, prints: str, state: str) -> None:
    """Too old ones and cracklib's program of the same name are told apart."""
    program = tmp_path / "packer"
    program.write_text(f"#!/bin/sh\necho '{prints}'\n")
    program.chmod(0o755)

    assert check_machine.packer({"PATH": f"{tmp_path}:{os.environ['PATH']}"}).state == state


def test_no_packer_is_a_warning(tmp_path: Path) -> None:
    """A machine that only shows reports needs none."""
    assert check_machine.packer({"PATH": str(tmp_path)}).state == "warn"


def test_an_unusable_setting_is_a_finding(home: Home) -> None:
    """Not an end of the examination before anything was said."""
    status, found = states(home, "--endpoint", "nonsense")

    assert status == 1 and found["store"][0] == "fail" and found["python"][0] == "ok"


def test_a_server_that_is_away(home: Home) -> None:
    """One failure that says so; what depends on it is not tried, and no key is shown."""
    done = home.run("doctor", "--endpoint", "http://127.0.0.1:9", MINIO_ACCESS_KEY="abc", MINIO_SECRET_KEY="hushhush")

    assert done.returncode == 1 and done.stdout.count(b"fail ") == 1
    assert b"hushhush" not in done.stdout + done.stderr


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
    found = list(check_store.findings(store, tmp_path))

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
        (finding,) = check_store.clock(place)

    assert finding.state == state


def test_a_server_without_tls_is_warned_of() -> None:
    """Not on this machine itself."""
    assert [finding.state for finding in check_store.transport("http://minio.example:9000")] == ["warn"]
    assert list(check_store.transport("http://127.0.0.1:9000")) == []
    assert list(check_store.transport(None)) == []


@pytest.mark.skipif(not shutil.which("git"), reason="no git on this machine")
def test_git_is_found() -> None:
    """Its path is said."""
    assert check_machine.git().state == "ok"
