"""What a CI is told of a job in short: GitHub's job summary, the end of a log of GitLab's or Jenkins'."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from buildtel.cli.annotations import annotation_lines
from buildtel.cli.summary import LARGEST_BYTES, summary
from buildtel.job import load_document

from ..page.documents import document
from ..page.test_page import LONG
from ..report.test_hostile import HOSTILE, hostile_document
from ..samples import log, qemu_build
from .conftest import Home

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import html5lib

FAILED = "Timeout waiting for SSH."
names = pytest.mark.parametrize("name", [*HOSTILE.values(), *LONG.values()], ids=[*HOSTILE, *LONG])
ELEMENTS = {
    "html", "head", "body", "h2", "h3", "p", "strong", "em", "table", "thead", "tbody", "tr", "th", "td", "ul", "li",
    "pre", "code", "details", "summary",
}  # fmt: skip


def tree_of(text: str) -> Any:
    """A summary as GitHub shows it: CommonMark with tables, HTML in it kept; fails on any error of HTML."""
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    head = "<!DOCTYPE html><html><head><title>x</title></head><body>"
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(f"{head}{page}</body></html>")


def test_the_summary_begins_with_the_failure() -> None:
    """Verdict, reason and last lines, then the bars, what took longest, and all the rest folded."""
    text = summary(document(provisioners=8, parts=8, fails=True), LARGEST_BYTES).decode()
    heads = ["## build 1.2: failure after 3:00:00", "### qemu.vm0 failed", "ended with exit status 3", "    last words",
             "### qemu.vm0: what 3:00:00 were spent on", "🟦", "| what took longest", "### Findings", "<details>",
             "### Steps", "</details>"]  # fmt: skip
    places = [text.index(words) for words in heads]

    assert places == sorted(places)
    assert {element.tag for element in tree_of(text).iter()} <= ELEMENTS | {"title"}


def test_a_bar_has_all_its_blocks() -> None:
    """Forty, whatever the shares; the shares below it are all of the time."""
    text = summary(document(provisioners=8, parts=0), LARGEST_BYTES).decode().partition("<details>")[0]
    bars = [line for line in text.splitlines() if line and set(line) <= set("🟦🟪🟩🟧🟨🟫⬛🟥⬜")]
    shares = [float(share) for share in re.findall(r"\| ([\d.]+) % \|", text)]

    assert [len(bar) for bar in bars] == [40, 40]
    assert sum(shares) == pytest.approx(200, abs=1)


@names
def test_no_name_is_markup_in_the_summary(name: str) -> None:
    """No element, attribute or link but ours; the folded part ends where it shall."""
    for made in (document(machines=1, provisioners=2, parts=4, name=name, fails=True), hostile_document(name)):
        text = summary(made, LARGEST_BYTES).decode()
        tree = tree_of(text)

        assert {element.tag for element in tree.iter()} <= ELEMENTS | {"title", "br"}
        assert {key for element in tree.iter() for key in element.attrib} <= {"style"}  # of aligned columns
        assert len(list(tree.iter("details"))) == 1
        assert all(char.isprintable() or char == "\n" for char in text)


@names
def test_no_name_is_a_command_in_an_annotation(name: str) -> None:
    """Each is one line, whose message begins where we say."""
    made = document(machines=1, provisioners=2, parts=0, name=name, fails=True)
    lines = list(annotation_lines(made, {"GITHUB_ACTIONS": "true"}))

    assert lines[0].startswith("::error title=") and all(line.isprintable() for line in lines)
    assert all(re.fullmatch(r"::(?:error|warning) title=(?:(?!::|,).)*::.*", line) for line in lines)


def test_a_severe_finding_is_a_warning() -> None:
    """With what it would save and what to try; at most ten; a finding that is not severe is none."""
    whole = json.loads(document(machines=1, provisioners=12, parts=0).to_json())
    columns = whole["machines"]["qemu.vm0"]["samples"][0]["columns"]
    columns["cpu_steal_percent"] = [None, *[60.0] * (len(columns["t_s"]) - 1)]
    one = json.loads(document(machines=1, provisioners=1, parts=0).to_json())
    one["machines"]["qemu.vm0"]["samples"][0]["columns"]["cpu_steal_percent"] = columns["cpu_steal_percent"]
    severe, many = (
        list(annotation_lines(load_document(json.dumps(made).encode(), "x"), {"GITHUB_ACTIONS": "true"}))
        for made in (one, whole)
    )

    assert len(severe) == 1 and severe[0].startswith("::warning title=qemu.vm0 shell scripts/0.sh::waiting for a CPU")
    assert "%0Asaves: at least 1:" in severe[0] and "%0Atry: run fewer machines" in severe[0]
    assert many == []


@pytest.mark.parametrize("room", [0, 100, 1000, 4000, 10_000])
def test_the_summary_fits(room: int) -> None:
    """What does not fit is cut at the end of a line, with a note; the folded part is closed, or not there."""
    data = summary(document(provisioners=40, parts=40, fails=True), room)
    text = data.decode()

    assert len(data) <= room
    assert text.count("<details>") == text.count("</details>")
    assert not data or "*(cut: GitHub" in text


def test_a_summary_is_added_to_what_stands_there(home: Home) -> None:
    """Of several commands in one step, too: together never more than GitHub takes."""
    path = home.path / "summary.md"
    path.write_bytes(b"before\n" + b"x" * (LARGEST_BYTES - 1000))
    for _ in range(2):
        done = home.run("collect", "-q", "-", stdin=log(qemu_build()), GITHUB_STEP_SUMMARY=str(path))
        assert done.returncode == 0
        done = home.run("collect", "-", stdin=log(qemu_build()), GITHUB_STEP_SUMMARY=str(path))

    assert path.read_bytes().startswith(b"before\n") and path.stat().st_size <= LARGEST_BYTES


def test_jenkins_and_gitlab_have_the_short_report_at_the_end(home: Home) -> None:
    """After the whole one, which GitLab folds; elsewhere the report is as ever."""
    text = log([*qemu_build()[:-4], (230.0, f"Build 'qemu.debian' errored after 3 minutes: {FAILED}\n")])
    plain, jenkins, gitlab = (
        home.run("collect", "-", stdin=text, **environ).stdout.decode()
        for environ in ({}, {"JENKINS_URL": "http://j/"}, {"GITLAB_CI": "true"})
    )
    short = jenkins.removeprefix(plain)

    assert jenkins.startswith(plain) and short.startswith("build 0  failure after 3:50")
    places = [short.index(words) for words in ("qemu.debian failed", FAILED, "were spent on\n  ###", "took longest")]
    assert places == sorted(places)
    section = re.fullmatch(
        r"\x1b\[0Ksection_start:\d+:buildtel_report\[collapsed=true\]\r\x1b\[0K[^\n]*\n(.*)"
        r"\x1b\[0Ksection_end:\d+:buildtel_report\r\x1b\[0K\n(.*)", gitlab, re.S,
    )  # fmt: skip
    assert section is not None and (section[1], section[2]) == (plain, short)
    assert short.isascii()


def test_the_summary_of_the_wrapper_is_the_same(home: Home, tmp_path: Path) -> None:
    """Whichever command made the document."""
    path = home.path / "summary.md"
    home.run("collect", "-", stdin=log(qemu_build()), GITHUB_STEP_SUMMARY=str(path))

    assert path.read_text().startswith("## build 0: success after 3:49\n\n### qemu.debian: what 3:50 were spent on\n")
