"""What debug lines and progress bars tell of transfers and of the wait for a connection, by `collect` of a log."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from .conftest import Home

NOON = datetime(2026, 1, 24, 12, 0, 0, tzinfo=timezone.utc)
# Who writes a plugin's line: Packer 1.6.6, 1.16 with its own plugins, with plugins of others, and 1.1.
WRITERS = {
    "1.6.6": "packer-builder-null plugin: ",
    "1.16": "packer-1.16.0 plugin: ",
    "external": "packer-plugin-qemu_v1.1.4_x5.0_linux_amd64 plugin: {stamp} ",
    "1.1": "packer: {stamp} ",
}
Line = tuple[int, str]
UP, DOWN = "ui: ==> null.a: Uploading big => /tmp/big", "ui: ==> null.a: Downloading /tmp/big => big"
SHELL = "ui: ==> null.a: Provisioning with shell script: a.sh"
SSH = "ui: ==> null.a: Waiting for SSH to become available..."
TCP = "~[DEBUG] TCP connection to SSH ip/port failed: dial tcp 192.0.2.1:22: "
LOGIN = "~[DEBUG] SSH handshake err: ssh: handshake failed: "
ATTEMPT = "~[INFO] Attempting SSH connection to 192.0.2.1:22..."
BEGINS = "~[DEBUG] Started SCP session, beginning transfers..."
ENDS = "~[DEBUG] SCP session complete, closing stdin pipe."


def log_of(lines: list[Line], writer: str = "1.6.6", *, axis: str = "log", ends_at: int = 90) -> bytes:
    """A debug log of one build; `~` stands for the plugin that writes a line; axis `wrapper`: as ours keeps it."""
    text: list[str] = []
    for at, line in (
        (0, "[INFO] Packer version: 1.6.6 [go1.19 linux amd64]"), (0, "Starting build run: null.a"), *lines,
        (ends_at, "ui: Build 'null.a' finished after 1 minute 30 seconds."),
    ):  # fmt: skip
        then = NOON + timedelta(seconds=at)
        stamp = then.strftime("%Y/%m/%d %H:%M:%S")
        before = then.strftime("%Y-%m-%dT%H:%M:%S.000Z ") if axis == "wrapper" else ""
        text.append(f"{before}{stamp} {line.replace('~', WRITERS[writer].format(stamp=stamp))}")
    return "\n".join([*text, ""]).encode()


def build_of(home: Home, log: bytes) -> dict[str, Any]:
    """The one build of a log's document."""
    (home.path / "p.log").write_bytes(log)
    done = home.run("collect", "-q", "--force", "-o", "d.json", "p.log")
    assert done.returncode == 0, done.stderr
    (build,) = json.loads((home.path / "d.json").read_bytes())["packer"]["runs"][0]["builds"]
    return build


