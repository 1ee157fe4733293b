"""Steps whose own records lack an end or an exit status: what Packer's words tell in their place, and what not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from buildtel.cli import main

from ..samples import START, Guest, Line, counters, log, packed, said, say

S = START.timestamp()
Rows = list[tuple[float, dict[str, Any]]]
FIELDS = ("status", "exit_code", "exit_from", "ended_from", "unfinished")
FAILED = "Provisioning step had errors: Running the cleanup provisioner, if present..."
ALLOWED = "Script exited with non-zero exit status: {}.Allowed exit codes are: [0]"  # as Packer 1.6.6 prints it
NEXT = "Uploading a => b"
IN_IT = "the build failed in it"
NO_RECORD = "its end record is not in the log"
LOG_ENDS = "the log ends before the step does"


def collected(folder: Path, lines: list[Line], *, stamps: bool = True) -> dict[str, Any]:
    """The document of a log, by the command."""
    (folder / "packer.log").write_bytes(log(lines, stamps=stamps))
    made = folder / "job.json"
    assert main(["collect", str(folder / "packer.log"), "--job", "b", "--quiet", "-o", str(made)]) == 0
    document: dict[str, Any] = json.loads(made.read_text())
    return document


def build(rows: Rows, after: list[str] | list[Line], more: list[Line] | None = None) -> list[Line]:
    """A build with one provisioner whose records are `rows`, and Packer's lines after it, from second 9 on."""
    lines: list[Line] = [say(1, "Connected to SSH!"), say(2, "Provisioning with shell script: a.sh"), *said(rows)]
    told = [(9.0 + at, text) if isinstance(text, str) else text for at, text in enumerate(after)]
    named = [(at, f"==> qemu.debian: {text}" if not text.startswith("Build ") else text) for at, text in told]
    return [*lines, *(more or []), *named]


def errored(error: str) -> str:
    """Packer's line on a build that failed."""
    return f"Build 'qemu.debian' errored after 9 seconds: {error}"


def step(**end: Any) -> Rows:
    """The records of a step from 2.5 to 4; without an end record unless `end` has fields of one."""
    rows = Guest().step("a1", "install", 2.5, 4)
    return [rows[0], (rows[1][0], {**rows[1][1], **end})] if end else rows[:1]


def told(document: dict[str, Any], name: str = "install") -> tuple[Any, ...]:
    """What a document says of the end of the step `name`."""
    (found,) = (one for one in document["steps"] if one["name"] == name)
    return tuple(found.get(field) for field in FIELDS)


PASSED = ("success", None, None, "packer", None)
WORDS: dict[str, tuple[list[str], tuple[Any, ...]]] = {
    "the next provisioner": ([NEXT], PASSED),
    "a phase of the builder's": (["Gracefully halting virtual machine..."], PASSED),
    "a post-processor": (["Running post-processor: manifest"], PASSED),
    "the build's success": (["Build 'qemu.debian' finished after 9 seconds."], PASSED),
    "a failure with its exit status": (
        [FAILED, errored(ALLOWED.format(3))], ("failure", 3, "packer", "packer", None),
    ),
    "the same of a newer Packer": (
        [FAILED, errored("Script exited with non-zero exit status: 137. Allowed exit codes are: [0 2]")],
        ("failure", 137, "packer", "packer", None),
    ),
    "an older Packer's failure": (
        ["Deleting output directory...", errored("Script exited with non-zero exit status: 9")],
        ("failure", 9, "packer", "packer", None),
    ),
    "a shell-local's of an old Packer": (
        [errored("Erroneous exit code 4 while executing script /tmp/x")], ("failure", 4, "packer", "packer", None),
    ),
    "an error of several lines": (
        [FAILED, errored("2 errors occurred:\n\t* Script exited with non-zero exit status: 5\n\t* and another")],
        ("failure", 5, "packer", "packer", None),
    ),
    "retried": (
        ['Provisioner failed with "' + ALLOWED.format(9) + '", retrying with 2 trie(s) left'],
        ("failure", 9, "packer", "packer", None),
    ),
    "continue_on_error": (
        ['Warning: Provisioner failed with "' + ALLOWED.format(9) + '", but continue_on_error is set;', NEXT],
        ("failure", 9, "packer", "packer", None),
    ),
    "an error clean-up after it": (
        [FAILED, "Provisioning with shell script: cleanup.sh", errored(ALLOWED.format(3))],
        ("failure", 3, "packer", "packer", None),
    ),
    "its own timeout": (
        ["Cancelling provisioner after a timeout...", FAILED, errored("context canceled")],
        ("timeout", None, None, None, IN_IT),
    ),
    "a lost connection": (
        [FAILED, errored("Script disconnected unexpectedly. If you expected your script to disconnect, …")],
        ("failure", None, None, None, IN_IT),
    ),
    "a lost connection, as older Packers say it": (
        [FAILED, errored("Script exited with non-zero exit status: 2300218")], ("failure", None, None, None, IN_IT),
    ),
    "an exit status that a scrubber cut": (
        [FAILED, errored("Script exited with non-zero exit status: 1<sensitive>")],
        ("failure", None, None, None, IN_IT),
    ),
    "a post-processor's failure": (
        ["Running post-processor: shell", errored("1 error(s): * Post-processor failed: " + ALLOWED.format(6))],
        PASSED,
    ),
    "an interrupt": (
        ["Gracefully", errored("build was cancelled")], ("cancellation", None, None, None, IN_IT),
    ),
    "nothing: the log ends": ([], ("unknown", None, None, None, LOG_ENDS)),
}  # fmt: skip


