"""Writes those tables of docs/format.md and docs/diagnosis.md anew that tables of the code give.

`python docs/tables.py`; a table stands between the lines `<!-- NAME: … -->` and `<!-- end -->`.
"""

import re
from pathlib import Path

from buildtel.insight.causes import CAUSES, FIGURES, OF_KIND, OF_PHASE, RULES, Limit
from buildtel.insight.connecting import WAYS
from buildtel.insight.findings import SEVERITIES
from buildtel.insight.symptoms import KILLED, PATTERNS, SYMPTOMS
from buildtel.metrics import WORDS
from buildtel_agent import COUNTERS, METRICS

FOLDER = Path(__file__).parent
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


def causes() -> str:
    """A row for each cause: its name, its words, what without it is saved at least and at most, and what would help."""
    rows = [
        (f"`{cause.id}`", cause.words, _share(cause.saves[0]), _share(cause.saves[1]), cause.advice,
         "severe" if cause.avoidable else "low")
        for cause in CAUSES
    ]  # fmt: skip
    return _table(("cause", "in words", "saves at least", "at most", "what would help", "at most as severe as"), rows)


def _share(share: float | str) -> str:
    return f"`{share}`" if isinstance(share, str) else f"{100 * share:.0f} % of its time"


def rules() -> str:
    """A row for each rule in order: the limits that a sample is within, and its cause; then the log's words."""
    rows = [(str(at), " and ".join(map(_limit, rule.limits)), f"`{rule.cause}`") for at, rule in enumerate(RULES, 1)]
    named = {**OF_PHASE, **OF_KIND}
    rows += [("log", f"the phase or kind `{name}`", f"`{cause}`") for name, cause in named.items()]
    return _table(("order", "a sample with", "has the cause"), rows)


def _limit(limit: Limit) -> str:
    texts = [f"at least {limit.least:g}"] if limit.least > float("-inf") else []
    texts += [f"below {limit.below:g}"] if limit.below < float("inf") else []
    return f"`{limit.figure}` {' and '.join(texts)}"


def figures() -> str:
    """A row for each figure of a sample that rules ask for."""
    rows = [(f"`{name}`", row.unit, row.about) for name, row in FIGURES.items()]
    return _table(("figure", "unit", "what it is"), rows)


def tries() -> str:
    """A row for each way that tries to connect go."""
    rows = [(way.words, way.late, way.never) for way in WAYS]
    return _table(("most tries say", "what would help, of a machine that was reached", "of one that was not"), rows)


def symptoms() -> str:
    """A row for each of the original's symptoms and patterns."""
    rows = [
        (f"`{row.id}`", " and ".join(f"`{name}` of {least:g}" for name, least in row.limits),
         ", ".join(row.named), row.words, row.advice)
        for row in (KILLED, *PATTERNS, *SYMPTOMS)
    ]  # fmt: skip
    return _table(("name", "from", "with one of these names", "in words", "what would help"), rows)


def severities() -> str:
    """A row for each severity: from which share of the build on."""
    rows: list[tuple[str, ...]] = [(word, f"{least:g} % of the build and more") for least, word in SEVERITIES]
    return _table(("severity", "would save at most"), rows)


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


TABLES = {
    "format.md": {"counters": counters, "metrics": metrics},
    "diagnosis.md": {
        "causes": causes, "rules": rules, "figures": figures, "symptoms": symptoms, "severities": severities,
        "tries": tries,
    },
}  # fmt: skip


def text(name: str) -> str:
    """The text of a file of `TABLES` as it is to be."""
    tables, now = TABLES[name], (FOLDER / name).read_text(encoding="utf-8")
    return SECTION.sub(lambda found: f"{found[1]}{tables[found[2]]()}\n{found[3]}", now)


if __name__ == "__main__":
    for file in TABLES:
        (FOLDER / file).write_text(text(file), encoding="utf-8")
