"""The store away, slow, full, refusing, or breaking off: one clear line each, and nothing lost."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from buildtel.store import Store, StoreError, StoreUnavailable
from buildtel.store.retry import Retrying
from buildtel.store.s3 import S3Store

from . import proxy as faults
from .conftest import S3Home
from .proxy import Proxy, proxying
from .s3server import ACCESS, NO_LIST, READ_ONLY, SECRET, Server
from .test_delivery import document

BROKEN = [faults.CUT_REQUEST, faults.CUT_ANSWER, faults.LOSE_ANSWER, faults.UNAVAILABLE]
BODY = bytes(range(256)) * 400


class Once:
    """A fault that happens to the first request of a kind."""

    def __init__(self, kind: str, fault: str) -> None:
        self.kind, self.fault = kind, fault

    def __call__(self, kind: str, path: str) -> str | None:
        """The fault, once; our own probe of the server is left alone."""
        if kind != self.kind or ".buildtel" in path:
            return None
        done, self.fault = self.fault, ""
        return done or None


@pytest.fixture
def stores(server: Server, proxy: Proxy) -> tuple[S3Store, Store]:
    """The store through the proxy without and with repetition."""
    store = S3Store(server.place(server.new_bucket(), endpoint=proxy.endpoint, timeout_s=1))
    store.put_new("there", BODY)
    return store, Retrying(store, sleep=lambda _: None)


@pytest.mark.parametrize("fault", [*BROKEN, faults.SLOW])
def test_a_write_that_broke_off_is_repeated_and_done_once(
    stores: tuple[S3Store, Store], proxy: Proxy, fault: str
) -> None:
    """Whether the server got it or not, the writer is told that it wrote, and the value is whole."""
    _, store = stores
    proxy.fault = Once("PUT", fault)

    assert store.put_new("k", BODY)
    assert proxy.fault.fault == "" or fault is faults.CUT_ANSWER
    assert not store.put_new("k", b"other")
    found = store.get("k")
    assert found is not None and found.data == BODY


@pytest.mark.parametrize("fault", [*BROKEN, faults.SLOW])
@pytest.mark.parametrize("kind", ["GET", "LIST"])
def test_a_read_that_broke_off_is_an_error_and_never_a_part(
    stores: tuple[S3Store, Store], proxy: Proxy, kind: str, fault: str
) -> None:
    """Unrepeated it is an error, repeated it is the whole."""
    once, store = stores
    proxy.fault = lambda asked, _: fault if asked == kind else None
    with pytest.raises(StoreUnavailable):
        _ = once.get("there") if kind == "GET" else once.list("")

    proxy.fault = Once(kind, fault)
    found = store.get("there")
    assert found is not None and found.data == BODY
    assert store.list("") == ["there"]


def test_repetition_ends(stores: tuple[S3Store, Store], proxy: Proxy) -> None:
    """Five tries, then the error."""
    _, store = stores
    proxy.fault = lambda *_: faults.UNAVAILABLE
    proxy.seen.clear()

    with pytest.raises(StoreUnavailable, match=r"SlowDown \(HTTP 503\)"):
        store.get("there")
    assert proxy.counts() == {"GET": 5}


def test_a_refusal_is_not_repeated(stores: tuple[S3Store, Store], proxy: Proxy) -> None:
    """What can't get better by waiting is asked for once."""
    _, store = stores
    proxy.fault = lambda *_: faults.REFUSE
    proxy.seen.clear()

    with pytest.raises(StoreError, match="may not read"):
        store.get("there")
    assert proxy.counts() == {"GET": 1}


def test_a_server_without_conditional_writes_is_found_out(server: Server) -> None:
    """Where the conditions are not heeded, writes look first, and the user is told what that costs."""
    store = S3Store(server.place(server.new_bucket()))

    def forget(request: Any, **_: Any) -> None:
        del request.headers["If-None-Match"]
        del request.headers["If-Match"]

    store._client.meta.events.register("before-sign.s3.PutObject", forget)

    assert store.put_new("k", b"1") and not store.put_new("k", b"2")
    first = store.get("k")
    assert first is not None and first.data == b"1"
    assert not store.replace("k", b"3", "wrong") and store.replace("k", b"3", first.version)
    assert not store.replace("missing", b"3", first.version)
    assert "has no conditional writes" in store.caveat()


# --- the command --------------------------------------------------------------------------------


