"""Reads Packer's debug log while Packer writes it, so that Packer keeps its own output.

The log has each message of Packer's, marked `ui:`, and where Packer may report to its maker (`CHECKPOINT_DISABLE` is
unset, or 0) also when provisioners begin and end: that is never switched on for our sake.

The log also holds values that Packer's output never shows (`environment_vars=["TOKEN=…"]`). So ours is a file in
memory without a name (memfd), which only this user may open and which is gone with its last process; what was read
is freed, and only Packer's words are kept, with the lines on uploads, downloads and tries to connect.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import re
import resource
import stat
from collections.abc import Callable, Mapping
from functools import cache

from buildtel.debug_lines import OF_PACKER, TELLS_OF_MACHINE, TELLS_OF_TRY

MEMORY, USERS_OWN = "debug log", "the user's debug log"
_STAMPED = re.compile(rb"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d ")
_WORD = re.compile(rb"ui(?: error)?: |\d{9,11},[^,]*,")
EVERY_S = 0.04
READ_BYTES = 1 << 20
LONGEST_BYTES = 8 << 20
FEWEST_FILES = 64  # a Packer that may open fewer has none to spare for its log
LEAST_NUMBER = 10  # scripts use the numbers below for themselves
_STAMP_BYTES = len("2026/01/24 12:00:00 ")
_PAGE_BYTES = 4096
_PUNCH_HOLE = 0x02 | 0x01  # FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, linux/falloc.h
_ELF = b"\x7fELF"


class DebugLog:
    """A debug log that can be read beside Packer; `kind` is None where there is none.

    `environ` is what Packer needs to write it, `inherited` the file that it must inherit, -1 for none. There is none
    where the user has the log on standard error, or switched off (`PACKER_LOG=0`), or in what is no regular file, and
    where `packer` is a script that can't write ours: `writes(environ, fd)` tries that.
    """

    def __init__(
        self, environ: Mapping[str, str], program: str, writes: Callable[[Mapping[str, str], int], bool]
    ) -> None:
        self.environ: dict[str, str] = {}
        self.inherited = -1
        self.kind: str | None = None
        self._fd = -1
        self._read_bytes = 0
        self._rest = b""
        self._is_word = False
        self.secrets: set[str] = set()
        self._path = environ.get("PACKER_LOG_PATH", "")
        asked = environ.get("PACKER_LOG", "")
        if self._path:
            if asked not in ("", "0") and _may_be_regular(self._path):
                self.kind, self._read_bytes = USERS_OWN, _size(self._path)
        elif not asked and self._open_own(program, writes):
            self.kind = MEMORY

    def _open_own(self, program: str, writes: Callable[[Mapping[str, str], int], bool]) -> bool:
        """Whether Packer will write into a file in memory: by the number that it inherits, else by ours in /proc."""
        if 0 <= resource.getrlimit(resource.RLIMIT_NOFILE)[0] < FEWEST_FILES:
            return False
        try:
            self._fd = _memory_file()
        except (OSError, AttributeError):
            return False
        for path, inherited in (
            (f"/dev/fd/{self._fd}", self._fd), (f"/proc/{os.getpid()}/fd/{self._fd}", -1),
        ):  # fmt: skip
            self.environ = {"PACKER_LOG": "1", "PACKER_LOG_PATH": path}
            self.inherited = inherited
            if os.path.exists(path) and (_is_packer(program) or self._is_written(writes)):
                return True
        self.close()
        self.environ, self.inherited = {}, -1
        return False

    def _is_written(self, writes: Callable[[Mapping[str, str], int], bool]) -> bool:
        written = writes(self.environ, self.inherited) and os.fstat(self._fd).st_size > 0
        os.ftruncate(self._fd, 0)
        return written

    def news(self) -> bytes:
        """Packer's words in the whole lines that were written since the last call; a part of them if there are many."""
        words = b""
        while not words:
            try:
                data = self._unread()
            except OSError:
                return b""
            if not data:
                return b""
            begun = self._rest + data.lstrip(b"\0")
            lines = begun.split(b"\n")
            self._rest = lines.pop()[-LONGEST_BYTES:]
            self._learn(begun[: begun.rfind(b"\n") + 1])
            words = b"".join([line + b"\n" for line in lines if self._is_told(line)])
        return words

    def tries(self) -> bytes:
        """As `news`, but only lines on tries to connect: the words come another way, and others not in their order."""
        lines = self.news().splitlines(keepends=True)
        return b"".join(line for line in lines if TELLS_OF_TRY.match(line, _STAMP_BYTES))

    def _learn(self, data: bytes) -> None:
        """Keep the secrets among the variables of a provisioner, so that the document hides them."""
        from buildtel.redact import MOST_VALUES, told  # noqa: PLC0415  # Packer's start does not wait for it

        if len(self.secrets) < MOST_VALUES:
            self.secrets.update(told(data))

    def _is_told(self, line: bytes) -> bool:
        """Whether a line is a word of Packer's; one without a stamp goes on with the line before."""
        if _STAMPED.match(line):
            self._is_word = bool(_WORD.match(line, _STAMP_BYTES))
            told = line.startswith(OF_PACKER, _STAMP_BYTES) or TELLS_OF_MACHINE.match(line, _STAMP_BYTES) is not None
            return self._is_word or told
        return self._is_word

    def _unread(self) -> bytes:
        fd = self._fd if self._fd >= 0 else os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = os.fstat(fd).st_size
            if size < self._read_bytes:  # Packer begins it anew
                self._read_bytes, self._rest = 0, b""
            if size > self._read_bytes and fd == self._fd:  # the rest of what another Packer cut is a hole
                self._read_bytes = os.lseek(fd, self._read_bytes, os.SEEK_DATA)
            data = os.pread(fd, READ_BYTES, self._read_bytes)
        finally:
            if fd != self._fd:
                os.close(fd)
        self._read_bytes += len(data)
        if data and fd == self._fd:
            _punch(fd, self._read_bytes // _PAGE_BYTES * _PAGE_BYTES)
        return data

    def close(self) -> None:
        """Let it go."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1


def _memory_file() -> int:
    """A file in memory, of a number that a script uses seldom.

    Raises:
        OSError: there is none, or it could not be freed while it grows.
    """
    low = os.memfd_create("buildtel-packer-log", os.MFD_CLOEXEC)
    try:
        os.ftruncate(low, _PAGE_BYTES)
        if not _punch(low, _PAGE_BYTES):
            raise OSError("no holes")
        os.ftruncate(low, 0)
        return fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, LEAST_NUMBER)
    finally:
        os.close(low)


def _punch(fd: int, length: int) -> bool:
    """Free the beginning of a file in memory; False if that can't be done. Source: fallocate(2)."""
    if not length:
        return True
    fallocate = _fallocate()
    return fallocate is not None and fallocate(fd, _PUNCH_HOLE, ctypes.c_int64(0), ctypes.c_int64(length)) == 0


@cache
def _fallocate() -> Callable[..., int] | None:
    """The C library's function; None where it has none."""
    try:
        return ctypes.CDLL(None, use_errno=True).fallocate
    except (OSError, AttributeError):
        return None


def _is_packer(path: str) -> bool:
    """Whether this is Packer itself: a script, or another program in its place, may close the files it inherits."""
    try:
        with open(path, "rb") as file:
            is_program = file.read(len(_ELF)) == _ELF
    except OSError:
        return False
    return is_program and os.path.basename(os.path.realpath(path)).startswith("packer")


def _may_be_regular(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return True  # Packer is about to make it


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
