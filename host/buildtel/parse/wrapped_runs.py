"""Unpacks runs of lines that a log driver has wrapped in one simple form, all at once.

`Unpacker` gives the same lines one by one. A line of another form, a piece of a line, or one with a rare escape
sequence ends a run.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

_TIME = rb"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d))"
_ASCII = rb'[^"\\\x00-\x1f\x80-\xff]*'
_ESCAPED = rb'\\(?:["\\/bfrt]|u(?!000)[0-9a-f]{4})'
# A character of UTF-8 that is not ASCII: RFC 3629, 4.
_UTF8 = (
    rb"[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|\xed[\x80-\x9f][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)
_TEXT = rb"(?P<text>%s(?:(?:%s|%s)%s)*)" % (_ASCII, _ESCAPED, _UTF8, _ASCII)
_RAW_TEXT = rb"(?P<text>[^\n\x1b]*(?:\x1b(?!_bk;t=)[^\n\x1b]*)*)"  # a stamp of Buildkite's is a container of its own


class _Form(NamedTuple):
    """A form of wrapped lines.

    Attributes:
        start: what a line begins with.
        is_quoted: the text has escape sequences of JSON.
        line: the pattern of a line.
        other: that of the newline before the first line of another form.
    """

    start: bytes
    is_quoted: bool
    line: re.Pattern[bytes]
    other: re.Pattern[bytes]


def _form(start: bytes, line: bytes, *, is_quoted: bool) -> _Form:
    other = re.sub(rb"\(\?P<\w+>", b"(?:", line)
    return _Form(start, is_quoted, re.compile(rb"^%s\n" % line, re.M), re.compile(rb"\n(?!%s\n)" % other))


_FORMS = (
    _form(b'{"log":"', rb'\{"log":"%s\\n","stream":"std(?:out|err)","time":"%s"\}' % (_TEXT, _TIME), is_quoted=True),
    _form(b"time=", rb'time="%s" level=\w+ msg="%s"' % (_TIME, _TEXT), is_quoted=True),
    _form(b"2", rb"%s std(?:out|err) F %s" % (_TIME, _RAW_TEXT), is_quoted=False),
)


def unpack_run(data: bytes, at: int) -> tuple[bytes, int] | None:
    """The lines that a run of wrapped lines contains, each behind its time, and where the run ends; None without a run.

    Args:
        data: whole lines, each with its newline; a newline stands before them.
        at: the index of the first line.
    """
    form = next((form for form in _FORMS if data.startswith(form.start, at)), None)
    if form is None or form.line.match(data, at) is None:
        return None
    end = len(data)
    pairs = _pairs(form, data[at:]) if at == 1 else None  # mostly all lines of a block are of one form
    if pairs is None:
        other = form.other.search(data, at - 1)
        end = other.start() + 1 if other else len(data)
        pairs = _pairs(form, data[at:end]) or []
    return b"".join([b"%b %b\n" % pair for pair in pairs]), end


def _pairs(form: _Form, run: bytes) -> list[tuple[bytes, bytes]] | None:
    """(time, text) of each line; None if a line is of another form."""
    if form.is_quoted and b"\\\\" not in run:
        run = run.replace(b"\\u003e", b">").replace(b"\\u003c", b"<").replace(b"\\u0026", b"&")
    pairs = form.line.findall(run)
    if len(pairs) != run.count(b"\n"):
        return None
    if form.line.groupindex["text"] == 1:
        pairs = [(time, text) for text, time in pairs]
    if form.is_quoted and b"\\" in run:
        pairs = [(time, _unescaped(text) if b"\\" in text else text) for time, text in pairs]
    return pairs


def _unescaped(text: bytes) -> bytes:
    simple = text.replace(b'\\"', b'"')
    if b"\\" not in simple:
        return simple
    return str(json.loads(b'"' + text + b'"')).encode("utf-8", "replace")
