"""Writes those tables of docs/format.md anew that the agent's schema and the host's words give.

`python docs/format_tables.py`; a table stands between the lines `<!-- NAME: … -->` and `<!-- end -->`.
"""

import re
from pathlib import Path

from buildtel.metrics import WORDS
from buildtel_agent import COUNTERS, METRICS

TARGET = Path(__file__).with_name("format.md")
SECTION = re.compile(r"(<!-- (\w+): [^\n]*-->\n\n).*?(<!-- end -->)", re.S)


def counters() -> str:
    """A row for each number of `c`: the name of its column, its own, unit, kind, and the source with its Linux."""
    rows = [
        (f"`{group}.{f'{per.upper()}.' if per else ''}{at}`", f"`{name}`", unit, kind, _source(source, since))
        for group, (per, source, _, fields) in COUNTERS.items()
        for at, (name, unit, kind, _, since) in enumerate(fields)
    ]
    return _table(("column", "number", "unit", "kind", "source"), rows)


def _source(source: str, since: str) -> str:
    return f"`{source}`{f', Linux {since}' if since else ''}"


def metrics() -> str:
    """A row for each metric: name, unit, how it comes about, source."""
    helps = {words.name: words.help for words in WORDS}
    rows = [(f"`{metric.name}`", metric.unit, helps[metric.name], f"`{metric.source}`") for metric in METRICS]
    return _table(("figure", "unit", "formula", "source"), rows)


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


TABLES = {"counters": counters, "metrics": metrics}


def text() -> str:
    """The file's text as it is to be."""
    return SECTION.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}\n{found[3]}", TARGET.read_text(encoding="utf-8"))


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
