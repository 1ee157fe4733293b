"""The pages of several builds: two above each other on one axis, and the trend of a job's last builds."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from buildtel.insight.comparison import compare
from buildtel.job import JobDocument
from buildtel.page.comparison_page import comparison_page
from buildtel.page.form_html import html
from buildtel.page.history_page import HEIGHT_PX, history_page
from buildtel.report.builds_view import BuildRow, HistoryView
from buildtel.report.comparison_view import ComparisonView

from .conftest import Browser
from .documents import document
from .test_page import names, parsed

NOON = datetime(2026, 1, 24, 12, tzinfo=timezone.utc)


def compared(before: JobDocument, after: JobDocument) -> ComparisonView:
    """The view of two documents."""
    return ComparisonView(compare(before, after, "1.1", "1.2"), documents=(before, after))


def history(*documents: JobDocument | None) -> HistoryView:
    """The view of builds, the newest first."""
    rows = [
        BuildRow(f"1.{at}", "build", f"1.{at}", NOON - timedelta(days=at), made.status or "" if made else "success",
                 made.job_duration_s if made else 60.0)
        for at, made in enumerate(documents)
    ]  # fmt: skip
    return HistoryView(rows, documents=documents)


def test_two_builds_begin_together_and_the_longer_one_fills_the_axis() -> None:
    """Each counts from its own start; the shorter one ends before the axis does."""
    page = comparison_page(compared(document(machines=1, hours=1), document(machines=1, hours=2)))
    lanes = {group.name: group.lanes[0].bars for group in page.groups}

    assert list(lanes) == ["before: runner", "before: qemu.vm0", "after: runner", "after: qemu.vm0"]
    assert {bars[0].left for bars in lanes.values()} == {0}
    assert [round(bars[-1].left + bars[-1].width) for bars in lanes.values()] == [50, 50, 100, 100]
    assert len({detail.entry.anchor for detail in page.details}) == len(page.details)


def test_two_builds_zoom_together(browser: Browser) -> None:
    """And a click shows the details of the right one."""
    browser.open(html(compared(document(machines=1, provisioners=2, fails=True), document(machines=1))))
    browser.press("+")
    bars = browser.driver.find_elements("css selector", ".bar.k-failed")
    browser.eval("document.querySelector('.bar.k-failed').scrollIntoView({block: 'center'})")
    bars[0].click()

    assert "last words" in browser.eval("document.querySelector('#panel').innerText")
    assert browser.messages() == []


def test_the_columns_of_a_history_are_to_scale() -> None:
    """The oldest at the left; a column is as high as the job was long, and is cut by what the time was spent on."""
    page = history_page(history(document(hours=2), None, document(hours=1, fails=True)))

    assert [column.status for column in page.columns] == ["failure", "success", "success"]
    heights = [sum(block.height for block in column.blocks) for column in page.columns]
    assert heights == pytest.approx([HEIGHT_PX / 2, HEIGHT_PX / 120, HEIGHT_PX], abs=0.1)
    causes = [block.cause for block in page.columns[2].blocks]
    assert "boot_ssh" in causes and len(set(causes)) == len(causes)
    assert "3:00 booting and waiting for SSH" in page.columns[2].about


def test_the_trend_of_each_step_has_the_largest_change_first() -> None:
    """Against the median of the builds before; a build that lacks a step is a gap in its line."""
    slow, fast = document(machines=1, provisioners=2, hours=2), document(machines=1, provisioners=2, hours=1)
    rows = dict(history_page(history(slow, fast, None, fast)).tables)["Phases and provisioners"]

    assert rows[0].name == "shell scripts/0.sh" and rows[0].change == "+100%"
    assert (rows[0].newest, rows[0].median) == ("51:00", "25:30")
    assert rows[0].points.count("M") == 2


def test_the_trend_of_each_cause_is_told() -> None:
    """As that of the steps."""
    slow, fast = document(machines=1, provisioners=2, hours=2), document(machines=1, provisioners=2, hours=1)
    rows = dict(history_page(history(slow, fast)).tables)["Causes"]

    (boot,) = [row for row in rows if row.name == "booting and waiting for SSH"]
    assert (boot.newest, boot.median, boot.change) == ("3:00", "1:30", "+100%")


@names
def test_pages_of_several_builds_are_well_formed(name: str) -> None:
    """Whatever the names."""
    made = document(machines=1, provisioners=2, parts=2, name=name, fails=True)
    for page in (html(compared(made, made)), html(history(made, None, made))):
        tree: Any = parsed(page)
        kinds = {element.tag for element in tree.iter() if isinstance(element.tag, str)}

        assert not kinds & {"img", "iframe", "object", "embed", "link", "base", "form", "input"}
        assert not [key for element in tree.iter() for key in element.attrib if key.startswith("on") or key == "style"]


def test_a_history_fits_every_width(browser: Browser) -> None:
    """Of ten builds, too."""
    for width in (390, 1280, 2560):
        browser.open(html(history(*[document(machines=1, provisioners=4, parts=0)] * 10)), width=width)

        assert browser.eval("document.documentElement.scrollWidth") <= width
        assert browser.messages() == []
