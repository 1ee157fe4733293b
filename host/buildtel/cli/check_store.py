"""The store: reached, entered, read, written, its clock, and whether it keeps uploads apart."""

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

from buildtel.cli.findings import fail, ok, warn
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
    """All that can be said of the store, one trial after the other until one says that the rest is futile."""
    yield ok("store", store.address())
    if isinstance(place, S3Place):
        yield from transport(place.endpoint)
        yield from clock(place)
    try:
        store.list("latest/", limit=1)
    except StoreUnavailable as error:
        yield fail("reachable", str(error), "check address, network and that the server runs; then `upload` again")
        return
    except StoreError as error:
        yield fail("may be listed", str(error), "reports need it; the line above says what to grant")
    else:
        yield ok("reachable", "it answers, takes the credentials, and may be listed")
    yield from writing(store)


def transport(endpoint: str | None) -> Iterable[Check]:
    """Whether keys and documents travel in the clear over a network."""
    parts = urlsplit(endpoint or AWS)
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        yield warn("encryption", "documents travel without TLS", "give the server a certificate and use https://")


def clock(place: S3Place) -> Iterable[Check]:
    """How far the server's clock is from this machine's; nothing if it does not say."""
    try:
        skew_s = _skew_s(place.endpoint or AWS, place.ca_bundle)
    except (OSError, ValueError, TypeError):
        return
    said, mend = f"the server's clock is {abs(skew_s):.0f} s {'ahead' if skew_s > 0 else 'behind'}", "set both by NTP"
    if abs(skew_s) > SKEW_FAIL_S:
        yield fail("clock", f"{said}: S3 refuses such requests", mend)
    elif abs(skew_s) > SKEW_WARN_S:
        yield warn("clock", said, mend)
    else:
        yield ok("clock", said)


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
    """A value of our own is written, written again, read and removed."""
    key = PROBES + secrets.token_hex(8)
    mend = "uploads need it; documents wait on this machine until they can be delivered"
    try:
        store.put_new(key, b"1")
        twice = store.put_new(key, b"2")
        wrong = store.replace(key, b"3", "0" * 32)
        read = store.get(key)
    except StoreError as error:
        yield fail("may be written", str(error), mend)
        return
    yield (
        ok("may be written", "a value was written and read")
        if read
        else fail("may be written", "what was written is not there", mend)
    )
    yield conditional(twice or wrong, store.caveat())
    try:
        store.delete(key)
    except StoreError as error:
        yield warn("may be pruned", str(error), "only `prune` needs it")
    else:
        yield ok("may be pruned", "a value was removed")


def conditional(overwritten: bool, caveat: str) -> Check:
    """Whether two uploads at the same moment are told apart."""
    about, mend = "conditional writes", "upload one at a time, or use a server that knows If-None-Match and If-Match"
    if overwritten or caveat:
        return warn(about, caveat or "what was written was overwritten", mend)
    return ok(about, "of two uploads at once neither is lost")
