"""How long each phase and provisioner usually takes: between which durations, by the job's last documents."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from buildtel.insight.stretches import part_label
from buildtel.job import JobDocument
from buildtel.text import duration, safe
from buildtel.timeline.packer_model import Build, Stretch

Key = tuple[str, str, int | str]
FEWEST_TRIMMED = 5  # of so many builds the shortest and the longest are no part of what is usual
LONGER_BY, LONGER_BY_S = 1.1, 2.0  # what is longer than usual: by that share and by that many seconds
_NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Range:
    """The range of usual durations, in seconds, and the number of builds behind it."""

    low_s: float
    high_s: float
    builds: int

    def is_passed_by(self, seconds: float) -> bool:
        """Whether so many seconds are clearly longer."""
        return seconds > self.high_s * LONGER_BY and seconds > self.high_s + LONGER_BY_S

    def __str__(self) -> str:
        """`usually 4:10 to 5:00`, `4:30 last time`."""
        low, high = duration(self.low_s), duration(self.high_s)
        if self.builds == 1:
            return f"{high} last time"
        return f"usually {high}" if low == high else f"usually {low} to {high}"


@dataclass(frozen=True, slots=True)
class Slower:
    """A phase or provisioner that took longer than usual; names are safe to print."""

    name: str
    build: str
    seconds: float
    usual: Range

    @property
    def over_s(self) -> float:
        """By how many seconds it is above what is usual."""
        return self.seconds - self.usual.high_s


class Usual:
    """Ranges by build and phase or provisioner, of the builds that succeeded."""

    def __init__(self, documents: Iterable[JobDocument] = ()) -> None:
        found: dict[Key, list[float]] = defaultdict(list)
        for document in documents:
            for build in _builds(document):
                for part in build.account if build.result == "success" else ():
                    found[_key(build, part)].append(part.duration_s)
        self._ranges = {key: _range(sorted(values)) for key, values in found.items()}

    @property
    def is_known(self) -> bool:
        """Whether the durations of any build are known."""
        return bool(self._ranges)

    def range(self, key: Key) -> Range | None:
        """What is usual, None if no build had it."""
        return self._ranges.get(key)

    def slower(self, document: JobDocument) -> list[Slower]:
        """What took longer than usual in a document, what added most first."""
        return sorted(self._slower(document), key=lambda one: -one.over_s)

    def _slower(self, document: JobDocument) -> Iterator[Slower]:
        for build in _builds(document):
            for part in build.account:
                usual = self.range(_key(build, part))
                if usual is not None and usual.is_passed_by(part.duration_s):
                    yield Slower(part_label(build, part, {}), safe(build.name), part.duration_s, usual)


def _builds(document: JobDocument) -> Iterator[Build]:
    for run in document.packer.runs if document.packer else ():
        yield from run.builds


def _range(values: list[float]) -> Range:
    kept = values[1:-1] if len(values) >= FEWEST_TRIMMED else values
    return Range(kept[0], kept[-1], len(values))


def _key(build: Build, part: Stretch) -> Key:
    if part.provisioner is None:
        return phase_key(build.name, part.name, part.text)
    return provisioner_key(build.name, part.provisioner, build.provisioners[part.provisioner].kind)


def phase_key(build: str, name: str, text: str) -> Key:
    """The key of a phase in all runs; numbers in its text become 0, because ports and ids differ.

    Args:
        build: the build's name.
        name: the phase's name.
        text: Packer's text that began it.
    """
    return build, name, _NUMBERS.sub("0", text)


def provisioner_key(build: str, place: int, kind: str) -> Key:
    """The key of a provisioner in all runs. It has the kind, because an edited template may have another one there.

    Args:
        build: the build's name.
        place: its index among the build's provisioners.
        kind: its kind.
    """
    return build, kind, place
