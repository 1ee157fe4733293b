"""The report on a terminal: bars on the time axis, a table of steps as wide as the terminal allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from buildtel.insight.stretches import Stretch
from buildtel.metrics import COLUMNS, Words, figure
from buildtel.report.rows import Bottleneck, BuildRows, Report, StepRow, took
from buildtel.text import number

NARROWEST = 60
COLOURS = {"success": "green", "failure": "bold red", "cancelled": "yellow", "cancellation": "yellow"}
MARK = "!"
STEP_HEAD = "Step"
WHOLE_MACHINE = "all figures but the time are of the whole machine"


@dataclass(frozen=True, slots=True)
class Gauge:
    """A figure of the runner, or of the build's machine seen from there, beside a stretch of a build."""

    head: str
    width: int
    of: Callable[[Stretch], float | int | None]
    about: str


@dataclass(frozen=True, slots=True)
class _Axis:
    """The time axis of a run's builds: its length, the cells it has, and of which characters."""

    span_s: float | None
    room: int
    ascii_only: bool


@dataclass(frozen=True, slots=True)
class Placed:
    """A column as wide as its widest cell."""

    column: Words
    width: int


STYLES = {"provisioner": "", "phase": "dim", "unattributed": "yellow"}
COLOURS_OF_BARS = {"provisioner": "cyan", "phase": "blue", "unattributed": "yellow"}
GAUGES = (
    Gauge("host%", 5, lambda stretch: stretch.runner.get("cpu_percent"), "CPU of the whole runner"),
    Gauge("vm%", 5, lambda stretch: stretch.hypervisor.get("cpu_percent"), "CPU of the VM's process, 100 is one core"),
    Gauge("io psi%", 7, lambda stretch: stretch.runner.get("psi_io_some_percent"), "time the runner waited for disks"),
    Gauge("cpu psi%", 8, lambda stretch: stretch.runner.get("psi_cpu_some_percent"), "time the runner lacked CPU"),
    Gauge("wr MB", 5, lambda stretch: stretch.runner.get("disk_write_mb"), "written by the runner"),
    Gauge("rx MB", 5, lambda stretch: stretch.runner.get("net_rx_mb"), "received by the runner"),
)


def render_terminal(report: Report, console: Console, *, ascii_only: bool) -> None:
    """Write the report to `console`, in its width."""
    width = max(console.width, NARROWEST)
    for line in _lines(report, width, ascii_only):
        console.print(line, soft_wrap=True, highlight=False)


