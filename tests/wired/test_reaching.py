"""Transfers of a real Packer over a real sshd, and real waits for SSH: bytes, rate, and what came of each try."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ..host.capture.watched import BUILDTEL, WATCHED
from .machine import SSHD, Machine, start

pytestmark = [
    pytest.mark.packer,
    pytest.mark.skipif(os.geteuid() != 0 or not SSHD or not shutil.which("packer"), reason="needs root, sshd, packer"),
]
BIG_BYTES, SMALL_BYTES, HUGE_BYTES = 40 << 20, 3 << 20, 600 << 20
SOURCE = """
source "null" "box" {
  ssh_host     = "127.0.0.1"
  ssh_port     = %d
  ssh_username = "vagrant"
  %s
}
"""
BUILD = """
build {
  sources = ["source.null.box"]
  provisioner "file" {
    source      = "big.bin"
    destination = "/tmp/big.bin"
  }
  provisioner "file" {
    source      = "folder"
    destination = "PLACE"
  }
  provisioner "file" {
    source      = "/tmp/big.bin"
    destination = "back.bin"
    direction   = "download"
  }
  provisioner "shell" { inline = ["echo hello"] }
}
"""
SHELL = 'build {\n  sources = ["source.null.box"]\n  provisioner "shell" { inline = ["true"] }\n}\n'


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine, and beside its key the files that go there."""
    started = start(tmp_path_factory.mktemp("machine"))
    (started.folder / "big.bin").write_bytes(os.urandom(BIG_BYTES))
    (started.folder / "folder").mkdir()
    for name in ("a", "b"):
        (started.folder / "folder" / name).write_bytes(os.urandom(SMALL_BYTES))
    yield started
    started.stop()


def environ(folder: Path) -> dict[str, str]:
    """That of a build, with its telemetry in the folder."""
    known = {name: os.environ[name] for name in os.environ if name.startswith(("PYTHON", "COVERAGE"))}
    return {
        **known, "PATH": os.environ["PATH"], "HOME": str(folder), "CHECKPOINT_DISABLE": "1",
        "TELEMETRY_DIR": str(folder / "telemetry"),
    }  # fmt: skip


def template(machine: Machine, folder: Path, more: str, build: str, port: int | None = None) -> Path:
    """A folder with a template, and the machine's files beside it."""
    folder.mkdir(exist_ok=True)
    (folder / "big.bin").symlink_to(machine.folder / "big.bin")
    shutil.copytree(machine.folder / "folder", folder / "folder")
    (folder / "t.pkr.hcl").write_text(SOURCE % (port or machine.port, more) + build)
    return folder


def build_in(folder: Path) -> dict[str, Any]:
    """The one build of the folder's one document."""
    (path,) = (folder / "telemetry").glob("*.json")
    (build,) = json.loads(path.read_bytes())["packer"]["runs"][0]["builds"]
    return build


def parts_of(whole: dict[str, Any], *kinds: str) -> list[dict[str, Any]]:
    """The parts of some kinds."""
    return [part for part in whole.get("parts", ()) if part["kind"] in kinds]


