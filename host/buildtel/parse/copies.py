"""What stood in one stream already and comes once more in the other: a debug log repeats the output."""

from __future__ import annotations

from collections import OrderedDict

MAX_COPIES = 20_000
_COMPARED_BYTES = 500


class Copies:
    """Counts what each stream has said and the other has not; the oldest of too many are forgotten."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[tuple[str, bytes], int] = OrderedDict()

    def matches(self, text: bytes, said_in: str, other: str) -> bool:
        """Whether `text` stood in the stream `other` and has not been matched yet; if not, it waits for its copy."""
        text = text[:_COMPARED_BYTES]
        waiting = self._waiting.pop((other, text), 0)
        if waiting:
            if waiting > 1:
                self._waiting[other, text] = waiting - 1
            return True
        self._waiting[said_in, text] = self._waiting.get((said_in, text), 0) + 1
        if len(self._waiting) > MAX_COPIES:
            self._waiting.popitem(last=False)
        return False
