"""Renders a view as a page; documents have pages of their own, any other view has its parts below each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from buildtel.page.bars import Group
from buildtel.page.colours import COLOURS, INKS, LINES, colour_of, key, key_of_causes
from buildtel.page.comparison_page import comparison_page
from buildtel.page.history_page import history_page
from buildtel.page.job_page import job_page
from buildtel.page.rendering import page
from buildtel.report.builds_view import HistoryView
from buildtel.report.comparison_view import ComparisonView
from buildtel.report.job_view import JobView
from buildtel.report.view import Title, View
from buildtel.text import rounded

_COLOURS: dict[str, Any] = {
    "colours": COLOURS,
    "inks": INKS,
    "line_colours": LINES,
    "colour_of": colour_of,
    "rounded": rounded,
}


def html(view: View) -> str:
    """A view as one HTML file."""
    own = _PAGES.get(type(view))
    if own is not None:
        return own(view)
    parts = [(part, type(part).__name__) for part in view.parts()]
    titles = [part.text for part, _ in parts if isinstance(part, Title)]
    return page("view.html", title=titles[0] if titles else "buildtel", parts=parts, data=None)


def _job(view: JobView) -> str:
    found = job_page(view.document)
    named = key(_kinds(found.groups))
    return page("job.html", title=found.title, page=found, data=found.data, key=named, **_COLOURS)


def _comparison(view: ComparisonView) -> str:
    found = comparison_page(view)
    named = key(_kinds(found.groups))
    return page("comparison.html", title=found.title, page=found, data=found.data, key=named, **_COLOURS)


def _history(view: HistoryView) -> str:
    found = history_page(view)
    named = key_of_causes(set(found.causes))
    return page("history.html", title=found.title, page=found, data=found.data, key=named, **_COLOURS)


def _kinds(groups: Iterable[Group]) -> set[str]:
    return {bar.kind for group in groups for lane in group.lanes for bar in lane.bars}


_PAGES: dict[type, Callable[[Any], str]] = {JobView: _job, ComparisonView: _comparison, HistoryView: _history}
