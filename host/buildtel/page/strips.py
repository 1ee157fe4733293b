"""The data of a page's charts: what the samples of each machine tell, on the page's axis."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from buildtel.job.model import Machine, Samples
from buildtel.text import number, safe

Column = list[float | None]
LEAST_POINTS = 2


@dataclass(frozen=True, slots=True)
class Kind:
    """A chart: its title, unit and lines (column of the samples, label, colour); `stacked`: they add up to 100 %.

    A `rare` one is shown only where something of it is more than 0.
    """

    title: str
    unit: str
    lines: tuple[tuple[str, str, str], ...]
    stacked: bool = False
    rare: bool = False


CPU_PARTS = Kind(
    "CPU", "%",
    (("cpu_user_percent", "user", "user"), ("cpu_system_percent", "system", "system"),
     ("cpu_interrupts_percent", "interrupts", "rest"), ("cpu_iowait_percent", "iowait", "iowait"),
     ("cpu_steal_percent", "steal", "steal")),
    stacked=True,
)  # fmt: skip
CPU = Kind(
    "CPU", "%",
    (("cpu_busy_percent", "busy", "user"), ("cpu_iowait_percent", "iowait", "iowait"),
     ("cpu_steal_percent", "steal", "steal")),
    stacked=True,
)  # fmt: skip
KINDS = (
    Kind("memory", "MB", (("memory_used_mb", "used", "user"),)),
    Kind("disk", "MB/s", (("disk_read_mbs", "read", "user"), ("disk_write_mbs", "write", "iowait"))),
    Kind("network", "MB/s", (("net_rx_mbs", "received", "user"), ("net_tx_mbs", "sent", "iowait"))),
    Kind("pressure", "%", (("psi_cpu_some_percent", "CPU", "user"), ("psi_memory_some_percent", "memory", "steal"),
                           ("psi_io_some_percent", "I/O", "iowait"))),
    Kind("tasks", "", (("tasks_running", "running", "user"), ("tasks_blocked", "waiting for disks", "iowait"))),
    Kind("packets lost", "%", (("tcp_out_of_order_percent", "received with a gap before", "user"),
                               ("tcp_retransmitted_percent", "sent again", "iowait")), rare=True),
    Kind("quota of CPU time", "%", (("cgroup_throttled_percent", "periods throttled", "steal"),), rare=True),
    Kind("other builds on the runner", "CPUs", (("beside_cpus", "CPU in use", "steal"),), rare=True),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chart: its label, colour and values; the largest, and the mean over time."""

    label: str
    colour: str
    values: Column
    largest: float
    mean: float


@dataclass(frozen=True, slots=True)
class Strip:
    """A chart, and what it says in a sentence; `top` is the end of its scale, None where the data has it."""

    title: str
    unit: str
    lines: tuple[Line, ...]
    stacked: bool
    about: str
    top: float | None


@dataclass(frozen=True, slots=True)
class Strips:
    """The charts of one machine; `times_s` count from the page's zero."""

    machine: str
    times_s: Column
    charts: tuple[Strip, ...]

    def data(self) -> dict[str, Any]:
        """What the page's script gets."""
        charts = [
            {"title": chart.title, "unit": chart.unit, "stacked": chart.stacked, "top": chart.top,
             "lines": [{"label": line.label, "colour": line.colour, "values": line.values} for line in chart.lines]}
            for chart in self.charts
        ]  # fmt: skip
        return {"machine": self.machine, "times": self.times_s, "charts": charts}


def strips_of(name: str, machine: Machine, zero_s: float) -> Strips | None:
    """The charts of a machine, None where it has no samples.

    Args:
        name: the machine's key in the document.
        machine: the machine.
        zero_s: the instant that times are counted from, in Unix seconds.
    """
    known = [one for one in machine.samples if one.start_time is not None]
    boots = [one for one in known if len(one.columns.get("t_s", ())) >= LEAST_POINTS]
    boots.sort(key=lambda one: one.start_time or 0.0)
    if not boots:
        return None
    times_s, columns = _joined(boots, zero_s)
    _add_busy(columns)
    _add_interrupts(columns)
    cpu = CPU_PARTS if "cpu_user_percent" in columns and "cpu_system_percent" in columns else CPU
    charts = [chart for kind in (cpu, *KINDS) for chart in _chart(kind, columns, times_s, machine)]
    return Strips(safe(name), times_s, tuple(charts)) if charts else None


