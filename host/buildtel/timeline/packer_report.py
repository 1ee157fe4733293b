"""Turns the timeline into `packer` of the job document, with the result of each build."""

from __future__ import annotations

import re

from buildtel.events import FAILED, BuildFinished
from buildtel.timeline.account import accounted
from buildtel.timeline.builds import BuildDraft, RunDraft, Timeline
from buildtel.timeline.packer_model import (
    Build,
    InnerPart,
    PackerReport,
    PackerRun,
    Phase,
    Plugin,
    Provisioner,
)
from buildtel.timeline.provisioner_run import Moment, PartDraft, ProvisionerRun
from buildtel.timeline.reached import ONLY_MOVE

AGENT_FILE = "buildtel_agent.py"
SPOOL_FILE = "/dev/shm/buildtel-spool.jsonl"  # where buildtel.pkr.hcl has it put
LEAST_RATED_S = 0.05
GRAINS_RATED = 3  # lengths below that are off by a third and more
BYTES_PER_MB = 1 << 20
_WORST_FIRST = ("cancelled", "failure", "success")
_CRASHED = re.compile(r"unexpected EOF|panic|plugin .*crashed", re.IGNORECASE)
_STOPPED = re.compile(r"halted|exit status:? (?:130|-1)\b", re.IGNORECASE)


def report(timeline: Timeline, started_s: float | None = None) -> PackerReport:
    """The runs of a log with the account of each build.

    Args:
        timeline: what Packer did, with the final times.
        started_s: when the packer process of the last run began, Unix seconds; None if nothing tells.
    """
    told = [run for run in timeline.runs if run.has_packer_events] or timeline.runs[:1]
    whole = PackerReport(
        version=timeline.version,
        read_from=timeline.read_from,
        plugins=tuple(Plugin(name=name, version=version) for name, version in timeline.plugins),
        runs=tuple(_run(run) for run in told),
    )
    return accounted(whole, started_s)


def _run(run: RunDraft) -> PackerRun:
    builds = sorted(run.builds.values(), key=lambda build: build.first_line)
    interrupted_line = run.interrupted_line
    last_end = max((end.line for build in builds for end in build.ends), default=0)
    if interrupted_line is not None and interrupted_line > last_end:
        interrupted_line = 0  # only packer's last words tell of the interrupt: no build is known to be before it
    started_s, ended_s = run.extent_s()
    return PackerRun(
        builds=tuple(_build(build, interrupted_line) for build in builds),
        total_s=run.total_s,
        error=run.error if not builds else None,
        started_at=started_s,
        ended_at=ended_s,
    )


def _build(build: BuildDraft, interrupted_line: int | None) -> Build:
    durations = [end.duration_s for end in build.ends if end.duration_s is not None]
    own = _own_units(build.units)
    return Build(
        name=build.name,
        result=_result(build, interrupted_line),
        grain_s=max((moment.at.resolution_s for moment in build.heard if moment.at is not None), default=None),
        duration_s=max(durations, default=None),
        ssh_wait=build.waited and build.connected,
        error=next((end.error for end in build.ends if end.error is not None), None),
        began_at=_unix_s(build.began),
        ended_at=_unix_s(build.ended),
        phases=tuple(
            Phase(
                name=phase.name, text=phase.text, line=phase.began.line,
                started_at=phase.began.unix_s, ended_at=_unix_s(phase.ended),
                parts=tuple(_part(part, part.ended) for part in phase.parts),
            )
            for phase in build.phases
        ),
        provisioners=tuple(_provisioner(unit, unit.index in own) for unit in build.units),
        artifacts=tuple(build.artifacts),
        artifact_cut=build.artifact_cut,
    )  # fmt: skip


def _provisioner(unit: ProvisionerRun, own: bool) -> Provisioner:
    return Provisioner(
        kind=unit.kind,
        detail=unit.detail,
        type=unit.type,
        status=unit.status,
        ignored=unit.ignored,
        exit_code=unit.exit_code,
        output=unit.output if unit.status in FAILED else (),
        parts=tuple(_part(part, _end_of(part, unit)) for part in unit.parts),
        own=own or _is_own(unit.kind, unit.detail),
        line=unit.began.line,
        started_at=unit.began.unix_s,
        ended_at=_unix_s(unit.ended),
    )


def _end_of(part: PartDraft, unit: ProvisionerRun) -> Moment | None:
    """Where a part of a provisioner ends: what nothing ended lasts as long as that, if all that might have is kept."""
    if part.ended is not None or not (part.lasts or unit.kind in ONLY_MOVE):
        return part.ended
    return None if unit.is_cut else unit.ended


def _part(part: PartDraft, ended: Moment | None) -> InnerPart:
    """A part with its end, None where that is not known."""
    started_s, ended_s = part.began.unix_s, _unix_s(ended)
    length_s = None if started_s is None or ended_s is None else max(ended_s - started_s, 0.0)
    is_moved = part.ended is not None or part.is_sent
    size_bytes = part.size_bytes if is_moved and part.size_bytes is not None else part.moved_bytes
    grain_s = max((moment.at.resolution_s for moment in (part.began, ended) if moment and moment.at), default=0.0)
    return InnerPart(
        name=part.name,
        kind=part.kind,
        started_at=started_s,
        ended_at=None if length_s is None or started_s is None else started_s + length_s,
        count=part.count,
        size_bytes=size_bytes,
        rate_mbs=_rate_mbs(size_bytes, length_s, grain_s),
    )


def _rate_mbs(size_bytes: int | None, length_s: float | None, grain_s: float) -> float | None:
    """The rate of a transfer, MB/s; None where stamps are too coarse for it, or it is too short."""
    if size_bytes is None or length_s is None or length_s < max(LEAST_RATED_S, GRAINS_RATED * grain_s):
        return None
    return float(f"{size_bytes / BYTES_PER_MB / length_s:.4g}")


def _unix_s(moment: Moment | None) -> float | None:
    return None if moment is None else moment.unix_s


def _own_units(units: list[ProvisionerRun]) -> set[int]:
    """The places of the provisioners that only started or ended our agent.

    A step whose sampler is killed says hello and no more: a hello alone is install's where none came before it.
    """
    first = next((unit for unit in units if unit.saw_setup), None)
    return {unit.index for unit in units if unit.looks_own and (unit.saw_bye or unit is first)}


def _is_own(kind: str, detail: str) -> bool:
    """Whether it runs our agent, or fetches what that recorded."""
    if kind == "file-download":
        return detail.partition(" => ")[0] == SPOOL_FILE
    return kind == "shell" and re.split(r"[/\\]", detail)[-1] == AGENT_FILE


def _result(build: BuildDraft, interrupted_line: int | None) -> str:
    """The worst of what Packer says; a build without such a word whose artifact is listed was successful."""
    results = {_result_of(end, interrupted_line) for end in build.ends}
    listed = "success" if build.artifacts else "unknown"
    return next((result for result in _WORST_FIRST if result in results), listed)


def _result_of(end: BuildFinished, interrupted_line: int | None) -> str:
    """Packer says `finished` or any error of a build that it was told to stop; only the interrupt before it tells."""
    if interrupted_line is None or end.line < interrupted_line:
        return end.result
    if end.result == "success" or _STOPPED.search(end.error or ""):
        return "cancelled"
    ended_by_it = interrupted_line > 0 and not _CRASHED.search(end.error or "")
    return "cancelled" if ended_by_it else end.result
