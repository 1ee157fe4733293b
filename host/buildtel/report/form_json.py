"""Renders a view as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

from buildtel.report.formats import Output
from buildtel.report.view import View


def lines(view: View, _out: Output) -> Iterator[str]:
    """Its data, indented, in ASCII, without anything that a CI's runner would take for a command.

    Args:
        view: what is shown.
        _out: not used: data has no width.
    """
    yield json.dumps(view.data(), indent=2, ensure_ascii=True).replace("##", "#\\u0023") + "\n"
