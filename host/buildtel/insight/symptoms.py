"""The original system's symptoms and patterns: what figures of a step, beside its causes, are worth a look.

Each is a row: its name, the figures and from which value on, what it means and what helps. `docs/diagnosis.md` is
written from these rows. The values are those of the original's table of indicators and its guide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from buildtel.insight.stretches import build_stretches
from buildtel.insight.thresholds import by_chance
from buildtel.insight.top_steps import leaves, step_name
from buildtel.job import JobDocument
from buildtel.job.model import Step
from buildtel.timeline.provisioner_run import SHELL_LOCAL
from buildtel_agent import METRICS

MOST_STEPS = 1000
UNITS = {metric.name: metric.unit for metric in METRICS}


@dataclass(frozen=True, slots=True)
class Row:
    """A symptom: figures of a step that are all at least so high, whose name or commands have one of `named`.

    Where a finding of the cause `said_by` stands at the same place already, the symptom is not said again.
    """

    id: str
    words: str
    limits: tuple[tuple[str, float], ...]
    advice: str
    said_by: str = ""
    named: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Symptom:
    """The symptoms of a step, or a provisioner's, with the figures that show them: name, value, unit.

    `id` is the first of them; `machine` and `provisioner` say where it ran, None on the runner.
    """

    id: str
    machine: str | None
    provisioner: int | None
    where: str
    seconds: float
    words: str
    figures: tuple[tuple[str, float, str], ...]
    advice: str
    severity: Literal["high", "low"] = "low"


# Patterns first: a step that has one is not listed again for its single figures.
PATTERNS = (
    Row("package_installation", "installs packages from the network",
        (("net_rx_mb", 50), ("disk_write_mb", 50)),
        "use a near mirror or a caching proxy, and install in one call",
        named=("apt", "dpkg", "dnf", "yum", "zypper", "apk")),
    Row("container_layers", "builds or loads container images", (("disk_write_mb", 1024),),
        "build in stages, order layers by how seldom they change, and bring the layer cache along",
        named=("docker", "podman", "buildah", "containerd")),
    Row("large_download", "downloads much", (("net_rx_mb", 1000),),
        "keep it on the runner and unpack it into the machine from there"),
)  # fmt: skip
SYMPTOMS = (
    Row("disk_saturated", "disk saturated", (("disk_util_percent", 80),),
        "use a faster disk, or write with fewer workers", "disk"),
    Row("io_congestion", "operations stand in line", (("queue_depth", 4),),
        "write one after another instead of all at once", "disk"),
    Row("slow_disk", "slow disk", (("await_ms", 10),), "turn on the disk's cache, or queue fewer operations",
        "disk"),
    Row("download_heavy", "download-heavy", (("net_rx_mb", 500),),
        "keep a local mirror or cache of what is downloaded", "network_line"),
    Row("io_intensive", "I/O-intensive", (("disk_write_mb", 1024),), "write less, clean up in the same step"),
    Row("memory_intensive", "memory-intensive", (("memory_used_mb", 8192),), "more RAM, or less work at once"),
    Row("memory_growth", "memory-intensive", (("memory_delta_mb", 4096),), "more RAM, or less work at once"),
)  # fmt: skip
KILLED = Row("oom_kill", "the kernel killed a program for want of memory", (("oom_kills", 1),),
             "give the machine more memory, or do less at once")  # fmt: skip
HELD = Row("held_output", "the script had ended, and Packer waited", (),
           "see whether it leaves a process that holds its output, such as a server begun with `&`: begin that with "
           "`>/dev/null 2>&1 </dev/null &`, or as a service")  # fmt: skip
UNMEASURED = Row("not_measured", "longest provisioner, not measured", (),
                 "`buildtel-host wire DIR` shows how to see what it waits for")  # fmt: skip


def symptoms(
    document: JobDocument, least_s: float, least_percent: float, said: set[tuple[str | None, int | None, str]]
) -> Iterator[Symptom]:
    """The symptoms of a document's steps, and the longest provisioner where nothing was measured inside.

    Args:
        document: of this version or of the original.
        least_s: shorter steps have none, but for a program that was killed.
        least_percent: nor have steps below this share of the job.
        said: machine, place of the provisioner and cause of the findings that there are already.
    """
    total_s = document.job_duration_s or 0.0
    for step in leaves(document)[:MOST_STEPS]:
        seconds = step.metrics.get("duration_s") or 0.0
        if (step.metrics.get("oom_kills") or 0) >= 1:
            yield _symptom([KILLED], step, "high")
        if seconds >= least_s and seconds * 100 >= least_percent * total_s:
            rows = [row for row in _rows_of(step) if (*_place(step), row.said_by) not in said]
            if rows:
                yield _symptom(rows, step, "low")
    yield from _unmeasured(document, least_s)


def _place(step: Step) -> tuple[str | None, int | None]:
    return step.machine, None if step.provisioner is None else step.provisioner.index


def _rows_of(step: Step) -> list[Row]:
    """What a step has: its patterns, and the symptoms that no pattern of it says already."""
    patterns = [row for row in PATTERNS if _holds(row, step)]
    told = {name for row in patterns for name, _ in row.limits}
    return patterns + [
        row for row in SYMPTOMS if _holds(row, step) and not any(name in told for name, _ in row.limits)
    ]


def _holds(row: Row, step: Step) -> bool:
    if row.named and not any(word in _names(step) for word in row.named):
        return False
    chance = by_chance(step.metrics)
    return all(name not in chance and (step.metrics.get(name) or 0.0) >= least for name, least in row.limits)


def _names(step: Step) -> str:
    return " ".join([step.name or "", *(process.name for process in step.processes or ())]).lower()


def _symptom(rows: list[Row], step: Step, severity: Literal["high", "low"]) -> Symptom:
    """What rows say of a step, in one: it has one line of a report."""
    names = dict.fromkeys(name for row in rows for name, _ in row.limits)
    return Symptom(
        id=rows[0].id,
        machine=step.machine,
        provisioner=_place(step)[1],
        where=step_name(step),
        seconds=step.metrics.get("duration_s") or 0.0,
        words=", ".join(dict.fromkeys(row.words for row in rows)),
        figures=tuple((name, step.metrics.get(name) or 0.0, UNITS.get(name, "")) for name in names),
        advice="; ".join(dict.fromkeys(row.advice for row in rows)),
        severity=severity,
    )


def _unmeasured(document: JobDocument, least_s: float) -> Iterator[Symptom]:
    """The longest provisioner of a job in whose machines nothing was measured."""
    if any(step.origin == "guest" for step in document.steps) or any(
        machine.origin == "guest" for machine in document.machines.values()
    ):
        return
    rows = [
        stretch
        for build in build_stretches(document)
        for stretch in build.stretches
        if stretch.kind == "provisioner" and not stretch.label.startswith(SHELL_LOCAL)
    ]
    longest = max(rows, key=lambda row: row.duration_s or 0.0, default=None)
    if longest is not None and (longest.duration_s or 0.0) >= least_s:
        seconds = longest.duration_s or 0.0
        yield Symptom(UNMEASURED.id, None, None, longest.label, seconds, UNMEASURED.words, (), UNMEASURED.advice)
