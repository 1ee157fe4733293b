"""What a stretch of a build is counted to, in a few kinds that have a colour: provisioners, boot, disks, pauses."""

from __future__ import annotations

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


def spent_on(part: Stretch, build: Build) -> Spent:
    """What a stretch of a build's account is counted to.

    Args:
        part: the stretch.
        build: the build that it is of.
    """
    if part.provisioner is None:
        return _SPENT.get(part.name, "other")
    return "buildtel" if build.provisioners[part.provisioner].own else "provisioners"

