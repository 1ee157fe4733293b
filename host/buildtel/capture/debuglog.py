"""What Packer's debug log says of provisioners, read while it is written and shown to nobody.

`[INFO] (telemetry) Starting provisioner shell` and `ending shell` stand only there, and only in a Packer that
reports to its maker (`CHECKPOINT_DISABLE` is unset, or 0): that is never switched on for our sake.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

STAMP_BYTES = len("2026/01/24 12:00:00 ")
TELLING = (b"[INFO] (telemetry) ", b"[INFO] Packer version: ", b"Packer version: ", b"Starting build run: ")
MOST_BYTES = 8 << 20
EVERY_S = 0.1


class DebugLog:
    """The debug log of the Packer that is about to start: the user's, or one of ours that is removed again.

    `environ` is what Packer needs to write it. There is none (`path` is empty) where it would say nothing, or
    goes to standard error because the user wants to see it, or is switched off by the user (`PACKER_LOG=0`).
    """

    def __init__(self, environ: Mapping[str, str], own_path: str) -> None:
        self.environ: dict[str, str] = {}
        self.path = environ.get("PACKER_LOG_PATH", "")
        self._own = not self.path and "PACKER_LOG" not in environ and not _is_set(environ, "CHECKPOINT_DISABLE")
        if self._own:
            self.path = own_path
            self.environ = {"PACKER_LOG": "1", "PACKER_LOG_PATH": own_path}
        self._read_bytes = 0 if self._own else _size(self.path)
        self._rest = b""

    def news(self) -> bytes:
        """The whole lines that tell something and were written since the last call."""
        size = _size(self.path) if self.path else 0
        if size < self._read_bytes:  # Packer begins it anew
            self._read_bytes, self._rest = 0, b""
        if size == self._read_bytes:
            return b""
        try:
            with open(self.path, "rb") as file:
                file.seek(self._read_bytes)
                data = file.read(MOST_BYTES)
        except OSError:
            return b""
        self._read_bytes += len(data)
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()[-MOST_BYTES:]
        return b"".join([line + b"\n" for line in lines if line.startswith(TELLING, STAMP_BYTES)])

    def remove(self) -> None:
        """Remove it, if it is ours."""
        if self._own:
            try:
                os.unlink(self.path)
            except OSError:
                return


def _is_set(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "") not in ("", "0")


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
