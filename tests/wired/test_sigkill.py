"""Bar 4: whatever is killed of ours, the build is the unwired one, and every step is in the document."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from .killing import attacked
from .machine import SSHD

pytestmark = [
    pytest.mark.packer,
    pytest.mark.skipif(os.geteuid() != 0 or not SSHD or not shutil.which("packer"), reason="needs root, sshd, packer"),
]
KILLS = 12


@pytest.mark.parametrize("seed", [1, 2])
def test_a_build_whose_agents_are_killed_is_the_unwired_build(tmp_path: Path, seed: int):
    """SIGKILL at random moments to samplers, holders, watchers, tellers and finish; `make unharmed` kills 300."""
    outcome = attacked(tmp_path, seed, KILLS)

    assert outcome.killed >= 5, "too few were there to kill: the test proves nothing"
    assert outcome.faults == []
