"""The command run as a user runs it: a process of its own, in a home of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

PROGRAM = [sys.executable, "-c", "import sys; from buildtel.cli import main; sys.exit(main())"]


@dataclass
class Home:
    """A home: run commands in it, find its documents."""

    path: Path

    @property
    def telemetry(self) -> Path:
        """The folder of documents."""
        return self.path / "telemetry"

    @property
    def store(self) -> Path:
        """The directory store."""
        return self.path / "data" / "buildtel"

    @property
    def environ(self) -> dict[str, str]:
        """Nothing of the caller's but what Python needs."""
        measured = {name: os.environ[name] for name in os.environ if name.startswith(("COVERAGE_", "PYTHONPATH"))}
        return {
            **measured,
            "COVERAGE_PROCESS_START": os.environ.get("COVERAGE_CHILDREN", ""),
            "PATH": os.environ["PATH"],
            "HOME": str(self.path),
            "TELEMETRY_DIR": str(self.telemetry),
            "XDG_DATA_HOME": str(self.path / "data"),
            "GIT_CEILING_DIRECTORIES": str(self.path.parent),
            "PYTHONWARNINGS": "error",
            "PYTHONUTF8": "1",
        }

    def run(self, *words: str, stdin: bytes = b"", **environ: str) -> subprocess.CompletedProcess[bytes]:
        """The command's exit status, output and messages."""
        return subprocess.run(
            [*PROGRAM, *words], input=stdin, capture_output=True, cwd=self.path,
            env={**self.environ, **environ}, timeout=120, check=False,
        )  # fmt: skip

    def documents(self) -> list[Path]:
        """The documents collected so far."""
        return sorted(self.telemetry.glob("*.json"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home."""
    return Home(tmp_path)
