"""The view of what a job waited for: causes, failures and findings of one document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from buildtel.insight.cause_account import cause_accounts
from buildtel.insight.causes import CAUSE
from buildtel.insight.failures import failures
from buildtel.insight.findings import findings
from buildtel.job import JobDocument
from buildtel.report.diagnosis_parts import causes_parts, findings_parts
from buildtel.report.view import Notes, Part, Records, Sentence, Title
from buildtel.text import duration, safe

NARROWEST = 60
NOTHING = "Nothing to report: no part of the build waited for something that could be avoided."
COLUMNS = ("severity", "cause", "build", "where", "seconds", "saves_least_s", "saves_most_s", "words", "advice")


@dataclass(frozen=True, slots=True)
class DiagnosisView:
    """A document, of this version or of the original."""

    document: JobDocument

    @property
    def narrowest(self) -> int:
        """As for every view."""
        return NARROWEST

    def parts(self) -> Iterator[Part]:
        """Why it failed, what each build was spent on, and the findings; one sentence where there are none."""
        document, accounts = self.document, cause_accounts(self.document)
        facts = (("duration", duration(document.job_duration_s)),)
        yield Title(safe(f"{document.job} {document.version}"), document.status or "unknown", facts)
        failed = tuple(" / ".join((failure.title, *failure.why)) for failure in failures(document))
        if failed:
            yield Notes("Failed", failed)
        yield from causes_parts(accounts, is_whole=True)
        found = list(findings_parts(document, accounts))
        yield from found
        if not found:
            yield Sentence(NOTHING)

    def records(self) -> Records:
        """A row for each finding."""
        rows = (
            (one.severity, one.cause, one.build, one.where, one.seconds, *one.saves_s, one.words, one.advice)
            for one in findings(self.document)
        )
        return Records(COLUMNS, rows)

    def data(self) -> Any:
        """The builds with their causes, the failures, and the findings (docs/format.md, 4)."""
        document, accounts = self.document, cause_accounts(self.document)
        return {
            "job": document.job,
            "version": document.version,
            "status": document.status,
            "builds": [
                {
                    "name": account.build.name,
                    "total_s": account.total_s,
                    "causes": [
                        {"cause": row.cause, "words": CAUSE[row.cause].words, "seconds": row.seconds,
                         "told_by": list(row.sources)}
                        for row in account.rows
                    ],
                }
                for account in accounts
            ],
            "failures": [asdict(failure) for failure in failures(document)],
            "findings": [asdict(finding) for finding in findings(document, accounts)],
        }  # fmt: skip
