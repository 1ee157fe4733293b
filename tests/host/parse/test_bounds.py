"""Logs that were made to hurt: the work and the memory they cost stay in proportion to their length."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from importlib import import_module

import pytest

from buildtel import parse
from buildtel.events import BuildFinished, BuildSeen, ProvisionerStarted, UnreadableLine
from buildtel.job import Meta
from buildtel.job.fold import Fold
from buildtel.job.fold import document as fold
from buildtel.parse.learned import MAX_HELD_LINES
from buildtel.parse.packer_run import MAX_BUILDS, MAX_ODD_NAMES
from buildtel.parse.repeated_messages import MAX_COPIES, Copies, First
from buildtel.parse.skip import NAMED_LINE, LineFilter
from buildtel.parse.tracker import Tracker

META = Meta(job="build", version="1", collected_at=datetime(2026, 1, 24, tzinfo=timezone.utc))


def events_of(text: str) -> list[object]:
    """All events of a log."""
    return [*parse.read([text.encode()])]


def test_no_pattern_is_compiled_for_a_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many builds a log names, telling their lines apart compiles nothing anew."""
    text = "".join(f"==> t{number}: Connected to SSH!\n" for number in range(900))
    [*parse.read([text.encode()])]

    monkeypatch.setattr(re, "compile", lambda *_: pytest.fail("a pattern was compiled"))
    assert sum(isinstance(event, BuildSeen) for event in events_of(text)) == 900


def test_output_of_known_builds_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a long build's lines only those that could tell something are taken apart."""
    taken: list[bytes] = []
    said = Tracker.said
    monkeypatch.setattr(Tracker, "said", lambda self, text, how: (taken.append(text), said(self, text, how))[1])
    lines = "".join(f"2026-01-24T12:00:00Z:     a.b: Get:{number} http://x\n" for number in range(500))
    events_of(f"==> a.b: Connected to SSH!\n{lines}==> a.b: Provisioning with shell script: x.sh\n")

    assert len(taken) == 2


@pytest.mark.parametrize("declare", ["==> {}: Connected to SSH!", "{}: output will be in this color.",
                                     "Build '{}' finished after 3 seconds."])  # fmt: skip
def test_builds_beyond_all_reason_are_counted_not_kept(declare: str) -> None:
    """A run of thousands of names keeps so many builds, and the document says how many lines it left out."""
    names = [f"t{number}" for number in range(MAX_BUILDS + 7)]
    events = events_of("".join(f"{declare.format(name)}\n" for name in names))
    seen = sum(isinstance(event, BuildSeen) for event in events)

    assert seen == MAX_BUILDS
    assert sum(isinstance(event, UnreadableLine) for event in events) == len(names) - seen
    assert "7 line(s) of the log not read: of more builds than any run has." in fold(events, META).notes  # type: ignore[arg-type]


def test_names_with_colons_are_looked_for_one_by_one_so_they_are_few() -> None:
    """Only so many names that have a colon and a space in them are kept."""
    text = "".join(f"t{number}: x: output will be in this color.\n" for number in range(MAX_ODD_NAMES + 3))

    assert sum(isinstance(event, BuildSeen) for event in events_of(text)) == MAX_ODD_NAMES


def test_runs_beyond_all_reason_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log of more runs than any has keeps so many, and says so."""
    monkeypatch.setattr(import_module("buildtel.job.fold"), "MAX_RUNS", 3)
    text = "".join(
        f"==> q: Connected to SSH!\nBuild 'q' finished after {n} seconds.\n==> Wait completed after {n} seconds\n"
        for n in range(1, 6)
    )
    folding = Fold()
    for event in events_of(text):
        folding.add(event)  # type: ignore[arg-type]

    assert len(folding._folded.measured.sections) == 3
    assert any(note.startswith("More than 3 runs of Packer") for note in folding.document(META).notes)


def test_a_build_known_before_the_bound_goes_on() -> None:
    """What the bound keeps out does not touch the builds that were there first."""
    crowd = "".join(f"==> t{number}: Connected to SSH!\n" for number in range(MAX_BUILDS + 5))
    last = "==> t0: Provisioning with shell script: x.sh\nBuild 't0' finished after 3 seconds.\n"
    events = events_of(crowd + last)

    assert [event.target for event in events if isinstance(event, ProvisionerStarted)] == ["t0"]
    assert [event.target for event in events if isinstance(event, BuildFinished)] == ["t0"]


def test_a_line_too_long_to_read_is_said() -> None:
    """A line over 4 MiB is counted in the document's notes."""
    events = events_of(f"==> a: Connected to SSH!\n{'x' * (5 << 20)}\n")

    assert "1 line(s) of the log not read: longer than 4 MiB." in fold(events, META).notes  # type: ignore[arg-type]


