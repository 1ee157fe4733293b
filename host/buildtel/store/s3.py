"""A store in a bucket of S3, MinIO or SeaweedFS; the only user of boto3."""

from __future__ import annotations

import base64
import hashlib
import time
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import boto3
from boto3.exceptions import PythonDeprecationWarning
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, SSLError

from buildtel.store import s3_words
from buildtel.store.contract import Stored, StoreError, StoreUnavailable, check_key

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from types_boto3_s3 import S3Client

    from buildtel.settings import S3Place

CONNECT_S = 5.0
READ_S = 30.0
PAGE = 1000
CHUNK = 64 * 1024
AWS = ".amazonaws."
OWN_PREFIX = ".buildtel/"
PROBE = OWN_PREFIX + "probe"
NO_VERSION = '"00000000000000000000000000000000"'
PAGE_TYPE = "text/html; charset=utf-8"  # so that a browser shows it
DIGEST = "sha256"

Condition = Literal["IfNoneMatch", "IfMatch"]


class S3Store:
    """Keys are objects of one bucket. One request an operation; nothing is repeated here.

    Writes are conditional (RFC 9110 `If-None-Match: *`, `If-Match`). A server other than AWS is
    asked once, by a write to a key of our own, whether it heeds that; where it does not, writes
    look first and `caveat` says so. Each object carries its SHA-256 as metadata, checked on reading.

    Raises:
        StoreError: the settings can't make a client.
    """

    def __init__(self, place: S3Place) -> None:
        self._place = place
        with self._explained("read"):
            self._client = _client(place)
            told = self._client.meta.endpoint_url
            if place.endpoint is None and AWS not in told:  # by the AWS profile
                self._place = replace(place, endpoint=told)
                self._client = _client(self._place)
        self._heeds: dict[Condition, bool] = {} if self._place.endpoint else {"IfNoneMatch": True, "IfMatch": True}

    def put_new(self, key: str, data: bytes) -> bool:
        """See Store."""
        return self._put(check_key(key), data, "IfNoneMatch", "*")

    def replace(self, key: str, data: bytes, version: str | None) -> bool:
        """See Store."""
        if version is None:
            return self.put_new(key, data)
        return self._put(check_key(key), data, "IfMatch", version)

    def get(self, key: str) -> Stored | None:
        """See Store."""
        with self._explained("read"):
            try:
                answer = self._client.get_object(Bucket=self._place.bucket, Key=check_key(key))
            except ClientError as error:
                if _code(error) == "NoSuchKey":
                    return None
                raise
            with closing(answer["Body"]) as body:
                data = self._read(body)
        told = answer["Metadata"].get(DIGEST)
        if len(data) != answer["ContentLength"] or told not in (None, hashlib.sha256(data).hexdigest()):
            raise StoreUnavailable(f"{self.address()}: {key} came damaged or cut off")
        return Stored(data, answer["ETag"])

    def delete(self, key: str) -> None:
        """See Store."""
        with self._explained("remove"):
            self._client.delete_object(Bucket=self._place.bucket, Key=check_key(key))

    def list(self, prefix: str, start_after: str = "", limit: int = 1000) -> list[str]:
        """See Store; one request for each 1,000 keys."""
        keys: list[str] = []
        more = True
        while more and len(keys) < limit:
            with self._explained("list"):
                answer = self._client.list_objects_v2(
                    Bucket=self._place.bucket,
                    Prefix=prefix,
                    StartAfter=start_after,
                    MaxKeys=min(limit - len(keys), PAGE),
                )
            found = [entry["Key"] for entry in answer.get("Contents", [])]
            keys += [key for key in found if not key.startswith(OWN_PREFIX)]
            more = answer["IsTruncated"] and bool(found)
            start_after = found[-1] if found else ""
        return keys

    def address(self) -> str:
        """See Store."""
        return f"s3://{self._place.bucket}" + (f" at {self._place.endpoint}" if self._place.endpoint else "")

    def caveat(self) -> str:
        """See Store."""
        if all(self._heeds.values()):
            return ""
        return f"{self.address()} has no conditional writes: of two uploads at the same moment one may be lost"

    def _read(self, body: StreamingBody) -> bytes:
        """The whole of a body; one that only drips is given up."""
        until_s = time.monotonic() + self._place.timeout_s
        chunks = []
        for chunk in body.iter_chunks(CHUNK):
            chunks.append(chunk)
            if time.monotonic() > until_s:
                raise StoreUnavailable(f"{self.address()}: it is too slow to answer")
        return b"".join(chunks)

    def _put(self, key: str, data: bytes, condition: Condition, value: str) -> bool:
        if self._heeded(condition):
            return self._write(key, data, {condition: value})
        stored = self.get(key)
        if (stored.version if stored else "*") != value:
            return False
        return self._write(key, data, {})

    def _heeded(self, condition: Condition) -> bool:
        """Whether the server heeds a condition: found out by writes that it would have to refuse."""
        if condition not in self._heeds:
            self._heeds[condition] = self._found_heeding(condition)
        return self._heeds[condition]

    def _found_heeding(self, condition: Condition) -> bool:
        value = {"IfNoneMatch": "*", "IfMatch": NO_VERSION}[condition]
        try:
            return not self._write(PROBE, b"", {condition: value}) or (
                condition == "IfNoneMatch" and not self._write(PROBE, b"", {condition: value})
            )
        except _NotImplementedThereError:
            return False

    def _write(self, key: str, data: bytes, conditions: dict[str, str]) -> bool:
        """True if written, False if a condition was not met."""
        more: dict[str, Any] = {**conditions, **({"ContentType": PAGE_TYPE} if key.endswith(".html") else {})}
        with self._explained("write"):
            try:
                self._client.put_object(
                    Bucket=self._place.bucket,
                    Key=key,
                    Body=data,
                    ContentMD5=base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode(),
                    Metadata={DIGEST: hashlib.sha256(data).hexdigest()},
                    **more,
                )
            except ClientError as error:
                if _status(error) == 412 or (_code(error) == "NoSuchKey" and conditions):
                    return False
                raise
        return True

    @contextmanager
    def _explained(self, verb: str) -> Iterator[None]:
        """Botocore's exceptions as ours, their text never repeated: it can hold what is secret."""
        try:
            yield
        except ClientError as error:
            raise self._refused(_code(error), _status(error), verb) from None
        except SSLError as error:
            raise StoreError(f"{self.address()}: {s3_words.certificate(str(error))}") from None
        except (BotoCoreError, ValueError, OSError) as error:
            raise self._failed(error) from None

    def _refused(self, code: str, status: int, verb: str) -> StoreError:
        text = f"{self.address()}: {s3_words.refusal(code, status, verb, self._place.bucket)}"
        if status == 501 or code == "NotImplemented":
            return _NotImplementedThereError(text)
        return StoreUnavailable(text) if s3_words.passes(code, status) else StoreError(text)

    def _failed(self, error: Exception) -> StoreError:
        names = [kind.__name__ for kind in type(error).__mro__]
        for table, kind in ((s3_words.FAILURES, StoreError), (s3_words.LOST, StoreUnavailable)):
            for name in names:
                if name in table:
                    return kind(f"{self.address()}: {table[name]}")
        if isinstance(error, OSError) or "HTTPClientError" in names:
            return StoreUnavailable(f"{self.address()}: the connection broke ({names[0]})")
        return StoreError(f"{self.address()}: bad settings ({names[0]}). Check endpoint, bucket and region")


class _NotImplementedThereError(StoreError):
    """The server says that it does not know what was asked of it."""


def _client(place: S3Place) -> S3Client:
    config = Config(
        connect_timeout=min(CONNECT_S, place.timeout_s),
        read_timeout=min(READ_S, place.timeout_s),
        retries={"total_max_attempts": 1},
        user_agent_extra="buildtel",
        **(_for_other_servers() if place.endpoint else {}),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PythonDeprecationWarning)
        session = boto3.session.Session(profile_name=place.profile, region_name=place.region)
        return session.client(
            "s3",
            endpoint_url=place.endpoint,
            region_name=session.region_name or "us-east-1",
            aws_access_key_id=place.access_key,
            aws_secret_access_key=place.secret_key,
            verify=place.ca_bundle,
            config=config,
        )


def _for_other_servers() -> dict[str, Any]:
    """What servers other than AWS may not know is not used: a host for each bucket, checksums by trailer."""
    return {
        "s3": {"addressing_style": "path"},
        "request_checksum_calculation": "when_required",
        "response_checksum_validation": "when_required",
    }


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _status(error: Any) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
