"""What GitHub Actions is told of a job that failed."""

from __future__ import annotations

import pytest

from .conftest import Home

HEAD = "null.one: output will be in this color.\n\n==> null.one: Running local shell script: /tmp/x.sh\n"
CLEANUP = "==> null.one: Provisioning step had errors: Running the cleanup provisioner, if present...\n"
CASES = {
    "an exit status": (
        f"{HEAD}    null.one: 50% done\n    null.one: ::warning::mine\n{CLEANUP}"
        "Build 'null.one' errored after 1 second: Script exited with non-zero exit status: 3\n",
        ["::error title=null.one failed::shell-local /tmp/x.sh (provisioner 1 of 1) ended with exit status 3"
         "%0AIts last lines:%0A50%25 done%0A::warning::mine"],
    ),
    "a signal": (
        f"{HEAD}{CLEANUP}Build 'null.one' errored after 1 second: Script exited with non-zero exit status: 137\n",
        ["::error title=null.one failed::shell-local /tmp/x.sh (provisioner 1 of 1) ended with exit status 137 "
         "(as after SIGKILL)"],
    ),
    "no provisioner": (
        "qemu.a: output will be in this color.\n\n==> qemu.a: Waiting for SSH to become available...\n"
        "==> qemu.a: Timeout waiting for SSH.\nBuild 'qemu.a' errored after 1 minute: Timeout waiting for SSH.\n",
        ["::error title=qemu.a failed::Timeout waiting for SSH."],
    ),
    "before any build": (
        'Error: Failed to initialize build "x"\n\nbad: thing\n',
        ['::error title=Packer began no build::Failed to initialize build "x"%0Abad: thing'],
    ),
    "success": (f"{HEAD}Build 'null.one' finished after 1 second.\n", []),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_failure_is_an_annotation(home: Home, case: str) -> None:
    """On standard error, each in one line with what GitHub takes for a line's end; elsewhere none."""
    log, expected = CASES[case]
    done = home.run("collect", "-", stdin=log.encode(), GITHUB_ACTIONS="true")
    alone = home.run("collect", "-", stdin=log.encode())

    assert [line for line in done.stderr.decode().splitlines() if line.startswith("::")] == expected
    assert b"::" not in alone.stderr
    assert not any(line.startswith("::") for line in done.stdout.decode().splitlines())


def test_a_long_output_is_cut(home: Home) -> None:
    """At most 4,096 characters, the last ones, behind the reason."""
    lines = "".join(f"    null.one: {number:02d}{'x' * 440}\n" for number in range(9))
    head = HEAD.replace("/tmp/x.sh", f"/tmp/{'d' * 200}/x.sh")
    failed = f"{head}{lines}{CLEANUP}Build 'null.one' errored: Script exited with non-zero exit status: 3\n"
    done = home.run("collect", "-", stdin=failed.encode(), GITHUB_ACTIONS="true")
    (line,) = [line for line in done.stderr.decode().splitlines() if line.startswith("::")]
    message = line.partition("failed::")[2].replace("%0A", "\n").replace("%25", "%")

    assert len(message) <= 4096
    assert message.partition("\n")[0].endswith("/x.sh (provisioner 1 of 1) ended with exit status 3")
    assert message.endswith("x" * 400)


def test_the_report_says_why(home: Home) -> None:
    """Which provisioner failed and how, before Packer's words; once where they are the same; none of a success."""
    said = {}
    for case in ("an exit status", "no provisioner", "success"):
        for form in ("table", "markdown"):
            done = home.run("collect", "-", "--format", form, stdin=CASES[case][0].encode())
            said[case, form] = [line for line in done.stdout.decode().splitlines() if "why:" in line]

    why = "why: shell-local /tmp/x.sh (provisioner 1 of 1) ended with exit status 3"
    assert said["an exit status", "table"] == [f"  {why}"]
    assert said["an exit status", "markdown"] == [f"**{why}**"]
    assert [lines for (case, _), lines in said.items() if case != "an exit status"] == [[]] * 4
