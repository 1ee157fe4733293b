"""The image of a wired build is that of the same build unwired: nothing of ours is left in it."""

import hashlib
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from .conftest import Built

pytestmark = pytest.mark.vm

Listing = dict[str, tuple[str, ...]]
# Words that only our files and records hold (the example's own file names, and "buildtel" alone, are not ours).
OURS = (b"BUILDTEL:", b"buildtel_agent", b"/var/tmp/buildtel")


def describe(path: Path) -> tuple[str, ...]:
    """Type, mode, owner and content of a file."""
    found = path.lstat()
    head = (stat.filemode(found.st_mode), str(found.st_uid), str(found.st_gid))
    if stat.S_ISLNK(found.st_mode):
        return (*head, str(path.readlink()))
    if stat.S_ISREG(found.st_mode):
        return (*head, hashlib.sha256(path.read_bytes()).hexdigest())
    return head


def unpack(disk: Path, folder: Path) -> Path:
    """All the files of a finished disk, read without mounting it."""
    folder.mkdir()
    raw = folder.with_suffix(".raw")
    subprocess.run(["qemu-img", "convert", "-O", "raw", disk, raw], check=True)
    subprocess.run(["debugfs", "-R", f"rdump / {folder}", raw], check=True, capture_output=True)
    raw.unlink()
    return folder


def listing(root: Path) -> Listing:
    """Every path below `root` with what it is."""
    return {
        str((Path(parent) / name).relative_to(root)): describe(Path(parent) / name)
        for parent, folders, files in os.walk(root)
        for name in folders + files
    }


def differing(one: Listing, other: Listing) -> set[str]:
    """The paths that only one of two images has, or that are not the same in both."""
    return {path for path in one.keys() | other.keys() if one.get(path) != other.get(path)}


def family(path: str) -> str:
    """A path without what journald puts into a rotated journal's name."""
    return re.sub(r"@[0-9a-f-]+\.journal~?$", ".journal", path)


@pytest.fixture(scope="module")
def images(builds: dict[str, Future[Built]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """The files of the wired image and of two images of the same build unwired."""
    folder = tmp_path_factory.mktemp("images")
    names = ("wired", "plain-1", "plain-2")
    for name in names:
        built = builds[name].result()
        assert built.exit_status == 0, built.log.read_text(errors="replace")[-4000:]
    yield {name: unpack(builds[name].result().disk, folder / name) for name in names}
    shutil.rmtree(folder)


def test_only_what_any_two_builds_differ_in_differs(images: dict[str, Path]) -> None:
    """What sets the wired image apart sets two plain images apart too: logs, caches, seeds."""
    wired, first, second = (listing(images[name]) for name in ("wired", "plain-1", "plain-2"))
    assert len(first) > 5000
    excepted = {family(path) for path in differing(first, second)}
    assert [path for path in sorted(differing(wired, first)) if family(path) not in excepted] == []


def test_no_file_outside_the_logs_holds_our_words(images: dict[str, Path]) -> None:
    """Neither name nor content of any file speaks of the agent (the journal tells what sudo ran)."""
    root = images["wired"]
    files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    speaking = [
        str(path.relative_to(root))
        for path in files
        if not path.is_relative_to(root / "var/log") and any(word in path.read_bytes() for word in OURS)
    ]
    assert speaking == []
    assert [str(path) for path in root.rglob("*buildtel*")] == []


def test_the_wired_build_did_measure(builds: dict[str, Future[Built]]) -> None:
    """The comparison compares something: records in the wired log, none in the plain ones."""
    counted = {name: builds[name].result().log.read_bytes().count(b"BUILDTEL:{") for name in builds}
    assert counted["wired"] > 10
    assert (counted["plain-1"], counted["plain-2"]) == (0, 0)
