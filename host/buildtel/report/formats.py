"""The table of formats, and `render`, which renders a view in one of them.

A format is a name in `FORMATS` and a module of this room, `form_NAME`, with `lines(view, out)`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what `--format` may be is asked more often than anything is rendered
    from buildtel.report.view import View

FORMATS = ("table", "json", "csv", "markdown")


@dataclass(frozen=True, slots=True)
class Output:
    """Where a rendered view goes, and what can be shown there.

    Attributes:
        write: takes whole lines of text.
        width: of a line, in cells.
        ascii_only: bars are drawn in ASCII.
        styled: the output is a terminal, which shows colours.
        coloured: colours may be used there (`NO_COLOR` is not set).
    """

    write: Callable[[str], object]
    width: int = 80
    ascii_only: bool = True
    styled: bool = False
    coloured: bool = True


def render(view: View, out: Output, form: str) -> None:
    """Write a view in one of `FORMATS`.

    Args:
        view: what is shown.
        out: where it goes; gets each line when it is known.
        form: the format's name.

    Raises:
        ValueError: there is no such format.
    """
    if form not in FORMATS:
        raise ValueError(f"no format {form!r}: there are {', '.join(FORMATS)}")
    for line in import_module(f"buildtel.report.form_{form}").lines(view, out):
        out.write(line)


def rendered(view: View, form: str, width: int = 80, *, ascii_only: bool = True) -> str:
    """A view as text; arguments as for `render` and `Output`.

    Args:
        view: what is shown.
        form: one of `FORMATS`.
        width: of a line, in cells.
        ascii_only: bars are drawn in ASCII.
    """
    texts: list[str] = []
    render(view, Output(texts.append, width, ascii_only), form)
    return "".join(texts)
