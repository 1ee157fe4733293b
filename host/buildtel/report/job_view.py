"""The view of one document: all that the report of a job says, independent of a format."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from buildtel.insight.cause_account import cause_accounts
from buildtel.insight.failures import failure_of
from buildtel.insight.gaps import unmeasured_provisioners
from buildtel.insight.step_names import told_once
from buildtel.insight.stretches import BuildStretches, build_stretches
from buildtel.insight.thresholds import exceeded
from buildtel.insight.top_steps import NO_NAME, busiest_step, disk_mb, grains_of_steps, slowest_step, step_name
from buildtel.job import JobDocument
from buildtel.job.model import ORIGINAL_METRICS, Integrity, Step
from buildtel.job.verdicts import PACKER
from buildtel.measure.drafts import RUNNER
from buildtel.report.diagnosis_parts import causes_parts, findings_parts
from buildtel.report.inside_view import insides
from buildtel.report.view import Notes, Part, Records, StepRow, Steps, Timeline, Title
from buildtel.text import duration, number, rounded, safe, safe_lines
from buildtel.timeline.packer_model import Build

NARROWEST = 60
GRAIN_S = 1.0
MAX_STEPS = 1000
MOST_NEIGHBOURS = 3
MAX_UNMEASURED = 20
OF_STEP = ("machine", "name", "status", "exit_code", "exit_from", "start_time", "end_time", "ended_from")


@dataclass(frozen=True, slots=True)
class JobView:
    """A document, of this version or of the original."""

    document: JobDocument

    @property
    def narrowest(self) -> int:
        """As for every view."""
        return NARROWEST

    def parts(self) -> Iterator[Part]:
        """Facts, builds, steps, what is worth a look, and what to know before one trusts the figures."""
        document = self.document
        builds, grains, accounts = build_stretches(document), grains_of_steps(document), cause_accounts(document)
        title = safe(f"{document.job} {document.version}")
        yield Title(title, document.status or "unknown", tuple(_facts(document)))
        yield from causes_parts(accounts)
        yield from map(_timeline, builds)
        yield Steps(tuple(_step(step, grains.get(step.id)) for step in told_once(document.steps)[:MAX_STEPS]))
        yield from insides(document.steps)
        yield from findings_parts(document, accounts)
        missing = tuple(_missing(document))
        if missing:
            yield Notes("Not measured", missing)

    def records(self) -> Records:
        """A row for each step: job, version, machine, name, status, its ends, then every figure that any step has."""
        document = self.document
        further = {name for step in document.steps for name in step.metrics} - set(ORIGINAL_METRICS)
        names = [*ORIGINAL_METRICS, *sorted(further)]
        rows = (
            (document.job, document.version, *(getattr(step, name) for name in OF_STEP), *map(step.metrics.get, names))
            for step in document.steps
        )
        return Records(("job", "version", *OF_STEP, *names), rows)

    def data(self) -> Any:
        """The document itself."""
        return json.loads(self.document.to_json())


def _timeline(found: BuildStretches) -> Timeline:
    build = found.build
    failure = failure_of(build)
    return Timeline(
        name=found.name,
        result=safe(build.result),
        took=_took(found),
        error=() if build.error is None else safe_lines(build.error),
        artifacts=tuple(_artifact(build, at) for at in range(len(build.artifacts))),
        span_s=found.span_s,
        stretches=found.stretches,
        cut=found.cut,
        critical=build.critical,
        why=() if failure is None else failure.why,
        output=() if failure is None else failure.output,
    )


def _took(found: BuildStretches) -> str:
    """How long a build took by its rows' own clock; in brackets what Packer says, where it says something else."""
    own, packers = rounded(*found.length), duration(found.build.duration_s)
    same = found.build.duration_s is None or own == packers
    return own if same else f"{own} (Packer says {packers})"


def _artifact(build: Build, at: int) -> tuple[str, ...]:
    """The lines of an artifact; one that the log's end cut says so."""
    lines = safe_lines(build.artifacts[at])
    cut = build.artifact_cut and at == len(build.artifacts) - 1
    return (*lines[:-1], f"{lines[-1]} (cut off)") if cut and lines else lines


