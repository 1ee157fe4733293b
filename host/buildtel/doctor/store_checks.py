"""Checks of `doctor`: whether the store can be reached, read and written, and its clock."""

from __future__ import annotations

import secrets
import ssl
import time
from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from buildtel.report.view import Check
from buildtel.settings import S3Place
from buildtel.store import StoreError, StoreUnavailable

if TYPE_CHECKING:
    from buildtel.store import Store

PROBES = ".buildtel/doctor-"
AWS = "https://s3.amazonaws.com"
CLOCK_WAIT_S = 5
SKEW_WARN_S = 60
SKEW_FAIL_S = 900  # S3 refuses a request whose time is further off


def findings(store: Store, place: Path | S3Place) -> Iterable[Check]:
    """The checks of the store, in order; they end at the first failure that makes the rest pointless.

    Args:
        store: the store.
        place: its directory or bucket.
    """
    yield Check("ok", "store", store.address())
    if isinstance(place, S3Place):
        yield from transport(place.endpoint)
        yield from clock(place)
    try:
        store.list("latest/", limit=1)
    except StoreUnavailable as error:
        fix = "check the address, the network and the server; then run `upload` again"
        yield Check("fail", "reachable", str(error), fix)
        return
    except StoreError as error:
        yield Check("fail", "list access", str(error), "grant the access that the line above names; reports need it")
    else:
        yield Check("ok", "reachable", "the server answers, the credentials are valid, keys can be listed")
    yield from writing(store)


def transport(endpoint: str | None) -> Iterable[Check]:
    """Whether documents are sent over a network without encryption."""
    parts = urlsplit(endpoint or AWS)
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        fix = "install a certificate on the server and use https://"
        yield Check("warn", "encryption", "documents are sent without TLS", fix)


def clock(place: S3Place) -> Iterable[Check]:
    """The difference between the server's clock and this machine's; no check if the server sends no time."""
    try:
        skew_s = _skew_s(place.endpoint or AWS, place.ca_bundle)
    except (OSError, ValueError, TypeError):
        return
    said = f"the server's clock is {abs(skew_s):.0f} s {'ahead' if skew_s > 0 else 'behind'}"
    fix = "synchronize both with NTP"
    if abs(skew_s) > SKEW_FAIL_S:
        yield Check("fail", "clock", f"{said}: S3 rejects such requests", fix)
    elif abs(skew_s) > SKEW_WARN_S:
        yield Check("warn", "clock", said, fix)
    else:
        yield Check("ok", "clock", said)


def _skew_s(address: str, ca_bundle: str | None) -> float:
    request = Request(address, method="HEAD")
    context = ssl.create_default_context(cafile=ca_bundle) if address.startswith("https") else None
    before_s = time.time()
    try:
        with urlopen(request, timeout=CLOCK_WAIT_S, context=context) as answer:
            said = answer.headers["Date"]
    except HTTPError as error:
        said = error.headers["Date"]
        error.close()
    return parsedate_to_datetime(said).timestamp() - (before_s + time.time()) / 2


def writing(store: Store) -> Iterable[Check]:
    """Write access, concurrent uploads and delete access, tried with a key of our own."""
    key = PROBES + secrets.token_hex(8)
    fix = "grant write access; until then documents wait on this machine"
    try:
        store.put_new(key, b"1")
        twice = store.put_new(key, b"2")
        wrong = store.replace(key, b"3", "0" * 32)
        read = store.get(key)
    except StoreError as error:
        yield Check("fail", "write access", str(error), fix)
        return
    yield (
        Check("ok", "write access", "ok")
        if read
        else Check("fail", "write access", "a written value can't be read back", fix)
    )
    yield conditional(twice or wrong, store.caveat())
    try:
        store.delete(key)
    except StoreError as error:
        fix = "grant delete access if you use `prune`; nothing else needs it"
        yield Check("warn", "delete access", str(error), fix)
    else:
        yield Check("ok", "delete access", "ok")


def conditional(overwritten: bool, caveat: str) -> Check:
    """Whether two concurrent uploads keep both documents.

    Args:
        overwritten: a second write of the same key replaced the first.
        caveat: why the server may lose one of two documents, empty if it does not.
    """
    about, fix = "concurrent uploads", "upload one at a time, or use a server that supports If-None-Match and If-Match"
    if overwritten or caveat:
        return Check("warn", about, caveat or "the second upload replaced the first", fix)
    return Check("ok", about, "safe")
