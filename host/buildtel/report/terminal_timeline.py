"""Renders a build on a terminal: one bar per part on the time axis, figures beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len

from buildtel.metrics import head_of
from buildtel.report.cells import Line, cut, fit, indented, mark, stripped, wrapped
from buildtel.report.formats import Output
from buildtel.report.styles import COLOURS
from buildtel.report.view import Timeline
from buildtel.text import number, rounded

if TYPE_CHECKING:
    from buildtel.insight.stretches import Stretch

STYLES = {"provisioner": "", "phase": "dim", "unattributed": "yellow"}
INNER = "  - "  # before a part of a provisioner
COLOURS_OF_BARS = {"provisioner": "cyan", "phase": "blue", "unattributed": "yellow"}


@dataclass(frozen=True, slots=True)
class Gauge:
    """A figure beside a stretch: of the runner, or of the build's machine seen from there (`hypervisor`)."""

    head: str
    width: int
    machine: str
    metric: str
    about: str

    def of(self, stretch: Stretch) -> float | int | None:
        """Its value for a stretch."""
        figures = stretch.runner if self.machine == "runner" else stretch.hypervisor
        return figures.get(self.metric)


GAUGES = (
    Gauge("host%", 5, "runner", "cpu_percent", "CPU of the whole runner"),
    Gauge("vm%", 5, "hypervisor", "cpu_percent", "CPU of the VM's process, 100 is one core"),
    Gauge(head_of("psi_io_some_percent"), 7, "runner", "psi_io_some_percent", "time the runner waited for disks"),
    Gauge(head_of("psi_cpu_some_percent"), 8, "runner", "psi_cpu_some_percent", "time the runner lacked CPU"),
    Gauge(head_of("disk_write_mb"), 5, "runner", "disk_write_mb", "written by the runner"),
    Gauge(head_of("net_rx_mb"), 5, "runner", "net_rx_mb", "received by the runner"),
)


@dataclass(frozen=True, slots=True)
class _Axis:
    """The time axis of a run's builds: its length, the cells it has, and of which character."""

    span_s: float | None
    room: int
    mark: str


def timeline_lines(build: Timeline, out: Output) -> Iterator[Line]:
    """The build's heading, its stretches and its artifacts.

    Args:
        build: the build.
        out: its width, and whether bars are ASCII.
    """
    width = out.width
    yield _heading(build, width)
    if build.why and build.why != build.error:
        yield from ([(text, "red")] for text in indented("  why: ", build.why, width))
    if build.error:
        yield from ([(text, "")] for text in indented("  error: ", build.error, width))
    if build.output:
        yield [("  the failed provisioner's last lines:", "")]
        yield from ([(text, "")] for line in build.output for text in indented("    | ", [line], width))
    gauges = _gauges(build, width)
    room = width - sum(gauge.width + 1 for gauge in gauges)
    label_width = _label_width(build, room)
    if gauges:
        heads = "".join(f"{gauge.head:>{gauge.width}} " for gauge in gauges)
        yield [(" " * (label_width + 13) + heads.rstrip(), "dim")]
    axis = _Axis(build.span_s, room - label_width - 14, mark(out))
    for stretch in build.stretches:
        yield _bar_line(stretch, label_width, gauges, axis)
        yield from _inner_lines(stretch, label_width, gauges, axis)
    yield from legend([(gauge.head, gauge.about) for gauge in gauges], _mark_of_grain(build), width)
    if build.cut:
        yield [(f"  and {build.cut} more", "")]
    for artifact in build.artifacts:
        yield from ([(text, "")] for text in indented("  artifact: ", artifact, width))


def _heading(build: Timeline, width: int) -> Line:
    name, result = cut(build.name, width - 28 - len(build.took)), cut(build.result, 12)
    last = "  ended last" if build.critical else ""
    return [(name, "bold"), ("  ", ""), (result, COLOURS.get(result, "")), (f"  {build.took}", ""), (last, "yellow")]


def _mark_of_grain(build: Timeline) -> str:
    rough = any(_took(stretch).startswith("~") for stretch in build.stretches)
    return "~: the log's stamps have whole seconds" if rough else ""


def _took(stretch: Stretch) -> str:
    return rounded(stretch.duration_s, stretch.grain_s)


def legend(columns: list[tuple[str, str]], more: str, width: int) -> Iterable[Line]:
    """What the columns of a table hold, and `more`; nothing where there is nothing to say.

    Args:
        columns: heading and meaning of each column.
        more: a further sentence, or empty.
        width: of a line, in cells.
    """
    words = [f"{head}: {about}" for head, about in columns] + ([more] if more else [])
    return [[(line, "dim")] for line in wrapped("  ", "; ".join(words), width)] if words else []


def _label_width(build: Timeline, width: int) -> int:
    labels = [stretch.shown for stretch in build.stretches]
    labels += [INNER + row.label for stretch in build.stretches for row in stretch.inner]
    longest = max(map(cell_len, labels), default=0)
    room = width - 14 if build.span_s is None else (width - 14) * 6 // 10
    return min(longest, room)


def _gauges(build: Timeline, width: int) -> list[Gauge]:
    """The gauges that any stretch has and that leave room for labels and bars."""
    known = [gauge for gauge in GAUGES if any(gauge.of(stretch) is not None for stretch in build.stretches)]
    return known[: max((width - 60) // 10, 0)]


def _bar_line(stretch: Stretch, label_width: int, gauges: list[Gauge], axis: _Axis) -> Line:
    style = "bold red" if stretch.mark else STYLES[stretch.kind]
    label = fit(stretch.shown, label_width, path=stretch.kind == "provisioner")
    line = [("  ", ""), (label, style), (f" {_took(stretch):>9} ", "")]
    line += [(f"{number(gauge.of(stretch)):>{gauge.width}} ", "dim") for gauge in gauges]
    if axis.span_s and stretch.start_s is not None and stretch.duration_s is not None:
        shares = stretch.start_s / axis.span_s, stretch.duration_s / axis.span_s
        line.append((bar(*shares, axis.room, axis.mark), COLOURS_OF_BARS[stretch.kind]))
    return stripped(line)


def _inner_lines(stretch: Stretch, label_width: int, gauges: list[Gauge], axis: _Axis) -> Iterator[Line]:
    """The parts of a provisioner below its line, on the same axis."""
    blank = " " * sum(gauge.width + 1 for gauge in gauges)
    for row in stretch.inner:
        took = rounded(row.duration_s, stretch.grain_s) if row.duration_s is not None else ""
        line = [("  ", ""), (fit(INNER + row.label, label_width), "dim"), (f" {took:>9} {blank}", "")]
        if axis.span_s and row.start_s is not None and row.duration_s is not None:
            shares = row.start_s / axis.span_s, row.duration_s / axis.span_s
            line.append((bar(*shares, axis.room, axis.mark), COLOURS_OF_BARS["provisioner"]))
        yield stripped(line)
    if stretch.inner_cut:
        yield [(f"  {INNER}and {stretch.inner_cut} more", "dim")]


def bar(start: float, length: float, room: int, mark_: str) -> str:
    """A bar of `length` from `start`, both shares of the axis, in `room` cells; never empty.

    Args:
        start: where it begins, as a share of the axis (0 to 1).
        length: how long it is, as a share of the axis.
        room: the axis' cells.
        mark_: the character that it is made of.
    """
    first = min(int(start * room), room - 1)
    cells = max(1, min(round(length * room), room - first))
    return " " * first + mark_ * cells