def only_line(done: subprocess.CompletedProcess[bytes]) -> str:
    """The one line that a failed upload is."""
    (line,) = done.stderr.decode().splitlines()
    assert (done.returncode, done.stdout) == (1, b"")
    assert line.startswith("buildtel-host: ") and SECRET not in line and ACCESS not in line
    return line


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


MISTAKES = {
    "wrong access key": ({"MINIO_ACCESS_KEY": "nobody"}, "does not know the access key. Check MINIO_ACCESS_KEY"),
    "wrong secret key": ({"MINIO_SECRET_KEY": "wrong"}, "refuses the secret key. Check MINIO_ACCESS_KEY"),
    "wrong bucket": ({"TELEMETRY_BUCKET": "not-there"}, "no bucket 'not-there'. Make it, or set TELEMETRY_BUCKET"),
    "no keys": ({"MINIO_ACCESS_KEY": "", "MINIO_SECRET_KEY": ""}, "no credentials. Set MINIO_ACCESS_KEY"),
    "no right to write": (
        {"MINIO_ACCESS_KEY": READ_ONLY[0], "MINIO_SECRET_KEY": READ_ONLY[1]}, "may not write in bucket",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("settings", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_wrong_setting_is_one_line_and_the_document_waits(
    home: S3Home, server: Server, settings: dict[str, str], said: str
) -> None:
    """It waits in the outbox, also if it vanishes where it was, and goes when the setting is right."""
    if settings.get("MINIO_ACCESS_KEY") == READ_ONLY[0] and not server.has_users:
        pytest.skip("this server has one user")
    path = home.put_document("a.json", document())
    line = only_line(home.run("upload", **settings))
    assert said in line and "1 document waits in " in line

    path.unlink()
    done = home.run("upload", "--redirect")
    assert (done.returncode, done.stdout) == (0, b"0.10.2/20260124_120000/build_20260124_120000.json\n")
    assert home.waiting() == []


AWAY = {
    "refused": None,
    "slow": faults.SLOW,
    "full": faults.FULL,
    "503": faults.UNAVAILABLE,
    "cut in the body": faults.CUT_REQUEST,
    "cut after the body": faults.LOSE_ANSWER,
}
SAID = {"refused": "can't be reached", "slow": "too slow", "full": "disks are full", "503": "HTTP 503"}


@pytest.mark.parametrize("name", AWAY)
def test_what_could_not_be_delivered_goes_next_time_once_and_in_order(
    home: S3Home, proxy: Proxy, server: Server, name: str
) -> None:
    """Two documents wait while the store is away; the next upload delivers them before a third."""
    for number in (1, 2):
        home.put_document(f"{number}.json", document(f"v{number}"))
    gone = AWAY[name]
    endpoint = proxy.endpoint if gone else f"http://127.0.0.1:{closed_port()}"
    proxy.fault = lambda *_: gone
    line = only_line(home.run("upload", MINIO_ENDPOINT=endpoint, BUILDTEL_STORE_TIMEOUT_S="1"))
    assert SAID.get(name, "") in line and "2 documents wait in " in line
    assert [entry.partition("_")[0] for entry in home.waiting()] == ["000000001", "000000002"]

    proxy.fault = lambda *_: None
    home.put_document("0.json", document("v3"))
    done = home.run("upload", *(["--redirect"] if gone is None else []))
    assert [line.partition("/")[0] for line in done.stdout.decode().splitlines()] == ["v1", "v2", "v3"]
    again = home.run("upload")
    assert (done.returncode, again.returncode, again.stdout, home.waiting()) == (0, 0, b"", [])
    store = S3Store(server.place(home.settings["TELEMETRY_BUCKET"]))
    assert len(store.list("index/build/")) == 3


def test_what_waits_for_another_store_stays_and_is_told(home: S3Home, tmp_path: Path) -> None:
    """A document goes to the store it was meant for, unless the user says otherwise."""
    path = home.put_document("a.json", document())
    only_line(home.run("upload", str(path), TELEMETRY_BUCKET="not-there"))
    path.unlink()
    done = home.run("upload")

    assert (done.returncode, done.stdout, len(home.waiting())) == (0, b"", 1)
    assert b"1 document waits in " in done.stderr and b"for another store" in done.stderr


def test_without_the_right_to_list_uploads_go_and_reports_say_why(home: S3Home, server: Server) -> None:
    """403 on a list, not on a put."""
    if not server.has_users:
        pytest.skip("this server has one user")
    home.put_document("a.json", document())
    keys = {"MINIO_ACCESS_KEY": NO_LIST[0], "MINIO_SECRET_KEY": NO_LIST[1]}

    assert home.run("upload", **keys).returncode == 0
    assert "may not list in bucket" in only_line(home.run("report", **keys))
    assert home.run("report").returncode == 0


@pytest.mark.parametrize("word", ["upload", "report"])
@pytest.mark.parametrize("endpoint", ["minio:9000", "ftp://x", f"http://{ACCESS}:{SECRET}@127.0.0.1:1", "http://[::1"])
def test_an_endpoint_that_is_none_is_one_line_without_what_it_holds(home: S3Home, word: str, endpoint: str) -> None:
    """Wrong usage; a password in the address is not repeated."""
    done = home.run(word, MINIO_ENDPOINT=endpoint)
    (line,) = done.stderr.decode().splitlines()

    assert done.returncode == 2 and "endpoint" in line and SECRET not in line


# --- TLS ----------------------------------------------------------------------------------------


def certificate(folder: Path, *options: str) -> tuple[Path, ssl.SSLContext]:
    """A self-signed certificate for 127.0.0.1, and a server's context with it."""
    key, made = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", made,
         "-subj", "/CN=store", "-addext", "subjectAltName=IP:127.0.0.1", *options],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    return made, context


def expired(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """One whose time is over."""
    (folder / "index").touch()
    (folder / "ca.cnf").write_text(
        f"[ca]\ndefault_ca=d\n[d]\ndatabase={folder}/index\nnew_certs_dir={folder}\nrand_serial=yes\n"
        "default_md=sha256\npolicy=p\nx509_extensions=e\n[p]\ncommonName=supplied\n[e]\nsubjectAltName=IP:127.0.0.1\n"
    )
    key, asked, made = folder / "key.pem", folder / "asked.pem", folder / "cert.pem"
    common = {"check": True, "capture_output": True}
    subprocess.run(
        ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", asked, "-subj", "/CN=store"],
        **common,
    )
    subprocess.run(
        ["openssl", "ca", "-batch", "-selfsign", "-config", folder / "ca.cnf", "-in", asked, "-out", made,
         "-keyfile", key, "-startdate", "20200101000000Z", "-enddate", "20200102000000Z", "-notext"],
        **common,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    return made, context


def test_an_expired_certificate_is_said(home: S3Home, server: Server, tmp_path: Path) -> None:
    """One line with the reason; the document waits."""
    authority, context = expired(tmp_path)
    home.put_document("a.json", document())
    with proxying(server.port, context) as secure:
        line = only_line(home.run("upload", MINIO_ENDPOINT=secure.endpoint, AWS_CA_BUNDLE=str(authority)))

    assert "its TLS certificate has expired" in line and "1 document waits" in line
    assert secure.seen == []


def test_tls_is_verified_and_an_own_authority_can_be_named(home: S3Home, server: Server, tmp_path: Path) -> None:
    """An unknown certificate gets no request; the same one named in AWS_CA_BUNDLE is trusted."""
    authority, context = certificate(tmp_path)
    home.put_document("a.json", document())
    with proxying(server.port, context) as secure:
        line = only_line(home.run("upload", MINIO_ENDPOINT=secure.endpoint))
        assert "self-signed" in line and "AWS_CA_BUNDLE" in line and secure.seen == []
        assert home.run("upload", MINIO_ENDPOINT=secure.endpoint, AWS_CA_BUNDLE=str(authority)).returncode == 0


def test_credentials_are_nowhere(home: S3Home, proxy: Proxy, server: Server) -> None:
    """Neither what is printed, nor what is stored, nor what waits holds a key."""
    home.put_document("a.json", document())
    proxy.fault = lambda *_: faults.REFUSE
    said = home.run("upload")
    proxy.fault = lambda *_: None
    files = [path.read_bytes() for path in home.path.rglob("*") if path.is_file()]
    done = home.run("upload")
    store = S3Store(server.place(home.settings["TELEMETRY_BUCKET"]))
    stored = [found.data for key in store.list("") if (found := store.get(key))]

    assert len(stored) >= 3 and done.returncode == 0
    for data in [said.stderr, said.stdout, done.stdout, done.stderr, *files, *stored]:
        assert SECRET.encode() not in data and ACCESS.encode() not in data
    assert SECRET not in repr(server.place("x")) and os.environ.get("MINIO_SECRET_KEY") is None
