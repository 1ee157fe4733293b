"""Divides the wall time of a build into named parts without gap or overlap.

All is reckoned in whole milliseconds, so the stretches add up to the wall time exactly. What no text of
Packer's explains is a stretch of its own, `unattributed`; none is drawn out to meet its neighbour.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from buildtel.events import ProvisionerStatus
from buildtel.timeline.packer_model import (
    Build,
    PackerReport,
    PackerRun,
    Phase,
    Provisioner,
    Stretch,
)

START = "start"
PROVISIONER = "provisioner"
UNATTRIBUTED = "unattributed"


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    text: str
    index: int | None
    start_ms: int
    end_ms: int | None
    line: int = 0
    status: ProvisionerStatus | None = None


def accounted(packer: PackerReport, started_s: float | None) -> PackerReport:
    """`packer` with the account of each build whose times are known.

    Args:
        packer: what the log told.
        started_s: when the packer process of the last run began, Unix seconds; None if nothing tells.
    """
    last = len(packer.runs) - 1
    runs = (_run(run, started_s if number == last else None) for number, run in enumerate(packer.runs))
    return replace(packer, runs=tuple(runs))


def _run(run: PackerRun, started_s: float | None) -> PackerRun:
    start_s = run.started_at if started_s is None else started_s
    if start_s is None or run.ended_at is None:
        return run
    builds = [
        replace(
            build,
            started_at=start_s,
            ended_at=_end_s(build, run),
            account=tuple(stretches(build, start_s, _end_s(build, run))),
        )
        if _has_times(build) else build
        for build in run.builds
    ]  # fmt: skip
    if len(builds) > 1:
        critical = max(range(len(builds)), key=lambda at: builds[at].ended_at or 0.0)
        builds[critical] = replace(builds[critical], critical=True)
    return replace(run, started_at=start_s, builds=tuple(builds))


def _has_times(build: Build) -> bool:
    """False where the log tells what the build did and never when: only debug lines beside its output have times."""
    parts: tuple[Phase | Provisioner, ...] = (*build.phases, *build.provisioners)
    return not parts or any(part.started_at is not None for part in parts)


def _end_s(build: Build, run: PackerRun) -> float:
    """When the build was over; where Packer does not say it, when it was last heard of anything."""
    return build.ended_at if build.ended_at is not None else run.ended_at or 0.0


def stretches(build: Build, start_s: float, end_s: float) -> Iterator[Stretch]:
    """The wall time from `start_s` to `end_s` (Unix seconds) as stretches that touch each other and add up to it.

    Args:
        build: the build, with its phases and provisioners.
        start_s: its start, in Unix seconds.
        end_s: its end, in Unix seconds.
    """
    cursor, end = _ms(start_s), max(_ms(end_s), _ms(start_s))
    for part in _parts(build, cursor, end):
        first = min(max(part.start_ms, cursor), end)
        last = end if part.end_ms is None else min(max(part.end_ms, first), end)
        if first > cursor:
            yield _stretch(None, cursor, first)
        yield _stretch(part, first, last)
        cursor = last
    if cursor < end:
        yield _stretch(None, cursor, end)


def _parts(build: Build, start_ms: int, end_ms: int) -> list[_Part]:
    """What the log told of the build, in order; a part that nothing ended lasts to the next, or to the end."""
    began = [] if build.began_at is None else [_Part(START, "Packer starts", None, start_ms, _ms(build.began_at))]
    phases = [
        _Part(phase.name, phase.text, None, _ms(phase.started_at), _end(phase.ended_at), phase.line or 0)
        for phase in build.phases
        if phase.started_at is not None
    ]
    units = [
        _Part(
            PROVISIONER, _unit_text(unit), index, _ms(unit.started_at), _end(unit.ended_at), unit.line or 0, unit.status
        )
        for index, unit in enumerate(build.provisioners)
        if unit.started_at is not None
    ]
    parts = sorted(began + phases + units, key=_place)
    return [
        part if part.end_ms is not None else replace(part, end_ms=parts[at + 1].start_ms if parts[at + 1 :] else end_ms)
        for at, part in enumerate(parts)
    ]


def _place(part: _Part) -> tuple[int, int, bool, int]:
    """Where a part belongs; of one millisecond, as the log has them."""
    return part.start_ms, part.line, part.end_ms is None, part.end_ms or 0


def _unit_text(unit: Provisioner) -> str:
    return f"{unit.kind} {unit.detail}".strip()


def _stretch(part: _Part | None, first_ms: int, last_ms: int) -> Stretch:
    return Stretch(
        name=UNATTRIBUTED if part is None else part.name,
        text="" if part is None else part.text,
        provisioner=None if part is None else part.index,
        status=None if part is None else part.status,
        started_at=first_ms / 1000,
        ended_at=last_ms / 1000,
        duration_s=(last_ms - first_ms) / 1000,
    )


def _ms(unix_s: float) -> int:
    return round(unix_s * 1000)


def _end(unix_s: float | None) -> int | None:
    return None if unix_s is None else _ms(unix_s)
