"""What the guest's tests share: interpreters found on the machine, and a strict reader of records."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import buildtel_agent

# What the agent sets for its own process; a test that calls it here must not pass it on to the tests that follow.
AGENTS_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
ROOT = Path(__file__).parents[2]
AGENT = ROOT / "guest" / "buildtel_agent.py"
PROC = ROOT / "fixtures" / "proc"


def pythons() -> dict[str, Path]:
    """One interpreter of each version from 3.6 on that this machine has, by `3.N`."""
    folders = [Path(entry) for entry in os.environ.get("PATH", "").split(":") if entry]
    versions = [shims.parent / "versions" for shims in folders if shims.name == "shims"]
    folders += [folder / "bin" for home in versions if home.is_dir() for folder in sorted(home.iterdir())]
    found: dict[str, Path] = {}
    for folder in folders:
        if folder.name == "shims":
            continue
        for path in sorted(folder.glob("python3.*")) if folder.is_dir() else []:
            if re.fullmatch(r"python3\.([6-9]|\d\d)", path.name) and os.access(path, os.X_OK):
                found.setdefault(path.name.removeprefix("python"), path)
    return dict(sorted(found.items(), key=lambda item: int(item[0].split(".")[1])))


PYTHONS = pythons()
SHELLS = {
    name: command
    for name, command in {"dash": ["dash"], "bash": ["bash"], "busybox": ["busybox", "sh"], "mksh": ["mksh"]}.items()
    if shutil.which(command[0])
}


def records(output: str | bytes) -> list[dict[str, Any]]:
    """The records in an output, each checked against every rule of docs/format.md that one line can show."""
    found = []
    raw = output if isinstance(output, bytes) else output.encode()
    for line in raw.split(b"\n"):
        if not line.startswith(b"BUILDTEL:"):
            assert b"BUILDTEL:" not in line, f"a record that does not begin its line: {line!r}"
            continue
        body = line.removeprefix(b"BUILDTEL:")
        cut = body.rindex(b',"crc"')
        record = json.loads(body)
        assert len(line) + 2 <= 3500
        assert record["crc"] == f"{zlib.crc32(body[:cut]):08x}"
        assert list(record)[-1] == "crc"
        assert record["v"] == 1
        found.append(record)
    for sid in {record["sid"] for record in found}:
        mine = [record for record in found if record["sid"] == sid]
        assert [record["seq"] for record in mine] == list(range(1, len(mine) + 1))
    return found


class Guest:
    """The agent as a build sees it: through sh, with one interpreter, in folders of its own."""

    def __init__(self, folder: Path, python: Path, before: Sequence[str] = ()) -> None:
        """Takes the interpreter by a `python3` in a folder that comes first in PATH; `before` begins each call."""
        self.folder, self.before = folder, before
        self.bin = folder / "bin"
        self.bin.mkdir()
        (self.bin / "python3").symlink_to(python)
        self.home = folder / "installed"
        self.agent = folder / "buildtel_agent.py"
        shutil.copy(AGENT, self.agent)
        self.env = {"PATH": f"{self.bin}:/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8"}

    def run(self, *arguments: str | Path, shell: str = "sh", **options: Any) -> subprocess.CompletedProcess[bytes]:
        """Runs `sh buildtel_agent.py ARGUMENTS`, the installed agent's if there is one."""
        installed = self.home / "buildtel_agent.py"
        agent = installed if installed.exists() else self.agent
        options.setdefault("env", self.env)
        options.setdefault("stdin", subprocess.DEVNULL)
        words = [*self.before, *shell.split(), agent, *arguments]
        return subprocess.run(words, capture_output=True, timeout=300, **options)

    def install(self) -> subprocess.CompletedProcess[bytes]:
        """Installs the agent into this guest's own folder."""
        return self.run("install", "c0ffee00-1111", "--dir", str(self.home))


@pytest.fixture
def guest(tmp_path: Path):
    """A guest with the machine's first Python; what a test leaves installed is finished."""
    made = Guest(tmp_path, next(iter(reversed(PYTHONS.values()))))
    yield made
    if made.home.exists():
        made.run("finish")


@pytest.fixture
def open_guest(tmp_path: Path):
    """A guest of an ordinary user with the system's Python, installed, and a folder that this user may write to."""
    place = Path(tempfile.mkdtemp(prefix="buildtel-"))
    place.chmod(0o777)
    (place / "work").mkdir()
    (place / "work").chmod(0o777)
    made = Guest(place, Path("/usr/bin/python3"), ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"))
    made.install()
    yield made, place / "work"
    made.run("finish")
    shutil.rmtree(place)


EDGES = dict(item for place, item in enumerate(PYTHONS.items()) if place in (0, len(PYTHONS) - 1))


@pytest.fixture(params=PYTHONS.items(), ids=lambda item: item[0])
def any_guest(request: pytest.FixtureRequest, tmp_path: Path):
    """The same guest once for every Python on the machine, for one smoke test."""
    yield from _guest_of(request, tmp_path)


@pytest.fixture(params=EDGES.items(), ids=lambda item: item[0])
def edge_guest(request: pytest.FixtureRequest, tmp_path: Path):
    """The same guest with the oldest and with the newest Python on the machine."""
    yield from _guest_of(request, tmp_path)


def _guest_of(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Guest]:
    made = Guest(tmp_path, request.param[1])
    made.version = request.param[0]
    yield made
    if made.home.exists():
        made.run("finish")


@pytest.fixture(autouse=True)
def own_spools(request: pytest.FixtureRequest) -> Iterator[None]:
    """What agents in the test's folder have on a tmpfs is gone after it: a step that never ends would stay."""
    folder = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    yield
    for spool in Path("/dev/shm").glob("buildtel-*") if folder is not None else ():
        # A folder is named by the path of the agent, or of where it is installed.
        if spool.name[9:17] in {f"{zlib.crc32(os.fsencode(path)):08x}" for path in [folder, *folder.rglob("*")]}:
            shutil.rmtree(spool, ignore_errors=True)


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """The signals as they were before the test."""
    before = {number: signal.getsignal(number) for number in AGENTS_SIGNALS}
    yield
    signal.alarm(0)
    for number, handler in before.items():
        signal.signal(number, handler)


def _close(kernel: buildtel_agent.Kernel) -> None:
    """A kernel's files stay open while its process lives; this process lives through thousands of them."""
    for fd in kernel._fds.values():
        if fd >= 0:
            os.close(fd)


buildtel_agent.Kernel.__del__ = _close  # type: ignore[attr-defined]


def spools(guest) -> list[Path]:
    """What the agents of this guest have on a tmpfs just now."""
    import zlib

    owners = (str(guest.home), str(guest.agent))
    stems = [f"buildtel-{zlib.crc32(owner.encode()):08x}-*" for owner in owners]
    return [path for stem in stems for path in Path("/dev/shm").glob(stem)]


def steps_events(output):
    """The kinds of the records of steps in it."""
    return [record["ev"] for record in records(output) if record["ev"] != "samples"]


def without_python(agent: Path) -> None:
    """Change an agent's file so that it finds no Python on this machine."""
    source = agent.read_text().replace("for bt_py in", "for bt_py in ''; do :; done; for bt_none in", 1)
    agent.write_text(source.replace('[ -n "$bt_py" ] &&', "false &&", 1))
