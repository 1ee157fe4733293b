"""The parts of a view that say what a build waited for: its causes, and the findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from buildtel.insight.cause_account import CauseAccount, Row
from buildtel.insight.causes import CAUSE, FIGURES
from buildtel.insight.findings import Evidence, Finding, findings
from buildtel.job import JobDocument
from buildtel.metrics import bare_label_of, with_unit
from buildtel.report.view import CauseRow, Causes, Item, Items
from buildtel.text import duration, safe

MOST_FINDINGS = 20
TOLD_BY = {"log": "Packer's log", "guest": "the machine's samples", "runner": "the runner's samples"}


def causes_parts(accounts: list[CauseAccount], *, is_whole: bool = False) -> Iterator[Causes]:
    """The causes of each build whose times are known.

    Args:
        accounts: the accounts of causes of a document.
        is_whole: each cause has a line of its own.
    """
    for account in accounts:
        if account.total_s > 0:
            yield causes_of(account, is_whole=is_whole)


def causes_of(account: CauseAccount, *, is_whole: bool = False) -> Causes:
    """The causes of one build.

    Args:
        account: what its time was spent on, more than none of it.
        is_whole: each cause has a line of its own.
    """
    rows = tuple(_row(row, account) for row in account.rows)
    return Causes(safe(account.build.name), account.total_s, rows, account.build.grain_s, is_whole)


def _row(row: Row, account: CauseAccount) -> CauseRow:
    told_by = " and ".join(TOLD_BY[source] for source in row.sources)
    return CauseRow(row.cause, CAUSE[row.cause].words, row.seconds, 100 * row.seconds / account.total_s, told_by)


def findings_parts(document: JobDocument, accounts: list[CauseAccount]) -> Iterator[Items]:
    """The findings, the most severe first; nothing where there are none.

    Args:
        document: the document.
        accounts: its accounts of causes.
    """
    found = findings(document, accounts)
    if found:
        counted = Counter(note for finding in found for note in _notes(finding))
        common = tuple(note for note, count in counted.items() if count > 1)
        is_one = len({finding.build for finding in found if finding.build}) <= 1
        items = (item_of(finding, common) for finding in found[:MOST_FINDINGS])
        rows = items if is_one else map(_of_build, found, items)
        yield Items("Findings", tuple(rows), common)


def _of_build(finding: Finding, item: Item) -> Item:
    """An item that says which of several builds it is of."""
    return replace(item, where=f"{finding.build}, {item.where}") if finding.build else item


def _notes(finding: Finding) -> tuple[str, ...]:
    return (*finding.caveats, *(f"missing: {text}" for text in finding.missing))


def item_of(finding: Finding, common: tuple[str, ...] = ()) -> Item:
    """A finding in words.

    Args:
        finding: the finding.
        common: its notes that stand elsewhere.
    """
    evidence = "" if finding.cause.startswith("spare_") else ", ".join(map(_evidence, finding.evidence))
    words = f"{finding.words} for {duration(finding.seconds)}"
    return Item(
        severity=finding.severity,
        where=finding.where,
        words=f"{words} ({evidence})" if evidence else words,
        saves=_saves(finding),
        help=finding.advice,
        notes=tuple(note for note in _notes(finding) if note not in common),
    )


def _evidence(row: Evidence) -> str:
    """A sample's figure in the words of causes, a step's in those of metrics."""
    return row.words if row.figure in FIGURES else f"{bare_label_of(row.figure)} {with_unit(row.figure, row.value)}"


def _saves(finding: Finding) -> str:
    """`at least 0:10, at most 1:20`; empty where nothing is known."""
    least_s, most_s = finding.saves_s
    if most_s <= 0:
        return ""
    return f"at most {duration(most_s)}" if least_s < 1 else f"at least {duration(least_s)}, at most {duration(most_s)}"
