"""A real sshd, and a home that knows it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .servers import SSHD, Client, keygen, sshd

AGENT = "/var/tmp/buildtel/buildtel_agent.py"
needs_root = pytest.mark.skipif(os.geteuid() != 0 or not SSHD, reason="needs root and sshd")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A home whose key opens an sshd without SFTP; its host key is known there."""
    if os.geteuid() != 0 or not SSHD:
        pytest.skip("needs root and sshd")
    key = keygen(tmp_path / "user")
    server = sshd(tmp_path / "sshd", key.with_suffix(".pub"))
    home = tmp_path / "home"
    home.mkdir()
    made = Client(home, key, server)
    made.write_config()
    made.known_hosts.write_text(server.known)
    yield made
    server.stop()


@pytest.fixture
def clean() -> Iterator[None]:
    """No agent installed before and after."""
    yield
    if Path(AGENT).exists():
        subprocess.run(["sh", AGENT, "finish"], capture_output=True)