@pytest.mark.parametrize("way", ["scp", "sftp"])
def test_transfers_have_their_bytes_and_rate(machine: Machine, tmp_path: Path, way: str) -> None:
    """Under `buildtel-host packer`: bytes to the byte, times within the provisioner's, the rate as they give it."""
    more = f'ssh_private_key_file = "{machine.key}"\n  ssh_file_transfer_method = "{way}"'
    build = BUILD.replace("PLACE", "/tmp" if way == "scp" else "/home/vagrant")  # sftp makes the folder, once
    folder = template(machine, tmp_path / "t", more, build)
    done = subprocess.run([*WATCHED, "build", "."], cwd=folder, env=environ(folder), capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    units = build_in(folder)["provisioners"]
    ((big,), (both,), (back,), (script,)) = ([*parts_of(unit, "upload", "download")] for unit in units)

    assert [(part["kind"], part.get("size_bytes")) for part in (big, both, back)] == [
        ("upload", BIG_BYTES), ("upload", 2 * SMALL_BYTES if way == "scp" else None), ("download", BIG_BYTES),
    ]  # fmt: skip
    assert (big["name"].rpartition("/")[2], big["count"], both["count"], script["size_bytes"]) == ("big.bin", 1, 2, 24)
    for unit, part in zip(units[:3], (big, both, back), strict=True):
        assert unit["started_at"] <= part["started_at"] <= part["ended_at"] <= unit["ended_at"]
    for part in (big, back):
        rate = BIG_BYTES / 2**20 / (part["ended_at"] - part["started_at"])
        assert part["rate_mbs"] == pytest.approx(rate, rel=1e-3)


@pytest.mark.skipif(not shutil.which("script"), reason="needs script")
def test_the_bar_of_a_terminal_tells_bytes(machine: Machine, tmp_path: Path) -> None:
    """A log of a terminal, as `script` keeps it: it has no times, so no rate."""
    more = f'ssh_private_key_file = "{machine.key}"'
    folder = template(machine, tmp_path / "t", more, BUILD.replace("PLACE", "/tmp"))
    words = ["script", "-qec", "packer build .", "p.log"]
    done = subprocess.run(words, cwd=folder, env=environ(folder), capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout
    subprocess.run([*BUILDTEL, "collect", "-q", "p.log"], cwd=folder, env=environ(folder), check=True)
    first = build_in(folder)["provisioners"][0]
    assert parts_of(first, "upload") == [{"name": "big.bin", "kind": "upload", "size_bytes": BIG_BYTES}]


def test_the_view_below_the_output_tells_of_tries(machine: Machine, tmp_path: Path) -> None:
    """Its output comes through pipes; tries to connect are read in the debug log beside it, as the document says."""
    folder = template(machine, tmp_path / "t", 'ssh_password = "x"\n  ssh_timeout = "8s"', SHELL, 1)
    words = [*BUILDTEL, "packer", "--live", "always", "-q", "build", "."]
    done = subprocess.run(words, cwd=folder, env=environ(folder), capture_output=True, timeout=60)
    (path,) = (folder / "telemetry").glob("*.json")
    tries = [part for phase in build_in(folder)["phases"] for part in parts_of(phase, "try")]

    assert done.returncode == 1
    assert b"    port refuses" in done.stdout
    assert [(part["name"], part["count"]) for part in tries] == [("port refuses", 2)]
    assert json.loads(path.read_bytes())["packer"]["read_from"] == "pipes"


def test_tries_of_builds_side_by_side_are_told_apart(tmp_path: Path) -> None:
    """One build of Packer with two machines of one type, each at an address of its own."""
    with socket.create_server(("127.0.0.2", 0)) as accepts:
        places = {"refuses": ("127.0.0.1", 1), "mute": ("127.0.0.2", accepts.getsockname()[1])}
        sources = "".join(
            f'source "null" "{name}" {{\n  ssh_host = "{host}"\n  ssh_port = {port}\n  ssh_username = "vagrant"\n'
            '  ssh_password = "x"\n  ssh_timeout = "12s"\n}\n'
            for name, (host, port) in places.items()
        )
        build = SHELL.replace('"source.null.box"', '"source.null.refuses", "source.null.mute"')
        (tmp_path / "t.pkr.hcl").write_text(sources + build)
        words = [*WATCHED, "build", "."]
        assert subprocess.run(words, cwd=tmp_path, env=environ(tmp_path), capture_output=True, timeout=60).returncode
    (path,) = (tmp_path / "telemetry").glob("*.json")
    tries = {
        build["name"]: [part["name"] for phase in build["phases"] for part in parts_of(phase, "try")]
        for build in json.loads(path.read_bytes())["packer"]["runs"][0]["builds"]
    }

    assert tries == {"null.refuses": ["port refuses"], "null.mute": ["the port answers"]}


def test_another_terminal_tells_the_bytes_of_an_upload(machine: Machine, tmp_path: Path) -> None:
    """No bar is drawn there: the bytes that Packer has read of the file, and ever more of them."""
    more = f'ssh_private_key_file = "{machine.key}"'
    file = 'provisioner "file" {\n    source = "huge.bin"\n    destination = "/tmp/huge.bin"\n  }'
    folder = template(machine, tmp_path / "t", more, f'build {{\n  sources = ["source.null.box"]\n  {file}\n}}\n')
    with (folder / "huge.bin").open("wb") as huge:
        huge.truncate(HUGE_BYTES)
    shown = []
    known = environ(folder)
    with subprocess.Popen([*WATCHED, "build", "."], cwd=folder, env=known, stdout=subprocess.DEVNULL) as built:
        while built.poll() is None:
            shown.append(subprocess.run([*BUILDTEL, "live"], env=known, capture_output=True).stdout)
    words = re.compile(rb"uploads huge.bin: ([\d.]+) MB of 600 MB, [\d.]+ MB/s")
    told = [float(found[1]) for found in map(words.search, shown) if found is not None]

    assert built.returncode == 0
    assert told == sorted(told) and 0 < told[0] < told[-1] <= 600, shown


def closing_port() -> tuple[socket.socket, int]:
    """A port that accepts and closes."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                server.accept()[0].close()

    threading.Thread(target=serve, daemon=True).start()
    return server, server.getsockname()[1]


def test_a_wait_for_ssh_says_what_came_of_its_tries(machine: Machine, tmp_path: Path) -> None:
    """Three builds side by side: nobody listens, the port closes at once, the password is wrong."""
    server, closing = closing_port()
    password = 'ssh_password = "wrong"\n  ssh_timeout = "12s"'
    ports = {"refused": 1, "closed": closing, "login": machine.port}
    folders = {name: template(machine, tmp_path / name, password, SHELL, port) for name, port in ports.items()}
    started = [
        subprocess.Popen([*WATCHED, "build", "."], cwd=folder, env=environ(folder), stdout=subprocess.DEVNULL)
        for folder in folders.values()
    ]
    assert [process.wait(60) for process in started] == [1, 1, 1]
    server.close()
    tries = {
        name: [
            (part["name"], part.get("count"))
            for phase in build_in(folder)["phases"]
            for part in parts_of(phase, "try")
        ]
        for name, folder in folders.items()
    }  # fmt: skip
    methods = "none, password, keyboard-interactive"
    assert tries == {
        "refused": [("port refuses", 3)],
        "closed": [("the port answers", None), ("connection closed before the login", 2)],
        "login": [("the port answers", None), (f"login fails (tried {methods})", 2)],
    }
    document = next((folders["refused"] / "telemetry").glob("*.json"))
    told = subprocess.run([*BUILDTEL, "diagnose", document], env=environ(tmp_path), capture_output=True, check=True)
    assert b"and nothing listens: see whether sshd is installed" in b" ".join(told.stdout.split())
    told = subprocess.run([*BUILDTEL, "report", document], env=environ(tmp_path), capture_output=True, check=True)
    (phase,) = (phase for phase in build_in(folders["refused"])["phases"] if parts_of(phase, "try"))
    (part,) = parts_of(phase, "try")
    words = f"Packer tried to connect: port refuses, 3 times ({part['ended_at'] - part['started_at']:.1f} s)"
    assert words.encode() in told.stdout
