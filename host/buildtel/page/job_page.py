"""The page of one document: verdict and reasons, where the time went, the time line with its charts, all figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from buildtel.insight.cause_account import CauseAccount, cause_accounts
from buildtel.insight.failures import Failure, failures
from buildtel.insight.stretches import BuildStretches, build_stretches
from buildtel.job import JobDocument
from buildtel.page.axis import Axis
from buildtel.page.bars import Group
from buildtel.page.details import Detail, details_of
from buildtel.page.entries import entries_of
from buildtel.page.grid import Grid, grid_of
from buildtel.page.groups import axis_of, groups_of
from buildtel.page.strips import Strips, strips_of
from buildtel.report.diagnosis_parts import causes_of
from buildtel.report.job_view import JobView
from buildtel.report.view import Causes, Inside, Part, Steps, Timeline, Title
from buildtel.text import rounded, safe, safe_lines

SHOWN_BY_THE_PAGE = (Title, Causes, Timeline, Steps, Inside)


@dataclass(frozen=True, slots=True)
class BuildAccount:
    """How long a build took, by what; `causes` is None without times, `cut` stretches are left out."""

    name: str
    result: str
    took: str
    critical: bool
    causes: Causes | None
    cut: int
    artifacts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JobPage:
    """All that the template of a document's page needs; every text is safe to print, none is markup yet."""

    title: str
    status: str
    took: str
    facts: tuple[tuple[str, str], ...]
    failures: tuple[Failure, ...]
    accounts: tuple[BuildAccount, ...]
    axis: Axis | None
    groups: tuple[Group, ...]
    strips: tuple[Strips, ...]
    grid: Grid
    details: tuple[Detail, ...]
    parts: tuple[Part, ...]

    @property
    def data(self) -> dict[str, Any]:
        """What the page's script gets."""
        return {
            "span": 0.0 if self.axis is None else self.axis.span_s,
            "machines": [strips.data() for strips in self.strips],
        }


def job_page(document: JobDocument) -> JobPage:
    """The page of a document, of this version or of the original."""
    builds, causes = build_stretches(document), cause_accounts(document)
    axis = axis_of(document, builds)
    zero_s = 0.0 if axis is None else axis.zero_s
    entries = entries_of(document, builds, zero_s)
    parts = list(JobView(document).parts())
    (title,) = (part for part in parts if isinstance(part, Title))
    facts = dict(title.facts)
    return JobPage(
        title=title.text,
        status=title.status,
        took=facts.pop("duration"),
        facts=tuple(facts.items()),
        failures=tuple(failures(document)),
        accounts=tuple(_accounts(causes, builds)),
        axis=axis,
        groups=() if axis is None else tuple(groups_of(causes, builds, entries, axis)),
        strips=() if axis is None else tuple(_strips(document, axis)),
        grid=grid_of(entries),
        details=details_of(document, causes, entries, zero_s),
        parts=tuple(part for part in parts if not isinstance(part, SHOWN_BY_THE_PAGE)),
    )


def _accounts(accounts: list[CauseAccount], builds: list[BuildStretches]) -> Iterator[BuildAccount]:
    causes = {id(account.build): causes_of(account) for account in accounts if account.total_s > 0}
    for found in builds:
        build = found.build
        artifacts = tuple(line for artifact in build.artifacts for line in safe_lines(artifact))
        yield BuildAccount(
            name=found.name,
            result=safe(build.result),
            took=rounded(*found.length),
            critical=build.critical,
            causes=causes.get(id(build)),
            cut=found.cut,
            artifacts=artifacts,
        )


def _strips(document: JobDocument, axis: Axis) -> Iterator[Strips]:
    for name, machine in document.machines.items():
        found = strips_of(name, machine, axis.zero_s)
        if found is not None:
            yield found
