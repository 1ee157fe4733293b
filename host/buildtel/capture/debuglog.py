"""What Packer's debug log says of provisioners and plugins, read while it is written and shown to nobody.

`[INFO] (telemetry) Starting provisioner shell` and `ending shell` stand only there, and only in a Packer that
reports to its maker (`CHECKPOINT_DISABLE` is unset, or 0): that is never switched on for our sake.

The log also holds values that Packer's output never shows (`environment_vars=["TOKEN=…"]`). So ours is a file in
memory without a name (memfd), which only this user may read and which is gone with its last process; what was read
is freed. Where that can't be had it is a file of mode 0600 in the telemetry folder, removed at the end.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
from collections.abc import Mapping

STAMP_BYTES = len("2026/01/24 12:00:00 ")
TELLING = (
    b"[INFO] (telemetry) ", b"[INFO] Packer version: ", b"Packer version: ", b"Starting build run: ",
    b"[INFO] Starting external plugin ",
)  # fmt: skip
MOST_BYTES = 8 << 20
EVERY_S = 0.1
SUFFIX = ".debug"
_PAGE_BYTES = 4096
_PUNCH_HOLE = 0x02 | 0x01  # FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, linux/falloc.h
_ELF = b"\x7fELF"


class DebugLog:
    """The debug log of the Packer that is about to start: the user's, or one of ours.

    `environ` is what Packer needs to write it, `inherited` the file that it must inherit, -1 for none. There is no
    log where it would say nothing, or goes to standard error because the user wants to see it, or is switched off by
    the user (`PACKER_LOG=0`).
    """

    def __init__(self, environ: Mapping[str, str], program: str, own_path: str) -> None:
        self.environ: dict[str, str] = {}
        self.inherited = -1
        self._fd = -1
        self._read_bytes = 0
        self._rest = b""
        self._own_path = ""
        self._path = environ.get("PACKER_LOG_PATH", "")
        if self._path:
            self._read_bytes = _size(self._path)
        elif "PACKER_LOG" not in environ and not _is_set(environ, "CHECKPOINT_DISABLE"):
            remove_stale(os.path.dirname(own_path))
            self._open_own(program, own_path)

    def _open_own(self, program: str, own_path: str) -> None:
        """A memfd for a Packer that is a program; a script may close or hide the files it inherits."""
        if _is_program(program) and _punch(self._memfd(), 0, _PAGE_BYTES):
            self.inherited = self._fd
            path = f"/dev/fd/{self._fd}"
        else:
            self._forget()
            self._fd = os.open(own_path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._fd, fcntl.LOCK_EX)  # says that we live
            self._own_path = path = own_path
        self.environ = {"PACKER_LOG": "1", "PACKER_LOG_PATH": path}

    def _memfd(self) -> int:
        try:
            self._fd = os.memfd_create("buildtel-packer-log", os.MFD_CLOEXEC)
            os.ftruncate(self._fd, _PAGE_BYTES)
        except (OSError, AttributeError):
            self._forget()
        return self._fd

    @property
    def is_kept(self) -> bool:
        """Whether there is a log to read."""
        return self._fd >= 0 or bool(self._path)

    def news(self) -> bytes:
        """The whole lines that tell something and were written since the last call."""
        try:
            data = self._unread()
        except OSError:
            return b""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()[-MOST_BYTES:]
        return b"".join([line + b"\n" for line in lines if line.startswith(TELLING, STAMP_BYTES)])

    def _unread(self) -> bytes:
        fd = self._fd if self._fd >= 0 else os.open(self._path, os.O_RDONLY | os.O_CLOEXEC) if self._path else -1
        if fd < 0:
            return b""
        try:
            size = os.fstat(fd).st_size
            if size < self._read_bytes:  # Packer begins it anew
                self._read_bytes, self._rest = 0, b""
            data = os.pread(fd, min(size - self._read_bytes, MOST_BYTES), self._read_bytes)
        finally:
            if fd != self._fd:
                os.close(fd)
        self._read_bytes += len(data)
        if self._fd >= 0:
            _punch(self._fd, 0, self._read_bytes // _PAGE_BYTES * _PAGE_BYTES)
        return data

    def remove(self) -> None:
        """Remove it, if it is ours."""
        if self._own_path:
            try:
                os.unlink(self._own_path)
            except OSError:
                self._own_path = ""
        self._forget()

    def _forget(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1


def remove_stale(folder: str) -> None:
    """Remove the debug logs in `folder` that a wrapper left when it was killed: nobody holds them locked."""
    try:
        names = [name for name in os.listdir(folder) if name.endswith(SUFFIX)]
    except OSError:
        return
    for name in names:
        path = f"{folder}/{name}"
        try:
            fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(path)
        except OSError:
            continue
        finally:
            os.close(fd)


def _punch(fd: int, start: int, length: int) -> bool:
    """Free this part of a file in memory; False if that can't be done. Source: fallocate(2)."""
    if fd < 0:
        return False
    if not length:
        return True
    try:
        fallocate = ctypes.CDLL(None, use_errno=True).fallocate
    except (OSError, AttributeError):
        return False
    done: int = fallocate(fd, _PUNCH_HOLE, ctypes.c_int64(start), ctypes.c_int64(length))
    return done == 0


def _is_program(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(len(_ELF)) == _ELF
    except OSError:
        return False


def _is_set(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "") not in ("", "0")


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
