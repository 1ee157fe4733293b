"""`--format html` as a user runs it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

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


def pages(folder: Path) -> list[str]:
    """The pages below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.html"))


def test_a_page_stands_beside_its_document_and_goes_into_the_store(home: Home) -> None:
    """`collect --html`, then `upload`: the page of the document as it is, in its folder and in `latest/`."""
    done = home.run("collect", "--html", "--version", "1", "-", stdin=log(qemu_build()))
    page = home.documents()[0].with_suffix(".html")

    assert done.stderr.decode().endswith(f"page: {page}\n")
    assert page.read_bytes() == home.run("report", str(home.documents()[0]), "--format", "html").stdout
    assert home.run("upload").returncode == 0
    assert pages(home.store) == ["1/20260124_120000/build_20260124_120000.html", "latest/build_1.html"]
    assert (home.store / "latest/build_1.html").read_bytes() == page.read_bytes()


def test_without_the_flag_there_is_no_page(home: Home) -> None:
    """Neither beside the document nor in the store."""
    collected(home)

    assert pages(home.path) == []


def test_the_configuration_asks_for_pages(home: Home) -> None:
    """`html = true` is `--html` everywhere, also for documents that are there already."""
    assert home.run("collect", "-q", "--version", "1", "-", stdin=log(qemu_build())).returncode == 0
    config = home.path / ".config" / "buildtel" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("html = true\n")
    assert home.run("upload").returncode == 0
    assert "latest/build_1.html" in pages(home.store)
    assert home.run("collect", "-q", "--job", "e2e", "-", stdin=log(qemu_build())).returncode == 0
    assert len(pages(home.telemetry)) == 1

    config.write_text('html = "yes"\n')
    done = home.run("collect", "-", stdin=log(qemu_build()))
    assert b"config.toml: html = 'yes' is a text. Write html = true" in done.stderr


def test_a_page_follows_its_document(home: Home) -> None:
    """`finalize` writes the document anew, and its page, too."""
    home.run("init", "build", "1")
    home.run("run", "first", "--", "true")
    home.run("collect", "-q", "--html", "-", stdin=log(qemu_build()))
    (page,) = home.telemetry.glob("*.html")
    before = page.read_bytes()
    home.run("run", "second-step", "--", "true")
    assert home.run("finalize", "-q").returncode == 0

    assert b"second-step" in page.read_bytes() and b"second-step" not in before


def test_a_page_replaces_nobodys_file(home: Home) -> None:
    """Where something else has its name, the document stands and the exit status says so."""
    (home.path / "index.html").write_text("mine")
    done = home.run("collect", "-q", "--html", "-o", "index.json", "-", stdin=log(qemu_build()))

    assert done.returncode == 1 and b"index.html exists and is no page of buildtel's. Remove it" in done.stderr
    assert (home.path / "index.html").read_text() == "mine" and (home.path / "index.json").exists()


def test_a_page_needs_a_document_that_is_a_file(home: Home) -> None:
    """Of one on standard output there is none."""
    done = home.run("collect", "--html", "-o", "-", "-", stdin=log(qemu_build()))

    assert done.returncode == 2 and b"Name a file with -o" in done.stderr


def test_a_browser_opens_the_page(home: Home) -> None:
    """`--open` runs the user's browser with its address; without one it says what to do."""
    browser = home.path / "browser"
    browser.write_text('#!/bin/sh\necho "$1" > opened\n')
    browser.chmod(0o755)
    done = home.run("collect", "-q", "--open", "-", stdin=log(qemu_build()), BROWSER=f"{browser} %s")
    (page,) = home.telemetry.glob("*.html")

    assert done.returncode == 0
    assert (home.path / "opened").read_text() == f"{page.as_uri()}\n"
    alone = home.run("collect", "-q", "--open", "-", stdin=log(qemu_build()))
    assert alone.returncode == 0 and b"Open it by hand" in alone.stderr


@pytest.mark.packer
def test_one_command_from_packer_to_the_page(home: Home) -> None:
    """`packer --html build .`: Packer's exit status, the report, then the page's place."""
    if shutil.which("packer") is None:
        pytest.skip("no packer here")
    (home.path / "t.pkr.hcl").write_text(
        'source "null" "x" {\n  communicator = "none"\n}\nbuild {\n  sources = ["null.x"]\n'
        '  provisioner "shell-local" {\n    inline = ["echo words", "exit 3"]\n  }\n}\n'
    )
    done = home.run("packer", "--html", "build", ".", CHECKPOINT_DISABLE="1")
    (page,) = home.telemetry.glob("*.html")

    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1] == f"page: {page}"
    assert "ended with exit status 3" in page.read_text()


def test_a_history_shows_the_builds_that_the_store_has(home: Home) -> None:
    """A document that is missing or broken is a column without parts, not an error."""
    for version in ("1", "2", "3"):
        home.run("collect", "-q", "--version", version, "-", stdin=log(qemu_build()))
    home.run("upload")
    (home.store / "1/20260124_120000/build_20260124_120000.json").unlink()
    (home.store / "2/20260124_120000/build_20260124_120000.json").write_text("{")
    done = home.run("history", "--format", "html")

    assert done.returncode == 0
    assert done.stdout.count(b'<g role="img"') == 3 and done.stdout.count(b"shell install-docker") == 1