def test_a_text_waits_for_its_copy_once() -> None:
    """What stood in one stream matches its first copy in the other, and no second one."""
    copies = Copies()
    first, second = First(1, None), First(2, None)

    assert copies.match(b"a", first, "out", "log") is None
    assert copies.match(b"a", second, "out", "log") is None
    assert [copies.match(b"a", First(3, None), "log", "out") for _ in range(3)] == [first, second, None]


def test_the_oldest_texts_are_forgotten() -> None:
    """Of more texts than are kept the first is not matched any more, the last is."""
    copies = Copies()
    for number in range(MAX_COPIES + 1):
        copies.match(b"%d" % number, First(number, None), "out", "log")

    assert copies.match(b"0", First(0, None), "log", "out") is None
    assert copies.match(b"%d" % MAX_COPIES, First(0, None), "log", "out") == First(MAX_COPIES, None)


@pytest.mark.parametrize(
    ("line", "can_skip"),
    [
        (b"==> a.b: Get:1 http", True),
        (b"    a.b: Get:1 http", True),
        (b"2026-01-24T12:00:00Z:     a.b: plain", True),
        (b"\x1b[1;32m==> a.b: plain\x1b[0m", True),
        (b"==> a.b: Uploading x => y", False),
        (b"==> a.b: BUILDTEL:{}", False),
        (b"==> a.c: plain", False),
        (b"==> a.b (shell-local): plain", False),
        (b"==> a.b: 10%\r20%", False),
    ],
)
def test_which_lines_can_be_skipped(line: bytes, can_skip: bool) -> None:
    """Lines of known builds without any word of packer's, in the forms that they come in."""
    assert LineFilter({b"a.b"}, lambda: False, lambda: None).can_skip(line, NAMED_LINE.match(line)) is can_skip


def test_time_of_a_guests_logger_is_no_time_of_the_log() -> None:
    """A line of a build that ends like logfmt is a guest's, not a container's, before the build is known, too."""
    said = '    qemu.a: time="2020-01-01T00:00:00Z" level=info msg="ready"\n'
    events = events_of(said * 3 + "==> qemu.a: Connected to SSH!\n" + said + "Build 'qemu.a' finished.\n")

    assert [event for event in events if getattr(event, "at", None) is not None] == []


PACKERS_STAMPS = ("", "2026/01/24 12:00:00 ui: ", "1769256000,,ui,say,", "2026-01-24T12:00:00Z: ")


@pytest.mark.parametrize(
    ("stamp", "announced", "most"),
    [
        *((stamp, 0, 20) for stamp in (*PACKERS_STAMPS, "2026-01-24T12:00:00.123Z ")),
        *((stamp, 110_000, MAX_HELD_LINES + 20) for stamp in PACKERS_STAMPS),
    ],
)
def test_few_lines_of_a_long_log_are_looked_at(
    monkeypatch: pytest.MonkeyPatch, stamp: str, announced: int, most: int
) -> None:
    """Whatever the form of its lines, and whether the build is known before or after most of them."""
    looked: list[bytes] = []
    can_skip = LineFilter.can_skip

    def noting(self: LineFilter, line: bytes, found: re.Match[bytes] | None) -> bool:
        looked.append(line)
        return can_skip(self, line, found)

    monkeypatch.setattr(LineFilter, "can_skip", noting)
    lines = [f"{stamp}    qemu.a: {number} of many\n" for number in range(120_000)]
    lines.insert(announced, f"{stamp}==> qemu.a: Connected to SSH!\n")
    events = events_of("".join(lines))

    assert sum(isinstance(event, BuildSeen) for event in events) == 1
    assert len(looked) <= most
