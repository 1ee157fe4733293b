"""Real S3 servers on loopback, each started once; their keys are really checked. Proxies before them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ..cli.conftest import Home
from .minio import program, running_minio
from .proxy import Proxy, proxying
from .s3server import Server, running


@pytest.fixture(scope="session", params=["seaweedfs", "minio"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """SeaweedFS always, MinIO where its program is found."""
    minio = program()
    if request.param == "seaweedfs":
        with running(tmp_path_factory.mktemp("seaweedfs")) as started:
            yield started
    elif minio is None:
        pytest.skip("no minio here: `make minio` builds it where Go is")
    else:
        with running_minio(tmp_path_factory.mktemp("minio"), minio) as started:
            yield started


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    """A proxy before the server."""
    with proxying(server.port) as started:
        yield started


@dataclass
class S3Home(Home):
    """A home whose settings lead to a bucket of its own."""

    settings: dict[str, str]

    @property
    def environ(self) -> dict[str, str]:
        """As a CI job has it."""
        return {**super().environ, **self.settings}

    def put_document(self, name: str, data: bytes) -> Path:
        """A document as `collect` would have left it."""
        self.telemetry.mkdir(mode=0o700, exist_ok=True)
        path = self.telemetry / name
        path.write_bytes(data)
        return path

    def waiting(self) -> list[str]:
        """The outbox."""
        return sorted(path.name for path in (self.path / ".local/state/buildtel/outbox").glob("[0-9]*"))


@pytest.fixture
def home(tmp_path: Path, server: Server, proxy: Proxy) -> S3Home:
    """A home that reaches the server by way of the proxy."""
    settings = server.environ(server.new_bucket(), MINIO_ENDPOINT=proxy.endpoint, BUILDTEL_STORE_TIMEOUT_S="20")
    return S3Home(tmp_path, settings)
