"""Drops messages that a debug log repeats from the output."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from buildtel.events import When

MAX_COPIES = 20_000
MAX_SAME = 1000
_COMPARED_BYTES = 500


@dataclass(frozen=True, slots=True)
class First:
    """The copy of a message that came first: its line, and its time if it has one."""

    line: int
    at: When | None


class Copies:
    """Keeps what each stream has said and the other has not; the oldest of too many are forgotten."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[tuple[str, bytes], list[First]] = OrderedDict()

    def match(self, text: bytes, this: First, said_in: str, other: str) -> First | None:
        """The copy of a message in the other stream, each copy at most once; without one, the message waits for it.

        Args:
            text: the message; its first 500 bytes are compared.
            this: line and time of this message.
            said_in: the stream that this message is in: a form of `parse.prefix`.
            other: the stream that may repeat it.
        """
        text = text[:_COMPARED_BYTES]
        waiting = self._waiting.get((other, text))
        if waiting:
            first = waiting.pop(0)
            if not waiting:
                del self._waiting[other, text]
            return first
        same = self._waiting.setdefault((said_in, text), [])
        if len(same) < MAX_SAME:
            same.append(this)
        if len(self._waiting) > MAX_COPIES:
            self._waiting.popitem(last=False)
        return None
