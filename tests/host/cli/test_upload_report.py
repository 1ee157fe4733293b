"""`upload` and `report` together, as a CI job and then a person use them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from ..samples import log, qemu_build
from .conftest import Home


def collected(home: Home, version: str = "1.0", job: str = "build") -> str:
    """The file of one more collected document."""
    known = set(home.documents())
    assert home.run("collect", "-", "-q", "--version", version, "--job", job, stdin=log(qemu_build())).returncode == 0
    (new,) = set(home.documents()) - known
    return str(new)


def test_upload_delivers_each_document_once(home: Home) -> None:
    """Without arguments all that is new goes, and the next time nothing; a lost list of deliveries does no harm."""
    collected(home, "1.0")
    collected(home, "feature/x")

    first, second = home.run("upload"), home.run("upload")
    assert first.stdout.decode().split() == [
        "1.0/20260124_120000/build_20260124_120000.json",
        "feature%2Fx/20260124_120000/build_20260124_120000.json",
    ]
    assert (second.returncode, second.stdout) == (0, b"") and b"nothing to upload" in second.stderr
    (home.telemetry / ".delivered.json").write_text("broken")
    assert home.run("upload").stdout.count(b"(already there)") == 2


def test_report_finds_the_newest_a_version_and_a_file(home: Home) -> None:
    """`latest` by default, a version as it was written, or a document's path."""
    path = collected(home, "feature/x")
    home.run("upload")

    for words in ([], ["latest"], ["latest", "build"], ["feature/x"], [path]):
        done = home.run("report", *words)
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.startswith(b"build feature/x  success\n")


def test_one_bad_document_does_not_hold_up_the_rest(home: Home) -> None:
    """What can't be delivered is named, the others go, the exit status is 1."""
    collected(home)
    (home.telemetry / "a.json").write_text("{")
    done = home.run("upload")

    assert done.returncode == 1
    assert b"a.json: not a job document" in done.stderr and b"1.0/2026" in done.stdout


MISTAKES = {
    "nothing uploaded": (["report"], "no document of job 'build'"),
    "no such version": (["report", "9.9"], "no version '9.9'"),
    "missing file": (["report", "x.json"], "can't read x.json"),
    "other job": (["report", "latest", "e2e"], "no document of job 'e2e'"),
    "no document": (["report", "log.txt"], "log.txt: not a job document"),
    "missing upload": (["upload", "x.json"], "can't read x.json"),
    "directory": (["upload", "."], "can't read .: Is a directory"),
}


@pytest.mark.parametrize(("words", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_one_clear_line(home: Home, words: list[str], said: str) -> None:
    """Exit status 1, one line on stderr, nothing on stdout."""
    (home.path / "log.txt").write_bytes(b"\x00 no json")
    done = home.run(*words)

    (line,) = done.stderr.decode().splitlines()
    assert (done.returncode, done.stdout) == (1, b"")
    assert said in line


def test_formats_are_data(home: Home) -> None:
    """`--format json` parses, csv and markdown begin as such."""
    path = collected(home)

    assert json.loads(home.run("report", path, "--format", "json").stdout)["version"] == "1.0"
    assert home.run("report", path, "--format", "csv").stdout.startswith(b"job,version,")
    assert home.run("report", path, "--format", "markdown").stdout.startswith(b"## build 1.0: success")


def test_a_plain_locale_still_gets_a_report(home: Home) -> None:
    """Where the output can't hold a character it is escaped, not a traceback."""
    path = collected(home, "ünï")
    done = home.run("report", path, PYTHONUTF8="0", LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONIOENCODING="ascii")

    assert done.returncode == 0
    assert done.stdout.startswith(b"build \\xfcn\\xef  success")


@pytest.mark.parametrize("columns", ["80", "200"])
def test_the_width_is_the_terminals(home: Home, columns: str) -> None:
    """COLUMNS says how wide a line may be."""
    path = collected(home)
    lines = home.run("report", path, COLUMNS=columns).stdout.decode().splitlines()

    assert int(columns) // 2 < max(len(line) for line in lines) <= int(columns)


def test_the_raw_records_go_with_the_document(home: Home) -> None:
    """What the agents said is stored beside, a record a line, and can be folded again."""
    path = Path(collected(home))
    home.run("upload")

    (stored,) = (home.store / "1.0/20260124_120000").glob("*.events.jsonl.gz")
    assert stored.name == "build_20260124_120000.events.jsonl.gz"
    assert stored.read_bytes() == path.with_suffix(".events.jsonl.gz").read_bytes()
    rows = [json.loads(line) for line in gzip.decompress(stored.read_bytes()).splitlines()]
    assert rows and all(row["record"]["v"] == 1 and row["target"] == "qemu.debian" for row in rows)
    assert json.loads(path.read_text())["integrity"]["records"] == len(rows)


def test_without_an_outbox_documents_still_go(home: Home) -> None:
    """It can't be written: said, and delivered."""
    collected(home)
    (home.path / ".local").write_text("in the way")
    done = home.run("upload")

    assert done.returncode == 0 and b"1.0/20260124_120000" in done.stdout
    assert b"cannot use the outbox" in done.stderr


def test_a_directory_store_that_cannot_be_written_keeps_them_waiting(home: Home) -> None:
    """The next upload delivers what waited, though its file is gone."""
    path = collected(home)
    home.store.parent.mkdir()
    home.store.write_text("in the way")
    failed = home.run("upload")
    home.store.unlink()
    Path(path).unlink()

    assert failed.returncode == 1 and b"1 document waits in" in failed.stderr
    assert home.run("upload").stdout.startswith(b"1.0/20260124_120000/")
