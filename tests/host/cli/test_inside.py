"""What a provisioner's output tells of its inside, by `collect` of a log: tasks, waits for locks, evidence."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest

from .conftest import Home

NOON = datetime(2026, 1, 24, 12, 0, 0, tzinfo=timezone.utc)
ISO, DEBUG = "%Y-%m-%dT%H:%M:%SZ: ", "%Y/%m/%d %H:%M:%S ui: "
GREEN, OFF = "\x1b[0;32m", "\x1b[0m"
FORMS: dict[str, Callable[[datetime, str], str]] = {
    "plain": lambda _, line: line,
    "colour": lambda _, line: GREEN + line + OFF,
    "timestamp-ui": lambda then, line: then.strftime(ISO) + line,
    "coloured timestamp-ui": lambda then, line: GREEN + then.strftime(ISO) + line + OFF,
    "debug": lambda then, line: then.strftime(DEBUG) + line,
    "machine-readable": lambda then, line: (
        f"{then.timestamp():.0f},,ui,message," + line.replace(",", "%!(PACKER_COMMA)")
    ),
}
STAR = " " + "*" * 20
APT = "Waiting for cache lock: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process {}"
YUM = "Another app is currently holding the yum lock; waiting for it to exit..."
YUM_MORE = [
    "  The other application is: PackageKit",
    "    Memory :  79 M RSS (372 MB VSZ)",
    "    State  : Sleeping, pid: 31",
]
Told = tuple[str, str, float | None, float | None]


def log_of(lines: list[tuple[int, str]], form: str, *, quiet: str = "    ", ends_at: int = 90) -> bytes:
    """A log of one shell provisioner that prints each line at its second; `quiet` stands before a guest's line."""
    told = [
        (0, "==> null.a: Provisioning with shell script: a.sh"),
        *((at, f"{quiet}null.a: {text}") for at, text in lines),
        (ends_at, "==> null.a: Gracefully halting virtual machine..."),
    ]
    shown = [FORMS[form](NOON + timedelta(seconds=at), line) for at, line in told]
    return "\n".join([*shown, "Build 'null.a' finished after 2 minutes.", ""]).encode()


def parts_of(home: Home, log: bytes, *words: str) -> list[list[Told]]:
    """Of each provisioner its parts: kind, name, and seconds after noon."""
    (home.path / "p.log").write_bytes(log)
    done = home.run("collect", "-q", "--force", *words, "-o", "d.json", "p.log")
    assert done.returncode == 0, done.stderr
    (build,) = json.loads((home.path / "d.json").read_bytes())["packer"]["runs"][0]["builds"]
    return [
        [
            (part["kind"], part["name"], *(seconds(part.get(key)) for key in ("started_at", "ended_at")))
            for part in unit.get("parts", ())
        ]
        for unit in build["provisioners"]
    ]


def seconds(unix_s: float | None) -> float | None:
    """Seconds after noon."""
    return None if unix_s is None else unix_s - NOON.timestamp()


