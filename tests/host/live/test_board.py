"""The live view's rows, from events; whatever they hold, nothing but rows is drawn."""

from __future__ import annotations

import os
import re

import pyte
import pytest

from buildtel import parse
from buildtel.events import (
    AgentRecord,
    BuildBegan,
    BuildFinished,
    BuildSeen,
    OutputSign,
    PhaseStarted,
    ProvisionerFinished,
    ProvisionerStarted,
    SshWait,
)
from buildtel.insight.usual import Usual
from buildtel.job import JobDocument
from buildtel.live.board import Board
from buildtel.live.busiest import Busiest
from buildtel.live.drawing import MOST_BUILDS, View
from buildtel.timeline.packer_model import Build, PackerReport, PackerRun, Provisioner, Stretch

from ...fuzz.properties import logs
from ..samples import Guest, log, packer_report, said, say

LOGS = logs()


def counters(busy: int, total: int) -> dict[str, object]:
    """Counters of a machine with 1,000 MB, half of it used."""
    return {"cpu": [busy, 0, 0, total - busy, 0, 0, 0, 0], "mem": [1_024_000, 512_000]}


class Compiles(Busiest):
    """A compiler is busy."""

    def words(self, now_s: float) -> str:
        """The same at any time."""
        return "gcc 98%"


def drawn(board: Board, now_s: float, columns: int = 100) -> list[str]:
    """The rows of the view as a terminal shows them."""
    master, slave = os.openpty()
    try:
        written: list[bytes] = []
        view = View(slave, board, lambda: {}, Busiest(lambda: 0), lambda _fd, data: written.append(data))
        screen = pyte.Screen(columns, 40)
        import fcntl
        import struct
        import termios

        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        view.draw(now_s)
        pyte.ByteStream(screen).feed(b"".join(written))
        assert (screen.cursor.y, screen.cursor.x) == (0, 0)
        return [line.rstrip() for line in screen.display if line.strip()]
    finally:
        os.close(master)
        os.close(slave)


def test_a_build_shows_its_phase_and_its_guests_gauges() -> None:
    """Two records with counters give the guest's figures of the time between them."""
    board = Board(0.0)
    board.take([BuildSeen(line=1, target="qemu.a")], 1)
    board.take([PhaseStarted(line=2, target="qemu.a", name="boot", text="Boots")], 2)
    board.take([ProvisionerStarted(line=3, target="qemu.a", index=0, kind="shell", detail="a.sh")], 5)
    for m_s, busy, total in ((10, 100, 1000), (40, 1600, 4000)):
        record = {"ev": "beat", "m": m_s * 10**9, "c": counters(busy, total)}
        board.take([AgentRecord(line=4, target="qemu.a", fields=record)], m_s)

    row, machine = drawn(board, 45.0)
    assert re.fullmatch(r" qemu\.a  shell a\.sh +40\.0 s  guest cpu 50% mem 500M", row)
    assert machine.strip() == "total 45.0 s"


def document(*seconds: float) -> JobDocument:
    """A document of a build with a phase and a provisioner that took so long."""
    boot_s, shell_s = seconds
    account = (
        Stretch(name="boot", text="Port 123", started_at=0, ended_at=boot_s, duration_s=boot_s),
        Stretch(name="provisioner", text="shell x", provisioner=0, started_at=4, ended_at=100, duration_s=shell_s),
    )
    unit = Provisioner(kind="shell", detail="x")
    builds = (Build(name="qemu.a", result="success", provisioners=(unit,), account=account),)
    return JobDocument(job="build", version="0", packer=PackerReport(runs=(PackerRun(builds=builds),)))


def test_what_takes_how_long_in_other_builds_is_shown() -> None:
    """For the same provisioner of the same build; ports and ids in a phase's text make no other phase."""
    board = Board(0.0, lambda: Usual([document(4, 96)]))
    board.take([PhaseStarted(line=1, target="qemu.a", name="boot", text="Port 456")], 1)
    assert drawn(board, 2.0)[1].strip() == "4.0 s last time"
    board.take([ProvisionerStarted(line=2, target="qemu.a", index=0, kind="shell", detail="y")], 3)
    assert drawn(board, 4.0)[1].strip() == "1:36 last time"
    board.take([ProvisionerStarted(line=3, target="qemu.a", index=1, kind="shell", detail="z")], 5)
    assert "total" in drawn(board, 6.0)[1]


