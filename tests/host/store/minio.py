"""MinIO as a test's S3 server, where its program is found: `make minio` builds it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from buildtel.store.s3 import S3Store

from .s3server import ACCESS, SECRET, Server, free_ports, wait_until_ready

CACHE = Path(__file__).parents[3] / ".cache" / "bin"


class MinioServer(Server):
    """A MinIO; its other users could be made by its own administration protocol only."""

    has_users = False

    def seed(self, bucket: str, keys: list[str]) -> None:
        """Empty objects, put by S3: there is no back door."""
        client = S3Store(self.place(bucket))._client
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda key: client.put_object(Bucket=bucket, Key=key, Body=b""), keys))


def program() -> str | None:
    """The server's program, None if this machine has none."""
    return shutil.which("minio", path=f"{CACHE}:{os.environ['PATH']}")


@contextmanager
def running_minio(folder: Path, minio: str) -> Iterator[Server]:
    """A server with its data in `folder`, ready for requests."""
    port, console = free_ports(2)
    command = [minio, "server", "--address", f"127.0.0.1:{port}", "--console-address", f"127.0.0.1:{console}", folder]
    environ = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "MINIO_ROOT_USER": ACCESS, "MINIO_ROOT_PASSWORD": SECRET,
        "MINIO_BROWSER": "off", "MINIO_UPDATE": "off",
    }  # fmt: skip
    log = folder.parent / f"{folder.name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output, env=environ)
    try:
        server = MinioServer(port, port)
        wait_until_ready(server, process, log)
        yield server
    finally:
        process.kill()
        process.wait()
