"""A build's wall time divided by what it was spent on: provisioners, boot, disks, pauses, what nothing explains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from buildtel.timeline.packer_model import Build, Stretch

Spent = Literal[
    "start", "images", "boot", "provisioners", "pauses", "end", "artifacts", "other", "buildtel", "unattributed"
]
# In the order in which they are shown.
WORDS: dict[Spent, str] = {
    "start": "start-up, preparation", "images": "images, disks", "boot": "machine, boot, connection",
    "provisioners": "provisioners", "pauses": "pauses, retries", "end": "shutdown, cleanup",
    "artifacts": "artifacts, post-processors", "other": "other phases", "buildtel": "buildtel",
    "unattributed": "unattributed",
}  # fmt: skip
# By phase (docs/packer-log.md); any other is `other`.
_SPENT: dict[str, Spent] = {
    "start": "start", "prepare": "start", "access": "start",
    "retrieve_image": "images", "create_media": "images", "create_disk": "images",
    "create_machine": "boot", "boot": "boot", "wait_ssh": "boot",
    "pause": "pauses", "wait_user": "pauses", "retry": "pauses",
    "error_cleanup": "end", "shutdown": "end", "cleanup": "end",
    "create_image": "artifacts", "convert": "artifacts", "export": "artifacts", "post_processor": "artifacts",
    "unattributed": "unattributed",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a build's time: on what it was spent, that in words, seconds, and percent of the whole."""

    spent: Spent
    name: str
    seconds: float
    percent: float


def shares(build: Build) -> list[Share]:
    """What the wall time of a build was spent on; together all of it. Empty where the log has no times."""
    sums: dict[Spent, float] = {}
    for part in build.account:
        spent = spent_on(part, build)
        sums[spent] = sums.get(spent, 0.0) + part.duration_s
    whole_s = sum(sums.values())
    return [
        Share(spent, name, round(sums[spent], 3), 100 * sums[spent] / whole_s)
        for spent, name in WORDS.items()
        if sums.get(spent) and whole_s > 0
    ]


def spent_on(part: Stretch, build: Build) -> Spent:
    """What a stretch of a build's account is counted to.

    Args:
        part: the stretch.
        build: the build that it is of.
    """
    if part.provisioner is None:
        return _SPENT.get(part.name, "other")
    return "buildtel" if build.provisioners[part.provisioner].own else "provisioners"

