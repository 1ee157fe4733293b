"""How a provisioner and its steps went by Packer's next words, and on which machine a step ran."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from buildtel import parse
from buildtel.job import JobDocument, Meta
from buildtel.job.fold import document

from ..samples import START, Guest, Line, log, said, say

META = Meta(job="build", version="1.2", collected_at=datetime(2026, 2, 1, tzinfo=timezone.utc))
TARGET = "qemu.debian"


def read(data: bytes) -> JobDocument:
    """The document of a log's bytes."""
    return document(parse.read([data]), META)


def step_ends(after: str, exit_code: int | None) -> tuple[str | None, str, bool]:
    """(the step's status, its provisioner's status, whether its failure was ignored), by Packer's next words."""
    guest = Guest()
    rows = guest.step("a1", "a", 2.5, 4, exit_code=exit_code or 0)
    lines: list[Line] = [
        say(1, "Connected to SSH!"), say(2, "Provisioning with shell script: a.sh"),
        *said(rows if exit_code is not None else rows[:1]),
    ]  # fmt: skip
    made = read(log([*lines, *((5.0 + at, text) for at, text in enumerate(after.split("\n")))]))
    assert made.packer is not None
    (unit,) = made.packer.runs[0].builds[0].provisioners[:1]
    return made.steps[0].status, unit.status, unit.ignored


NEXT_WORDS = {
    "an allowed exit status": ("==> T: Gracefully halting virtual machine...", 9, ("success", "success", False)),
    "another provisioner": ("==> T: Uploading a => b", 9, ("success", "success", False)),
    "retried": (
        '==> T: Provisioner failed with "exit 9", retrying with 2 trie(s) left', 9, ("failure", "failure", False),
    ),
    "retried in vain": (
        "==> T: retry limit reached.\n"
        "==> T: Provisioning step had errors: Running the cleanup provisioner, if present...",
        9, ("failure", "failure", False),
    ),
    "continue_on_error": (
        '==> T: Warning: Provisioner failed with "x", but continue_on_error is set; continuing the build.\n'
        "==> T: Gracefully halting virtual machine...", 9, ("failure", "failure", True),
    ),
    "its own timeout": (
        "==> T: Cancelling provisioner after a timeout...\n"
        "==> T: Provisioning step had errors: Running the cleanup provisioner, if present...\n"
        "Build 'T' errored after 9 seconds: context canceled", None, ("timeout", "timeout", False),
    ),
    "the build failed": (
        "==> T: Provisioning step had errors: Running the cleanup provisioner, if present...\n"
        "Build 'T' errored after 9 seconds: Script exited with non-zero exit status: 9.", 9,
        ("failure", "failure", False),
    ),
    "an older Packer's failure": (
        "==> T: Deleting output directory...\nBuild 'T' errored: Script exited with non-zero exit status: 9", 9,
        ("failure", "failure", False),
    ),
    "the log ends": ("    T: something", None, ("unknown", "unknown", False)),
}  # fmt: skip


@pytest.mark.parametrize(("after", "exit_code", "expected"), NEXT_WORDS.values(), ids=NEXT_WORDS)
def test_packers_next_words_say_how_a_provisioner_went(
    after: str, exit_code: int | None, expected: tuple[str, str, bool]
) -> None:
    """valid_exit_codes, continue_on_error, timeouts and failures are told apart, for provisioners and steps."""
    assert step_ends(named(after), exit_code) == expected


def named(text: str) -> str:
    """`T` made the target's name where it stands for one."""
    return text.replace("==> T:", f"==> {TARGET}:").replace("'T'", f"'{TARGET}'").replace("    T:", f"    {TARGET}:")


def test_a_shell_local_ran_on_the_runner() -> None:
    """Records of a shell-local are of the runner's machine, never of the build's."""
    guest = Guest(boot="host-boot")
    made = read(log([
        say(1, "Connected to SSH!"), say(2, "Running local shell script: /tmp/packer-shell1"),
        *said([(2.1, guest.hello("h1", 2.1)), *guest.step("a1", "here", 2.5, 4)]),
    ]))  # fmt: skip

    assert [(step.name, step.machine, step.origin) for step in made.steps] == [("here", "runner", "runner")]
    assert [(key, machine.origin) for key, machine in made.machines.items()] == [("runner", "runner")]


@pytest.mark.parametrize("ahead_s", [0.0, 7200.0])
def test_the_runners_own_clock_is_the_logs(ahead_s: float) -> None:
    """A shell-local's step has the times of its records, not of the log's whole seconds; another clock's has not."""
    guest = Guest(boot="host-boot", ahead_s=ahead_s)
    made = read(log([
        say(1, "Connected to SSH!"), say(2, "Running local shell script: /tmp/packer-shell1"),
        *said(guest.step("a1", "here", 2.5, 4), delay_s=0.7),
    ]))  # fmt: skip
    (step,) = made.steps

    assert step.start_time is not None
    if not ahead_s:
        assert (step.start_time, step.end_time) == (START.timestamp() + 2.5, START.timestamp() + 4)
        assert (made.clock["runner"].offset_s, made.clock["runner"].error_s) == (0.0, 0.0)
    else:
        assert abs(step.start_time - START.timestamp() - 2.5) < 1.5


def test_a_record_that_outlived_a_reboot_does_not_spoil_the_old_boots_clock() -> None:
    """What the old boot recorded and a later provisioner brings bounds the old boot's clock from above only."""
    old, new = Guest(boot="old"), Guest(boot="new", booted_s=100)
    made = read(log([
        say(1, "Connected to SSH!"), say(2, "Provisioning with shell script: a.sh"), *said(old.step("a1", "a", 2.5, 4)),
        say(130, "Provisioning with shell script: b.sh"), *said([(131, new.hello("b1", 131))]),
        *said([(131.1, old.step("a2", "late", 20, 21)[1][1])]), *said(new.step("b2", "b", 131.2, 133)),
    ]))  # fmt: skip

    first, second = made.clock[TARGET].boots
    assert (first.error_s or 0) < 1.5 and (second.error_s or 0) < 1.5


def test_plugins_are_named_where_something_tells_them() -> None:
    """From the debug log or from `packer plugins installed`: name and version, each once."""
    lines = (
        b"2026/01/24 12:00:00 [INFO] Starting external plugin /x/packer-plugin-qemu_v1.1.4_x5.0_linux_amd64 start\n"
        b"Packer plugin installed: /x/packer-plugin-qemu_v1.1.4_x5.0_linux_amd64\n"
        b"Packer plugin installed: /x/packer-plugin-docker_v1.0.10_x5.0_linux_amd64\n==> T: Connected to SSH!\n"
    )
    made = read(lines)

    assert made.packer is not None
    found = [(plugin.name, plugin.version) for plugin in made.packer.plugins]
    assert found == [("qemu", "1.1.4"), ("docker", "1.0.10")]
