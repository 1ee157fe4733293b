"""Formats: every view in each of them, and what a new one takes."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from types import ModuleType

import pytest

from buildtel.cli import main
from buildtel.insight.comparison import compare
from buildtel.report import formats
from buildtel.report.builds_view import BuildRow, HistoryView, ListView
from buildtel.report.checks_view import ChecksView
from buildtel.report.comparison_view import ComparisonView
from buildtel.report.formats import FORMATS, Output, render, rendered
from buildtel.report.job_view import JobView
from buildtel.report.summary_view import SummaryView
from buildtel.report.view import Check, View

from ..job.test_fold import read
from ..samples import log, qemu_build

CHECKS = [Check("ok", "python", "3.11"), Check("fail", "git", "not there", "install | it")]
BUILDS = [BuildRow("1@20260124_122000", "build", "1", datetime(2026, 1, 24, tzinfo=timezone.utc), "success", 60.0)]


def views() -> dict[str, View]:
    """A view of each kind."""
    document = read(log(qemu_build()))
    return {
        "job": JobView(document),
        "summary": SummaryView(document),
        "list": ListView(BUILDS),
        "history": HistoryView(BUILDS * 2, documents=[document, None]),
        "comparison": ComparisonView(compare(document, document, "a", "b"), documents=(document, document)),
        "checks": ChecksView(CHECKS),
    }


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", views())
def test_each_view_has_each_format(name: str, form: str) -> None:
    """Whole lines, one kind of data in JSON and CSV."""
    text = rendered(views()[name], form)

    assert text.endswith("\n") and text.strip()
    if form == "csv":
        assert len({len(row) for row in csv.reader(io.StringIO(text))}) == 1
    if form == "json":
        assert json.loads(text)


def test_checks_in_each_format() -> None:
    """The fix stands below its check; CSV and JSON have four fields; Markdown a table."""
    assert rendered(ChecksView(CHECKS), "table") == (
        "ok   python               3.11\n"
        "fail git                  not there\n"
        "                          fix: install | it\n"
    )  # fmt: skip
    assert rendered(ChecksView(CHECKS), "markdown").splitlines()[-1] == "| fail | git | not there | install \\| it |"
    assert rendered(ChecksView(CHECKS), "csv").splitlines()[-1] == "fail,git,not there,install | it"
    assert json.loads(rendered(ChecksView(CHECKS), "json"))[0] == {
        "state": "ok", "about": "python", "said": "3.11", "fix": "",
    }  # fmt: skip


def test_a_check_is_shown_before_the_next_is_made() -> None:
    """A store that answers slowly does not hold back what is known."""
    texts: list[str] = []

    def checks() -> Iterator[Check]:
        yield CHECKS[0]
        assert texts == ["ok   python               3.11\n"]
        yield CHECKS[1]

    render(ChecksView(checks()), Output(texts.append), "table")
    assert len(texts) == 3


def test_a_terminal_gets_colours_unless_it_wants_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Escape sequences are in what a terminal gets, and no colours among them where NO_COLOR is set."""
    monkeypatch.setenv("TERM", "xterm-256color")
    texts: dict[bool, list[str]] = {True: [], False: []}
    for coloured, lines in texts.items():
        render(views()["job"], Output(lines.append, 100, styled=True, coloured=coloured), "table")
    with_colours, without = ("".join(lines) for lines in texts.values())

    assert "\x1b[32m" in with_colours and "\x1b[1m" in without and "\x1b[32m" not in without


def test_a_new_format_is_a_name_and_a_module(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path
) -> None:
    """Every command has it then."""
    module = ModuleType("buildtel.report.form_names")
    module.lines = lambda view, _out: (f"{type(part).__name__}\n" for part in view.parts())  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "buildtel.report.form_names", module)
    monkeypatch.setattr(formats, "FORMATS", (*FORMATS, "names"))
    monkeypatch.setattr("buildtel.cli.show.FORMATS", formats.FORMATS)
    path = tmp_path / "x.json"
    path.write_text(read(log(qemu_build())).to_json())

    assert main(["report", str(path), "--format", "names"]) == 0
    assert main(["compare", str(path), str(path), "--format", "names"]) == 0
    assert main(["doctor", "--store", str(tmp_path / "store"), "--format", "names"]) in (0, 1)
    assert capsys.readouterr().out.split()[:3] == ["Title", "Causes", "Timeline"]


def test_an_unknown_format_is_refused() -> None:
    """By its name, with those that there are."""
    with pytest.raises(ValueError, match="no format 'pdf': there are table, json"):
        rendered(ChecksView(CHECKS), "pdf")


@pytest.mark.parametrize("form", FORMATS)
def test_builds_are_shown_without_the_documents_model(form: str) -> None:
    """A list of builds reads no document, so it pays for none."""
    code = (
        "import sys; from buildtel.report.builds_view import ListView; from buildtel.report.formats import rendered\n"
        f"rendered(ListView([]), {form!r})\n"
        "print([name for name in ('pydantic', 'buildtel.job', 'rich.console') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
