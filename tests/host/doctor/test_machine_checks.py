"""The checks of this machine, each by its function."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from buildtel.doctor import machine_checks


@pytest.mark.parametrize(
    ("prints", "state"),
    [("Packer v1.6.6", "ok"), ("Packer v1.16.0", "ok"), ("Packer v1.5.9", "warn"), ("usage: packer dict", "warn")],
)
def test_which_packer_it_is(tmp_path: Path, prints: str, state: str) -> None:
    """Too old ones and cracklib's program of the same name are told apart."""
    program = tmp_path / "packer"
    program.write_text(f"#!/bin/sh\necho '{prints}'\n")
    program.chmod(0o755)

    assert machine_checks.packer({"PATH": f"{tmp_path}:{os.environ['PATH']}"}).state == state


def test_no_packer_is_a_warning(tmp_path: Path) -> None:
    """A machine that only shows reports needs none."""
    assert machine_checks.packer({"PATH": str(tmp_path)}).state == "warn"


@pytest.mark.skipif(not shutil.which("git"), reason="no git on this machine")
def test_git_is_found() -> None:
    """Its path is said."""
    assert machine_checks.git().state == "ok"
