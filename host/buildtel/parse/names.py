"""Learns which words before a colon are names of builds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from buildtel.events import When

_MAX_STRANGERS = 200
_MAX_PASSED = 100
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


class PassedNames:
    """Names whose lines tell nothing more, unless they hold what Packer's own words begin with.

    Attributes:
        known: those of builds.
        begun: those of builds that have said something. Of these and of the following it keeps 100 each.
        sure: those of strangers whose lines tell nothing more in any form.
        bare: those of strangers whose lines tell nothing more as long as they have neither colour nor time.
        version: changes with each of them.
    """

    def __init__(self) -> None:
        self.known: set[bytes] = set()
        self.begun: set[bytes] = set()
        self.sure: set[bytes] = set()
        self.bare: set[bytes] = set()
        self.version = 0

    def know(self, name: bytes) -> None:
        """It is a build's."""
        self.known.add(name)
        self.forget(name)

    def begin(self, name: bytes) -> None:
        """Its build has said something."""
        if name in self.known:
            self._add(self.begun, name)

    def settle(self, name: bytes, stranger: Stranger) -> None:
        """Pass its lines over, if nothing but a proof can change what is known of this stranger.

        A name that ends with `)` may be a post-processor's, which proves its build by itself.
        """
        if len(stranger.common) <= len(name) + 2 and not name.endswith(b")"):
            self._add(self.sure if stranger.sure else self.bare, name)

    def forget(self, name: bytes) -> None:
        """It is no stranger's any more."""
        for names in (self.sure, self.bare):
            if name in names:
                names.remove(name)
                self.version += 1

    def clear(self, strangers_only: bool = False) -> None:
        """A run is over, or another begins."""
        for names in (self.sure, self.bare) if strangers_only else (self.known, self.begun, self.sure, self.bare):
            names.clear()
        self.version += 1

    def _add(self, names: set[bytes], name: bytes) -> None:
        if name not in names and len(names) < _MAX_PASSED:
            names.add(name)
            self.version += 1


class Strangers:
    """The names that are not known yet, a bounded number of them; `passed` learns which of them tell nothing more."""

    def __init__(self, passed: PassedNames) -> None:
        self._by_name: dict[bytes, Stranger] = {}
        self._passed = passed
        passed.clear(strangers_only=True)

    def meet(self, name: bytes, line: int, at: When | None, rest: bytes, sure: bool) -> Stranger | None:
        """Take a line, `NAME: message`, of the stranger of that name; None where there are too many already."""
        stranger = self._by_name.get(name)
        if stranger is None:
            if len(self._by_name) >= _MAX_STRANGERS:
                return None
            stranger = self._by_name[name] = Stranger(line, at, rest[:_MAX_NAME_BYTES], False)
        stranger.meet(rest, sure)
        self._passed.settle(name, stranger)
        return stranger

    def forget(self, name: bytes) -> None:
        """The name is known now."""
        self._by_name.pop(name, None)
        self._passed.forget(name)

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
