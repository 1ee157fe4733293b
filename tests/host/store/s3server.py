"""SeaweedFS as a test's S3 server, and clients of it."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from buildtel.settings import S3Place
from buildtel.store import StoreError
from buildtel.store.s3 import S3Store

ACCESS, SECRET = "tester", "a-secret-of-the-tests"
NO_LIST = ("nolist", "another-secret")
READ_ONLY = ("reader", "third-secret")
SOCKETS = Path("/tmp")  # wherever TMPDIR is
START_S = 60
ENVIRON = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}  # fmt: skip  # noqa: E501


@dataclass
class Server:
    """Where the server listens; makes buckets. `has_users` tells whether NO_LIST and READ_ONLY are known to it."""

    has_users = True
    port: int
    filer_port: int
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def endpoint(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.port}"

    def place(self, bucket: str, **changed: Any) -> S3Place:
        """The settings that lead to a bucket."""
        place = S3Place(bucket, self.endpoint, access_key=ACCESS, secret_key=SECRET, timeout_s=20)
        return replace(place, **changed)

    def new_bucket(self) -> str:
        """The name of a bucket made for the caller."""
        name = f"bucket-{next(self._numbers)}"
        S3Store(self.place(name))._client.create_bucket(Bucket=name)
        return name

    def environ(self, bucket: str, **changed: str) -> dict[str, str]:
        """The environment that a CI job would set."""
        said = {"MINIO_ENDPOINT": self.endpoint, "TELEMETRY_BUCKET": bucket, "MINIO_ACCESS_KEY": ACCESS}
        return {**ENVIRON, **said, "MINIO_SECRET_KEY": SECRET, **changed}

    def seed(self, bucket: str, keys: list[str]) -> None:
        """Empty objects, put by the server's own back door: ten times as fast as by S3."""
        connection = HTTPConnection("127.0.0.1", self.filer_port, timeout=30)
        for key in keys:
            connection.request("PUT", f"/buckets/{bucket}/{key}", b"")
            answer = connection.getresponse()
            answer.read()
            assert answer.status in (200, 201), (key, answer.status)
        connection.close()


def free_ports(number: int) -> list[int]:
    """Ports that nobody holds now, nor those 10,000 above them, where the server has its gRPC.

    They lie below those that the kernel gives out by itself.
    """
    start = 14000 + os.getpid() % 7000
    found = [port for port in range(start, start + 1000) if _free(port) and _free(port + 10000)]
    assert len(found) >= number, "no free ports"
    return found[:number]


def _free(port: int) -> bool:
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """A server with its data in `folder`, ready for requests."""
    keys = folder / "keys.json"
    keys.write_text(json.dumps({"identities": [
        {"name": "tester", "credentials": [{"accessKey": ACCESS, "secretKey": SECRET}],
         "actions": ["Admin", "Read", "Write", "List"]},
        {"name": "nolist", "credentials": [{"accessKey": NO_LIST[0], "secretKey": NO_LIST[1]}],
         "actions": ["Read", "Write"]},
        {"name": "reader", "credentials": [{"accessKey": READ_ONLY[0], "secretKey": READ_ONLY[1]}],
         "actions": ["Read", "List"]},
    ]}))  # fmt: skip
    ports = free_ports(5)
    names = ["s3.port", "filer.port", "master.port", "volume.port", "admin.port"]
    flags = [f"-{name}={port}" for name, port in zip(names, ports, strict=True)]
    weed = shutil.which("weed", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert weed, "no weed: install the test dependencies"
    command = [
        weed, "mini", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", *flags, f"-s3.config={keys}",
        "-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.autoCreateBucket=false", "-webdav=false",
        "-admin.ui=false", "-master.telemetry=false",
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder)}
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=environ)
    try:
        server = Server(ports[0], ports[1])
        wait_until_ready(server, process, folder / "log")
        yield server
    finally:
        process.kill()
        process.wait()
        for port in (port + more for port in ports for more in (0, 10000)):
            for left in SOCKETS.glob(f"seaweedfs-*-{port}.sock"):
                left.unlink()


def wait_until_ready(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the server stores what it is given; fail if it ends, or is not ready in `START_S`."""
    until_s = time.monotonic() + START_S
    while True:
        assert process.poll() is None and time.monotonic() < until_s, log.read_text()[-3000:]
        try:
            S3Store(server.place(server.new_bucket())).put_new("ready", b"yes")
            return
        except (StoreError, BotoCoreError, ClientError):
            time.sleep(0.1)