def _facts(document: JobDocument) -> Iterable[tuple[str, str]]:
    yield "duration", job_duration(document)
    named = {
        "time": document.timestamp,
        "runner": document.runner,
        "commit": document.git_sha,
        "ref": document.git_ref,
        "run": document.run_number or document.run_id,
        "packer": document.packer.version if document.packer else None,
    }
    yield from ((label, safe(value)) for label, value in named.items() if value is not None)
    yield from _packer_facts(document)
    system = document.system
    if system.cpus is not None:
        yield "system", _machine_text(system.cpus, system.memory_total_mb, system.disk_total_gb)
    slowest, busiest = slowest_step(document), busiest_step(document)
    if slowest is not None:
        yield "slowest step", f"{safe(slowest.name or NO_NAME)}, {rounded(slowest.seconds, slowest.grain_s)}"
    if busiest is not None:
        yield "most disk I/O", f"{step_name(busiest)}, {number(disk_mb(busiest))} MB"
    for name, machine in document.machines.items():
        text = _machine_text(machine.cpus, machine.memory_total_mb, machine.disk_total_gb)
        words = [text, *(safe(word) for word in (machine.os, machine.kernel, machine.arch) if word)]
        yield safe(name), ", ".join(word for word in words if word) or "nothing known of it"
        near = neighbours(document) if name == RUNNER else ""
        if near:
            yield "beside it", near
        clock = document.clock.get(name)
        if clock is not None and clock.offset_s is not None:
            yield f"{safe(name)} clock", f"{clock.offset_s:+.2f} s against the host, within {clock.error_s or 0:.2f} s"


def neighbours(document: JobDocument) -> str:
    """Who else used the runner's CPU while Packer ran, as far as samples saw them."""
    rows = [row for step in document.steps for row in step.neighbours or () if row.cpu_s]
    return ", ".join(f"{safe(row.name)} {duration(row.cpu_s)} CPU" for row in rows[:MOST_NEIGHBOURS] if row.cpu_s)


def job_duration(document: JobDocument) -> str:
    """How long the job took; where only whole seconds tell it, Packer's own figure of its only run is finer."""
    runs = document.packer.runs if document.packer else ()
    grains = [build.grain_s for run in runs for build in run.builds if build.grain_s is not None]
    if not grains or min(grains) < 1 or document.system.cpus is not None or document.job_duration_s is None:
        return duration(document.job_duration_s)
    total_s = runs[0].total_s if len(runs) == 1 else None
    near = total_s is not None and abs(total_s - document.job_duration_s) <= GRAIN_S
    return duration(total_s) if near else rounded(document.job_duration_s, max(grains))


def _packer_facts(document: JobDocument) -> Iterable[tuple[str, str]]:
    if document.packer is None:
        return
    if document.packer.plugins:
        yield "plugins", safe(", ".join(f"{plugin.name} {plugin.version}" for plugin in document.packer.plugins))
    for run in document.packer.runs:
        if run.error is not None:
            yield "error", " / ".join(safe_lines(run.error))


def _machine_text(cpus: int | None, memory_mb: float | None, disk_gb: float | None) -> str:
    known = (
        f"{cpus} CPUs" if cpus is not None else "",
        f"{memory_mb:.0f} MB" if memory_mb is not None else "",
        f"{disk_gb:.0f} GB disk" if disk_gb is not None else "",
    )
    return ", ".join(text for text in known if text)


def _of_packer(step: Step) -> str | None:
    """What of a recorded step's end is not by its records: `end from Packer's log`."""
    told = {
        "end": step.is_recorded and step.ended_from == PACKER,
        "exit status": step.exit_from == PACKER,
    }
    names = [name for name in told if told[name]]
    return f"{' and '.join(names)} from Packer's log" if names else None


def _remark(step: Step) -> str | None:
    """What to know of a step: that it did not end, or what its end and its figures are taken from."""
    if step.unfinished:
        return safe(step.unfinished)
    figures = None
    if step.measured is None and step.ended_from == PACKER:
        figures = "not measured"
    elif step.measured == "from samples":
        figures = f"estimated from the {'runner' if step.origin == RUNNER else 'VM'}'s samples"
    elif step.last_seen is not None:
        figures = "figures up to its last beat"
    return ", ".join(filter(None, (_of_packer(step), figures))) or None


def _step(step: Step, grain_s: float | None) -> StepRow:
    return StepRow(
        name=step_name(step),
        machine=safe(step.machine or ""),
        status=step.status or "",
        exit_code=step.exit_code,
        metrics=step.metrics,
        marked=frozenset(row.metric for row in exceeded(step.metrics)),
        remark=_remark(step),
        grain_s=grain_s,
        of_packer=_of_packer(step),
    )


def _missing(document: JobDocument) -> Iterable[str]:
    """What a reader should know before trusting the figures."""
    yield from (safe(note) for note in document.notes)
    if document.integrity is not None:  # damaged records are in the notes, by reason
        yield from _integrity(document.integrity)
    unmeasured = list(unmeasured_provisioners(document))
    if unmeasured:
        rest = len(unmeasured) - MAX_UNMEASURED
        names = ", ".join(unmeasured[:MAX_UNMEASURED]) + (f" and {rest} more" if rest > 0 else "")
        yield f"{len(unmeasured)} provisioner(s) without figures from inside the machine: {names}."


def _integrity(integrity: Integrity) -> Iterable[str]:
    words = {
        "missing": "record(s) never arrived",
        "foreign": "record(s) of another run were set apart",
        "duplicate": "record(s) came twice and were counted once",
        "recovered": "record(s) were filled in from the spool",
    }
    for name, text in words.items():
        amount = getattr(integrity, name)
        if amount:
            yield f"{amount} {text}."