@pytest.mark.parametrize(("after", "expected"), WORDS.values(), ids=WORDS)
def test_packers_words_tell_the_end_that_no_record_tells(
    tmp_path: Path, after: list[str], expected: tuple[Any, ...]
) -> None:
    """Passed is ended with an allowed status, a printed exit status is the step's; what proves no end gives none."""
    assert told(collected(tmp_path, build(step(), after))) == expected


BEGUN: dict[str, tuple[dict[str, Any], list[str], tuple[Any, ...]]] = {
    "passed": ({"exit": None}, [NEXT], ("success", None, None, "agent", None)),
    "failed": (
        {"exit": None, "exit_from": None}, [FAILED, errored(ALLOWED.format(3))],
        ("failure", 3, "packer", "agent", None),
    ),
    "failed, and no status printed": (
        {"exit": None}, [FAILED, errored("ssh: handshake failed")], ("failure", None, None, "agent", None),
    ),
    "the kernel told it": ({"exit": 7, "exit_from": "taskstats"}, [NEXT], ("success", 7, "taskstats", "agent", None)),
    "an older agent told it": ({"exit": 0}, [NEXT], ("success", 0, "agent", "agent", None)),
    "Packer says another": (
        {"exit": 1, "exit_from": "zombie"}, [FAILED, errored(ALLOWED.format(3))],
        ("failure", 1, "zombie", "agent", None),
    ),
    "a source that no agent names": (
        {"exit": 1, "exit_from": "\x1b[31mroot"}, [FAILED, errored(ALLOWED.format(1))],
        ("failure", 1, "agent", "agent", None),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("end", "after", "expected"), BEGUN.values(), ids=BEGUN)
def test_an_end_record_stands_and_packer_adds_the_exit_status_that_it_lacks(
    tmp_path: Path, end: dict[str, Any], after: list[str], expected: tuple[Any, ...]
) -> None:
    """What the agent recorded is kept; an exit status that it could not see is Packer's, where Packer prints one."""
    assert told(collected(tmp_path, build(step(**end), after))) == expected


def outer_and_inner(guest: Guest) -> Rows:
    """A step that has no end, and one within it that has."""
    inner = guest.step("b1", "inner", 3, 3.5)
    inner[0][1]["parent"] = "a1.1"
    return [*guest.step("a1", "install", 2.5, 4)[:1], *inner]


def beside(guest: Guest) -> Rows:
    """Two steps of one provisioner, one after the other; the second has no end."""
    return [*guest.step("b1", "first", 2.5, 3), *guest.step("a1", "install", 3.1, 4)[:1]]


def within(guest: Guest) -> Rows:
    """A step that ended, and one within it that has no end."""
    inner = guest.step("a1", "install", 3, 3.5)[:1]
    inner[0][1]["parent"] = "b1.1"
    first, last = guest.step("b1", "outer", 2.5, 4)
    return [first, *inner, last]


def rebooted(guest: Guest) -> Rows:
    """A step that had no end when the machine rebooted."""
    return [*guest.step("a1", "install", 2.5, 4)[:1], *Guest(boot="new", booted_s=5).step("b1", "later", 7, 8)]


SHAPES: dict[str, tuple[Callable[[Guest], Rows], tuple[Any, ...]]] = {
    "around another step": (outer_and_inner, PASSED),
    "beside another step": (beside, ("unknown", None, None, None, NO_RECORD)),
    "within another step": (within, ("unknown", None, None, None, NO_RECORD)),
    "cut by a reboot": (rebooted, ("unknown", None, None, None, "the machine rebooted")),
}


@pytest.mark.parametrize(("rows", "expected"), SHAPES.values(), ids=SHAPES)
def test_only_the_step_that_is_the_provisioner_ends_with_it(
    tmp_path: Path, rows: Callable[[Guest], Rows], expected: tuple[Any, ...]
) -> None:
    """A step beside or within another may have ended in any way, and a reboot ended it without any."""
    assert told(collected(tmp_path, build(rows(Guest()), [NEXT]))) == expected


def test_the_end_time_is_that_of_packers_next_words(tmp_path: Path) -> None:
    """The duration goes from the start's record to the stamp of Packer's next words; no other figure is made up."""
    (found,) = collected(tmp_path, build(step(), [NEXT]))["steps"]

    assert found["end_time"] == pytest.approx(S + 9, abs=0.01)
    assert found["duration_s"] == pytest.approx(9 - 2.5, abs=1)
    assert found["duration_s"] == pytest.approx(found["end_time"] - found["start_time"], abs=0.002)
    assert {found.get(name) for name in ("cpu_percent", "memory_used_mb", "disk_write_mb", "last_seen")} == {None}


def test_a_log_without_times_tells_that_it_ended_and_not_when(tmp_path: Path) -> None:
    """Status and exit status need no stamp."""
    document = collected(tmp_path, build(step(), [FAILED, errored(ALLOWED.format(3))]), stamps=False)
    (found,) = document["steps"]

    assert told(document) == ("failure", 3, "packer", "packer", None)
    assert (found["end_time"], found["duration_s"]) == (None, None)


def test_an_end_within_the_second_of_the_start_is_not_before_it(tmp_path: Path) -> None:
    """Stamps of whole seconds can be before the record that came in that second."""
    (found,) = collected(tmp_path, build(step(), [(2.9, NEXT)]))["steps"]

    assert found["end_time"] >= found["start_time"] and found["duration_s"] >= 0


def samples_of(guest: Guest, until: int) -> Rows:
    """Whole-life samples of each second up to `until`: 10 % of the CPU in use, 1 MiB written each second."""
    rows = [counters(busy=20 * at, idle=180 * at, written_mb=at) for at in range(until + 1)]
    times = [float(at) for at in range(until + 1)]
    cols = packed(rows, times, guest)
    return [(12, guest.fields("samples", "e1", 12, src="e1", cols=cols)), (12, guest.fields("bye", "e1", 12))]


def test_samples_give_the_figures_of_a_step_that_packer_ended(tmp_path: Path) -> None:
    """Where the machine's samples reach to the end, the figures are theirs, and it is said."""
    guest = Guest()
    more = [say(11, "Provisioning with shell script: buildtel_agent.py"), *said(samples_of(guest, 11))]
    lines = build(guest.step("a1", "install", 2.5, 4)[:1], [NEXT])
    (found,) = (one for one in collected(tmp_path, [*lines, *more])["steps"] if one["name"] == "install")

    assert (found["measured"], found["ended_from"]) == ("from samples", "packer")
    assert found["cpu_percent"] == pytest.approx(10, abs=0.5)
    assert found["disk_write_mb"] == pytest.approx(6.5, abs=1.1)


def test_without_samples_a_beat_gives_figures_up_to_it(tmp_path: Path) -> None:
    """The duration is the whole step's, the other figures are up to `last_seen`, which is there to say so."""
    guest = Guest()
    begin = guest.fields("start", "a1", 2.5, step="a1.1", name="install", parent=None, c=counters())
    beat = guest.fields("beat", "a1", 5, step="a1.1", c=counters(busy=100, idle=400, written_mb=3), peak_kb=300_000)
    (found,) = collected(tmp_path, build([(2.5, begin), (5, beat)], [NEXT]))["steps"]

    assert found["disk_write_mb"] == 3 and found["cpu_percent"] == 20
    assert found["disk_write_rate_mbs"] == pytest.approx(1.2)
    assert found["last_seen"] == pytest.approx(S + 5, abs=1)
    assert found["duration_s"] == pytest.approx(6.5, abs=1)


@pytest.mark.parametrize(
    ("next_s", "written_mb"), [pytest.param(43.5, 80.0, id="soon"), pytest.param(55.0, None, id="late")]
)
@pytest.mark.parametrize("ev", ["start", "bye"])
def test_without_samples_the_next_record_gives_figures(
    tmp_path: Path, ev: str, next_s: float, written_mb: float | None
) -> None:
    """As in a guest without Python: those of the machine until the next record, if that came right behind."""
    guest = Guest()
    begin = guest.fields("start", "a1", 2.5, step="a1.1", name="install", parent=None, c=counters())
    after = counters(busy=4100, idle=4100, written_mb=80)
    more = {"step": "b1.1", "name": "next", "parent": None} if ev == "start" else {}
    later = guest.fields(ev, "b1", next_s, c=after, **more)
    inner = guest.fields("start", "c1", 42.2, step="c1.1", name="x", parent=None, by="run", c=counters(written_mb=999))
    lines = [say(42, "Provisioning with shell script: b.sh"), *said([(next_s, later)])]
    (found,) = (
        one for one in collected(tmp_path, [*build([(2.5, begin), (42.2, inner)], []), *lines])["steps"]
        if one["name"] == "install"
    )

    assert (found["status"], found["ended_from"], found.get("disk_write_mb")) == ("success", "packer", written_mb)
    assert found.get("measured") == ("exactly" if written_mb is None else "from samples")
    assert found["duration_s"] == pytest.approx(39.5, abs=1)
    assert found.get("cpu_percent") == (None if written_mb is None else 50)


def test_a_shell_local_of_each_build_ends_by_its_own_builds_words(tmp_path: Path) -> None:
    """Steps of two builds that ran on the runner take the words of their own build."""
    guest = Guest(boot="host")
    rows = {name: guest.step(f"{name}1", name, 2.5, 4)[:1] for name in ("a", "b")}
    lines: list[Line] = []
    for name, records in rows.items():
        target = f"null.{name}"
        lines += [say(1, "Running local shell script: /tmp/packer-shell1", target), *said(records, target)]
    lines += [say(5, "Running local shell script: /tmp/packer-shell2", "null.a"), say(6, FAILED, "null.b")]
    lines += [(7, f"Build 'null.b' errored after 5 seconds: {ALLOWED.format(8)}")]
    document = collected(tmp_path, lines)

    assert told(document, "a") == PASSED
    assert told(document, "b") == ("failure", 8, "packer", "packer", None)


def test_a_shell_without_any_record_is_a_step_by_packers_words_alone(tmp_path: Path) -> None:
    """Beside steps with records (its sampler was killed before it began, say): named by its script, not measured."""
    rows = Guest().step("a1", "install", 2.5, 4)
    after = [(5.0, "Provisioning with shell script: killed.sh"), (7.0, "Provisioning with shell script: failed.sh")]
    failed = [(9.0, FAILED), (9.0, errored(ALLOWED.format(3)))]
    document = collected(tmp_path, build(rows, [*after, *failed]))
    found = {one["name"]: one for one in document["steps"]}

    assert told(document, "killed.sh") == PASSED
    assert told(document, "failed.sh") == ("failure", 3, "packer", "packer", None)
    assert found["killed.sh"]["duration_s"] == 2 and found["killed.sh"]["start_time"] == S + 5
    assert "measured" not in found["killed.sh"] and found["killed.sh"]["cpu_percent"] is None
    assert found["killed.sh"]["provisioner"] == {"index": 1, "kind": "shell", "detail": "killed.sh"}


def test_a_shell_without_any_record_that_has_not_ended_is_no_step(tmp_path: Path) -> None:
    """Where the log ends in it, or beside no other step with records, only `packer` tells of it."""
    rows = Guest().step("a1", "install", 2.5, 4)
    cut = collected(tmp_path, build(rows, [(5.0, "Provisioning with shell script: cut.sh")]))
    alone = collected(tmp_path, build([], [NEXT]))

    assert [one["name"] for one in cut["steps"]] == ["install"]
    assert alone["steps"] == []
