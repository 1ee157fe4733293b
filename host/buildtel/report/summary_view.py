"""The view of one document in short: how it ended and why, where the time went, what took long, what needs a look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from buildtel.insight.cause_account import cause_accounts
from buildtel.insight.failures import failures
from buildtel.insight.stretches import BuildStretches, build_stretches
from buildtel.job import JobDocument
from buildtel.report.diagnosis_parts import causes_parts, findings_parts
from buildtel.report.job_view import NARROWEST, JobView, job_duration
from buildtel.report.view import Head, Part, Reason, Records, Table, Title
from buildtel.text import percent_of, rounded, safe

MOST_ROWS = 10
HEADS = (Head("what took longest", flexible=True), Head("build", flexible=True), Head("took", right=True),
         Head("of the build", right=True))  # fmt: skip


@dataclass(frozen=True, slots=True)
class SummaryView:
    """A document in short, of this version or of the original."""

    document: JobDocument

    @property
    def narrowest(self) -> int:
        """As for every view."""
        return NARROWEST

    def parts(self) -> Iterator[Part]:
        """Verdict, each failure with its last lines, a bar of each build's time, a table, what is worth a look."""
        document = self.document
        builds, accounts = build_stretches(document), cause_accounts(document)
        words = f"{document.status or 'unknown'} after {job_duration(document)}"
        yield Title(safe(f"{document.job} {document.version}"), words)
        for failure in failures(document):
            yield Reason(failure.title, failure.why, failure.output)
        yield from causes_parts(accounts, is_whole=True)
        rows = _longest(builds)
        if rows:
            yield Table(HEADS, rows)
        yield from findings_parts(document, accounts)

    def records(self) -> Records:
        """As of the whole document."""
        return JobView(self.document).records()

    def data(self) -> Any:
        """The document itself."""
        return JobView(self.document).data()


def _longest(builds: list[BuildStretches]) -> list[tuple[str, ...]]:
    """The stretches that took longest, of all builds."""
    rows = [(found, stretch) for found in builds for stretch in found.stretches if stretch.duration_s]
    rows = [(found, stretch) for found, stretch in rows if not stretch.own]
    rows.sort(key=lambda row: -(row[1].duration_s or 0.0))
    return [
        (stretch.shown, found.name, rounded(stretch.duration_s, stretch.grain_s),
         percent_of(stretch.duration_s, found.length[0]))
        for found, stretch in rows[:MOST_ROWS]
    ]  # fmt: skip
