"""`--format html` as a user runs it."""

from __future__ import annotations

from pathlib import Path

from ..samples import log, qemu_build
from .conftest import Home


def collected(home: Home) -> Path:
    """A document, collected and uploaded."""
    assert home.run("collect", "-q", "-", stdin=log(qemu_build())).returncode == 0
    assert home.run("upload").returncode == 0
    return home.documents()[-1]


def test_a_page_goes_to_a_file_or_to_standard_output(home: Home) -> None:
    """The same page; the file is whole, and its name is said."""
    collected(home)
    printed = home.run("report", "--format", "html")
    written = home.run("report", "--format", "html", "-o", "a.html")

    assert printed.stdout.startswith(b"<!DOCTYPE html>") and printed.stdout.endswith(b"</html>\n")
    assert (home.path / "a.html").read_bytes() == printed.stdout
    assert (written.stdout, written.stderr) == (b"", b"written: a.html\n")


def test_a_page_is_printed_in_any_encoding(home: Home) -> None:
    """A runner whose locale is C gets the same page."""
    collected(home)
    plain = home.run("report", "--format", "html", PYTHONUTF8="0", LC_ALL="C", PYTHONCOERCECLOCALE="0")

    assert plain.returncode == 0 and plain.stdout.startswith(b"<!DOCTYPE html>")
    assert plain.stdout == home.run("report", "--format", "html").stdout


def test_each_command_has_a_page(home: Home) -> None:
    """Of several builds, too."""
    collected(home)
    for words in (["compare", "latest", "latest"], ["history"], ["list"]):
        done = home.run(*words, "--format", "html")
        assert done.returncode == 0 and done.stdout.startswith(b"<!DOCTYPE html>"), done.stderr


def test_a_report_never_replaces_a_document(home: Home) -> None:
    """A mistyped name costs no figures; an older page is replaced."""
    document = collected(home)
    before = document.read_bytes()
    done = home.run("report", str(document), "--format", "html", "-o", str(document))

    assert done.returncode == 1 and b"may be a job document. Remove it, or name another file" in done.stderr
    assert document.read_bytes() == before
    for _ in range(2):
        assert home.run("report", str(document), "--format", "html", "-o", "a.html").returncode == 0


def test_a_file_that_can_not_be_written_is_said(home: Home) -> None:
    """With what to do."""
    collected(home)
    for place, words in ((".", b"it is a directory"), ("no/where.html", b"Create it")):
        done = home.run("report", "--format", "html", "-o", place)
        assert done.returncode == 1 and words in done.stderr
