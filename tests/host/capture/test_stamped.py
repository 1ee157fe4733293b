"""The log that the wrapper keeps: stamps, streams, lines without an end, disks without room."""

import os
import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from buildtel.capture.stamped import LONGEST_BYTES, StampedLog

STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ")


def kept(path: Path, *pieces: tuple[str, bytes]) -> list[bytes]:
    """The lines of a log that was given these pieces of streams, without their stamps."""
    path.unlink(missing_ok=True)
    path.touch()
    log = StampedLog(str(path))
    for stream, data in pieces:
        log.take(stream, data)
    log.close()
    lines = path.read_bytes().split(b"\n")
    assert lines.pop() == b""
    assert all(STAMP.match(line) for line in lines)
    return [STAMP.sub(b"", line, count=1) for line in lines]


@given(st.lists(st.binary(max_size=30), max_size=8))
def test_every_line_is_kept_however_it_comes(tmp_path_factory, pieces: list[bytes]) -> None:
    """Cut anywhere, the lines are the same; only a carriage return at a line's end, a terminal's, goes."""
    path = tmp_path_factory.mktemp("log") / "a.log"
    whole = b"".join(pieces)
    lines = whole.split(b"\n")
    expected = [line.removesuffix(b"\r") for line in (lines if lines[-1] else lines[:-1])]
    assert kept(path, *(("out", piece) for piece in pieces)) == expected


def test_streams_do_not_cut_each_others_lines(tmp_path: Path) -> None:
    """A line of one stream is whole, whatever comes in the other meanwhile."""
    pieces = [("out", b"one, "), ("err", b"oops\n"), ("out", b"two\nthree")]
    assert kept(tmp_path / "a.log", *pieces) == [b"oops", b"one, two", b"three"]


def test_an_endless_line_is_cut_and_says_so(tmp_path: Path) -> None:
    """Memory stays bounded; a progress bar that overwrites itself is kept as it last was."""
    (line,) = kept(tmp_path / "a.log", *[("out", b"x" * 65536)] * 64, ("out", b"end\n"))
    assert line.startswith(b"x" * LONGEST_BYTES)
    assert line.endswith(b" [buildtel: %d bytes left out]" % (64 * 65536 + 3 - LONGEST_BYTES))
    (line,) = kept(tmp_path / "b.log", *[("out", b"\r%5d KiB" % number) for number in range(300_000)], ("out", b"\n"))
    assert line.endswith(b"299999 KiB")
    assert b"left out" not in line


def test_a_full_disk_is_said_and_stops_nobody() -> None:
    """What can't be written is not kept; the lines are still given on."""
    if not os.access("/dev/full", os.W_OK):
        return
    log = StampedLog("/dev/full")
    assert log.problem is None
    assert log.take("out", b"one\n").endswith(b"Z one\n")
    assert "No space left" in (log.problem or "")
    assert log.take("out", b"two\n").endswith(b"Z two\n")
    log.close()


def test_a_question_is_a_line_of_its_own_when_it_is_asked(tmp_path: Path) -> None:
    """Packer's questions have no newline: they are stamped when they come, not with what follows the answer."""
    asked = b"\x1b[1;32m==> x: Pausing after run of step 'S'. Press enter to continue.\x1b[0m "
    pieces = [("out", asked[:30]), ("out", asked[30:]), ("out", b"\x1b[1;32m==> x: next\x1b[0m\n")]
    assert kept(tmp_path / "a.log", *pieces) == [asked, b"\x1b[1;32m==> x: next\x1b[0m"]
    retry = b"==> x: [c] Clean up and exit, or [r] retry step (build may fail even if retry succeeds)? "
    assert kept(tmp_path / "b.log", ("out", retry), ("out", b"r\n")) == [retry, b"r"]