@pytest.mark.parametrize(("known_s", "words"), [
    ((200, 300), "usually 3:20 to 5:00"), ((300, 300), "usually 5:00"),
    ((10, 250, 280, 300, 900), "usually 4:10 to 5:00"),
], ids=["two", "the same", "five"])  # fmt: skip
def test_usual_times_are_a_range_and_what_is_above_it_is_said(known_s: tuple[float, ...], words: str) -> None:
    """Of five builds the shortest and the longest don't count; the time now is added once it is clearly longer."""
    board = Board(0.0, lambda: Usual(document(4, seconds) for seconds in known_s))
    board.take([ProvisionerStarted(line=1, target="qemu.a", index=0, kind="shell", detail="x")], 0)
    assert [drawn(board, now_s)[1].strip() for now_s in (100, 320, 380)] == [words, words, f"{words}, now 6:20"]


def shown(*lines: str, now_s: float = 60.0, columns: int = 80) -> list[str]:
    """The view of a log whose lines came a second after each other, the first a second after the start."""
    board = Board(0.0)
    reader = parse.Inbox(parse.batches)
    for number, line in enumerate(lines, 1):
        board.take(reader.put(line.encode() + b"\n"), number)
    return drawn(board, now_s, columns)


BEGINS = "2026/01/24 12:00:00 ui: ==> null.a: "
PLUGIN = "2026/01/24 12:00:00 packer-builder-null plugin: [DEBUG] "
BAR = "\x1b[1A\r\x1b[0;32m    null.a: a\x1b[0m {} MiB / 60.00 MiB  {}%"
APT = "Waiting for cache lock: Could not get lock /l. It is held by process 7 (apt)"
INSIDE = {
    "a lock": (
        ("Provisioning with shell script: a", APT), r"waits for a lock, held by apt \(7\), for 5[5-7].0 s",
    ),
    "a task": (
        ("Provisioning with Ansible...", "PLAY [all] ****", "TASK [Install] ****"), "task Install, for 5[5-7].0 s",
    ),
    "a transfer": (
        (
            "Uploading a => b", PLUGIN + "Started SCP session, beginning transfers...",
            PLUGIN + "scp: Uploading a: perms=C0644 size=1048576",
        ),
        "uploads a: 1 MB, for 5[5-7].0 s",
    ),
    "a bar": (
        ("Uploading a => b", BAR.format("1.00", "1.67"), BAR.format("6.00", "10.00")),
        "uploads a: 6 MB of 60 MB, 6 MB/s",
    ),
    "tries": (
        ("Waiting for SSH to become available...", *[
            PLUGIN + "TCP connection to SSH ip/port failed: dial tcp 1.2.3.4:22: connect: connection refused"
        ] * 3),
        "port refuses, 3 times",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", INSIDE)
def test_what_goes_on_within_is_a_line_of_its_own(name: str) -> None:
    """Below its build, at 80 columns; none where it is over."""
    lines, words = INSIDE[name]
    begins = ["2026/01/24 12:00:00 Starting build run: null.a", BEGINS + "Creating VM"]
    whole = [*begins, *(line if line[0] in "2\x1b" else BEGINS + line for line in lines)]
    (row,) = shown(*whole)[1:-1]
    assert re.fullmatch(words, row.strip()), row
    assert len(shown(*whole, BEGINS + "Provisioning with shell script: next")) == 2


def test_in_a_low_terminal_there_is_a_line_for_each_build_first() -> None:
    """What goes on within is left out where not all of it has room, and builds where they have none."""
    board = Board(0.0)
    for number in range(6):
        board.take([ProvisionerStarted(line=1, target=f"q{number}", index=0, kind="ansible", detail="")], 1)
        sign = OutputSign(line=2, target=f"q{number}", provisioner=0, kind="task", name="x")
        board.take([sign], 2)
    view = View(1, board, lambda: {}, Compiles(lambda: 0), lambda _fd, _data: None)
    assert [len(view.rows(3.0, 80, most)) for most in (20, 13, 12, 7, 5)] == [13, 13, 7, 7, 5]
    assert view.rows(3.0, 80, 20)[-1].rstrip("\x1b[0m").endswith("runs gcc 98%")


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
@pytest.mark.parametrize("name", ["a", "qemu.\x1b[2Jevil\n::error::x", "日本語" * 30, "x" * 500], ids=range(4))
def test_names_never_move_the_cursor(name: str, columns: int) -> None:
    """Each build is one row, whatever it is called and however narrow the terminal is."""
    board = Board(0.0)
    board.take([ProvisionerStarted(line=1, target=name, index=0, kind="shell", detail=name)], 1)
    rows = drawn(board, 2.0, columns)
    assert len(rows) == 2


def test_of_many_builds_those_that_run_are_shown() -> None:
    """Finished ones come last, the rest is counted."""
    board = Board(0.0)
    for number in range(MOST_BUILDS + 4):
        board.take([BuildSeen(line=1, target=f"null.{number}")], 0)
    ended = BuildFinished(line=2, target="null.0", result="success", duration_s=1.0)
    board.take([ended], 3)
    rows = drawn(board, 4.0)

    assert len(rows) == MOST_BUILDS + 2
    assert not any(row.startswith(" null.0 ") for row in rows)
    assert rows[-2].strip() == "and 4 more builds"


def test_forged_records_break_no_view() -> None:
    """Counters that no agent writes give no gauge, and no exception."""
    board = Board(0.0)
    for bad in ({"cpu": "x"}, {"cpu": [1, "2"]}, {"mem": {"a": 1}}, {"disk": [1]}, [], None):
        for m in (1, "2", 10**30):
            board.take([AgentRecord(line=1, target="a", fields={"ev": "beat", "m": m, "c": bad})], 1)
    assert "guest" not in drawn(board, 2.0)[0]


def test_a_wired_step_is_named_as_its_record_names_it() -> None:
    """From the step's start on the line shows the name that the user gave, not Packer's temporary file."""
    guest = Guest()
    board = Board(0.0)
    start = guest.step("a1", "install", 1.5, 9)[:1]
    rows = [say(1, "Provisioning with shell script: /tmp/packer-shell123"), *said(start)]
    board.take(parse.read([log(rows)]), 2.0)

    assert board.builds["qemu.debian"].doing == "shell install"


BEATS = {
    "runs": ({"busy": ["cc1plus", 29.4, 30.0]}, "runs cc1plus 98%"),
    "waits": ({"wait": [42.0, "lock", "apt-get", "dpkg"]}, "waits: apt-get for a lock held by dpkg, 42.0 s"),
    "both": (
        {"busy": ["make", 3, 30.0], "wait": [5, "sleep", "sleep", ""]}, "waits: sleep asleep, 5.0 s; runs make 10%"
    ),
    "none": ({}, None),
    "a forged one": ({"busy": ["\x1b[2J", -1, 0], "wait": [1, "lock"]}, None),
    "no time": ({"busy": ["x", 1, 0]}, None),
}  # fmt: skip


@pytest.mark.parametrize(("told", "words"), BEATS.values(), ids=BEATS)
def test_a_beat_tells_what_the_step_does(told: dict[str, object], words: str | None) -> None:
    """The busiest command and what the step waits for stand below the step, until it ends."""
    board = Board(0.0)
    began = ProvisionerStarted(line=1, target="q", index=0, kind="shell", detail="a.sh")
    beat = AgentRecord(line=2, target="q", fields={"ev": "beat", "m": 1, "c": counters(1, 2), **told})
    board.take([began, beat], 30.0)
    shown = drawn(board, 31.0)
    assert shown[1:-1] == ([f"    {words}"] if words else [])

    board.take([AgentRecord(line=3, target="q", fields={"ev": "end", "m": 2, "c": counters(2, 3)})], 31.0)
    assert drawn(board, 32.0)[1:-1] == []


def test_between_phases_the_view_tells_since_when_nothing_is_told() -> None:
    """A build starts; its first words, and the end of each phase and provisioner, begin a stretch without a name."""
    board = Board(0.0)
    told = []
    for number, event in enumerate((
        BuildSeen(line=1, target="q"), BuildBegan(line=2, target="q"), SshWait(line=3, target="q", connected=True),
        PhaseStarted(line=4, target="q", name="boot", text="Boots"), SshWait(line=5, target="q", connected=True),
        ProvisionerStarted(line=6, target="q", index=0, kind="shell", detail="a.sh"),
        ProvisionerFinished(line=7, target="q", index=0),
    )):  # fmt: skip
        board.take([event], number)
        line = board.builds["q"]
        told.append((line.doing, line.since_s))

    assert told == [
        ("starts", 0), ("", 1), ("", 1), ("Boots", 3), ("", 4), ("shell a.sh", 5), ("", 6),
    ]  # fmt: skip


@pytest.mark.parametrize("data", LOGS, ids=range(len(LOGS)))
def test_the_view_and_the_document_tell_the_same(data: bytes) -> None:
    """Builds and provisioners of a log's last run are those of its document."""
    events = [*parse.read([data])]
    board = Board(0.0)
    board.take(events, 1)
    runs = packer_report(events).runs
    known = {build.name: build for build in runs[-1].builds} if runs else {}
    shown = {name: line.build for name, line in board.builds.items() if name in known}

    assert set(shown) == set(known)
    for name, build in known.items():
        assert [(unit.kind, unit.detail) for unit in shown[name].units] == [
            (unit.kind, unit.detail) for unit in build.provisioners
        ]
