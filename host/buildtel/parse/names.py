"""Which word before a colon is a build's name: `-color=false` logs never list the builds in advance."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from buildtel.events import When

_MAX_STRANGERS = 200
_MAX_NAME_BYTES = 300


@dataclass(slots=True)
class Stranger:
    """A name that may be a build's: nothing that only packer says has followed it yet.

    Attributes:
        line: where it stood first.
        at: the time of that line.
        common: what all its lines have in common from their start.
        sure: it stood in a line of a form that only packer writes.
    """

    line: int
    at: When | None
    common: bytes
    sure: bool

    def meet(self, rest: bytes, sure: bool) -> None:
        """Take one more line, `NAME: message`."""
        self.common = common_start(self.common, rest[:_MAX_NAME_BYTES])
        self.sure = self.sure or sure

    def proven(self, name: bytes, rest: bytes, proves: Callable[[bytes], bool]) -> bytes | None:
        """The name that `rest` proves, `name` itself or a longer one that has a colon and a space in it."""
        at = len(name)
        while at > 0:
            if proves(rest[at + 2 :]) and self.common.startswith(rest[: at + 1]):
                return rest[:at]
            at = rest.find(b": ", at + 1, _MAX_NAME_BYTES)
        return None


class Strangers:
    """The names that are not known yet, a bounded number of them."""

    def __init__(self) -> None:
        self._by_name: dict[bytes, Stranger] = {}

    def get(self, name: bytes, line: int, at: When | None, rest: bytes) -> Stranger | None:
        """The stranger of that name; None where there are too many already."""
        stranger = self._by_name.get(name)
        if stranger is None and len(self._by_name) < _MAX_STRANGERS:
            stranger = self._by_name[name] = Stranger(line, at, rest[:_MAX_NAME_BYTES], False)
        return stranger

    def forget(self, name: bytes) -> None:
        """The name is known now."""
        self._by_name.pop(name, None)

    def sure(self) -> list[tuple[bytes, Stranger]]:
        """Those in lines that only packer writes, by their first line."""
        found = [item for item in self._by_name.items() if item[1].sure]
        return sorted(found, key=lambda item: item[1].line)


def common_start(one: bytes, other: bytes) -> bytes:
    """What both begin with."""
    if other.startswith(one):
        return one
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return one[:low]


def split_name(rest: bytes, odd_names: Iterable[bytes]) -> tuple[bytes | None, bytes]:
    """(name, message) of `NAME: message`; names that have a colon and a space in them are known by `odd_names`."""
    for odd in odd_names:
        if rest.startswith(odd + b":"):
            return odd, rest[len(odd) + 2 :]
        if rest.startswith(odd + b" (") and (end := rest.find(b"): ", len(odd))) > 0:
            return rest[: end + 1], rest[end + 3 :]
    end = rest.find(b": ", 0, _MAX_NAME_BYTES)
    if end >= 0:
        return rest[:end], rest[end + 2 :]
    return (rest[:-1], b"") if rest.endswith(b":") and len(rest) <= _MAX_NAME_BYTES else (None, b"")
