"""Most lines of a log say nothing that we read: cheap tests that tell so before any line is taken apart."""

from __future__ import annotations

import re
from collections.abc import Iterable

from buildtel.parse.phases import PHASE_STARTS
from buildtel.parse.provisioners import PROVISIONER_STARTS

START_BYTES = 6
_STARTS = PHASE_STARTS | PROVISIONER_STARTS | {b"BUILDT", b"Connec", b"Settin", b"Cancel", b"[c] Cl"}
_BEFORE = rb"[\x1b\[0-9;mTZ:.,/+ -]{0,60}(?:ui(?: error)?: |ui,[a-z]+,)?[\x1b\[0-9;mTZ:.+ -]{0,40}(?:==> |    )"
_DEBUG = re.compile(rb"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d (?!ui(?: error)?:|\[INFO\] |Packer |Starting build|\d{9})")
_NOTHING = re.compile(rb"(?!)")


class Skipper:
    """Knows which lines are boring as long as no event waits for more of its text."""

    def __init__(self) -> None:
        self._known = _NOTHING

    def know(self, names: Iterable[bytes]) -> None:
        """Take the names of the builds whose lines may be passed over."""
        words = b"|".join(re.escape(name) for name in names)
        self._known = re.compile(_BEFORE + rb"(?:" + words + rb"): ") if words else _NOTHING

    def boring(self, line: bytes) -> bool:
        """Whether the line surely holds nothing: output of a known build, a debug line, another program."""
        if not line:
            return True
        if b"BUILDTEL" in line or b"\x00" in line:
            return False
        found = self._known.match(line)
        if found:
            end = found.end()
            if line[end : end + START_BYTES] in _STARTS:
                return False
            return b"\\n" not in line and line.find(b"\r", end, -1) < 0
        return _DEBUG.match(line) is not None or not _telling(line)


def _telling(line: bytes) -> bool:
    return (
        b"==>" in line
        or b"    " in line
        or b"-->" in line
        or b"uild" in line
        or b"output will be" in line
        or b"(telemetry)" in line
        or b"acker v" in line
        or b"acker V" in line
    )
