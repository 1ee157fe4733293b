"""Strips the prefixes of CI stamps, `-timestamp-ui`, `PACKER_LOG` and `-machine-readable`.

The forms are those of docs/packer-log.md. `strip_prefixes` is called for every line: one slice, few regexes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from buildtel.debug_lines import OF_PACKER, TELLS_OF_MACHINE

ANSI = re.compile(
    rb"\x1b\[(?:[0-9;]*<sensitive>)+[0-9;]*m"  # a colour with a secret of one digit taken out
    rb"|\x1b\[8mha:[^\x1b]*\x1b\[0m"  # a note of Jenkins
    rb"|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?"
)
_SCRUBBED_COLOUR = re.compile(rb"\x1b\[[0-9;]*<sensitive>")
_BARE_COLOUR = re.compile(rb"(?:\^\[|#033)?\[(?:0|[01];3[1-7])m")
_STAMP = re.compile(
    rb"(?:\xef\xbb\xbf|\xff\xfe)?(?:(?:#+|//|--|;|>|\*|\|)[ \t]*)?"
    rb"\[?(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?"
    rb"(Z| UTC| ?[+-]\d\d:?\d\d)?\]?(:)?(?: |$)"
)
_LOG = re.compile(
    rb"(\d{4})/(\d\d)/(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? (ui(?: error)?:(?: |$)|(?=\d{9,11},[^,]*,))?"
)
_OF_A_PROCESS = re.compile(rb"packer(?:\.exe)?: (?:\d{4}/\d\d/\d\d \d\d:\d\d:\d\d )?(?=\[INFO\] Packer version: )")
_OF_A_PROCESS_FIRST = re.compile(rb"packer(?:\.exe)?: (?=\d{4}/\d\d/\d\d \d\d:\d\d:\d\d )")
_MACHINE = re.compile(rb"(\d{9,11}),([^,]*),([^,]*),(.*)", re.S)
_AZURE = re.compile(rb"\[[0-9a-fA-F-]{36}\] PACKER(?: (?:OUT|ERR))?(?: |$)")
_TIME_ONLY = re.compile(rb"\[?\d\d:\d\d:\d\d(?:[.,]\d{1,6})?\]?(?:[WE]?:)?(?: :)? {1,2}(?=\S|    \S)")
_COMMENT = re.compile(
    rb"(?:#+|//+|;+|>|\*|\|)[ \t]?(?===> |--> |    [^ ]|Build '|\d{4}[-/]\d\d|\d{9},|.{1,300} output will be in)"
)
_SYSLOG = re.compile(rb"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (?:\S+ \S+\[\d+\]: )?")
COLOUR = rb"\x1b\[[01];3[0-7]m"  # Packer's
ZONED = rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:\d\d) "  # of CIs, wrappers, containers
ISO = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ: "  # of `-timestamp-ui`
UI_LOG = rb"(?:\d{4}/\d\d/\d\d \d\d:\d\d:\d\d ui(?: error)?: |\d{9,11},,ui,[a-z]+,)"
_DEBUG_STAMP = rb"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d "
TAGGED = re.compile(
    rb"(?:%s)?(?:%s)?(?:%s|(?:%s|%s)?(?:%s)?(?:==> |    ))" % (COLOUR, ZONED, _DEBUG_STAMP, ISO, UI_LOG, COLOUR)
)
_BOM = (b"\xef\xbb\xbf", b"\xff\xfe")
_UNINDENTED = (b"==> ", b"--> ", b"Build '")
_PROMPT = re.compile(rb"Press enter to continue\. +|\(build may fail even if retry succeeds\)\? +")
_NEVER_STAMPED = frozenset(b"=- B")

OUT = "out"
LOG_UI = "log"
LOG_ONLY = "log only"
MACHINE_ONLY = "machine only"


@dataclass(slots=True)
class UnprefixedLine:
    """A line without its prefixes.

    Attributes:
        text: what packer said.
        form: OUT (the output), LOG_UI (the copy of the output in a debug log), LOG_ONLY (a debug
            line), MACHINE_ONLY (a machine-readable line that is not text for people).
        error: said on the error stream.
        packer_only_form: only packer writes such lines.
        stamps: the times found, outermost first.
        log_stamp: the time of the debug log, without a zone.
        epoch: the time of a machine-readable line.
        noise: something stood before it that states no date.
        of_process: a debug line that one of packer's processes wrote, not always the first.
        counted: the time of a learned prefix that states no date: (seconds, their grain).
        may_tell: the whole line may hold a sign of `parse.output_signs`.
    """

    text: bytes
    form: str = OUT
    error: bool = False
    packer_only_form: bool = False
    stamps: tuple[re.Match[bytes], ...] = ()
    log_stamp: re.Match[bytes] | None = None
    epoch: bytes | None = None
    noise: bool = False
    counted: tuple[float, float] | None = None
    of_process: bool = False
    may_tell: bool = False

    def inherit(self, outer: UnprefixedLine) -> None:
        """Take the times and the form of the line that this is a part of, where this has none."""
        if not self.stamps and self.log_stamp is None and self.epoch is None:
            self.stamps, self.log_stamp, self.epoch = outer.stamps, outer.log_stamp, outer.epoch
        if self.form == OUT:
            self.form, self.error = outer.form, self.error or outer.error
        self.counted = outer.counted

    @property
    def is_packers_log(self) -> bool:
        """Whether this is a debug line that only Packer writes, and that tells something."""
        return self.form == LOG_ONLY and (
            self.text.startswith(OF_PACKER) or TELLS_OF_MACHINE.match(self.text) is not None
        )


def strip_ansi(line: bytes) -> tuple[bytes, bool, bool]:
    """(line without NULs, colours and cursor codes; whether it was red; whether it had packer's colours)."""
    if b"\x00" in line:
        line = line.replace(b"\x00", b"")
    red = coloured = False
    if b"\x1b" in line:
        red = b"\x1b[1;31m" in line or b"\x1b[<sensitive>;3<sensitive>m" in line
        coloured = red or b"\x1b[1;3" in line or b"\x1b[0;3" in line or _SCRUBBED_COLOUR.match(line) is not None
        line = ANSI.sub(b"", line)
    elif b"[0m" in line or b"[1;3" in line or b"[0;3" in line:
        red = b"[1;31m" in line
        line = _BARE_COLOUR.sub(b"", line)
    return line, red, coloured


def split_prompts(line: bytes) -> list[bytes]:
    """A line and what was printed behind a question of Packer's in it, which ends without a newline."""
    parts: list[bytes] = []
    while found := _PROMPT.search(line):
        if found.end() == len(line):
            break
        parts.append(line[: found.end()])
        line = line[found.end() :]
    return [*parts, line]


def strip_prefixes(line: bytes) -> UnprefixedLine:
    """Take every known prefix off `line` (which `strip_ansi` has cleaned)."""
    line = line.rstrip()
    unprefixed = UnprefixedLine(line)
    for _ in range(5):
        text = unprefixed.text
        if not text or text[0] in _NEVER_STAMPED or not _strip_one(unprefixed, text):
            break
    indented = unprefixed.text.lstrip(b" \t")
    if indented.startswith(_UNINDENTED):
        unprefixed.text = indented
    if b"\r" in unprefixed.text:
        inner = strip_prefixes(unprefixed.text.rpartition(b"\r")[2])
        unprefixed.text, unprefixed.form = inner.text, inner.form if unprefixed.form == OUT else unprefixed.form
    return unprefixed


def _strip_one(unprefixed: UnprefixedLine, text: bytes) -> bool:
    first = text[0]
    if first == 112 and (own := _OF_A_PROCESS_FIRST.match(text)):
        unprefixed.text, unprefixed.of_process = text[own.end() :], True
        return True
    if 48 <= first <= 57:
        return (
            _strip_log(unprefixed, text)
            or _strip_stamp(unprefixed, text)
            or _strip_machine(unprefixed, text)
            or _strip_noise(unprefixed, text)
        )
    if b"\t" in text:
        inner = text.split(b"\t", 2)
        if len(inner) == 3 and len(inner[0]) < 300 and _strip_stamp(unprefixed, inner[2]):
            return True
    if first in b"[#/-;>*|\xef\xff":
        return _strip_stamp(unprefixed, text) or _strip_noise(unprefixed, text)
    if text.startswith(_BOM):
        unprefixed.text = text[3:]
        return True
    return 65 <= first <= 90 and _strip_noise(unprefixed, text)


def _strip_stamp(unprefixed: UnprefixedLine, text: bytes) -> bool:
    found = _STAMP.match(text)
    if not found:
        if text.startswith(_BOM):
            unprefixed.text = text[3 if text[0] == 0xEF else 2 :]
            return True
        return False
    unprefixed.stamps += (found,)
    unprefixed.packer_only_form = unprefixed.packer_only_form or bool(found[8] and found[9])
    unprefixed.text = text[found.end() :]
    return True


def _strip_log(unprefixed: UnprefixedLine, text: bytes) -> bool:
    found = _LOG.match(text)
    if not found or unprefixed.form != OUT:
        return False
    unprefixed.log_stamp = found
    unprefixed.text = text[found.end() :]
    said = found[8]
    unprefixed.packer_only_form = said is not None
    unprefixed.form = LOG_ONLY if said is None else LOG_UI
    if said is None and (own := _OF_A_PROCESS.match(unprefixed.text)):
        unprefixed.text, unprefixed.of_process = unprefixed.text[own.end() :], True
    unprefixed.error = unprefixed.error or (said or b"").startswith(b"ui error")
    return said is not None


def _strip_machine(unprefixed: UnprefixedLine, text: bytes) -> bool:
    found = _MACHINE.match(text)
    if not found:
        return False
    unprefixed.epoch = found[1]
    if found[3] != b"ui" or found[2]:
        unprefixed.form = MACHINE_ONLY
        return False
    said, _, message = found[4].partition(b",")
    unprefixed.packer_only_form = True
    unprefixed.error = said == b"error"
    unprefixed.text = message.replace(b"%!(PACKER_COMMA)", b",")
    return True


def _strip_noise(unprefixed: UnprefixedLine, text: bytes) -> bool:
    for form in (_AZURE, _TIME_ONLY, _COMMENT, _SYSLOG):
        found = form.match(text)
        if found:
            unprefixed.text = text[found.end() :]
            unprefixed.noise = True
            return True
    return False
