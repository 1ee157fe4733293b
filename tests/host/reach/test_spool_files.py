"""`collect --spool`: files beside a log, in whatever order the command line names them."""

from __future__ import annotations

import json
import os
import subprocess
from itertools import permutations
from pathlib import Path

import pytest

from buildtel.job.notes import WITHOUT_LOG

from ..measure.test_recovery import ROWS, log_with
from ..samples import record_line
from .servers import PROGRAM


def collect(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    """`collect`, the document to stdout."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "TELEMETRY_DIR": str(folder / "telemetry")}
    command = [*PROGRAM, "collect", *words, "-q", "-o", "-", "--version", "1"]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, stdin=subprocess.DEVNULL)


def test_the_order_on_the_command_line_is_nothing(tmp_path: Path) -> None:
    """The log first, last or between; spools that overlap: the same bytes."""
    lines = [record_line(fields) + "\n" for _, fields in ROWS]
    (tmp_path / "log").write_bytes(log_with(ROWS[::3]))
    (tmp_path / "a").write_text("".join(lines[:7]))
    (tmp_path / "b").write_text("".join(lines[4:]))
    orders = permutations([["log"], ["--spool", "a"], ["--spool", "b"]])
    documents = [collect(tmp_path, *(word for words in order for word in words)).stdout for order in orders]

    assert len(documents) == 6 and len(set(documents)) == 1
    assert b'"recovered":6' in documents[0] and b'"missing":0' in documents[0]


def test_a_spool_without_a_log_is_said_to_be_one(tmp_path: Path) -> None:
    """The document blames no log that was not there."""
    (tmp_path / "a").write_text("".join(record_line(fields) + "\n" for _, fields in ROWS))
    (tmp_path / "log").touch()

    assert json.loads(collect(tmp_path, "--spool", "a").stdout)["notes"][0] == WITHOUT_LOG
    assert "No Packer build is in this log." in json.loads(collect(tmp_path, "log", "--force").stdout)["notes"]


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        ((), 2, "collect: no input. Name the log"),
        (("--spool", "nothing"), 1, "can't read nothing: No such file or directory"),
        (("--spool", "."), 1, "can't read .: it is a directory"),
        (("--ssh", "user@"), 2, "write [user@]host[:port]"),
    ],
)
def test_what_can_not_be_read_is_said_in_a_line(tmp_path: Path, words: tuple[str, ...], status: int, says: str) -> None:
    """One line, with the mend, and no document."""
    done = collect(tmp_path, *words)

    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (status, b"", 1)
    assert says in done.stderr.decode()
