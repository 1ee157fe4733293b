"""What few logs have: each line as Packer or a CI prints it, and the events that it makes."""

from __future__ import annotations

from typing import Any

import pytest

from buildtel import parse
from buildtel.events import (
    AgentRecord,
    BuildBegan,
    BuildFinished,
    BuildSeen,
    DamagedRecord,
    Event,
    Interrupted,
    LastLines,
    LastStamp,
    LaterStamp,
    PackerVersion,
    PhaseStarted,
    ProvisionerFinished,
    ProvisionerStarted,
    RunFinished,
    RunStarted,
    SshWait,
)

RED, GREEN, END = "\x1b[1;31m", "\x1b[1;32m", "\x1b[0m"
LOG = "2026/01/24 12:00:00 "
# Of an event: its name, and what of it matters here.
TOLD: dict[type[Event], tuple[str, ...]] = {
    BuildSeen: ("target",), BuildFinished: ("result", "duration_s"), Interrupted: (), PackerVersion: ("version",),
    PhaseStarted: ("name",), ProvisionerFinished: (), ProvisionerStarted: ("kind", "detail"), RunFinished: ("total_s",),
    RunStarted: (), SshWait: ("connected",), AgentRecord: (), DamagedRecord: (), BuildBegan: (),
}  # fmt: skip


def told(text: str | bytes) -> list[tuple[Any, ...]]:
    """The events of a log, shortened; without when a build began and what only tells times."""
    events = [*parse.read([text if isinstance(text, bytes) else text.encode()])]
    return [
        (type(event).__name__, *(getattr(event, name) for name in TOLD[type(event)]))
        for event in events
        if not isinstance(event, BuildBegan | LastLines | LastStamp | LaterStamp)
    ]


BEGUN = [("RunStarted",), ("BuildSeen", "qemu.a")]
CASES: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "a version before the build": (
        "Packer v1.6.6\n==> qemu.a: Connected to SSH!\n",
        [("PackerVersion", "1.6.6"), *BEGUN, ("SshWait", True)],
    ),
    "a version that is none": ("Packer vNext\n==> qemu.a: Connected to SSH!\n", [*BEGUN, ("SshWait", True)]),
    "a timeout that is set, and comes": (
        "==> qemu.a: Provisioning with shell script: x.sh\n"
        "==> qemu.a: Setting a 1s timeout for the next provisioner...\n"
        "==> qemu.a: Provisioning with shell script: y.sh\n"
        "==> qemu.a: Cancelling provisioner after a timeout...\n"
        "Build 'qemu.a' errored after 2 seconds: context canceled\n",
        [*BEGUN, ("ProvisionerStarted", "shell", "x.sh"), ("ProvisionerFinished",),
         ("ProvisionerStarted", "shell", "y.sh"), ("ProvisionerFinished",), ("BuildFinished", "failure", 2.0)],
    ),
    "a verdict told twice": (
        "==> qemu.a: Connected to SSH!\nBuild 'qemu.a' finished after 2 seconds.\n"
        "Build 'qemu.a' finished after 2 seconds.\n",
        [*BEGUN, ("SshWait", True), ("BuildFinished", "success", 2.0)],
    ),
    "a verdict of another run": (
        "==> qemu.a: Connected to SSH!\nBuild 'qemu.a' finished after 2 seconds.\n"
        "==> Wait completed after 2 seconds\nBuild 'qemu.a' finished after 3 seconds.\n",
        [*BEGUN, ("SshWait", True), ("BuildFinished", "success", 2.0), ("RunFinished", 2.0),
         *BEGUN, ("BuildFinished", "success", 3.0)],
    ),
    "a verdict that is none": ("Build 'qemu.a' is a fine one\n==> qemu.a: Connected to SSH!\n",
                               [*BEGUN, ("SshWait", True)]),
    "two runs' ends": (
        "==> qemu.a: Connected to SSH!\n==> Wait completed after 2 seconds\n==> Wait completed after 3 seconds\n",
        [*BEGUN, ("SshWait", True), ("RunFinished", 2.0), ("RunStarted",), ("RunFinished", 3.0)],
    ),
    "cancelled, in old words": (
        "==> qemu.a: Connected to SSH!\nCleanly cancelled builds after being interrupted.\n",
        [*BEGUN, ("SshWait", True), ("Interrupted",), ("RunFinished", None)],
    ),
    "an interrupt and its copy in the log": (
        f"{LOG}[INFO] Packer version: 1.8.6\n==> qemu.a: Connected to SSH!\n"
        "Cancelling build after receiving interrupt\n" f"{LOG}ui: Cancelling build after receiving interrupt\n",
        [("RunStarted",), ("PackerVersion", "1.8.6"), ("BuildSeen", "qemu.a"), ("SshWait", True), ("Interrupted",)],
    ),
    "a damaged record of a build that nobody knows": ("==> qemu.a: BUILDTEL:{\n", [("DamagedRecord",)]),
    "the last line is cut": (
        "==> qemu.a: Connected to SSH!\nBuild 'qemu.a' finished after 7 seconds",
        [*BEGUN, ("SshWait", True), ("BuildFinished", "success", None)],
    ),
    "the last line's error is whole as far as it goes": (
        "==> qemu.a: Connected to SSH!\nBuild 'qemu.a' errored after 7 seconds: Script exited",
        [*BEGUN, ("SshWait", True), ("BuildFinished", "failure", 7.0)],
    ),
    "the run's last line is cut": (
        "==> qemu.a: Connected to SSH!\n==> Wait completed after 2 minutes",
        [*BEGUN, ("SshWait", True), ("RunFinished", None)],
    ),
    "a provisioner that is not known": (
        "==> qemu.a: Connected to SSH!\n==> qemu.a: Provisioning with Salt...\n",
        [*BEGUN, ("SshWait", True), ("ProvisionerStarted", "other", "")],
    ),
    "an artifact's end is told only in the log": (
        f"{LOG}[INFO] Packer version: 1.8.6\n==> qemu.a: Provisioning with shell script: x.sh\n"
        f"{LOG}[INFO] (telemetry) ending shell\n{LOG}[INFO] (telemetry) ending shell\n",
        [("RunStarted",), ("PackerVersion", "1.8.6"), ("BuildSeen", "qemu.a"), ("ProvisionerStarted", "shell", "x.sh"),
         ("ProvisionerFinished",)],
    ),
    "behind a CI's columns": (
        "build\tstep 3\t2026-01-24T12:00:00.1234567Z ==> qemu.a: Connected to SSH!\n"
        "build\tstep 3\tno stamp\t==> qemu.a: Connected to SSH!\n",
        [*BEGUN, ("SshWait", True)],
    ),
    "a progress bar": ("==> qemu.a: 10%\r==> qemu.a: Connected to SSH!\n", [*BEGUN, ("SshWait", True)]),
    "a day that no month has": ("2026-13-41T12:00:00Z: ==> qemu.a: Connected to SSH!\n", [*BEGUN, ("SshWait", True)]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "events"), CASES.values(), ids=CASES)