def parts(whole: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The parts of a phase or provisioner, their times in seconds after noon."""
    return [
        (
            part["kind"], part["name"],
            *(None if part.get(key) is None else part[key] - NOON.timestamp() for key in ("started_at", "ended_at")),
            *(part.get(key) for key in ("count", "size_bytes", "rate_mbs")),
        )
        for part in whole.get("parts", ())
    ]  # fmt: skip


# The lines of a provisioner, and its parts.
TRANSFERS: dict[str, tuple[list[Line], list[tuple[Any, ...]]]] = {
    "a file by scp": (
        [
            (5, UP), (6, BEGINS), (6, "~[DEBUG] scp: Uploading big: perms=C0644 size=62914560"),
            (15, "[INFO] 62914560 bytes written for 'uploadData'"), (16, ENDS),
        ],
        [("upload", "big", 6, 16, 1, 62914560, 6.0)],
    ),
    "its bytes told after its end": (
        [
            (5, UP), (6, BEGINS), (6, "~[DEBUG] scp: Uploading a b: c: perms=C0644 size=10"), (7, ENDS),
            (7, "~[INFO] 10 bytes written for 'uploadData'"), (8, "[INFO] 10 bytes written for 'uploadData'"),
        ],
        [("upload", "a b: c", 6, 7, 1, 10, None)],
    ),
    "a folder by scp": (
        [
            (5, UP), (6, BEGINS), (6, "~[DEBUG] scp: Uploading a: perms=C0644 size=1048576"),
            (7, "~[DEBUG] scp: Uploading b: perms=C0755 size=2097152"), (10, ENDS),
        ],
        [("upload", "", 6, 10, 2, 3145728, 0.75)],
    ),
    "a file that did not arrive": (
        [(5, UP), (6, BEGINS), (6, "~[DEBUG] scp: Uploading big: perms=C0644 size=62914560")],
        [("upload", "big", 6, 90, 1, None, None)],
    ),
    "a folder by sftp": (
        [(5, UP), *((6, f"~[DEBUG] sftp: uploading /tmp/{name}") for name in "abc")],
        [("upload", "", 5, 90, 3, None, None)],
    ),
    "a script": (
        [
            (5, SHELL), (6, "[INFO] 24 bytes written for 'uploadData'"),
            (8, BEGINS), (8, "~[DEBUG] scp: Uploading script_1.sh: perms=C0644 size=24"), (12, ENDS),
            (50, "ui: ==> null.a: hello"),
        ],
        [("upload", "script_1.sh", 8, 12, 1, 24, 5.722e-06)],
    ),
    "a script by sftp": (
        [
            (5, SHELL), (6, "[INFO] 24 bytes written for 'uploadData'"),
            (8, "~[DEBUG] sftp: uploading /tmp/script_1.sh"), (50, "ui: ==> null.a: hello"),
        ],
        [("upload", "/tmp/script_1.sh", 6, None, 1, 24, None)],
    ),
    "a file by sftp": (
        [
            (10, UP), (11, "~[DEBUG] sftp: uploading /tmp/big"), (49, "[INFO] 83886080 bytes written for 'uploadData'"),
        ],
        [("upload", "/tmp/big", 10, 90, 1, 83886080, 1.0)],
    ),
    "a download by scp": (
        [(5, DOWN), (6, BEGINS), (26, ENDS), (27, "[INFO] 20971520 bytes written for 'downloadWriter'")],
        [("download", "", 6, 26, None, 20971520, 1.0)],
    ),
    "a download otherwise": (
        [(10, DOWN), (80, "[INFO] 83886080 bytes written for 'downloadWriter'")],
        [("download", "", 10, 90, None, 83886080, 1.0)],
    ),
    "bytes alone": (
        [(10, UP), (11, "[INFO] 83886080 bytes written for 'uploadData'")],
        [("upload", "", 10, 90, None, 83886080, 1.0)],
    ),
    "other lines": (
        [
            (5, UP), (6, "~[DEBUG] scp: Uploading big: perms=C0644 size=x"),
            (7, "[INFO] 10 bytes written for 'stdout'"),
            (8, "ui: ==> null.a: scp: Uploading big: perms=C0644 size=5"), (8, "scp: debug1: Uploading"),
        ],
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("axis", ["log", "wrapper"])
@pytest.mark.parametrize("writer", WRITERS)
def test_transfers_have_their_bytes_and_times(home: Home, writer: str, axis: str) -> None:
    """By debug lines of all Packers; a rate only where the times are fine enough for it."""
    for name, (lines, told) in TRANSFERS.items():
        (unit,) = build_of(home, log_of(lines, writer, axis=axis))["provisioners"]
        found = parts(unit)
        if axis == "wrapper":  # its stamps have milliseconds
            assert all(part[-1] is not None for part in found if part[3] is not None and part[5] is not None), name
            found = [(*part[:-1], expected[-1]) for part, expected in zip(found, told, strict=True)]
        assert found == told, name


@pytest.mark.parametrize("writer", WRITERS)
def test_tries_to_connect_are_counted_by_what_came_of_them(home: Home, writer: str) -> None:
    """In order, each since the try before it, or since the port answered to it."""
    lines = [
        (2, SSH), (2, "~[DEBUG] Error getting SSH address: no address yet"), (7, TCP + "i/o timeout"),
        (27, TCP + "i/o timeout"), (32, TCP + "connect: connection refused"), (37, TCP + "connect: no route to host"),
        (38, TCP + "lookup x: no such host"), (39, TCP + "connect: strange"), (40, ATTEMPT),
        (41, LOGIN + "read tcp 1.2.3.4:5->1.2.3.4:22: read: connection reset by peer"), (45, ATTEMPT),
        (46, LOGIN + "EOF"), (50, ATTEMPT), (60, "~[DEBUG] SSH handshake err: Timeout during SSH handshake"),
        (62, ATTEMPT), (64, LOGIN + "ssh: unable to authenticate, attempted methods [none publickey], no supported"),
        (66, LOGIN + "ssh: unable to authenticate, attempted methods [none publickey], no supported"),
        (67, LOGIN + "ssh: no common algorithm"), (69, ATTEMPT), (70, "ui: ==> null.a: Connected to SSH!"),
        (71, TCP + "i/o timeout"),
    ]  # fmt: skip
    (phase,) = (one for one in build_of(home, log_of(lines, writer))["phases"] if one["name"] == "wait_ssh")
    assert [(name, *rest[:3]) for _, name, *rest in parts(phase)] == [
        ("no address yet", 2, 2, 1), ("no answer", 2, 27, 2), ("port refuses", 27, 32, 1),
        ("no route to the machine", 32, 37, 1), ("name of the machine is not known", 37, 38, 1),
        ("no connection", 38, 39, 1), ("the port answers", 40, None, None),
        ("connection closed before the login", 40, 46, 2),
        ("port accepts, then nothing is said for a minute", 50, 60, 1),
        ("login fails (tried none, publickey)", 62, 66, 2), ("handshake fails", 66, 67, 1),
    ]  # fmt: skip


# What a try says, what diagnose says of many, and what would help where the machine was reached, and where not.
WAITS = {
    "login": (
        LOGIN + "ssh: unable to authenticate, attempted methods [none publickey], no supported",
        "login fails (tried none, publickey), 12 times", "until it has the user's key", "whether ssh_username",
    ),
    "refused": (TCP + "connect: connection refused", "port refuses, 12 times", "sshd starts late", "whether sshd is"),
    "silent": (TCP + "i/o timeout", "no answer, 12 times", "gets its address late", "whether a firewall"),
    "closed": (LOGIN + "EOF", "connection closed before the login, 12 times", "still boots", "MaxStartups"),
    "odd": (TCP + "connect: strange", "", "an image that boots faster", "an image that boots faster"),
}  # fmt: skip


@pytest.mark.parametrize("name", WAITS)
def test_what_would_help_against_a_wait_follows_its_tries(home: Home, name: str) -> None:
    """Of a machine that was reached, and of one that was not; tries of less than half of the wait say nothing."""
    line, words, late, never = WAITS[name]

    def finding(lines: list[Line], end: str) -> dict[str, Any]:
        log = log_of([(2, SSH), *lines]).replace(b"finished after 1 minute 30 seconds.", end.encode())
        (home.path / "p.log").write_bytes(log)
        assert home.run("collect", "-q", "--force", "-o", "d.json", "p.log").returncode == 0
        done = home.run("diagnose", "d.json", "--format", "json")
        (found,) = [one for one in json.loads(done.stdout)["findings"] if one["cause"] == "boot_ssh"]
        return found

    tries = [(7 + 5 * number, line) for number in range(12)]
    reached = finding([*tries, (70, "ui: ==> null.a: Connected to SSH!"), (70, SHELL)], "finished after 90 seconds.")
    failed = finding(tries, "errored after 90 seconds: Timeout waiting for SSH.")
    short = finding([*tries[:3], (70, "ui: ==> null.a: Connected to SSH!"), (70, SHELL)], "finished after 90 seconds.")

    assert late in reached["advice"] and never in failed["advice"]
    assert words in reached["words"] and words in failed["words"]
    assert short["words"] == "booting and waiting for SSH" and "boots faster; see whether the" in short["advice"]


def test_a_line_that_may_be_of_several_builds_tells_nothing(home: Home) -> None:
    """Tries of two builds that wait at once; transfers while two builds run; the same again, one build later."""
    lines = [
        (1, "Starting build run: null.b"), (2, SSH), (3, SSH.replace("null.a", "null.b")),
        (4, TCP + "i/o timeout"), (5, "ui: ==> null.a: Connected to SSH!"), (7, TCP + "i/o timeout"), (8, UP),
        (9, BEGINS), (9, "~[DEBUG] scp: Uploading big: perms=C0644 size=9"), (9, ENDS),
        (10, "ui: ==> null.b: Connected to SSH!"), (11, "ui: Build 'null.b' finished after 9 seconds."),
        (12, UP), (13, BEGINS), (13, "~[DEBUG] scp: Uploading big: perms=C0644 size=9"), (14, ENDS),
    ]  # fmt: skip
    (home.path / "p.log").write_bytes(log_of(lines))
    assert home.run("collect", "-q", "--force", "-o", "d.json", "p.log").returncode == 0
    first, other = json.loads((home.path / "d.json").read_bytes())["packer"]["runs"][0]["builds"]
    assert [parts(phase) for phase in first["phases"]] == [[]]
    assert [parts(phase) for phase in other["phases"]] == [[("try", "no answer", 3, 7, 1, None, None)]]
    assert [parts(unit) for unit in first["provisioners"]] == [[], [("upload", "big", 13, 14, 1, 9, None)]]


def tries_of_two(home: Home, hosts: list[Line], ports: tuple[int, int], writer: str) -> list[list[tuple[str, Any]]]:
    """The tries of two builds of one type that wait at once: the port of one refuses, the other's answers."""
    refusing, answering = (f"127.0.0.1:{port}" for port in ports)
    lines = [
        (1, "Starting build run: null.b"), *hosts, (2, SSH), (2, SSH.replace("null.a", "null.b")),
        (4, f"~[DEBUG] TCP connection to SSH ip/port failed: dial tcp {refusing}: connect: connection refused"),
        (5, f"~[INFO] Attempting SSH connection to {answering}..."),
        (6, f"{LOGIN}read tcp 127.0.0.1:40000->{answering}: read: connection reset by peer"),
        (7, f"{LOGIN}ssh: unable to authenticate, attempted methods [none password], no supported"),
        (9, f"~[DEBUG] TCP connection to SSH ip/port failed: dial tcp {refusing}: connect: connection refused"),
        (11, "ui: Build 'null.b' finished after 9 seconds."),
    ]  # fmt: skip
    (home.path / "p.log").write_bytes(log_of(lines, writer))
    assert home.run("collect", "-q", "--force", "-o", "d.json", "p.log").returncode == 0
    builds = json.loads((home.path / "d.json").read_bytes())["packer"]["runs"][0]["builds"]
    return [
        [(name, count) for phase in build["phases"] for _, name, _, _, count, *_ in parts(phase)] for build in builds
    ]


CONNECTS = "ui: ==> null.{}: Using SSH communicator to connect: 127.0.0.1"
PORTS = {
    "qemu": "ui: ==> null.{}: Found port for communicator (SSH, WinRM, etc): {}.",
    "virtualbox": "ui: ==> null.{}: Creating forwarded port mapping for communicator (SSH, WinRM, etc) (host port {})",
}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("builder", PORTS)
def test_tries_of_builds_that_wait_at_once_are_told_apart_by_address(home: Home, builder: str, writer: str) -> None:
    """By the ports that their builder forwards; a line without an address is of neither."""
    said = [(1, PORTS[builder].format(name, port)) for name, port in (("a", 3001), ("b", 3002))]
    hosts = [*said, (1, CONNECTS.format("a")), (1, CONNECTS.format("b"))]
    first, other = tries_of_two(home, hosts, (3001, 3002), writer)

    assert first == [("port refuses", 2)]
    assert other == [("the port answers", None), ("connection closed before the login", 1)]


def test_one_address_of_two_builds_tells_nothing(home: Home) -> None:
    """Both on one host, of no known port; one whose host is not known yet may have any."""
    both = [(1, CONNECTS.format("a")), (1, CONNECTS.format("b"))]
    for hosts in (both, both[:1], [(1, PORTS["qemu"].format("a", 3001)), *both]):
        assert tries_of_two(home, hosts, (3001, 3001), "1.6.6") == [[], []]


@pytest.mark.parametrize(("way", "count", "size_bytes"), [
    ("scp: Uploading f: perms=C0644 size=9", 30_001, 270_009), ("sftp: uploading /tmp/f", None, None),
], ids=["scp", "sftp"])  # fmt: skip
def test_a_folder_of_many_files_is_counted_whole_or_not_at_all(
    home: Home, way: str, count: int | None, size_bytes: int | None
) -> None:
    """More files than there are events for transfers; sftp tells no end, so only so many are counted."""
    files = [(8, f"~[DEBUG] {way}")] * 30_001
    around = ([(7, BEGINS)], [(20, ENDS)]) if way.startswith("scp") else ([], [])
    lines = [(5, UP), *around[0], *files, *around[1], (40, UP), (41, BEGINS), *files[:1], (50, ENDS)]
    first, other = build_of(home, log_of(lines))["provisioners"]
    assert [part[4:6] for part in parts(first)] == [(count, size_bytes)]
    assert [part[4:6] for part in parts(other)] == [(1, 9 if way.startswith("scp") else None)]


def test_transfers_leave_room_for_other_parts(home: Home) -> None:
    """Of 300 uploads in one provisioner 100 are kept, and the tasks of Ansible beside them all."""
    uploads = [(BEGINS, f"~[DEBUG] scp: Uploading f{number}: perms=C0644 size=9", ENDS) for number in range(300)]
    tasks = ((f"ui: ==> null.a: TASK [t{number}] ****", *lines) for number, lines in enumerate(uploads))
    lines = [(5, "ui: ==> null.a: Provisioning with Ansible..."), *((6, line) for task in tasks for line in task)]
    (unit,) = build_of(home, log_of(lines))["provisioners"]
    kinds = [kind for kind, *_ in parts(unit)]
    assert (kinds.count("upload"), kinds.count("task")) == (100, 300)


@pytest.mark.parametrize(("names", "told"), [
    (("qemu.a", "my build.amazon-ebs.b"), True), (("qemu.a", "qemu.b"), False), (("qemu.a", "debian"), False),
], ids=["two types", "one type", "a name without a type"])  # fmt: skip
def test_the_plugin_that_wrote_a_line_tells_its_build(home: Home, names: tuple[str, str], told: bool) -> None:
    """Of two builds at once, whose names say what builds them; else the lines tell nothing."""
    first, other = names
    lines = [
        (1, f"Starting build run: {other}"), (2, SSH.replace("null.a", first)), (3, SSH.replace("null.a", other)),
        (4, TCP + "i/o timeout"), (5, TCP.replace("~", "packer-plugin-amazon_v1.2.3_x5.0 plugin: ") + "EOF"),
        (6, f"ui: ==> {first}: Connected to SSH!"), (7, UP.replace("null.a", first)), (8, BEGINS),
        (8, "~[DEBUG] scp: Uploading big: perms=C0644 size=9"), (9, ENDS),
        (80, f"ui: Build '{first}' finished after 9 seconds."), (80, f"ui: Build '{other}' finished after 9 seconds."),
    ]  # fmt: skip
    (home.path / "p.log").write_bytes(log_of(lines, "external").replace(b"null.a", first.encode()))
    assert home.run("collect", "-q", "--force", "-o", "d.json", "p.log").returncode == 0
    found = json.loads((home.path / "d.json").read_bytes())["packer"]["runs"][0]["builds"]
    tries = [[name for _, name, *_ in parts(phase)] for build in found for phase in build["phases"]]
    uploads = [parts(unit) for build in found for unit in build["provisioners"]]
    assert tries == ([["no answer"], ["connection closed before the login"]] if told else [[], []])
    assert uploads == [[("upload", "big", 8, 9, 1, 9, None)] if told else []]


BAR = "\x1b[1A\r\x1b[0;32m    null.a: {}\x1b[0m {} MiB / 60.00 MiB  {:.2f}%{}"


@pytest.mark.parametrize("begins", ["Uploading big.iso => /tmp/big.iso", "Downloading /a => b", "Retrieving ISO"])
def test_a_progress_bar_tells_bytes(home: Home, begins: str) -> None:
    """As Packer draws it in a terminal, here with the stamps of `ts`: until its last line, or until the end."""
    lines = [
        (0, f"\x1b[1;32m==> null.a: {begins}\x1b[0m"), (5, BAR.format("big.iso", "12.84", 21.41, " 3s")),
        (5, BAR.format("big.iso", "12.85", 21.42, " 3s")), (10, BAR.format("big.iso", "60.00", 100, " 0s")),
        (20, "\x1b[1;32m==> null.a: Provisioning with shell script: a.sh\x1b[0m"),
        (21, "\x1b[0;32m    null.a: dd 1.00 MiB / 2.00 MiB  50.00%\x1b[0m"),
        (90, "\x1b[1;32mBuild 'null.a' finished after 1 minute 30 seconds.\x1b[0m"),
    ]  # fmt: skip
    text = [(NOON + timedelta(seconds=at)).strftime("%Y-%m-%dT%H:%M:%SZ ") + line for at, line in lines]
    build = build_of(home, "\n".join([*text, ""]).encode())
    first = (*build["phases"], *build["provisioners"])[0]
    kind = "upload" if begins.startswith("Up") else "download"
    began_s, rate = (5, 12.0) if begins.startswith("Ret") else (0, 6.0)
    assert parts(first) == [(kind, "big.iso", began_s, 10, None, 62914560, rate)]
    assert not build["provisioners"][-1].get("parts")


def test_a_line_that_is_cut_tells_nothing(home: Home) -> None:
    """The end of a log within its last line: what the line would have said is not known."""
    line = TCP + "i/o timeout"
    whole = log_of([(2, SSH), (7, line), (14, line)])
    whole = whole[: whole.rindex(b"timeout") + len(b"timeout")]
    for cut, count in ((whole + b"\n", 2), (whole, 1), (whole[:-4], 1)):
        (phase,) = build_of(home, cut)["phases"]
        assert [(name, *rest) for _, name, _, _, *rest in parts(phase)] == [("no answer", count, None, None)]


def test_each_upload_of_one_file_has_its_bar(home: Home) -> None:
    """Two provisioners upload the same small file: each bar is drawn once, and is full."""
    full = BAR.format("a", "60.00", 100, "")
    lines = [line for _ in range(2) for line in ("\x1b[1;32m==> null.a: Uploading a => b\x1b[0m", full, full)]
    log = "\n".join([*lines, "\x1b[1;32mBuild 'null.a' finished after 1 minute 30 seconds.\x1b[0m", ""])
    units = build_of(home, log.encode())["provisioners"]
    assert [parts(unit) for unit in units] == [[("upload", "a", None, None, None, 62914560, None)]] * 2


def test_a_report_shows_them(home: Home) -> None:
    """Long transfers and failed tries are rows of the report, in each format; the failure says what was tried."""
    lines = [
        (2, SSH), (7, TCP + "connect: connection refused"), (27, TCP + "connect: connection refused"),
        (30, "ui: ==> null.a: Connected to SSH!"), *((at + 30, line) for at, line in TRANSFERS["a file by scp"][0]),
        (60, UP), *((60, line) for _, line in TRANSFERS["its bytes told after its end"][0][1:]),
    ]  # fmt: skip
    (home.path / "p.log").write_bytes(log_of(lines))
    assert home.run("collect", "-q", "--force", "-o", "d.json", "p.log").returncode == 0
    for form in ("table", "markdown", "html"):
        told = home.run("report", "--format", form, "d.json", COLUMNS="120").stdout.decode()
        assert "port refuses, 2 times" in told, form
        assert "uploads big: 60 MB, 6 MB/s" in told, form
        assert form == "html" or told.count("uploads ") == 1


def test_a_failed_wait_says_what_was_tried(home: Home) -> None:
    """Behind Packer's own words, in report, Markdown and `diagnose`."""
    lines = [
        (1, "ui: ==> null.a: Typing the boot commands over VNC..."),
        (2, SSH), (7, TCP + "connect: connection refused"), (27, TCP + "connect: connection refused"), (30, ATTEMPT),
        (32, LOGIN + "ssh: unable to authenticate, attempted methods [none password], no supported methods remain"),
        (40, "ui error: ==> null.a: Timeout waiting for SSH."), (41, "ui: ==> null.a: Deleting output directory..."),
        (42, "ui error: Build 'null.a' errored after 41 seconds: Timeout waiting for SSH."),
    ]  # fmt: skip
    (home.path / "p.log").write_bytes(log_of(lines).replace(b"Build 'null.a' finished", b"nothing"))
    assert home.run("collect", "-q", "--force", "-o", "d.json", "p.log").returncode == 0
    tried = "Packer tried to connect: port refuses, 2 times (~25 s); the port answers after ~28 s; "
    tried += "login fails (tried none, password) (~2 s)"
    for words in (("report",), ("report", "--format", "markdown"), ("diagnose",)):
        told = home.run(*words, "d.json", COLUMNS="300").stdout.decode().replace("\\", "")
        assert tried in told, words
        assert "Before that it typed the boot command, for ~1 s" in told, words
