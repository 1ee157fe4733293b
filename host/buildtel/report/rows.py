"""A document made rows: everything that a report says, before any form is given to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from buildtel.job import JobDocument
from buildtel.job.model import Integrity, Step
from buildtel.job.verdicts import PACKER
from buildtel.measure.drafts import RUNNER
from buildtel.report.extremes import busiest_step, disk_mb, grains_of_steps, leaves, slowest_step
from buildtel.report.thresholds import LONG_S, SHORTEST_S, STARVED, STARVED_S, Threshold, exceeded
from buildtel.report.timeline import BuildRows, Stretch, build_rows, provisioner_label
from buildtel.report.words import duration, number, rounded, safe, safe_lines
from buildtel.timeline.unit import SHELL_LOCAL

NO_NAME = "(no name)"
GRAIN_S = 1.0
MAX_STEPS = 1000
MOST_NEIGHBOURS = 3
MAX_BOTTLENECKS = 20
MAX_UNMEASURED = 20


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step: its figures by name, the metrics above their thresholds, what is odd about it, what Packer alone told.

    `took` is its duration as text: `~3 s` where it ended by a log whose stamps have whole seconds.
    """

    name: str
    machine: str
    status: str
    exit_code: int | None
    start_time: float | None
    metrics: dict[str, float | int | None]
    marked: frozenset[str]
    remark: str | None
    took: str = "-"
    of_packer: str | None = None


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """A step or phase that is worth a look: what it is, by which figures, and what would help."""

    name: str
    words: tuple[str, ...]
    helps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """All that is said of one job."""

    title: str
    status: str
    facts: list[tuple[str, str]]
    builds: list[BuildRows]
    steps: list[StepRow]
    bottlenecks: list[Bottleneck]
    missing: list[str] = field(default_factory=list)


def report_of(document: JobDocument) -> Report:
    """The rows of a document, of this version or of the original."""
    builds = build_rows(document)
    grains = grains_of_steps(document)
    return Report(
        title=safe(f"{document.job} {document.version}"),
        status=document.status or "unknown",
        facts=list(_facts(document)),
        builds=builds,
        steps=[_step(step, grains.get(step.id)) for step in document.steps[:MAX_STEPS]],
        bottlenecks=_bottlenecks(document, builds),
        missing=list(_missing(document)),
    )


def _facts(document: JobDocument) -> Iterable[tuple[str, str]]:
    yield "duration", _job_duration(document)
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


def _job_duration(document: JobDocument) -> str:
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
        start_time=step.start_time,
        metrics=step.metrics,
        marked=frozenset(row.metric for row in exceeded(step.metrics)),
        remark=_remark(step),
        took=rounded(step.metrics.get("duration_s"), grain_s),
        of_packer=_of_packer(step),
    )


def step_name(step: Step) -> str:
    """The step's name made harmless; what stands for one where it has none."""
    return safe(step.name or NO_NAME)


def _bottlenecks(document: JobDocument, builds: list[BuildRows]) -> list[Bottleneck]:
    """Steps above a threshold and long phases of Packer's own, the longest first."""
    found: list[tuple[float, Bottleneck]] = []
    grains = grains_of_steps(document)
    for step in leaves(document)[:MAX_STEPS]:
        rows = exceeded(step.metrics)
        if rows:
            words = tuple(f"{row.word} ({_with_unit(row, step, grains.get(step.id))})" for row in rows)
            helps = tuple(row.help for row in rows if row.metric != "duration_s" or len(rows) == 1)
            found.append((step.metrics.get("duration_s") or 0.0, Bottleneck(step_name(step), words, helps)))
    for build in builds:
        for stretch in build.stretches:
            long_s = stretch.duration_s or 0.0
            if stretch.kind == "phase" and long_s > LONG_S:
                words = (f"long phase of Packer's own ({stretch.took})",)
                found.append((long_s, Bottleneck(stretch.label, words, ())))
        found += _starved(build)
    found.sort(key=lambda pair: -pair[0])
    return [bottleneck for _, bottleneck in [*_unmeasured_longest(document, builds), *found][:MAX_BOTTLENECKS]]


def _unmeasured_longest(document: JobDocument, builds: list[BuildRows]) -> Iterable[tuple[float, Bottleneck]]:
    """The longest provisioner of a job in whose machines nothing was measured: what a reader wants to know first."""
    if any(step.origin == "guest" for step in document.steps):
        return
    all_rows = ((row, build) for build in builds for row in build.stretches)
    rows = [
        (row.duration_s or 0.0, row, build)
        for row, build in all_rows
        if row.kind == "provisioner" and not row.label.startswith(SHELL_LOCAL)
    ]
    long_s, longest, build = max(rows, key=lambda row: row[0], default=(0.0, None, None))
    if longest is not None and build is not None and long_s >= SHORTEST_S:
        words = (f"longest provisioner ({longest.took} of {build.took.partition(' (')[0]})",)
        helps = ("`buildtel-host wire DIR` shows what it waits for",)
        yield long_s, Bottleneck(longest.label, words, helps)


def _starved(build: BuildRows) -> Iterable[tuple[float, Bottleneck]]:
    """What the runner lacked while it built this, with the seconds for which it did."""
    for row in STARVED:
        short = [stretch for stretch in build.stretches if not stretch.own and row in starved(stretch)]
        if short:
            worst = max(short, key=lambda stretch: stretch.runner[row.metric] or 0.0)
            seconds = sum(stretch.duration_s or 0.0 for stretch in short)
            most = f"most in {worst.label}: pressure {number(worst.runner[row.metric])}%"
            words = (f"{row.word} for {duration(seconds)} ({most})",)
            yield seconds, Bottleneck(build.name, words, (row.help,))


def starved(stretch: Stretch) -> list[Threshold]:
    """What the runner lacked in a stretch of a build, by its own figures."""
    if (stretch.duration_s or 0.0) < STARVED_S:
        return []
    return [row for row in STARVED if (stretch.runner.get(row.metric) or 0) > row.limit]


def _with_unit(row: Threshold, step: Step, grain_s: float | None) -> str:
    value = step.metrics.get(row.metric)
    if row.metric == "duration_s":
        return rounded(value, grain_s)
    return f"{number(value)}%" if row.unit == "%" else f"{number(value)} {row.unit}".rstrip()


def _missing(document: JobDocument) -> Iterable[str]:
    """What a reader should know before trusting the figures."""
    yield from (safe(note) for note in document.notes)
    if document.integrity is not None:  # damaged records are in the notes, by reason
        yield from _integrity(document.integrity)
    unmeasured = list(_unmeasured(document))
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


def _unmeasured(document: JobDocument) -> Iterable[str]:
    """The user's provisioners, of builds whose machine reported, that no step covers."""
    measured = (step for step in document.steps if step.measured is not None)
    covered = {(step.machine, step.provisioner.index) for step in measured if step.provisioner is not None}
    runs = document.packer.runs if document.packer else ()
    targets = {(machine.run, machine.target): key for key, machine in document.machines.items()}
    for number_, run in enumerate(runs, 1):
        for build in run.builds:
            key = targets.get((number_, build.name))
            for index, provisioner in enumerate(build.provisioners if key is not None else ()):
                on_runner = provisioner.kind == SHELL_LOCAL
                if not provisioner.own and not on_runner and (key, index) not in covered:
                    yield provisioner_label(provisioner.kind, provisioner.detail)