def test_seldom_lines_are_read(text: str, events: list[tuple[Any, ...]]) -> None:
    """As the events beside them say."""
    assert told(text) == events


def gitlab(text: str, stream: str = "00", mark: str = " ") -> str:
    """A line, or a piece of one, as GitLab's runner writes it."""
    return f"2026-01-24T12:00:00.000000Z {stream}O{mark}{text}\n"


def test_pieces_of_several_streams_are_joined_each_for_itself() -> None:
    """A line without a header ends what waits, and no more streams are held than a job has."""
    text = (
        gitlab("==> qemu.a: Conn") + gitlab("nothing", "01") + gitlab("ected to SSH!", mark="+")
        + "a line of the runner's own\n" + gitlab("a piece without its first", "02", "+")
        + "".join(gitlab(f"stream {number}", f"{number:02x}") for number in range(3, 20))
        + gitlab("==> qemu.a: Gracefully halting virtual machine...")
    )  # fmt: skip

    assert told(text) == [*BEGUN, ("SshWait", True), ("PhaseStarted", "shutdown")]


@pytest.mark.parametrize("tag", ["==> qemu.a: ", "    qemu.a: "], ids=["Packer 1.13", "Packer before"])
def test_a_failure_that_packer_ignores_is_read_behind_any_output(tag: str) -> None:
    """`continue_on_error`: Packer's warning tells the exit status, whatever form the guest's output has."""
    log = (
        "==> qemu.a: Connected to SSH!\n==> qemu.a: Provisioning with shell script: a.sh\n" + f"{tag}said\n" * 3 +
        '==> qemu.a: Warning: Provisioner failed with "Script exited with non-zero exit status: 3. Allowed exit codes '
        'are: [0]", but continue_on_error is set; continuing the build.\n'
        "==> qemu.a: Provisioning with shell script: b.sh\nBuild 'qemu.a' finished after 5 seconds.\n"
    )  # fmt: skip
    ends = [event for event in parse.read([log.encode()]) if isinstance(event, ProvisionerFinished)]

    assert [(event.status, event.ignored, event.exit_code) for event in ends] == [
        ("failure", True, 3), ("success", False, None),
    ]  # fmt: skip
