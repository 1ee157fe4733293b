"""Writes `packer_steps.txt`: the guest's step blocks as in the original, then Packer's steps."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone

from buildtel.insight.stretches import place, stretch
from buildtel.job import JobDocument
from buildtel.job.accounts import SAMPLED
from buildtel.job.model import Step
from buildtel.text import duration, rounded, safe
from buildtel.timeline.packer_model import Build, Phase, Provisioner
from buildtel_agent import end_block, further_lines, start_block


def packer_steps(document: JobDocument) -> str:
    """The blocks of the steps measured in guests; then Packer's own steps as lines: start, length, build, what.

    Times are in UTC. Empty if there are neither.
    """
    blocks = [_block(step) for step in document.steps if step.origin == "guest" and step.is_recorded]
    runs = document.packer.runs if document.packer else ()
    return "\n".join(blocks) + "".join(f"{line}\n" for run in runs for build in run.builds for line in _lines(build))


def _block(step: Step) -> str:
    name = safe(step.name or "step")
    figures = {key: value for key, value in step.metrics.items() if value is not None}
    further = further_lines(figures, step.exit_code, step.accounts_from == SAMPLED)
    began, ended = (_clock(time).replace("Z", "+00:00") for time in (step.start_time, step.end_time))
    return start_block(name, began) + end_block(name, figures, further, ended)


def _lines(build: Build) -> Iterable[str]:
    parts: list[Phase | Provisioner] = [*build.phases, *build.provisioners]
    for part in sorted(parts, key=place):
        row = stretch(part, 0.0)
        took = rounded(row.duration_s, row.grain_s)
        yield "\t".join((_clock(part.started_at), took, safe(build.name), row.kind, row.shown))
    yield "\t".join(("-", duration(build.duration_s), safe(build.name), "build", safe(build.result)))


def _clock(unix_s: float | None) -> str:
    if unix_s is None:
        return "-"
    try:
        return datetime.fromtimestamp(unix_s, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return "-"
