"""Cuts, fills and wraps styled text to the width of terminal cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.cells import cell_len, set_cell_size

from buildtel.report.formats import Output
from buildtel.report.view import Causes, Cell
from buildtel.text import rounded

BAR_CELLS = 20
WIDE = 100
MOST_CAUSES = 6  # in a sentence

# A line: its texts, each with the style that a terminal shows it in (rich's words, empty for none).
Line = list[tuple[str, str]]


def cell_text(cell: Cell, out: Output) -> str:
    """A cell of a table as text; a bar of at most 20 marks, half as many where the output is narrow.

    Args:
        cell: a text or a bar.
        out: its width, and whether bars are ASCII.
    """
    if isinstance(cell, str):
        return cell
    if cell.part is None or cell.whole <= 0:
        return ""
    room = BAR_CELLS if out.width >= WIDE else BAR_CELLS // 2
    return mark(out) * max(1, round(room * cell.part / cell.whole))


def mark(out: Output) -> str:
    """What bars are drawn with."""
    return "#" if out.ascii_only else "━"


def fit(text: str, width: int, *, path: bool = False) -> str:
    """`text` in exactly `width` cells; what is too long loses its end, a path what is behind its first word.

    Args:
        text: what is shown.
        width: in cells.
        path: the end of the text tells more than its beginning.
    """
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    if not path:
        return set_cell_size(text, max(width - 2, 0)) + ".."
    kind, space, kept = text.partition(" ")
    lead = kind + space if kept and cell_len(kind) <= width // 2 else ""
    kept = kept if lead else text
    while cell_len(kept) > width - 2 - cell_len(lead):
        kept = kept[1:]
    return set_cell_size(f"{lead}..{kept}", width)


def cut(text: str, width: int) -> str:
    """`text` in at most `width` cells.

    Args:
        text: what is shown.
        width: in cells.
    """
    return fit(text, min(cell_len(text), width))


def right(text: str, width: int) -> str:
    """`text` behind as many spaces as fill `width` cells.

    Args:
        text: of at most `width` cells.
        width: in cells.
    """
    return " " * (width - cell_len(text)) + text


def stripped(line: Line) -> Line:
    """A line without the spaces at its end."""
    kept = list(line)
    while kept and not kept[-1][0].rstrip():
        kept.pop()
    return [*kept[:-1], (kept[-1][0].rstrip(), kept[-1][1])] if kept else []


def indented(lead: str, lines: Iterable[str], width: int) -> Iterator[str]:
    """Lines of a text behind `lead`, all but the first indented as far.

    Args:
        lead: what stands before the first line.
        lines: the text.
        width: of a line, in cells.
    """
    for line in lines:
        yield from wrapped(lead, line, width)
        lead = " " * cell_len(lead)


def wrapped(lead: str, text: str, width: int) -> Iterator[str]:
    """`text` behind `lead`, its further lines indented as far; words longer than a line are cut.

    Args:
        lead: what stands before the first line.
        text: one paragraph.
        width: of a line, in cells.
    """
    indent, room = cell_len(lead), max(width - cell_len(lead), 10)
    line = ""
    for word in _words(text, room):
        if line and cell_len(line) + 1 + cell_len(word) > room:
            yield lead + line
            lead, line = " " * indent, word
        else:
            line = f"{line} {word}" if line else word
    yield lead + line


def _words(text: str, room: int) -> Iterable[str]:
    for word in text.split(" "):
        rest = word
        while cell_len(rest) > room:
            yield rest[: max(room // 2, 1)]
            rest = rest[max(room // 2, 1) :]
        yield rest


def causes_sentence(causes: Causes) -> str:
    """`of 42:10: 14:02 computing on one thread, 9:40 downloading at the line's best rate, 0:31 unknown`."""
    told = causes.rows[:MOST_CAUSES] if len(causes.rows) > MOST_CAUSES + 1 else causes.rows
    texts = [f"{rounded(row.seconds, causes.grain_s)} {row.words}" for row in told]
    rest_s = causes.total_s - sum(row.seconds for row in told)
    if len(told) < len(causes.rows):
        texts.append(f"{rounded(rest_s, causes.grain_s)} for {len(causes.rows) - len(told)} other causes")
    return f"of {rounded(causes.total_s, causes.grain_s)}: {', '.join(texts)}"
