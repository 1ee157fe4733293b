"""Restores text that a secret scrubber has replaced in a record, if the record's CRC proves it.

Packer replaces each value of a sensitive variable by `<sensitive>` wherever it stands, a CI by `***`; since 1.15.1
Packer does so with each line of a value, so that a JSON value of several lines takes every brace. Only braces and
values of one character are tried: more would be guessing.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from itertools import pairwise, product

_TOKEN = re.compile(rb"<sensitive>|\*\*\*")
_BRACKET = re.compile(rb"[\[\]{}]")
_CRC = re.compile(rb',"crc":"([0-9a-f]{8})"\}$')
_CHARACTERS = [bytes([char]) for char in b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"]
_MAX_DOUBTS = 3
_OPEN, _CLOSE, _CHARACTER, _DOUBT = b"{", b"}", b"c", b"?"


def is_scrubbed(body: bytes) -> bool:
    """Whether a part of a record was replaced."""
    return _TOKEN.search(body) is not None


def restored(body: bytes) -> bytes:
    """The record's JSON as it was, if that can be proven; else as it is."""
    parts = _TOKEN.split(body)
    if len(parts) == 1:
        return body
    kinds = list(_kinds(parts))
    doubts = [at for at, kind in enumerate(kinds) if kind == _DOUBT]
    if len(doubts) > _MAX_DOUBTS:
        return body
    for choice in product((_CLOSE, _CHARACTER), repeat=len(doubts)):
        for at, kind in zip(doubts, choice, strict=True):
            kinds[at] = kind
        for character in _CHARACTERS if _CHARACTER in kinds else (b"",):
            candidate = _joined(parts, kinds, character)
            if _agrees(candidate):
                return candidate
    return body


def _kinds(parts: list[bytes]) -> Iterator[bytes]:
    """What each replaced piece can be, by what stands around it."""
    last, open_brackets = b"", _Brackets()
    for before, after in pairwise(parts):
        open_brackets.read(before)
        left, right = before[-1:] or last, after[:1]
        if (right in (b'"', b"") and left in (b"", b":", b"[")) or (right == b'"' and left == b","):
            last = _OPEN
        elif right not in (b"", b",", b"]", b"}") or left in (b":", b",", b"[") or open_brackets.innermost == b"[":
            last = _CHARACTER
        else:
            last = _CLOSE if left in (b'"', b"]", b"}", _OPEN) else _DOUBT
        open_brackets.read(last)
        yield last


class _Brackets:
    """The brackets that are open in a text."""

    def __init__(self) -> None:
        self._open = bytearray()

    @property
    def innermost(self) -> bytes:
        """The last one that was not closed."""
        return bytes(self._open[-1:])

    def read(self, text: bytes) -> None:
        """Go on with the text."""
        for found in _BRACKET.findall(text):
            if found in (b"[", b"{"):
                self._open += found
            else:
                del self._open[-1:]


def _joined(parts: list[bytes], kinds: list[bytes], character: bytes) -> bytes:
    pieces = [parts[0]]
    for kind, part in zip(kinds, parts[1:], strict=True):
        pieces += [character if kind == _CHARACTER else kind, part]
    return b"".join(pieces)


def _agrees(body: bytes) -> bool:
    found = _CRC.search(body)
    return found is not None and zlib.crc32(body[: found.start()]) == int(found[1], 16)
