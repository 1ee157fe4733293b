"""What the report says of logs: marks, grains, labels and legends, as `collect` prints them."""

from __future__ import annotations

import pytest

from .conftest import Home

HEAD = """2026-01-24T12:00:00Z: null.box: output will be in this color.
2026-01-24T12:00:00Z: ==> null.box: Using SSH communicator to connect: 192.0.2.1
2026-01-24T12:00:00Z: ==> null.box: Waiting for SSH to become available...
2026-01-24T12:00:01Z: ==> null.box: Connected to SSH!
"""
FAILED = HEAD + """2026-01-24T12:00:01Z: ==> null.box: Provisioning with shell script: good.sh
2026-01-24T12:00:02Z: ==> null.box: Provisioning with shell script: bad.sh
2026-01-24T12:00:03Z: ==> null.box: Provisioning step had errors: Running the cleanup provisioner, if present...
2026-01-24T12:00:03Z: Build 'null.box' errored after 2 seconds 700 milliseconds: Script exited with status: 3

==> Wait completed after 2 seconds 700 milliseconds
"""
LONG = HEAD + """2026-01-24T12:00:01Z: ==> null.box: Provisioning with shell script: install.sh
2026-01-24T12:21:12Z: ==> null.box: Creating AMI x from instance i-1
2026-01-24T12:22:21Z: ==> null.box: Terminating the source AWS instance...
2026-01-24T12:27:08Z: Build 'null.box' finished after 27 minutes 8 seconds.
"""
OTHERS = HEAD + """2026-01-24T12:00:01Z: ==> null.box: Provisioning with Goss
2026-01-24T12:00:02Z: ==> null.box: Pausing after run of step 'StepProvision'. Press enter to continue.
2026-01-24T12:00:09Z: ==> null.box: Running post-processor:  (type checksum)
2026-01-24T12:00:09Z: ==> null.box: Running post-processor: the list (type manifest)
2026-01-24T12:00:09Z: Build 'null.box' finished after 9 seconds.
"""
PAUSED = HEAD + """2026-01-24T12:00:01Z: ==> null.box: Provisioning with shell script: one.sh
2026-01-24T12:00:02Z: ==> null.box: Pausing 3s after this provisioner...
2026-01-24T12:00:05Z: ==> null.box: Pausing 8s before the next provisioner...
2026-01-24T12:00:13Z: ==> null.box: Provisioning with shell script: two.sh
2026-01-24T12:00:14Z: ==> null.box: Pausing 9s before the next provisioner...
2026-01-24T12:00:23Z: Build 'null.box' errored after 23 seconds: Build was cancelled.
"""
SAID = {
    "the failed provisioner": (FAILED, ["failed: shell bad.sh"], ["failed: shell good.sh"]),
    "whole seconds": (
        FAILED, ["~3 s (Packer says 2.7 s)", "~1 s", "whole seconds", "duration      2.7 s", "good.sh, ~1 s"],
        ["0.0 s", "2.0 s"],
    ),
    "the longest provisioner": (
        LONG,
        ["low: shell install.sh: longest provisioner, not measured for 21:11", "slowest step  install.sh, 21:11"],
        [],
    ),
    "waiting for the user": (OTHERS, ["waiting for the user: Pausing after", "~7 s"], []),
    "pauses": (
        PAUSED,
        ["Pausing 3s after shell one.sh", "Pausing 8s before shell two.sh", "Pausing 9s before the next provisioner",
         "high: Pausing 8s before shell two.sh: Packer's own pauses for"],
        ["Pausing 9s before shell"],
    ),
    "types": (OTHERS, ["Goss", "post-processor checksum", "post-processor the list"], ["other ", "Running post-proc"]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "words", "absent"), SAID.values(), ids=SAID)
def test_the_report_says_it(home: Home, text: str, words: list[str], absent: list[str]) -> None:
    """Failed provisioners, rounded times, the longest provisioner and the user's own waiting have their words."""
    done = home.run("collect", "-", stdin=text.encode(), COLUMNS="120")
    shown = done.stdout.decode()

    assert [word for word in words if word not in shown] == [], shown
    assert [word for word in absent if word in shown] == [], shown


def test_markdown_marks_the_failed_provisioner(home: Home) -> None:
    """The job summary's form has it in bold."""
    done = home.run("collect", "-", "--format", "markdown", stdin=FAILED.encode())

    assert "**failed: shell bad.sh**" in done.stdout.decode()


def test_rows_add_up_to_the_heading(home: Home) -> None:
    """By the document: the rows' lengths are the build's, to the millisecond, and its status is at the provisioner."""
    import json

    done = home.run("collect", "-", "-o", "-", stdin=FAILED.encode())
    (build,) = json.loads(done.stdout)["packer"]["runs"][0]["builds"]

    assert sum(part["duration_s"] for part in build["account"]) == build["ended_at"] - build["started_at"] == 3
    assert [unit["status"] for unit in build["provisioners"]] == ["success", "failure"]
    assert [part["status"] for part in build["account"] if part["status"]] == ["success", "failure"]


def test_a_slowest_step_counts_the_reboot(home: Home) -> None:
    """A provisioner that took far longer than what was measured in it is the slowest, the reboot included."""
    from ..samples import Guest, log, said, say

    guest = Guest()
    rows = [
        say(0, "Connected to SSH!"), say(1, "Provisioning with shell script: long.sh"),
        *said(guest.step("a1", "long", 1.5, 30)), say(31, "Provisioning with shell script: reboot.sh"),
        *said(guest.step("b1", "reboot", 31.5, 32)), say(160, "Gracefully halting virtual machine..."),
        (161.0, "Build 'qemu.debian' finished after 2 minutes 41 seconds."),
    ]  # fmt: skip
    done = home.run("collect", "-", stdin=log(rows))

    assert "slowest step       reboot, 2:09" in done.stdout.decode()


def test_the_step_header_is_never_cut(home: Home) -> None:
    """A table of steps with short names has its head, and a legend that names the whole machine."""
    from ..samples import Guest, log, said, say

    step = Guest().step("a1", "a", 1.5, 9)
    rows = [say(0, "Connected to SSH!"), say(1, "Provisioning with shell script: a"), *said(step)]
    shown = home.run("collect", "-", stdin=log(rows), COLUMNS="80").stdout.decode()

    assert "\nStep " in shown
    assert "all figures but the time are of the whole machine" in " ".join(shown.split())
