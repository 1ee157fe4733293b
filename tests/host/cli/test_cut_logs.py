"""Real logs and fixtures cut off anywhere: the last stamp is the end, and no success is invented."""

from __future__ import annotations

import gc
import os
import random
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from buildtel.job import JobDocument
from buildtel.job.fold import Fold
from buildtel.parse import Inbox, batches

from .conftest import Home
from .test_corpus import FIXTURES, META, REAL, collected, place

LOGS = [place(*name) for name in REAL] + sorted(FIXTURES.glob("*/*.log"))
SUCCESS = (b"finished", b"artifacts of successful builds")
ZONED = re.compile(rb"(?:\x1b\[[0-9;]*m)?(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
CUTS = 200
QUIET_LINES = 50


def faults(document: JobDocument, before: bytes) -> Iterator[str]:
    """What a document of a log's beginning says too much, or not at all."""
    before = before.replace(b"\0", b"")
    if document.status == "success" and not any(word in before for word in SUCCESS):
        yield "a success that the log does not tell"
    for run in document.packer.runs if document.packer else ():
        for build in run.builds:
            if build.result == "success" and not any(word in before for word in SUCCESS):
                yield f"{build.name}: a success that the log does not tell"
            if build.account and run.started_at is not None and run.ended_at is not None:
                total = sum(round(part.duration_s * 1000) for part in build.account)
                if total != round((build.ended_at or 0) * 1000) - round((build.started_at or 0) * 1000):
                    yield f"{build.name}: the rows do not add up"
    listed = before.rpartition(b"artifacts of successful builds are:")[2] if SUCCESS[1] in before else b""
    if b"--> " in listed and b"==> " not in listed and before.rpartition(b"\n")[2].startswith(b"--> "):
        yield from _artifact(document, before.rpartition(b"\n")[2])


def _artifact(document: JobDocument, line: bytes) -> Iterator[str]:
    name, _, text = line[4:].partition(b": ")
    builds = document.packer.runs[-1].builds if document.packer else ()
    build = next((build for build in builds if build.name == name.decode("utf-8", "replace")), None)
    if text.strip() and build is not None and not (build.artifacts and build.artifact_cut):
        yield "an artifact without a newline was lost, or is not marked"


def at_each_line(path: Path) -> list[str]:
    """The faults of a log cut after each line that tells something, and after some others: one pass, forked there."""
    data = path.read_bytes()
    inbox, fold, end = Inbox(batches), Fold(), 0
    found: list[str] = []
    gc.collect()
    gc.freeze()  # so that no child copies memory by looking for garbage in it
    for number, line in enumerate(data.split(b"\n")[:-1]):
        end += len(line) + 1
        events = inbox.put(line + b"\n")
        for event in events:
            fold.add(event)
        if events or number % QUIET_LINES == 0:
            found += _forked(inbox, fold, data[:end])
        if len(found) > 5:
            break
    gc.unfreeze()
    return found


def _forked(inbox: Inbox, fold: Fold, seen: bytes) -> list[str]:
    """The faults of the log so far, found in a child so that reader and fold can go on."""
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        gc.disable()
        words = ["an exception"]
        try:
            for event in inbox.end():
                fold.add(event)
            words = list(faults(fold.document(META), seen))
        finally:
            os.write(sink, "\n".join(words)[:4000].encode())
            os._exit(0)
    os.close(sink)
    with os.fdopen(source, "rb") as answer:
        text = answer.read().decode()
    os.waitpid(child, 0)
    number = seen.count(b"\n")
    return [f"line {number}: {word}" for word in text.split("\n") if word]


@pytest.mark.parametrize("path", LOGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_log_cut_after_any_line(path: Path) -> None:
    """Whichever line is the last: no exception, no invented success, rows that add up."""
    assert at_each_line(path) == []


@pytest.mark.parametrize("path", LOGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_log_cut_at_any_byte(path: Path, tmp_path: Path) -> None:
    """Cut within a line: the same, and an artifact whose line has no newline is kept and marked."""
    data = path.read_bytes()
    cut = tmp_path / "cut.log"
    places = random.Random(path.name).sample(range(len(data)), min(CUTS // 10, len(data)))
    listed = data.rfind(b"\n--> ")
    for at in [*places, *(range(listed + 6, len(data), 7) if listed >= 0 else ())]:
        cut.write_bytes(data[:at])
        assert list(faults(collected(cut), data[:at])) == [], at


STAMPED = [path for path in LOGS if ZONED.match(path.read_bytes()[:60].lstrip(b"\xef\xbb\xbf"))]


@pytest.mark.parametrize("path", STAMPED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_cut_log_ends_at_its_last_stamped_line(path: Path, tmp_path: Path) -> None:
    """The last moment of a log that is cut off is that of its last line with a stamp, whatever that line says."""
    lines = path.read_bytes().split(b"\n")
    cut = tmp_path / "cut.log"
    for share in range(1, 20):
        kept = lines[: max(len(lines) * share // 20, 3)]
        cut.write_bytes(b"\n".join(kept) + b"\n")
        made = collected(cut)
        runs = made.packer.runs if made.packer else ()
        if len(runs) != 1 or not runs[0].builds or runs[0].total_s is not None:
            continue
        stamps = [found[0] for line in kept if (found := ZONED.match(line.lstrip(b"\xef\xbb\xbf")))]
        text = re.sub(r"\x1b\[[0-9;]*m", "", stamps[-1].decode()).replace("Z", "+00:00")
        last_s = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text)).timestamp()
        assert made.job_end == pytest.approx(last_s, abs=0.01), len(kept)


def test_the_command_itself_on_cut_logs(home: Home) -> None:
    """Forty cuts by `collect`: exit status 0 and a document, or 1 and one line where no line of Packer's is left."""
    chosen = random.Random(40)
    for _ in range(40):
        data = chosen.choice(LOGS).read_bytes()
        done = home.run("collect", "-", "-o", "-", "-q", stdin=data[: chosen.randrange(len(data))])
        assert done.returncode == 0 or b"is not a Packer log" in done.stderr
        assert b"Traceback" not in done.stderr


