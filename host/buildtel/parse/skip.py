"""Tests whether a single line can't give an event."""

from __future__ import annotations

import re
from collections.abc import Callable, Container

from buildtel.debug_lines import OF_MACHINE, SIGNS_OF_MACHINE
from buildtel.parse.output_signs import MAY_TELL, SIGN_FORMS, SIGN_STARTS
from buildtel.parse.phases import PHASE_SIGN, PHASE_STARTS
from buildtel.parse.provisioner_texts import PROVISIONER_STARTS
from buildtel.parse.units import UNIT_TEXTS

START_BYTES = 6
_OTHERS = (*UNIT_TEXTS, *SIGN_STARTS, b"BUILDTEL:", b"[c] Clean")
STARTS = PHASE_STARTS | PROVISIONER_STARTS | {text[:START_BYTES] for text in _OTHERS}
NAMED_LINE = re.compile(
    rb"[\x1b\[0-9;mTZ:.,/+ -]{0,60}(?:ui(?: error)?: |ui,[a-z]+,)?[\x1b\[0-9;mTZ:.+ -]{0,40}(?:==> |    )(.{1,300}?): "
)
DEBUG_LINE = (
    rb"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d "
    rb"(?!ui(?: error)?:|\[INFO\] |Packer |packer(?:\.exe)?: .{0,30}Packer version|Starting build|\d{9}|%s)"
) % OF_MACHINE
_DEBUG = re.compile(DEBUG_LINE)
# A line without any of these is not one of Packer's, or tells nothing.
PACKER_EVENTS = (
    *SIGNS_OF_MACHINE,
    b"==>", b"    ", b"-->", b"uild", b"output will be", b"(telemetry)", b"acker v", b"acker V",
    b"acker plugin installed", b"acker was read from", b"Error", b"Failed to ", b"validation failed",
)  # fmt: skip


class LineFilter:
    """Decides which lines can be skipped, while no event waits for more of its text.

    `names` are the builds whose lines can be skipped; the caller may change them. A name that contains a colon and a
    space never matches here, so all its lines are parsed. While `listens()` is true, every line in the form of
    Packer's own messages may start a phase. `heard_quiet` is called for a line with four spaces, which only Packer
    before 1.13 prints.
    """

    def __init__(
        self, names: Container[bytes], listens: Callable[[], bool], heard_quiet: Callable[[], None]
    ) -> None:
        self._names = names
        self._listens = listens
        self._heard_quiet = heard_quiet

    def can_skip(self, line: bytes, found: re.Match[bytes] | None) -> bool:
        """True if no event can come from this line: output of a known build, a debug line, another program's line.

        Args:
            line: the line without its newline.
            found: its match with `NAMED_LINE`.
        """
        if not line:
            return True
        if b"BUILDTEL" in line or b"\x00" in line:
            return False
        if found and found[1] in self._names:
            end = found.end()
            if line[end : end + START_BYTES] in STARTS or PHASE_SIGN in line:
                return False
            if (line[end : end + 1] in SIGN_FORMS or line.find(b": ", end) >= 0) and MAY_TELL.search(line, end - 2):
                return False
            if line.endswith(b"==> ", 0, found.start(1)):
                if self._listens():
                    return False
            elif not self._listens():
                self._heard_quiet()
            return b"\\n" not in line and line.find(b"\r", end, -1) < 0
        return _DEBUG.match(line) is not None or not any(text in line for text in PACKER_EVENTS)