def _joined(boots: list[Samples], zero_s: float) -> tuple[Column, dict[str, Column]]:
    """The samples of all boots in one, with a point without values between two boots."""
    names = {name for boot in boots for name in boot.columns} - {"t_s"}
    times_s: Column = []
    columns: dict[str, Column] = {name: [] for name in sorted(names)}
    for boot in boots:
        own = boot.columns["t_s"]
        begun_s = (boot.start_time or 0.0) - zero_s
        before = times_s[-1] if times_s else None
        gap = [] if before is None else [round((before + begun_s) / 2, 2)]
        times_s += [*gap, *(round(begun_s + (time or 0.0), 2) for time in own)]
        for name, column in columns.items():
            values = [*boot.columns.get(name, ()), *([None] * len(own))]  # a forged one may be too short
            column += [*([None] * len(gap)), *values[: len(own)]]
    return times_s, columns


def _add_interrupts(columns: dict[str, Column]) -> None:
    """CPU in use by neither programs nor the kernel's own work: interrupts, and rounding."""
    sources = [columns.get(f"cpu_{name}_percent") for name in ("busy", "user", "system")]
    if all(source is not None for source in sources):
        columns["cpu_interrupts_percent"] = [_rest(*row) for row in zip(*filter(None, sources), strict=True)]


def _rest(busy: float | None, user: float | None, system: float | None) -> float | None:
    return None if busy is None or user is None or system is None else round(max(busy - user - system, 0.0), 3)


def _add_busy(columns: dict[str, Column]) -> None:
    """CPU in use without what other machines took of it."""
    steal = columns.get("cpu_steal_percent")
    if "cpu_percent" in columns:
        busy = columns["cpu_percent"]
        stolen = steal if steal is not None else [None] * len(busy)
        columns["cpu_busy_percent"] = [
            None if value is None else max(value - (part or 0.0), 0.0) for value, part in zip(busy, stolen, strict=True)
        ]


def _chart(kind: Kind, columns: dict[str, Column], times_s: Column, machine: Machine) -> Iterator[Strip]:
    lines = tuple(
        _line(label, colour, columns[name], times_s)
        for name, label, colour in kind.lines
        if any(value is not None for value in columns.get(name, ()))
    )
    if lines and not (kind.rare and all(line.largest <= 0 for line in lines)):
        top = 100.0 if kind.unit == "%" else float(machine.memory_total_mb or 0) if kind.title == "memory" else None
        yield Strip(kind.title, kind.unit, lines, kind.stacked, _about(kind, lines), top or None)


def _line(label: str, colour: str, column: Column, times_s: Column) -> Line:
    values = [None if value is None else float(f"{value:.3g}") for value in column]
    known = [value for value in values if value is not None]
    return Line(label, colour, values, max(known), _mean(values, times_s))


def _mean(values: Column, times_s: Column) -> float:
    """The mean over time: a value is that of the stretch since the point before it."""
    whole_s = weighted = 0.0
    for at in range(1, len(values)):
        value, from_s, to_s = values[at], times_s[at - 1], times_s[at]
        if value is not None and from_s is not None and to_s is not None and to_s > from_s:
            whole_s += to_s - from_s
            weighted += value * (to_s - from_s)
    return weighted / whole_s if whole_s else 0.0


def _about(kind: Kind, lines: Iterable[Line]) -> str:
    """`user 45 % on average, at most 98 %; system …`."""
    unit = f" {kind.unit}" if kind.unit else ""
    return "; ".join(
        f"{line.label} {number(line.mean)}{unit} on average, at most {number(line.largest)}{unit}" for line in lines
    )
