"""The page of one document: verdict and reasons, where the time went, the time line with its charts, all figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from buildtel.insight.cause_account import cause_accounts
from buildtel.insight.failures import Failure, failures
from buildtel.insight.stretches import BuildStretches, build_stretches
from buildtel.job import JobDocument
from buildtel.page.axis import Axis
from buildtel.page.bars import Group, build_group, step_group
from buildtel.page.details import Detail, detail_of
from buildtel.page.entries import Entries, Entry, entries_of
from buildtel.page.grid import Grid, grid_of
from buildtel.page.strips import Strips, strips_of
from buildtel.report.diagnosis_parts import cause_rows
from buildtel.report.job_view import JobView
from buildtel.report.view import CauseRow, Causes, Inside, Part, Steps, Timeline, Title
from buildtel.text import rounded, safe, safe_lines

SHOWN_BY_THE_PAGE = (Title, Causes, Timeline, Steps, Inside)


@dataclass(frozen=True, slots=True)
class BuildAccount:
    """How long a build took, by its causes; `causes` are empty where the log has no times."""

    name: str
    result: str
    took: str
    critical: bool
    causes: tuple[CauseRow, ...]
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
    builds = build_stretches(document)
    axis = _axis(document, builds)
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
        accounts=tuple(_accounts(document, builds)),
        axis=axis,
        groups=() if axis is None else tuple(_groups(document, builds, entries, axis)),
        strips=() if axis is None else tuple(_strips(document, axis)),
        grid=grid_of(entries),
        details=tuple(detail_of(entry, zero_s) for entry in entries),
        parts=tuple(part for part in parts if not isinstance(part, SHOWN_BY_THE_PAGE)),
    )


def _axis(document: JobDocument, builds: list[BuildStretches]) -> Axis | None:
    """From the first time of builds and steps to the last; None without times."""
    steps = document.steps
    starts = [document.job_start, *(found.build.started_at for found in builds), *(step.start_time for step in steps)]
    ends = [document.job_end, *(found.build.ended_at for found in builds), *(step.end_time for step in steps)]
    known = [time for time in (*starts, *ends) if time is not None]
    if not known or max(known) <= min(known):
        return None
    return Axis(min(known), round(max(known) - min(known), 3))


def _accounts(document: JobDocument, builds: list[BuildStretches]) -> Iterator[BuildAccount]:
    causes = {id(account.build): cause_rows(account) for account in cause_accounts(document)}
    for found in builds:
        yield BuildAccount(
            name=found.name,
            result=safe(found.build.result),
            took=rounded(*found.length),
            critical=found.build.critical,
            causes=causes.get(id(found.build), ()),
            artifacts=tuple(line for artifact in found.build.artifacts for line in safe_lines(artifact)),
        )


def _groups(document: JobDocument, builds: list[BuildStretches], entries: Entries, axis: Axis) -> Iterator[Group]:
    """The runner, each build with the steps of its machine, then the machines that are no build's."""
    by_machine: dict[str, list[Entry]] = {}
    for entry in entries.of_steps:
        step = entry.step
        by_machine.setdefault((step.machine if step is not None else None) or "runner", []).append(entry)
    yield from _some(step_group("runner", by_machine.pop("runner", []), axis))
    for found, own in zip(builds, entries.of_builds, strict=True):
        yield from _some(build_group(found, own, axis, by_machine.pop(found.machine or "", [])))
    for name, steps in by_machine.items():
        yield from _some(step_group(name, steps, axis))


def _some(group: Group | None) -> Iterable[Group]:
    return () if group is None else (group,)


def _strips(document: JobDocument, axis: Axis) -> Iterator[Strips]:
    for name, machine in document.machines.items():
        found = strips_of(name, machine, axis.zero_s)
        if found is not None:
            yield found
