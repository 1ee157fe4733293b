"""One run of a provisioner while the log is read, with what Packer and the agent say of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from buildtel.events import FAILED, ProvisionerStatus, SignKind, When

SHELL = "shell"
SHELL_LOCAL = "shell-local"  # the kind of those that run on the machine that Packer runs on
MOST_PARTS = 1000
# Of the parts of a row no two go on at a time: one ends that before it. What is of none takes no time.
_ROWS: dict[str, str] = {
    "play": "ansible", "task": "ansible", "handler": "ansible", "recap": "ansible", "lock": "lock", "output": "lock",
}  # fmt: skip


@dataclass(slots=True)
class Moment:
    """The line of an event and the time that it carries; `at` is None where no time is known.

    `is_last_stamp` marks a line that is known for its time alone.
    """

    line: int
    at: When | None
    is_last_stamp: bool = False

    @property
    def unix_s(self) -> float | None:
        """The time in Unix seconds."""
        return None if self.at is None else self.at.unix_s


@dataclass(slots=True)
class PartDraft:
    """What a provisioner did within, or a phase, or a line that tells why it failed.

    `ended` is None where only the end of the whole ends it. `count` are files or tries; `size_bytes` is what is moved
    in all, `moved_bytes` of `whole_bytes` what a progress bar tells; `is_sent` says that Packer has told all bytes.
    `last` is where it was told of last.
    """

    kind: str
    name: str
    began: Moment
    ended: Moment | None = None
    count: int | None = None
    size_bytes: int | None = None
    moved_bytes: int | None = None
    whole_bytes: int | None = None
    is_sent: bool = False
    last: Moment | None = None

    @property
    def lasts(self) -> bool:
        """Whether it takes time: a line that tells why it failed does not."""
        return self.kind in _ROWS


@dataclass(slots=True)
class ProvisionerRun:
    """A provisioner unit of one build, and what records came through it.

    Attributes:
        index: its place among the build's provisioners, from 0.
        kind: shell, file-upload, ansible and so on, see docs/format.md.
        detail: what Packer prints of it.
        began: where it was announced.
        target: the build.
        type: the provisioner's type, where its kind is other and the log tells it.
        ended: where its end was told, None until then.
        status: success, failure, timeout, cancellation or unknown, by Packer's words.
        ignored: it failed, and Packer went on.
        exit_code: the exit status that Packer names where it failed.
        output: its last lines of output, told where it failed.
        parts: what its output tells of its inside, in order.
        is_cut: there were more parts than are kept.
        saw_setup: our agent began or ended there.
        saw_bye: our agent ended there.
        saw_step: a step ran there.
    """

    index: int
    kind: str
    detail: str
    began: Moment
    target: str | None = None
    type: str | None = None
    ended: Moment | None = None
    status: ProvisionerStatus = "unknown"
    ignored: bool = False
    exit_code: int | None = None
    output: tuple[str, ...] = ()
    parts: list[PartDraft] = field(default_factory=list)
    is_cut: bool = False
    saw_setup: bool = False
    saw_bye: bool = False
    saw_step: bool = False

    def tell(self, kind: SignKind, name: str, moment: Moment) -> None:
        """A line of its output tells something of its inside.

        Args:
            kind: as in `OutputSign`.
            name: likewise.
            moment: line and time.
        """
        row = _ROWS.get(kind)
        going = (part for part in reversed(self.parts) if row and _ROWS.get(part.kind) == row)
        before = next(going, None)
        if before is not None and before.ended is None:
            if kind == "lock" and not before.name:
                before.name = name
                return
            before.ended = moment
        if kind == "output":
            return
        self.is_cut = self.is_cut or len(self.parts) >= MOST_PARTS
        if not self.is_cut:
            self.parts.append(PartDraft(kind, name, moment))

    @property
    def at(self) -> When | None:
        """When it was announced."""
        return self.began.at

    @property
    def failed(self) -> bool:
        """True if it failed and Packer did not go on."""
        return self.status in FAILED and not self.ignored

    @property
    def is_agents(self) -> bool:
        """True if its script is our agent: no step runs in it."""
        return self.saw_bye or re.split(r"[/\\]", self.detail)[-1] == "buildtel_agent.py"

    @property
    def looks_own(self) -> bool:
        """True if it did nothing but start or end our agent."""
        return self.saw_setup and not self.saw_step
