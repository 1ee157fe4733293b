"""The report as JSON, CSV and Markdown."""

from __future__ import annotations

import csv
import io

from buildtel.insight.stretches import Stretch
from buildtel.job import JobDocument
from buildtel.job.model import ORIGINAL_METRICS
from buildtel.metrics import PAGE_COLUMNS, figure
from buildtel.report.rows import Report, StepRow, report_of, took
from buildtel.report.table import json_text, plain
from buildtel.text import cell, duration, number

LEGEND = (
    "*after: from the build's start; runner CPU: of the whole runner; VM CPU: of the VM's process, 100 is one core; "
    "~: the log's stamps have whole seconds*"
)
STEPS_LEGEND = "*all figures but the time are of the whole machine; bold: above its threshold*"


def render_json(document: JobDocument) -> str:
    """The document itself, indented."""
    return json_text(document.model_dump(mode="json", by_alias=True))


def render_csv(document: JobDocument) -> str:
    """A line for each step: job, version, machine, name, status, then every figure that any step has."""
    further = {name for step in document.steps for name in step.metrics} - set(ORIGINAL_METRICS)
    names = [*ORIGINAL_METRICS, *sorted(further)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    told = ("exit_code", "exit_from", "start_time", "end_time", "ended_from")
    heads = ("job", "version", "machine", "name", "status", *told, *names)
    writer.writerow(map(cell, heads))
    for step in document.steps:
        known = (document.job, document.version, step.machine, step.name, step.status)
        words = (cell(item) for item in known)
        ends = (getattr(step, name) for name in told)
        writer.writerow([*words, *map(cell, ends), *(step.metrics.get(name) for name in names)])
    return out.getvalue()


def render_markdown(document: JobDocument) -> str:
    """The report for a pull request or a CI summary."""
    report = report_of(document)
    lines = [f"## {plain(report.title)}: {report.status}", ""]
    lines += [f"- {plain(label)}: {plain(text)}" for label, text in report.facts]
    for build in report.builds:
        last = ", ended last" if build.critical else ""
        lines += ["", f"### {plain(build.name)}: {plain(build.result)}, {plain(build.took)}{last}", ""]
        if build.stretches:
            lines += [_row("after", "took", "runner CPU %", "VM CPU %", "what"), "|---:|---:|---:|---:|---|"]
            lines += [_stretch(row) for row in build.stretches]
            lines += ["", LEGEND]
    lines += _steps(report)
    if report.bottlenecks:
        lines += ["", "### Bottlenecks", ""]
        lines += [f"- **{plain(item.name)}**: {plain(', '.join(item.words))}" for item in report.bottlenecks]
    if report.missing:
        lines += ["", "### Not measured", "", *(f"- {plain(text)}" for text in report.missing)]
    return "\n".join(lines) + "\n"


def _stretch(row: Stretch) -> str:
    cpu = (number(figures.get("cpu_percent")) for figures in (row.runner, row.hypervisor))
    label = f"**{plain(row.shown)}**" if row.mark else plain(row.shown)
    return _row(duration(row.start_s), took(row), *cpu, label)


def _steps(report: Report) -> list[str]:
    if not report.steps:
        return []
    heads = ("step", "status", *(column.page for column in PAGE_COLUMNS))
    rule = "|---|---|" + "---:|" * len(PAGE_COLUMNS)
    return ["", "### Steps", "", _row(*heads), rule, *(_step(row) for row in report.steps), "", STEPS_LEGEND]


def _step(row: StepRow) -> str:
    cells = [plain(row.name), plain(row.status if row.of_packer is None else f"{row.status} ({row.of_packer})")]
    for column in PAGE_COLUMNS:
        text = figure(column.name, row.metrics.get(column.name), row.grain_s)
        cells.append(f"**{text}**" if column.name in row.marked else text)
    return _row(*cells)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
