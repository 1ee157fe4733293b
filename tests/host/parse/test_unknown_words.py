"""Words of Packer's that no table has: they end a provisioner where it is proven that Packer speaks, and only there."""

from __future__ import annotations

import pytest

from buildtel import parse
from buildtel.events import PhaseStarted

SAY, OUT, ERR, OFF = "\x1b[1;32m", "\x1b[0;32m", "\x1b[1;31m", "\x1b[0m"
WORDS = "Frobbing the moon of server 353a..."


def phases(*lines: str) -> list[tuple[str, str]]:
    """The phases of a log: names and texts."""
    events = parse.read([("\n".join(lines) + "\n").encode()])
    return [(event.name, event.text) for event in events if isinstance(event, PhaseStarted)]


OLD_COLOURED = (
    f"{SAY}x: output will be in this color.{OFF}", f"{SAY}==> x: Provisioning with shell script: a.sh{OFF}",
    f"{OUT}    x: hello{OFF}",
)  # fmt: skip
OLD_LOG = (
    "2019/01/01 10:00:00 [INFO] Packer version: 1.3.2", "2019/01/01 10:00:00 ui: ==> x: Connected to SSH!",
    "2019/01/01 10:00:01 ui: ==> x: Provisioning with shell script: a.sh",
)  # fmt: skip
MACHINE = (
    "1546336800,,ui,say,==> x: Provisioning with shell script: a.sh", "1546336801,,ui,message,    x: hello",
)  # fmt: skip
TELEMETRY = (
    "2026/01/01 10:00:00 [INFO] Packer version: 1.16.0", "x: output will be in this color.",
    "2026/01/01 10:00:01 [INFO] (telemetry) Starting provisioner shell", "==> x: Provisioning with shell script: a.sh",
    "2026/01/01 10:00:09 [INFO] (telemetry) ending shell",
)  # fmt: skip
PROVEN = {
    "colours before 1.13": (*OLD_COLOURED, f"{SAY}==> x: {WORDS}{OFF}"),
    "stamped colours before 1.13": (
        *OLD_COLOURED, f"{SAY}2021-01-01T10:00:00Z: ==> x: {WORDS}{OFF}",
    ),
    "debug log before 1.13": (*OLD_LOG, f"2019/01/01 10:00:09 ui: ==> x: {WORDS}"),
    "machine-readable before 1.13": (*MACHINE, f"1546336809,,ui,say,==> x: {WORDS}"),
    "behind a telemetry line": (*TELEMETRY, f"==> x: {WORDS}"),
}  # fmt: skip
NOT_PROVEN = {
    "a guest's error, coloured": (*OLD_COLOURED, f"{ERR}==> x: {WORDS}{OFF}"),
    "a guest's output, coloured": (*OLD_COLOURED, f"{OUT}    x: {WORDS}{OFF}"),
    "a guest's error in a debug log": (*OLD_LOG, f"2019/01/01 10:00:09 ui error: ==> x: {WORDS}"),
    "a guest's error without colours": (
        "==> x: Provisioning with shell script: a.sh", "    x: hello", f"==> x: {WORDS}",
    ),
    "since 1.13": (
        f"{SAY}x: output will be in this color.{OFF}", f"{SAY}==> x: Provisioning with shell script: a.sh{OFF}",
        f"{SAY}==> x: {WORDS}{OFF}",
    ),
    "while a provisioner runs, by telemetry": (*TELEMETRY[:-1], f"==> x: {WORDS}"),
    "an Ansible's own words": (
        *OLD_COLOURED[:1], f"{SAY}==> x: Provisioning with Ansible...{OFF}", OLD_COLOURED[2],
        f"{SAY}==> x: {WORDS}{OFF}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("lines", PROVEN.values(), ids=PROVEN)
def test_packers_own_unknown_words_begin_a_phase(lines: tuple[str, ...]) -> None:
    """The provisioner is over, and a phase named by the text begins."""
    assert phases(*lines)[-1:] == [("other", WORDS)]


@pytest.mark.parametrize("lines", NOT_PROVEN.values(), ids=NOT_PROVEN)
def test_words_that_a_guest_may_print_begin_none(lines: tuple[str, ...]) -> None:
    """Without proof the provisioner goes on."""
    assert ("other", WORDS) not in phases(*lines)


def test_a_cut_last_line_begins_no_phase() -> None:
    """With its end, `Uploading m` would be the upload of a file."""
    log = "\n".join((*OLD_COLOURED, f"{SAY}==> x: Uploading m")).encode()

    assert [event for event in parse.read([log]) if isinstance(event, PhaseStarted)] == []
