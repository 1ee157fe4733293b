"""Renders a view as a page; a document has a page of its own, any other view has its parts below each other."""

from __future__ import annotations

from typing import Any

from buildtel.page.colours import COLOURS, INKS, LINES, key
from buildtel.page.job_page import job_page
from buildtel.page.rendering import page
from buildtel.report.job_view import JobView
from buildtel.report.view import Title, View
from buildtel.text import duration


def html(view: View) -> str:
    """A view as one HTML file."""
    if isinstance(view, JobView):
        return _job(view)
    parts = [(part, type(part).__name__) for part in view.parts()]
    titles = [part.text for part, _ in parts if isinstance(part, Title)]
    return page("view.html", title=titles[0] if titles else "buildtel", parts=parts, data=None)


def _job(view: JobView) -> str:
    found = job_page(view.document)
    kinds = {bar.kind for group in found.groups for lane in group.lanes for bar in lane.bars}
    return page("job.html", title=found.title, page=found, data=found.data, key=key(kinds), **_COLOURS)


_COLOURS: dict[str, Any] = {"colours": COLOURS, "inks": INKS, "line_colours": LINES, "seconds": duration}
