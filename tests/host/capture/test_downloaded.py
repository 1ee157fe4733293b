"""`buildtel-host packer --spool FILE`: the spool that the build downloads is in its document."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from buildtel import shipped

from .watched import WATCHED, bench

pytestmark = [pytest.mark.packer, pytest.mark.skipif(not shutil.which("packer"), reason="no packer here")]
SPOOL = "buildtel-spool.jsonl"


def provisioners(home: Path, *, download: bool) -> list[str]:
    """Lines of shell-local that do on this machine what the library's provisioners do in a guest."""
    installed = f"sh {home}/buildtel_agent.py"
    spool = [f"{installed} spool --to {SPOOL}"] if download else []
    lines = [
        f"sh {shipped.agent()} install $PACKER_RUN_UUID --dir {home} --block false --records spool",
        f"{installed} run --step mine -- true",
        *spool,
        f"{installed} finish",
    ]
    return [f'inline = ["{line}"]' for line in lines]


@pytest.mark.parametrize("download", [True, False])
def test_what_the_build_downloads_is_in_the_document(tmp_path: Path, download: bool) -> None:
    """Its steps are there; an older file is not the build's: a note says so, and nothing of it is used."""
    built = bench(tmp_path)
    built.template(*provisioners(tmp_path / "home", download=download))
    old = built.folder / SPOOL
    if not download:
        old.write_bytes(b"BUILDTEL:{}\n")
        os.utime(old, (10**9, 10**9))
    done = built.run("build", ".", prefix=(*WATCHED, "--spool", SPOOL))
    document = built.document()
    notes = [note for note in document["notes"] if "spool" in note]

    assert done.returncode == 0, done.stderr
    assert b'"ev":"start"' not in done.stdout
    assert [step["exit_code"] for step in document["steps"] if step["name"] == "mine"] == ([0] if download else [])
    assert document["integrity"]["damaged"] == document["integrity"]["missing"] == 0
    assert [note.split(": ")[1][:10] for note in notes] == ([] if download else ["the record", "this build"])
    assert b"buildtel-spool.jsonl: this build did not download it" in done.stderr or download
