"""The groups of a document's lanes, and the time axis that they need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from buildtel.insight.cause_account import CauseAccount
from buildtel.insight.stretches import BuildStretches
from buildtel.job import JobDocument
from buildtel.page.axis import Axis
from buildtel.page.bars import Group, build_group, step_group
from buildtel.page.entries import Entries, Entry


def axis_of(document: JobDocument, builds: list[BuildStretches]) -> Axis | None:
    """From the first time of builds and steps to the last; None without times.

    Args:
        document: of this version or of the original.
        builds: the stretches of its builds.
    """
    steps = document.steps
    starts = [document.job_start, *(found.build.started_at for found in builds), *(step.start_time for step in steps)]
    ends = [document.job_end, *(found.build.ended_at for found in builds), *(step.end_time for step in steps)]
    known = [time for time in (*starts, *ends) if time is not None]
    if not known or max(known) <= min(known):
        return None
    return Axis(min(known), round(max(known) - min(known), 3))


def groups_of(
    accounts: list[CauseAccount], builds: list[BuildStretches], entries: Entries, axis: Axis
) -> Iterator[Group]:
    """The runner, each build with the steps of its machine, then the machines that are no build's.

    Args:
        accounts: the accounts of causes of a document.
        builds: the stretches of its builds.
        entries: its entries.
        axis: the page's.
    """
    by_machine: dict[str, list[Entry]] = {}
    for entry in entries.of_steps:
        step = entry.step
        by_machine.setdefault((step.machine if step is not None else None) or "runner", []).append(entry)
    yield from _some(step_group("runner", by_machine.pop("runner", []), axis))
    causes = {id(account.build): account for account in accounts}
    for found, own in zip(builds, entries.of_builds, strict=True):
        steps = by_machine.pop(found.machine or "", [])
        yield from _some(build_group(found, own, axis, steps, causes.get(id(found.build))))
    for name, steps in by_machine.items():
        yield from _some(step_group(name, steps, axis))


def _some(group: Group | None) -> Iterable[Group]:
    return () if group is None else (group,)
