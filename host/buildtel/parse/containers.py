r"""Unpacks lines that a log driver or a recorder has wrapped: JSON, logfmt, CRI, asciinema.

Each unpacked line gets the container's time before it, as a stamp that `parse.prefix` reads. Sources: Docker's
json-file driver, Kubernetes' CRI log format, systemd's `journalctl -o json`, the loggers bunyan, pino, zap, zerolog,
logrus and structlog, asciicast v2, and Buildkite's `\x1b_bk;t=MILLISECONDS\x07`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from buildtel.parse.lines import MAX_LINE_BYTES
from buildtel.parse.prefix import TAGGED

Numbered = tuple[int, bytes | None]

_TEXTS = ("log", "msg", "message", "MESSAGE", "textPayload", "line", "text", "event", "short_message")
_TIMES = ("time", "ts", "timestamp", "@timestamp", "t", "__REALTIME_TIMESTAMP", "datetime", "date", "eventTime")
_SIGNS = (*_TIMES, "level", "stream", "severity", "PRIORITY", "levelname")
_CRI = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) std(?:out|err) ([FP]) (.*)", re.S)
_LOGFMT = re.compile(rb'(?:^|.*? )(?:msg|message)="((?:[^"\\]|\\.)*)"', re.S)
_LOGFMT_TIME = re.compile(rb'(?:^| )(?:time|ts|t)="?([^" ]+)"?')
_BUILDKITE = re.compile(rb"\x1b_bk;t=(\d{13})\x07")
_CAST_HEADER = re.compile(rb'\{[^\n]*"version": ?[23][,}]')
_CAST_EVENT = re.compile(rb'\[ ?\d+(?:\.\d+)?, ?"[a-z]", ?"')
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")
_MICROSECONDS, _NANOSECONDS = 1e14, 1e17
_MILLISECONDS = 1e11


class Unpacker:
    """Takes lines out of their containers; a line that is in none passes through."""

    def __init__(self) -> None:
        self._open: tuple[int, bytearray] | None = None
        self._cast_zero_s: float | None = None
        self._cast_text = ""

    @property
    def holds(self) -> bool:
        """Whether a line waits for its continuation, or events of a recording come."""
        return self._open is not None or self._cast_zero_s is not None

    def concerns(self, line: bytes | None) -> bool:
        """Whether `unpack` may change the line. The output of a guest is not a container."""
        if not line:
            return False
        return (
            line[:1] in b'{["'
            or b"\x1b_bk;t=" in line
            or (line[:2].isdigit() and b" std" in line[19:48])
            or (((b'="' in line[:200] and b'msg="' in line) or b'message="' in line) and not TAGGED.match(line))
        )

    def unpack(self, number: int, line: bytes) -> Iterator[Numbered]:
        """Yield the lines that one line of the file contains, each with the number of its first piece.

        Args:
            number: the line's number in the file, from 1.
            line: its bytes without the newline; a line that no container wraps comes out unchanged.
        """
        if b"\x1b_bk;t=" in line:
            yield number, _BUILDKITE.sub(_buildkite_stamp, line)
        elif line[:1] == b"[" and self._cast_zero_s is not None and _CAST_EVENT.match(line):
            yield from self._recorded(number, line)
        elif line[:1] == b"{":
            yield from self._object(number, line)
        elif found := _CRI.match(line):
            yield from self._joined(number, found[1], found[3], whole=found[2] == b"F")
        elif found := _LOGFMT.match(line):
            at = _LOGFMT_TIME.search(line)
            yield number, _stamped(None if at is None else at[1].decode("utf-8", "replace"), _unquoted(found[1]))
        else:
            yield number, line

    def close(self) -> Iterator[Numbered]:
        """Yield lines that are still incomplete."""
        if self._cast_text:
            yield 0, self._cast_text.encode("utf-8", "replace")
        if self._open is not None:
            yield self._open[0], bytes(self._open[1])
        self._open, self._cast_text = None, ""

    def _object(self, number: int, line: bytes) -> Iterator[Numbered]:
        if _CAST_HEADER.match(line) and (b'"width"' in line or b'"term"' in line):
            header = _parsed(line)
            if header is not None:
                self._cast_zero_s = _number(header.get("timestamp")) or 0.0
                return
        fields = _parsed(line)
        texts = [fields[key] for key in _TEXTS if isinstance(fields.get(key), str)] if fields is not None else []
        text = next(iter(texts), None)
        if fields is None or text is None or not any(key in fields for key in _SIGNS):
            yield number, line
            return
        at = next((fields[key] for key in _TIMES if key in fields), None)
        whole = "stream" not in fields or "log" not in fields or text.endswith("\n")
        stamp = _stamp(at)
        for part in text.removesuffix("\n").split("\n"):
            yield from self._joined(number, stamp, part.encode("utf-8", "replace"), whole=whole)

    def _joined(self, number: int, stamp: bytes, text: bytes, *, whole: bool) -> Iterator[Numbered]:
        """One line of pieces: log drivers cut at 16 KiB, and say where a line ends."""
        if self._open is None:
            self._open = number, bytearray(stamp + b" " + text if stamp else text)
        elif len(self._open[1]) + len(text) <= MAX_LINE_BYTES:
            self._open[1].extend(text)
        if whole:
            first, line = self._open
            self._open = None
            yield first, bytes(line)

    def _recorded(self, number: int, line: bytes) -> Iterator[Numbered]:
        """The lines that one event of a terminal's recording completes."""
        try:
            at_s, kind, text = json.loads(line)
        except ValueError:
            return
        if kind != "o" or not isinstance(text, str):
            return
        self._cast_text += text
        *lines, self._cast_text = self._cast_text[-MAX_LINE_BYTES:].split("\n")
        for part in lines:
            yield number, _stamped((self._cast_zero_s or 0.0) + float(at_s), part.encode("utf-8", "replace"))


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _stamped(at: object, text: bytes) -> bytes:
    stamp = _stamp(at)
    return stamp + b" " + text if stamp else text


def _stamp(at: object) -> bytes:
    """A logger's time as a stamp, empty for none that is known: ISO 8601, or an epoch in s, ms, us or ns."""
    if isinstance(at, str) and _ISO.match(at):
        return at.encode("utf-8", "replace")
    seconds = _number(at)
    if seconds is None or seconds <= 0:
        return b""
    for bound, unit in ((_NANOSECONDS, 1e9), (_MICROSECONDS, 1e6), (_MILLISECONDS, 1e3)):
        if seconds > bound:
            seconds /= unit
            break
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode()
    except (ValueError, OverflowError, OSError):
        return b""


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value) if isinstance(value, int | float | str) else None
    except (ValueError, OverflowError):
        return None


def _unquoted(text: bytes) -> bytes:
    try:
        return str(json.loads(b'"' + text + b'"')).encode("utf-8", "replace")
    except ValueError:
        return text.replace(b'\\"', b'"')


def _buildkite_stamp(found: re.Match[bytes]) -> bytes:
    return _stamp(int(found[1])) + b" "
