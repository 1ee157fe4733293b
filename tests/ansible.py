"""The Ansible that tests play: ansible-core from PyPI, in a virtual environment that is made once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

VENV = Path(__file__).parents[1] / ".cache" / "ansible"


def playbook_program() -> Path:
    """The program `ansible-playbook`; skips the test where it can't be installed."""
    program = VENV / "bin" / "ansible-playbook"
    if not program.exists():
        install = f"{sys.executable} -m venv {VENV} && {VENV}/bin/pip install --quiet ansible-core"
        if subprocess.run(install, shell=True, capture_output=True, timeout=300).returncode:
            pytest.skip("ansible-core can't be installed")
    return program
