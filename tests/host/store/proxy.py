"""A proxy before the S3 server that counts requests and does to them what a test asks for."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# What can be done to a request; None is nothing.
PASS = None
CUT_REQUEST = "the connection ends in the middle of the request's body: the server never sees it"
CUT_ANSWER = "the connection ends in the middle of the answer's body"
LOSE_ANSWER = "the server does it, and its answer is lost"
UNAVAILABLE = "503 in place of the server"
SLOW = "nothing is heard for longer than anybody waits"
FULL = "507: no space left"
REFUSE = "403 in place of the server"
SLOW_S = 3.0

Fault = Callable[[str, str], "str | None"]


@dataclass
class Proxy:
    """Its port, what it has seen, and `fault`: a request's method and path to what is done to it."""

    port: int
    scheme: str = "http"
    fault: Fault = lambda method, path: PASS
    seen: list[str] = field(default_factory=list)

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def counts(self) -> dict[str, int]:
        """How many requests of each kind came: LIST, GET, PUT and so on."""
        return {kind: self.seen.count(kind) for kind in set(self.seen)}


@contextmanager
def proxying(server_port: int, context: ssl.SSLContext | None = None) -> Iterator[Proxy]:
    """A proxy before the server, over TLS if there is a context."""

    class Handler(_Handler):
        pass

    listener = _Server(("127.0.0.1", 0), Handler)
    if context is not None:
        listener.socket = context.wrap_socket(listener.socket, server_side=True, do_handshake_on_connect=False)
    proxy = Proxy(listener.server_address[1], "https" if context else "http")
    Handler.proxy, Handler.server_port = proxy, server_port
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed, or does not trust us, is part of the play."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    proxy: Proxy
    server_port: int

    def _any(self) -> None:
        listed = self.command == "GET" and "list-type=2" in self.path
        self.proxy.seen.append("LIST" if listed else self.command)
        done = self.proxy.fault("LIST" if listed else self.command, self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length // 2 if done is CUT_REQUEST else length)
        if done is CUT_REQUEST:
            self._hang_up()
        elif done is SLOW:
            time.sleep(SLOW_S)
            self._hang_up()
        elif done in ANSWERS:
            self._answer(*ANSWERS[done])
        else:
            self._forward(body, done)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _any

    def _forward(self, body: bytes, done: str | None) -> None:
        connection = HTTPConnection("127.0.0.1", self.server_port, timeout=30)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() != "expect":
                connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        if done is LOSE_ANSWER:
            self._hang_up()
        else:
            self._pass_on(answer, data, done)

    def _pass_on(self, answer: HTTPResponse, data: bytes, done: str | None) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        if answer.status != 304:
            self.send_header("Content-Length", answer.getheader("Content-Length") or str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if done is CUT_ANSWER else data)
        if done is CUT_ANSWER:
            self._hang_up()

    def _answer(self, status: int, code: str) -> None:
        data = f"<Error><Code>{code}</Code><Message>by the proxy</Message></Error>".encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *words: object) -> None:
        """Say nothing."""


ANSWERS = {UNAVAILABLE: (503, "SlowDown"), FULL: (507, "XMinioStorageFull"), REFUSE: (403, "AccessDenied")}
