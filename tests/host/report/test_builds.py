"""`list` and `history` as rows: differences, bars, and names that strangers chose."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from buildtel.report.builds_view import BuildRow, HistoryView, ListView
from buildtel.report.formats import rendered
from buildtel.text import percent

NOON = datetime(2026, 1, 24, 12, 20, 0, tzinfo=timezone.utc)


def row(version: str, duration_s: float | None, days: int = 0, status: str = "success") -> BuildRow:
    """A build `days` before NOON."""
    time = NOON - timedelta(days=days)
    return BuildRow(f"{version}@{time:%Y%m%d_%H%M%S}", "build", version, time, status, duration_s)


ROWS = [row("0.10.3", 2100), row("0.10.2", 2712, 1), row("0.10.2", None, 2, "cancellation"), row("0.10.1", 60, 3)]


def test_the_history_at_80_columns() -> None:
    """Newest first: how long each took, its change against the one before it, a bar, and the trend in a sentence."""
    assert rendered(HistoryView(ROWS), "table", 80) == (
        "version  time (UTC)           status         took  change\n"
        "0.10.3   2026-01-24 12:20:00  success       35:00    -23%  ########\n"
        "0.10.2   2026-01-23 12:20:00  success       45:12       -  ##########\n"
        "0.10.2   2026-01-22 12:20:00  cancellation      -       -\n"
        "0.10.1   2026-01-21 12:20:00  success        1:00       -  #\n"
        "  took: from the first time to the last; change: against the build in the row\n"
        "  below; bar: took\n"
        "\n"
        "The newest took 35:00, +52% against the median of the 2 before it, 23:06.\n"
    )


def test_a_terminal_has_longer_and_finer_bars() -> None:
    """Where the output is a wide terminal of UTF-8 the bars are lines."""
    text = rendered(HistoryView(ROWS), "table", 120, ascii_only=False)

    assert "━" * 20 in text and "#" not in text


def test_the_list_names_each_build() -> None:
    """Two builds of one version have names of their own."""
    lines = rendered(ListView(ROWS), "table", 80).splitlines()

    assert lines[0].split() == ["build", "time", "(UTC)", "job", "status", "took"]
    assert [line.split()[0] for line in lines[2:4]] == ["0.10.2@20260123_122000", "0.10.2@20260122_122000"]


@pytest.mark.parametrize("name", ["\x1b[31m", "x" * 900, "a\nb", "é漢字🐧" * 40, "a|b<i>", "\u202e"])
@pytest.mark.parametrize("form", ["table", "markdown", "csv"])
def test_no_name_breaks_a_list(name: str, form: str) -> None:
    """Versions and jobs are escaped, cut, and never wider than the terminal."""
    rows = [BuildRow(f"{name}@20260124_122000", name, name, NOON, "success", 1.0), *ROWS]
    for text in (rendered(ListView(rows), form, 80), rendered(HistoryView(rows), form, 80)):
        assert all(char.isprintable() or char == "\n" for char in text)
        if form == "table":
            assert max(cell_len(line) for line in text.splitlines()) <= 80
        if form == "markdown":
            assert "<i>" not in text


def test_data_has_every_field() -> None:
    """JSON and CSV give what is known, unknown ones null or empty."""
    records = json.loads(rendered(HistoryView(ROWS), "json", 80))
    lines = list(csv.DictReader(io.StringIO(rendered(ListView(ROWS), "csv", 80))))

    assert records[0] == {
        "build": "0.10.3@20260124_122000", "job": "build", "version": "0.10.3",
        "timestamp": "2026-01-24T12:20:00+00:00", "status": "success", "duration_s": 2100, "change_percent": -22.6,
    }  # fmt: skip
    assert records[2]["duration_s"] is None
    assert (lines[2]["duration_s"], lines[0]["duration_s"]) == ("", "2100")


def test_failed_builds_are_no_measure() -> None:
    """Neither is one compared with whole builds, nor do they count among those before."""
    failed = row("0.9", 1, 5, "failure")

    assert HistoryView([failed, *ROWS]).trend() == ""
    assert HistoryView([*ROWS, failed]).trend() == HistoryView(ROWS).trend()


def test_nothing_is_shown_of_nothing() -> None:
    """No build gives no trend; in JSON an empty list."""
    assert (HistoryView([]).trend(), HistoryView(ROWS[:1]).trend(), HistoryView([]).changes()) == ("", "", [])
    assert json.loads(rendered(ListView([]), "json", 80)) == []


@given(st.floats(-1e6, 1e6))
def test_a_percentage_shows_its_sign(value: float) -> None:
    """Longer and shorter are told apart at a glance."""
    assert percent(value)[0] in "+-" and percent(value).endswith("%")
