"""A real S3 server on loopback, started once; its keys are really checked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .s3server import Server, running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """SeaweedFS."""
    with running(tmp_path_factory.mktemp("seaweedfs")) as started:
        yield started
