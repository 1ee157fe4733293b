"""The tests are the same whoever started them: what a shell ignores for its children reaches no program under test."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT

TEST = """
import signal, subprocess, sys
def test_default():
    script = "import signal; print(signal.getsignal(signal.Signals(%d)) is not signal.SIG_IGN)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "True\\n"
"""
IGNORED = [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1]


@pytest.mark.parametrize("number", IGNORED, ids=lambda number: number.name)
def test_a_signal_that_the_starter_ignored_has_its_default_in_programs(tmp_path: Path, number: signal.Signals) -> None:
    """As under `nohup` (HUP) or behind `&` in a script (INT and QUIT)."""
    (tmp_path / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    (tmp_path / "test_one.py").write_text(TEST % number)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path], capture_output=True, text=True,
        preexec_fn=lambda: signal.signal(number, signal.SIG_IGN), cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
