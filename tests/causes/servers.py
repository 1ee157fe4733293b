"""Servers of the far side of the line: those that answer nobody, and one of HTTP that sends fast or slowly."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

DNS_PORT = 53
SLOW_BYTES, SLOW_EVERY_S = 10_000, 0.2


class _Web(BaseHTTPRequestHandler):
    """`GET /fast` and `GET /slow` send without end, a POST or PUT is read to its end."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Send until the client has enough."""
        is_slow = self.path == "/slow"
        block = bytes(SLOW_BYTES if is_slow else 1 << 16)
        self.send_response(200)
        self.send_header("Content-Length", str(1 << 40))
        self.end_headers()
        try:
            while True:
                self.wfile.write(block)
                time.sleep(SLOW_EVERY_S if is_slow else 0)
        except OSError:
            self.close_connection = True

    def do_POST(self) -> None:
        """Read all that the client sends."""
        try:
            while self.rfile.read(1 << 16):
                pass
        except OSError:
            pass
        self.close_connection = True

    do_PUT = do_POST

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def servers(folder: Path, address: str) -> Iterator[dict[str, str]]:
    """The ports of servers, by the names of the variables by which programs know them.

    `FULL` drops who wants to connect, `MUTE` takes connections and says nothing, `WEB` speaks HTTP. `mute.sock` in the
    folder is a mute local server, and nobody answers what is sent to the port of name servers.
    """
    with ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind((address, 0))
        full.listen(0)
        for _ in range(4):  # what its queue has room for, and more
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        mute = stack.enter_context(socket.socket())
        mute.bind((address, 0))
        mute.listen(50)
        local = stack.enter_context(socket.socket(socket.AF_UNIX))
        local.bind(str(folder / "mute.sock"))
        local.listen(50)
        names = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        names.bind((address, DNS_PORT))
        web = stack.enter_context(ThreadingHTTPServer((address, 0), _Web))
        web.daemon_threads = True
        threading.Thread(target=web.serve_forever, daemon=True).start()
        stack.callback(web.shutdown)
        yield {
            "FULL": str(full.getsockname()[1]), "MUTE": str(mute.getsockname()[1]), "WEB": str(web.server_address[1]),
        }  # fmt: skip
