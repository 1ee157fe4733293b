"""The usual duration of each phase: the median of the job's last documents."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from statistics import median

from buildtel.job import JobDocument
from buildtel.timeline.packer_model import Build

Key = tuple[str, str, int | str]
_NUMBERS = re.compile(r"\d+")


class Usual:
    """Medians by build and phase, of the builds that succeeded."""

    def __init__(self, documents: Iterable[JobDocument] = ()) -> None:
        found: dict[Key, list[float]] = defaultdict(list)
        for document in documents:
            for run in document.packer.runs if document.packer else ():
                for build in run.builds:
                    self._add(build, found)
        self._medians = {key: median(values) for key, values in found.items()}

    def _add(self, build: Build, found: dict[Key, list[float]]) -> None:
        for part in build.account if build.result == "success" else ():
            if part.provisioner is None:
                found[phase_key(build.name, part.name, part.text)].append(part.duration_s)
            else:
                kind = build.provisioners[part.provisioner].kind
                found[provisioner_key(build.name, part.provisioner, kind)].append(part.duration_s)

    def seconds(self, key: Key) -> float | None:
        """The median, None if no build had it."""
        return self._medians.get(key)


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
