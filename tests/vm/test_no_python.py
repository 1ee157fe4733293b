"""A real machine without Python: the start of each step, its end by Packer's words, nothing left in the image."""

import json
import os
import subprocess
import sys
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from .test_clean_image import OURS, unpack

pytestmark = pytest.mark.vm

BOUND_S = 1.5  # stamps of whole seconds, and a clock known within one of them


@pytest.fixture(scope="module")
def folder(no_python_build: Future[Path]) -> Path:
    """A folder with the finished build: packer.log, exit-status, output."""
    return no_python_build.result()


@pytest.fixture(scope="module")
def document(folder: Path) -> dict[str, Any]:
    """What collect makes of its log."""
    log = (folder / "packer.log").read_text(errors="replace")
    assert (folder / "exit-status").read_text() == "0", log[-4000:]
    script = "import sys; from buildtel.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", script, "collect", folder / "packer.log", "-o", folder / "job.json"]
    subprocess.run(command, env={**os.environ, "TELEMETRY_DIR": str(folder / "telemetry")}, check=True)
    parsed: dict[str, Any] = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    return parsed


def test_each_step_has_its_start_and_what_packer_says_of_its_end(document: dict[str, Any]) -> None:
    """The default command, sudo, and a command of one's own behind the piece."""
    steps = [step for step in document["steps"] if step.get("machine")]

    assert [(step["name"], step["status"], step["ended_from"]) for step in steps[:2]] == [
        ("look for python", "success", "packer"), ("write-50-mib", "success", "packer"),
    ]  # fmt: skip
    assert (steps[2]["status"], len(steps)) == ("success", 3)
    assert document["integrity"]["damaged"] == document["integrity"]["missing"] == 0
    assert 3 - BOUND_S <= steps[0]["duration_s"] < 20


def test_nothing_is_left_in_the_image(folder: Path, document: dict[str, Any], tmp_path: Path) -> None:
    """Neither a file of ours, nor a file outside the logs that speaks of it."""
    root = unpack(folder / "output" / "packer-bare", tmp_path / "root")
    files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    speaking = [
        str(path.relative_to(root))
        for path in files
        if not path.is_relative_to(root / "var/log") and any(word in path.read_bytes() for word in OURS)
    ]

    assert len(files) > 3000
    assert not list(root.glob("usr/bin/python3*"))
    assert speaking == []
    assert list(root.rglob("*buildtel*")) == []
