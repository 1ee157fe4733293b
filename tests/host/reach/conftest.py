"""A real sshd, and a home that knows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .servers import Client, keygen, may_make_machines, sshd

AGENT = "/var/tmp/buildtel/buildtel_agent.py"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A home whose key opens an sshd without SFTP; its host key is known there."""
    if not may_make_machines():
        pytest.skip("needs root, sshd, and leave to mount")
    key = keygen(tmp_path / "user")
    server = sshd(tmp_path / "sshd", key.with_suffix(".pub"))
    home = tmp_path / "home"
    home.mkdir()
    made = Client(home, key, server)
    made.write_config()
    made.known_hosts.write_text(server.known)
    yield made
    server.inside(f"[ ! -e {AGENT} ] || sh {AGENT} finish")
    server.stop()
