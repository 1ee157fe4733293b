"""Learns which words before a colon are names of builds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from buildtel.events import When

_MAX_CANDIDATES = 200
_MAX_PASSED = 100
_MAX_NAME_BYTES = 300


@dataclass(slots=True)
class BuildNameCandidate:
    """A name that may be a build's: no text that only Packer prints has followed it yet.

    Attributes:
        line: where it stood first.
        at: the time of that line.
        common: what all its lines have in common from their start.
        packer_only: it was in a line of a form that only Packer writes.
    """

    line: int
    at: When | None
    common: bytes
    packer_only: bool

    def meet(self, rest: bytes, packer_only: bool) -> None:
        """Add one more line that begins with this name.

        Args:
            rest: the line behind `==> ` or four spaces: `NAME: message`.
            packer_only: the line has a form that only Packer writes.
        """
        self.common = common_start(self.common, rest[:_MAX_NAME_BYTES])
        self.packer_only = self.packer_only or packer_only

    def proven(self, name: bytes, rest: bytes, proves: Callable[[bytes], bool]) -> bytes | None:
        """The build's name that a line proves; None if it proves none.

        It is `name` itself, or a longer one that has a colon and a space in it.

        Args:
            name: the candidate: what stands before the first `: ` of the line.
            rest: the line behind `==> `: `NAME: message`.
            proves: tells whether only Packer prints a message.
        """
        at = len(name)
        while at > 0:
            if proves(rest[at + 2 :]) and self.common.startswith(rest[: at + 1]):
                return rest[:at]
            at = rest.find(b": ", at + 1, _MAX_NAME_BYTES)
        return None


class PassedNames:
    """Names whose lines can be skipped, unless a line contains the start of a text of Packer's.

    Attributes:
        known: those of builds.
        begun: those of builds that have said something. Of these and of the following it keeps 100 each.
        packer_only: those of candidates whose lines tell nothing more in any form.
        bare: those of candidates whose lines tell nothing more as long as they have neither colour nor time.
        version: changes with each of them.
    """

    def __init__(self) -> None:
        self.known: set[bytes] = set()
        self.begun: set[bytes] = set()
        self.packer_only: set[bytes] = set()
        self.bare: set[bytes] = set()
        self.version = 0

    def know(self, name: bytes) -> None:
        """Add the name of a build."""
        self.known.add(name)
        self.forget(name)

    def begin(self, name: bytes) -> None:
        """Note that a build has printed something."""
        if name in self.known:
            self._add(self.begun, name)

    def settle(self, name: bytes, candidate: BuildNameCandidate) -> None:
        """Let lines of a candidate be skipped, if only a proof can change what is known of it.

        A name that ends with `)` may be a post-processor's, which proves its build by itself.

        Args:
            name: the candidate's.
            candidate: what its lines told so far.
        """
        if len(candidate.common) <= len(name) + 2 and not name.endswith(b")"):
            self._add(self.packer_only if candidate.packer_only else self.bare, name)

    def forget(self, name: bytes) -> None:
        """Remove a candidate."""
        for names in (self.packer_only, self.bare):
            if name in names:
                names.remove(name)
                self.version += 1

    def clear(self, candidates_only: bool = False) -> None:
        """Forget all names, as at the end of a run, or only the candidates."""
        of_builds = () if candidates_only else (self.known, self.begun)
        for names in (*of_builds, self.packer_only, self.bare):
            names.clear()
        self.version += 1

    def _add(self, names: set[bytes], name: bytes) -> None:
        if name not in names and len(names) < _MAX_PASSED:
            names.add(name)
            self.version += 1


class BuildNameCandidates:
    """The names that are not known yet, a bounded number of them; `passed` learns which of them tell nothing more."""

    def __init__(self, passed: PassedNames) -> None:
        self._by_name: dict[bytes, BuildNameCandidate] = {}
        self._passed = passed
        passed.clear(candidates_only=True)

    def meet(
        self, name: bytes, line: int, at: When | None, rest: bytes, packer_only: bool
    ) -> BuildNameCandidate | None:
        """Add a line to the candidate that it names; None if there are too many candidates already.

        Args:
            name: what stands before the first `: ` of the line.
            line: the line's number in the log, from 1.
            at: its time, None without one.
            rest: the line behind `==> ` or four spaces: `NAME: message`.
            packer_only: the line has a form that only Packer writes.
        """
        candidate = self._by_name.get(name)
        if candidate is None:
            if len(self._by_name) >= _MAX_CANDIDATES:
                return None
            candidate = self._by_name[name] = BuildNameCandidate(line, at, rest[:_MAX_NAME_BYTES], False)
        candidate.meet(rest, packer_only)
        self._passed.settle(name, candidate)
        return candidate

    def forget(self, name: bytes) -> None:
        """Remove a candidate whose name is known now."""
        self._by_name.pop(name, None)
        self._passed.forget(name)

    def packer_only(self) -> list[tuple[bytes, BuildNameCandidate]]:
        """The candidates in lines that only Packer writes, in the order of their first lines."""
        found = [item for item in self._by_name.items() if item[1].packer_only]
        return sorted(found, key=lambda item: item[1].line)


def common_start(one: bytes, other: bytes) -> bytes:
    """The longest text that both begin with.

    Args:
        one: the one that is often the start of the other: that case is fast.
        other: the other.
    """
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
    """Split `NAME: message` into name and message; the name is None if there is none of at most 300 bytes.

    Args:
        rest: the line behind `==> ` or four spaces.
        odd_names: known names that have a colon and a space in them.
    """
    for odd in odd_names:
        if rest.startswith(odd + b":"):
            return odd, rest[len(odd) + 2 :]
        if rest.startswith(odd + b" (") and (end := rest.find(b"): ", len(odd))) > 0:
            return rest[: end + 1], rest[end + 3 :]
    end = rest.find(b": ", 0, _MAX_NAME_BYTES)
    if end >= 0:
        return rest[:end], rest[end + 2 :]
    return (rest[:-1], b"") if rest.endswith(b":") and len(rest) <= _MAX_NAME_BYTES else (None, b"")
