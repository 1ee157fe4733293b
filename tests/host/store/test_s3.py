"""The S3 store against a real server: the contract, and what is S3's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from buildtel.settings import S3Place
from buildtel.store import Store, StoreError
from buildtel.store.s3 import S3Store

from .contract import StoreContract
from .proxy import Proxy
from .s3server import ACCESS, SECRET, Server


class TestS3Store(StoreContract):
    @pytest.fixture
    def store(self, server: Server) -> Store:
        """A bucket of its own."""
        return S3Store(server.place(server.new_bucket()))


def test_the_endpoint_of_a_profile_is_one(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Endpoint and keys of an AWS profile lead to the server as MINIO_ENDPOINT would."""
    (tmp_path / "config").write_text(
        f"[profile own]\nendpoint_url = {server.endpoint}\n"
        f"aws_access_key_id = {ACCESS}\naws_secret_access_key = {SECRET}\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    bucket = server.new_bucket()
    store = S3Store(S3Place(bucket, profile="own"))

    assert store.put_new("k", b"1")
    assert store.address() == f"s3://{bucket} at {server.endpoint}"


def test_aws_is_not_probed_and_keeps_a_host_for_each_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an endpoint the store is AWS, whose conditional writes are known."""
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    store = S3Store(S3Place("mine", region="eu-central-1", access_key="a", secret_key="b"))

    assert (store.address(), store.caveat(), store._heeded("IfMatch")) == ("s3://mine", "", True)
    assert "mine.s3." in store._client.generate_presigned_url("get_object", Params={"Bucket": "mine", "Key": "k"})


def test_a_profile_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence with the mend."""
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(StoreError, match="AWS_PROFILE names a profile that does not exist"):
        S3Store(S3Place("mine", profile="nobody"))


def test_a_thousand_keys_are_a_request(server: Server, proxy: Proxy) -> None:
    """And the keys of our own probe are not shown."""
    bucket = server.new_bucket()
    server.seed(bucket, [f"many/{number:05d}" for number in range(2001)])
    store = S3Store(server.place(bucket, endpoint=proxy.endpoint))
    store.put_new("a", b"")
    proxy.seen.clear()

    assert len(store.list("", limit=5000)) == 2002
    assert proxy.counts() == {"LIST": 3}
