"""Records that say that their writer had the key, and what becomes of the key."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import buildtel_agent as agent

from ..waiting import wait_for
from .conftest import records, spools

KEY = "a long random text, größer"


def macs(output: bytes, key: str) -> list[bool]:
    """Of each record whether its `mac` is the key's; None where it has none."""
    found = []
    for line in output.split(b"\n"):
        if line.startswith(b"BUILDTEL:"):
            body = line.removeprefix(b"BUILDTEL:")
            signed, mark, rest = body.rpartition(b',"mac":"')
            wanted = hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()[:32]
            found.append(rest[:32].decode() == wanted if mark else None)
    return found


@given(st.binary(max_size=200), st.binary(max_size=300))
@settings(max_examples=50, deadline=None)
def test_the_mac_is_rfc_2104s(key, text):
    """Keys of any length, those beyond a block too."""
    assert agent.hmac_sha256(key, text) == hmac.new(key, text, hashlib.sha256).digest()


@pytest.mark.parametrize("missing", [(), ("_sha2",), ("_sha2", "_sha256")])
def test_any_sha256_that_this_python_has_will_do(monkeypatch, missing):
    """Builtin modules first; where a Python has neither, hashlib."""
    for name in missing:
        monkeypatch.setitem(__import__("sys").modules, name, None)
    assert agent.hmac_sha256(b"k", b"t") == hmac.new(b"k", b"t", hashlib.sha256).digest()


def test_every_record_is_signed(edge_guest):
    """`mac` stands right before `crc`, which covers it; without a key there is none."""
    env = {**edge_guest.env, "BUILDTEL_KEY": KEY}
    done = edge_guest.run("run", "--", "true", env=env)
    plain = edge_guest.run("run", "--", "true")

    assert [list(record)[-2:] for record in records(done.stdout)] == [["mac", "crc"]] * 3
    assert macs(done.stdout, KEY) == [True] * 3
    assert macs(done.stdout, KEY + "x") == [False] * 3
    assert macs(plain.stdout, KEY) == [None] * 3


def is_life(process: Path, home: Path) -> bool:
    """Whether it is the whole-life sampler of this agent."""
    try:
        return f"{home}/agent.pyc\0life\0".encode() in (process / "cmdline").read_bytes()
    except OSError:
        return False


def test_install_keeps_the_key_for_later_steps_in_memory_only(edge_guest):
    """A file for its owner alone on a tmpfs; the steps' commands never see it; finish takes it."""
    installed = edge_guest.run(
        "install", "c0ffee", "--dir", str(edge_guest.home), env={**edge_guest.env, "BUILDTEL_KEY": KEY}
    )
    (kept,) = [path for folder in spools(edge_guest) for path in folder.glob("key")]
    step = edge_guest.run("run", "--", "env")
    inside = [path for path in edge_guest.home.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert wait_for(lambda: any(folder.glob("life-*") for folder in spools(edge_guest)))
    life = [folder for folder in Path("/proc").glob("[0-9]*") if is_life(folder, edge_guest.home)]
    environments = [(folder / "environ").read_bytes() for folder in life]
    mode, in_memory = kept.stat().st_mode & 0o777, agent.is_tmpfs(str(kept))
    time.sleep(1.1)
    finished = edge_guest.run("finish")

    assert (mode, in_memory) == (0o600, True)
    for output in (installed.stdout, step.stdout, finished.stdout):
        assert macs(output, KEY)
        assert set(macs(output, KEY)) == {True}
    assert KEY.encode() not in step.stdout
    assert inside == []
    assert environments
    assert not any(KEY.encode() in environment for environment in environments)
    assert not kept.exists()


def test_without_a_tmpfs_the_key_is_not_kept(guest, tmp_path, monkeypatch):
    """Never on a disk: later records are then unsigned, and install says so."""
    monkeypatch.setattr(agent, "SPOOL_ROOTS", (str(tmp_path),))
    monkeypatch.setattr(agent, "is_tmpfs", lambda path: False)
    spool = agent.Spool(str(guest.folder))

    assert not spool.keep_key(b"k")
    assert spool.find("key") == []


def test_a_key_of_somebody_else_or_open_to_others_is_not_used(guest, tmp_path, monkeypatch):
    """Only a file that nobody else can read, of our user or of who owns the agent."""
    monkeypatch.setattr(agent, "SPOOL_ROOTS", (str(tmp_path),))
    monkeypatch.setattr(agent, "is_tmpfs", lambda path: True)
    spool = agent.Spool(str(guest.folder))
    assert spool.keep_key(b"k")
    assert spool.key() == b"k"
    path_of_key = Path(spool.find("key")[0])

    path_of_key.chmod(0o644)
    assert spool.key() == b""
    path_of_key.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(path_of_key, 4242, 4242)
        assert spool.key() == b""


def test_a_folder_that_another_user_put_there_is_none_of_ours(guest, tmp_path, monkeypatch):
    """Its name says whose it is: a link, or another owner, is left alone by find and by clear."""
    monkeypatch.setattr(agent, "SPOOL_ROOTS", (str(tmp_path),))
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "life-1").touch()
    spool = agent.Spool(str(guest.folder))
    (tmp_path / f"{spool._stem[1:]}4242").symlink_to(victim)
    (tmp_path / f"{spool._stem[1:]}4243").mkdir()
    (tmp_path / f"{spool._stem[1:]}4243" / "life-2").touch()
    spool.clear()

    assert spool.find("life-") == []
    assert (victim / "life-1").exists()


def test_the_spool_is_printed_whole(edge_guest):
    """Every record word for word, and every sample of the whole life, also those that the log went without."""
    edge_guest.install()
    step = edge_guest.run("run", "--", "true")
    time.sleep(2.2)
    edge_guest.run("mark", "x")
    printed = edge_guest.run("spool")
    file = edge_guest.folder / "spool.jsonl"
    written = edge_guest.run("spool", "--to", str(file))
    again = edge_guest.run("spool", "--to", str(file))
    lines = file.read_bytes().splitlines()

    assert written.stdout == again.stdout == b""
    assert file.stat().st_mode & 0o777 == 0o600
    for record in [line for line in step.stdout.split(b"\n") if line.startswith(b"BUILDTEL:")]:
        assert record in printed.stdout
        assert record in lines
    read = [json.loads(line.removeprefix(b"BUILDTEL:")) for line in lines]
    own = [record for record in read if record["ev"] == "samples" and record["sid"] == read[-1]["sid"]]
    times = [m for record in own for m in agent.unpack_columns({"m": record["cols"]["m_ms"]})["m"]]
    assert len(times) >= 3
    assert times == sorted(times)
    edge_guest.run("finish", "--to", str(file))
    assert not file.exists()


def test_a_file_that_is_not_ours_is_not_replaced(guest):
    """Another's file or link under the download's name stays; the agent says why it wrote nothing."""
    guest.install()
    victim = guest.folder / "victim"
    victim.write_text("precious")
    link = guest.folder / "spool.jsonl"
    link.symlink_to(victim)
    done = guest.run("spool", "--to", str(link))

    assert victim.read_text() == "precious"
    assert b"buildtel: FileExistsError" in done.stderr
    assert done.returncode == 0
