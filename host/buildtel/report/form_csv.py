"""Renders a view as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from buildtel.report.formats import Output
from buildtel.report.view import View
from buildtel.text import cell


def lines(view: View, _out: Output) -> Iterator[str]:
    """A line of names, then one for each record; what is not known is empty.

    Args:
        view: what is shown.
        _out: not used: data has no width.
    """
    records, text = view.records(), io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in (records.names, *records.rows):
        writer.writerow(map(cell, row))
    yield text.getvalue()
