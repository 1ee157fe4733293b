"""The outbox: whole or not there, in order, once, for one store, and for the user alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from buildtel.local import outbox as module
from buildtel.local.outbox import Outbox, OutboxError, Parcel

ONE = Parcel("a.json", b"1", "steps\n", b"\x1f\x8b")
TWO = Parcel("b\udcff.json", b"2")


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    """One whose folder is not made yet."""
    return Outbox(tmp_path / "state" / "outbox")


def test_a_parcel_comes_out_as_it_went_in(outbox: Outbox) -> None:
    """Document, steps, records and any name, oldest first; nobody else may look."""
    with outbox.locked(0):
        outbox.add(ONE, "s3://x")
        outbox.add(TWO, "s3://x")

        assert [outbox.read(entry) for entry in outbox.waiting()] == [ONE, TWO]
    assert outbox.folder.stat().st_mode & 0o777 == 0o700


def test_a_parcel_waits_once_for_each_store(outbox: Outbox) -> None:
    """The same document again adds nothing."""
    with outbox.locked(0):
        for address in ("s3://x", "s3://x", "s3://y"):
            outbox.add(ONE, address)

        assert len(outbox.waiting("s3://x")) == len(outbox.waiting("s3://y")) == 1
        assert len(outbox.waiting()) == 2


def test_what_comes_later_stands_behind(outbox: Outbox) -> None:
    """Also when those before have gone."""
    with outbox.locked(0):
        outbox.add(ONE, "x")
        outbox.add(TWO, "x")
        outbox.remove(outbox.waiting()[0])
        outbox.add(ONE, "x")

        assert [outbox.read(entry).document for entry in outbox.waiting()] == [b"2", b"1"]


class KilledError(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("at", range(5))
def test_a_parcel_half_made_is_none(outbox: Outbox, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """Killed at any of its files: nothing waits, and the next holder finds no rest of it."""
    written = []

    def write(name: str, data: bytes) -> None:
        path = Path(name)
        if len(written) == at:
            path.write_bytes(data[: len(data) // 2])
            raise KilledError
        written.append(path.write_bytes(data))

    monkeypatch.setattr(module.files, "write_synced", write)
    with pytest.raises(KilledError), outbox.locked(0):
        outbox.add(ONE, "x")
    with outbox.locked(0):
        assert outbox.waiting() == []
        assert [path.name for path in outbox.folder.iterdir()] == [".lock"]


def test_a_removal_that_broke_off_is_completed(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not wait any more, and its rest goes."""

    def killed(path: Path) -> None:
        raise KilledError

    with outbox.locked(0):
        outbox.add(ONE, "x")
    with monkeypatch.context() as patch, pytest.raises(KilledError), outbox.locked(0):
        patch.setattr(module.shutil, "rmtree", killed)
        outbox.remove(outbox.waiting()[0])
    with outbox.locked(0):
        assert [path.name for path in outbox.folder.iterdir()] == [".lock"]


def test_one_at_a_time(outbox: Outbox) -> None:
    """The second one is told, not kept for ever."""
    with outbox.locked(0), pytest.raises(OutboxError, match="another upload uses"), outbox.locked(0):
        pass


def test_an_outbox_that_cannot_be_is_said(tmp_path: Path) -> None:
    """A file stands in its place."""
    (tmp_path / "outbox").write_text("")

    with pytest.raises(OutboxError, match="cannot use the outbox"), Outbox(tmp_path / "outbox").locked(0):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_somebody_elses_outbox_is_refused(outbox: Outbox) -> None:
    """Nothing is put where another user could change it."""
    outbox.folder.mkdir(parents=True)
    os.chown(outbox.folder, 65534, 65534)

    with pytest.raises(OutboxError, match="belongs to another user"), outbox.locked(0):
        pass