CASES: dict[str, tuple[list[tuple[int, str]], list[Told]]] = {
    "ansible": (
        [
            (1, "PLAY [all]" + STAR), (3, "TASK [Gathering Facts]" + STAR), (8, "ok: [default]"),
            (10, "TASK [app : Install [x]]" + STAR), (11, "included: TASK [no]"),
            (20, "RUNNING HANDLER [restart]" + STAR),
            (31, "PLAY RECAP" + STAR), (31, "default : ok=2 changed=1"),
        ],
        [
            ("play", "all", 1, 3), ("task", "Gathering Facts", 3, 10), ("task", "app : Install [x]", 10, 20),
            ("handler", "restart", 20, 31), ("recap", "RECAP", 31, 90),
        ],
    ),
    "ansible in its own colours": (
        [(1, f"\x1b[0;33mTASK [a]{STAR}\x1b[0m"), (5, f"\x1b[1;35mPLAY RECAP{STAR}\x1b[0m")],
        [("task", "a", 1, 5), ("recap", "RECAP", 5, 90)],
    ),
    "other words of tasks": (
        [(1, "TASK [a]"), (2, "TASK: a ****"), (3, "my TASK [a] ****"), (4, "PLAY [x] **"), (5, "TASK [a] *** b")], [],
    ),
    "apt": (
        [
            (2, APT.format("16 (unattended-upgr)...")), (3, APT.format("16 (unattended-upgr)... 1/600s")), (4, ""),
            (5, APT.format("16 (unattended-upgr)")), (9, "Reading package lists..."),
            (20, APT.format("17 (apt)...")), (25, APT.format("18 (apt)...")), (28, "TASK [a] ***"),
        ],
        [
            ("lock", "unattended-upgr (16)", 2, 9), ("lock", "apt (17)", 20, 25), ("lock", "apt (18)", 25, 28),
            ("task", "a", 28, 90),
        ],
    ),
    "apt, rewritten": (
        [(2, f"{APT.format('16 (apt)... 0s')}\r{APT.format('16 (apt)... 1s')}\r"), (9, "Reading package lists...\r")],
        [("lock", "apt (16)", 2, 9)],
    ),
    "apt in a loop": (
        [
            (1, "E: Could not get lock /x/lock. It is held by process 16"), (1, "E: Unable to lock directory /x/"),
            (6, "E: Could not get lock /x/lock. It is held by process 16"), (6, "E: Unable to lock directory /x/"),
            (11, "Done"), (12, "E: Could not get lock /x/lock - open (11: Resource temporarily unavailable)"),
            (14, "Done"),
        ],
        [("lock", "process 16", 1, 11), ("lock", "", 12, 14)],
    ),
    "dpkg": (
        [(1, "dpkg: error: dpkg frontend lock was locked by another process with pid 42"), (2, "Selecting previously")],
        [("lock", "process 42", 1, 2)],
    ),
    "yum": (
        [*((at, line) for at in (1, 3, 5) for line in (YUM, *YUM_MORE)), (7, "Installed: a"), (8, YUM)],
        [("lock", "PackageKit", 1, 7), ("lock", "", 8, 90)],
    ),
    "dnf": ([(1, "Waiting for process with pid 1234 to finish."), (4, "Done")], [("lock", "process 1234", 1, 4)]),
    "evidence": (
        [
            (1, "Killed"), (2, "/tmp/a.sh: line 3:  1234 Killed                  ./a"), (3, "Killed 3 flies"),
            (4, "Not Killed"),
            (5, "dd: error writing 'x': No space left on device"), (6, "OSError: [Errno 28] No space left on device"),
            (7, "write /x: no space left on device"), (8, "[ 12.3] Out of memory: Killed process 7 (java)"),
            (9, "fork: Cannot allocate memory"), (10, "Segmentation fault (core dumped)"),
            (11, "where No space left on device is"),
        ],
        [
            ("evidence", "Killed", 1, None),
            ("evidence", "/tmp/a.sh: line 3:  1234 Killed                  ./a", 2, None),
            ("evidence", "dd: error writing 'x': No space left on device", 5, None),
            ("evidence", "OSError: [Errno 28] No space left on device", 6, None),
            ("evidence", "write /x: no space left on device", 7, None),
            ("evidence", "[ 12.3] Out of memory: Killed process 7 (java)", 8, None),
            ("evidence", "fork: Cannot allocate memory", 9, None),
            ("evidence", "Segmentation fault (core dumped)", 10, None),
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("quiet", ["    ", "==> "], ids=["four spaces", "all ==>"])
@pytest.mark.parametrize("form", FORMS)
def test_all_forms_of_output_tell_the_same(home: Home, form: str, quiet: str) -> None:
    """Kinds, names and times of each case; a log without times has the parts without times."""
    timed = form not in ("plain", "colour")
    for name, (lines, told) in CASES.items():
        expected = told if timed else [(kind, what, None, None) for kind, what, *_ in told]
        assert parts_of(home, log_of(lines, form, quiet=quiet)) == [expected], name


def test_each_copy_in_a_debug_log_counts_once(home: Home) -> None:
    """Output without times beside the debug log's copy of it: the times are the copy's, a wait's end, too."""
    lines, told = CASES["apt"]
    plain = log_of(lines, "plain").splitlines()[:-1]
    debug = log_of(lines, "debug").splitlines()
    log = b"\n".join(line for pair in zip(plain, debug, strict=False) for line in pair) + b"\n" + debug[-1] + b"\n"

    assert parts_of(home, log) == [told]


def test_a_long_log_tells_the_same(home: Home) -> None:
    """Where lines are passed over at once, those that tell are found; a wait ends with the next line of its build."""
    lines = [line for at in range(1, 90) for line in [(at, f"Unpacking lib{at} {number}") for number in range(300)]]
    lines[150:150] = CASES["apt"][0][:1]
    lines[20_000:20_000] = [(67, "TASK [a]" + STAR)]
    told = [("lock", "unattended-upgr (16)", 2, 1), ("task", "a", 67, 90)]

    assert [[part[:2] for part in unit] for unit in parts_of(home, log_of(lines, "timestamp-ui"))] == [
        [part[:2] for part in told]
    ]


def test_parts_are_bounded(home: Home) -> None:
    """A thousand of one provisioner, twenty lines of evidence, names of 200 characters, lines of 300."""
    lines = [(1, "Killed")] * 30 + [(at // 20, f"TASK [{'x' * 400}]" + STAR) for at in range(40, 1140)]
    (parts,) = parts_of(home, log_of([(1, APT.format("16 (apt)")), *lines], "timestamp-ui"))

    assert [sum(part[0] == kind for part in parts) for kind in ("evidence", "task")] == [20, 979]
    assert [part[2:] for part in (parts[0], parts[-1])] == [(1, 1), (50, 50)]
    assert {len(part[1]) for part in parts if part[0] == "task"} == {200}
    (parts,) = parts_of(home, log_of([(1, f"{'x' * 400}: Cannot allocate memory")], "timestamp-ui"))
    assert [len(part[1]) for part in parts] == [300]


def test_parts_belong_to_their_provisioner(home: Home) -> None:
    """A wait ends with its provisioner; what comes while none runs tells nothing."""
    lines = [(1, "TASK [a]" + STAR), (2, APT.format("16 (apt)"))]
    log = log_of(lines, "timestamp-ui", ends_at=5).partition(b"Build 'null.a'")[0]
    again = log.replace(b"12:00:0", b"12:01:0")
    late = b"2026-01-24T12:02:00Z:     null.a: TASK [late] ****\n"

    assert parts_of(home, log + again + late) == [
        [("task", "a", 1, 5), ("lock", "apt (16)", 2, 5)], [("task", "a", 61, 65), ("lock", "apt (16)", 62, 65)],
    ]  # fmt: skip


def test_secrets_are_hidden_and_lines_can_be_left_out(home: Home) -> None:
    """Names are redacted; `--no-output` keeps no evidence, which is a line of output."""
    log = log_of([(1, "TASK [secret-7]" + STAR), (2, "secret-8: No space left on device")], "timestamp-ui")

    assert parts_of(home, log, "--redact", r"secret-\d") == [
        [("task", "<redacted>", 1, 90), ("evidence", "<redacted>: No space left on device", 2, None)]
    ]
    assert parts_of(home, log, "--no-output") == [[("task", "secret-7", 1, 90)]]


def shown(home: Home, form: str) -> list[str]:
    """The lines of the report that tell of parts."""
    text = home.run("report", "--format", form, "d.json", COLUMNS="100").stdout.decode()
    mark = {"table": "    - ", "markdown": "↳ "}[form]
    return [line for line in text.splitlines() if mark in line and "**" not in line]


def test_a_report_shows_the_longest_below_their_provisioner(home: Home) -> None:
    """Ten of many, in their order, and how many more; evidence beside them; what strangers wrote is safe to print."""
    lines = [(at * at, f"TASK [t{at}|\x07]" + STAR) for at in range(1, 15)] + [(200, "Killed")]
    parts_of(home, log_of(lines, "timestamp-ui", ends_at=300))
    table, page = shown(home, "table"), shown(home, "markdown")

    assert [line.split()[2] for line in table[:10]] == [f"t{at}|\\x07" for at in range(5, 15)]
    assert table[0].split()[3:5] == ["~11", "s"] and table[0].split()[-1].strip("━#") == ""
    assert [line.split() for line in table[10:]] == [["-", "says:", "Killed"], ["-", "and", "4", "more"]]
    assert page[0] == "| 25.0 s | ~11 s |  |  | ↳ task t5\\|\\\\x07 |"
    assert page[10:] == ["| 3:20 |  |  |  | ↳ says: Killed |", "|  |  |  |  | ↳ and 4 more |"]


def test_a_report_without_times_shows_the_first(home: Home) -> None:
    """Names without lengths; who holds a lock, or that nobody says it."""
    parts_of(home, log_of([(1, "PLAY [all]" + STAR), *CASES["apt in a loop"][0], (20, "PLAY RECAP" + STAR)], "plain"))

    assert [line.strip() for line in shown(home, "table")] == [
        "- play all", "- waits for a lock, held by process 16", "- waits for a lock", "- recap",
    ]  # fmt: skip