def _lines(report: Report, width: int, ascii_only: bool) -> Iterable[Text]:
    yield Text.assemble((_cut(report.title, width - 16), "bold"), "  ", _coloured(report.status))
    labels = max((cell_len(label) for label, _ in report.facts), default=0)
    labels = min(labels, width // 3)
    for label, text in report.facts:
        yield from _wrapped(_fit(label, labels) + "  ", text, width)
    for build in report.builds:
        yield Text()
        yield from _build(build, width, ascii_only)
    yield Text()
    yield from _steps(report.steps, width)
    if report.bottlenecks:
        yield Text()
        yield Text("Bottlenecks", "bold")
        for bottleneck in report.bottlenecks:
            yield from _bottleneck(bottleneck, width)
    if report.missing:
        yield Text()
        yield Text("Not measured", "bold")
        for text in report.missing:
            yield from _wrapped("  - ", text, width)


def _coloured(word: str) -> tuple[str, str]:
    return word, COLOURS.get(word, "")


def _build(build: BuildRows, width: int, ascii_only: bool) -> Iterable[Text]:
    name, result = _cut(build.name, width - 28 - len(build.took)), _cut(build.result, 12)
    yield Text.assemble((name, "bold"), "  ", _coloured(result), f"  {build.took}",
                        ("  ended last" if build.critical else "", "yellow"))  # fmt: skip
    if build.error:
        yield from _text_lines("  error: ", build.error, width)
    gauges = _gauges(build, width)
    room = width - sum(gauge.width + 1 for gauge in gauges)
    label_width = _label_width(build, room)
    if gauges:
        heads = "".join(f"{gauge.head:>{gauge.width}} " for gauge in gauges)
        yield Text(" " * (label_width + 13) + heads.rstrip(), "dim")
    axis = _Axis(build.span_s, room - label_width - 14, ascii_only)
    for stretch in build.stretches:
        yield _bar_line(stretch, label_width, gauges, axis)
    yield from _legend([(gauge.head, gauge.about) for gauge in gauges], _mark_of_grain(build), width)
    if build.cut:
        yield Text(f"  and {build.cut} more")
    for artifact in build.artifacts:
        yield from _text_lines("  artifact: ", artifact, width)


def _mark_of_grain(build: BuildRows) -> str:
    rough = any(took(stretch).startswith("~") for stretch in build.stretches)
    return "~: the log's stamps have whole seconds" if rough else ""


def _legend(columns: list[tuple[str, str]], more: str, width: int) -> Iterable[Text]:
    """What the columns of a table hold."""
    words = [f"{head}: {about}" for head, about in columns] + ([more] if more else [])
    for line in _wrapped("  ", "; ".join(words), width) if words else ():
        line.stylize("dim")
        yield line


def _label_width(build: BuildRows, width: int) -> int:
    longest = max((cell_len(stretch.shown) for stretch in build.stretches), default=0)
    room = width - 14 if build.span_s is None else (width - 14) * 6 // 10
    return min(longest, room)


def _gauges(build: BuildRows, width: int) -> list[Gauge]:
    """The gauges that any stretch has and that leave room for labels and bars."""
    known = [gauge for gauge in GAUGES if any(gauge.of(stretch) is not None for stretch in build.stretches)]
    return known[: max((width - 60) // 10, 0)]


def _bar_line(stretch: Stretch, label_width: int, gauges: list[Gauge], axis: _Axis) -> Text:
    style = "bold red" if stretch.mark else STYLES[stretch.kind]
    label = _fit(stretch.shown, label_width, path=stretch.kind == "provisioner")
    line = Text.assemble("  ", (label, style), f" {took(stretch):>9} ")
    for gauge in gauges:
        line.append(f"{number(gauge.of(stretch)):>{gauge.width}} ", "dim")
    if axis.span_s and stretch.start_s is not None and stretch.duration_s is not None:
        shares = stretch.start_s / axis.span_s, stretch.duration_s / axis.span_s
        line.append(bar(*shares, axis.room, axis.ascii_only), COLOURS_OF_BARS[stretch.kind])
    line.rstrip()
    return line


def bar(start: float, length: float, room: int, ascii_only: bool) -> str:
    """A bar of `length` from `start`, both shares of the axis, in `room` cells; never empty."""
    first = min(int(start * room), room - 1)
    cells = max(1, min(round(length * room), room - first))
    return " " * first + ("#" if ascii_only else "━") * cells


def _steps(steps: list[StepRow], width: int) -> Iterable[Text]:
    if not steps:
        yield Text("No step was measured.")
        return
    name_width = max(min(max(cell_len(row.name) for row in steps), max(20, width // 4)), len(STEP_HEAD))
    columns = _columns(steps, width - name_width - 2)
    head = "".join(f"{placed.column.head:>{placed.width}} " for placed in columns)
    yield Text(f"{_fit(STEP_HEAD, name_width)} {head}".rstrip(), "bold")
    machines = {row.machine for row in steps}
    machine = None
    for row in steps:
        if len(machines) > 1 and row.machine != machine:
            machine = row.machine
            yield Text(_cut(f"on {machine}", width), "dim")
        yield _step(row, columns, name_width)
        if row.remark or row.status not in ("success", ""):
            yield from _wrapped("    ", _remark(row), width)
    marked = f"; {MARK}: above its threshold" if any(row.marked for row in steps) else ""
    yield from _legend([(one.column.head, one.column.about) for one in columns], WHOLE_MACHINE + marked, width)


def _columns(steps: list[StepRow], room: int) -> list[Placed]:
    """The columns that any step has a figure for and that fit, the weightiest first to stay."""
    known = {name for row in steps for name, value in row.metrics.items() if value is not None}
    chosen: dict[str, Placed] = {}
    for column in sorted(COLUMNS, key=lambda column: column.rank or 0):
        width = max(len(column.head), *(len(_cell(row, column)) for row in steps))
        if (column.name in known or column.rank == 0) and room > width:
            room -= width + 1
            chosen[column.name] = Placed(column, width)
    return [chosen[column.name] for column in COLUMNS if column.name in chosen]


def _cell(row: StepRow, column: Words) -> str:
    return figure(column.name, row.metrics.get(column.name), row.grain_s)


def _step(row: StepRow, columns: list[Placed], name_width: int) -> Text:
    line = Text(_fit(row.name, name_width, path="/" in row.name) + " ", "red" if row.status == "failure" else "")
    for placed in columns:
        marked = placed.column.name in row.marked
        cell = f"{_cell(row, placed.column):>{placed.width}}" + (MARK if marked else " ")
        line.append(cell, "yellow" if marked else "default")
    line.rstrip()
    return line


def _remark(row: StepRow) -> str:
    exit_text = f"exit {row.exit_code}" if row.exit_code is not None else ""
    words = (row.status if row.status != "success" else "", exit_text, row.remark or "")
    return ", ".join(word for word in words if word)


def _bottleneck(bottleneck: Bottleneck, width: int) -> Iterable[Text]:
    yield from _wrapped("  ! ", f"{bottleneck.name}: {', '.join(bottleneck.words)}", width)
    for help_ in bottleneck.helps:
        yield from _wrapped("      try: ", help_, width)


def _fit(text: str, width: int, *, path: bool = False) -> str:
    """`text` in exactly `width` cells; what is too long loses its end, a path what is behind its first word."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    if not path:
        return set_cell_size(text, max(width - 2, 0)) + ".."
    kind, space, kept = text.partition(" ")
    lead = kind + space if kept and cell_len(kind) <= width // 2 else ""
    kept = kept if lead else text
    while cell_len(kept) > width - 2 - cell_len(lead):
        kept = kept[1:]
    return set_cell_size(f"{lead}..{kept}", width)


def _cut(text: str, width: int) -> str:
    """`text` in at most `width` cells."""
    return _fit(text, min(cell_len(text), width))


def _text_lines(lead: str, lines: Iterable[str], width: int) -> Iterable[Text]:
    """Lines of a text behind `lead`, all but the first indented as far."""
    for line in lines:
        yield from _wrapped(lead, line, width)
        lead = " " * cell_len(lead)


def _wrapped(lead: str, text: str, width: int) -> Iterable[Text]:
    """`text` behind `lead`, its further lines indented as far; words longer than a line are cut."""
    indent, room = cell_len(lead), max(width - cell_len(lead), 10)
    line = ""
    for word in _words(text, room):
        if line and cell_len(line) + 1 + cell_len(word) > room:
            yield Text(lead + line)
            lead, line = " " * indent, word
        else:
            line = f"{line} {word}" if line else word
    yield Text(lead + line)


def _words(text: str, room: int) -> Iterable[str]:
    for word in text.split(" "):
        rest = word
        while cell_len(rest) > room:
            yield rest[: max(room // 2, 1)]
            rest = rest[max(room // 2, 1) :]
        yield rest
