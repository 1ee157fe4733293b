"""What ran inside the longest steps: the time line, the busiest commands, the step's own load beside the machine's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from buildtel.insight.top_steps import step_name
from buildtel.insight.wait_words import wait_in_words
from buildtel.job.accounts import INTERVALS, SAMPLED
from buildtel.job.model import Command, InsideRow, Step
from buildtel.report.view import Head, Inside, Table
from buildtel.text import duration, number, safe

MOST_STEPS = 10
MOST_ROWS = 12
MOST_COMMANDS = 6
MOST_OTHERS = 3
HEADS = (
    Head("after", right=True), Head("took", right=True), Head("CPU s", right=True), Head("exit", right=True),
    Head("command", flexible=True),
)  # fmt: skip
SOURCES = {
    SAMPLED: "looks at the step's processes (sampled): what ended between two looks is missing",
    INTERVALS: "samples of the machine: all commands that ended in its time",
}
LEAST_WAIT_S = 0.5
# A figure of the step's own, the machine's that stands beside it, words around both.
BESIDE = (
    ("own_cpu_percent", "cpu_percent", "CPU {}% (machine {}%)", "CPU {}%"),
    ("own_memory_peak_mb", "memory_peak_mb", "memory {} MB (machine {} MB)", "memory {} MB"),
    ("own_disk_read_mb", "disk_read_mb", "read {} MB (machine {} MB)", "read {} MB"),
    ("own_disk_write_mb", "disk_write_mb", "written {} MB (machine {} MB)", "written {} MB"),
)


def insides(steps: Sequence[Step]) -> Iterator[Inside]:
    """The longest steps of which accounts of commands are known, in their order."""
    known = [step for step in steps if step.commands or step.inside]
    longest = sorted(known, key=lambda step: -(step.metrics.get("duration_s") or 0))[:MOST_STEPS]
    chosen = {id(step) for step in longest}
    yield from (inside_of(step) for step in known if id(step) in chosen)


def inside_of(step: Step) -> Inside:
    """What ran in one step."""
    took = duration(step.metrics.get("duration_s"))
    return Inside(f"Inside {step_name(step)}, {took}", _line(step.inside or ()), tuple(_facts(step)))


def _line(rows: Sequence[InsideRow]) -> Table | None:
    placed = [row for row in rows if row.start_s is not None]
    if not placed:
        return None
    longest = sorted(placed, key=lambda row: -(row.duration_s or 0))[:MOST_ROWS]
    chosen = {id(row) for row in longest}
    left_out = sum(row.count for row in rows if id(row) not in chosen)
    shown = [_row(row) for row in placed if id(row) in chosen]
    rest = [("", "", "", "", f"and {left_out} more")] if left_out else []
    return Table(HEADS, [*shown, *rest])


def _row(row: InsideRow) -> tuple[str, ...]:
    times = f"{row.count} × " if row.count > 1 else ""
    status = "" if row.exit_code is None else str(row.exit_code)
    return duration(row.start_s), duration(row.duration_s), number(row.cpu_s), status, f"{times}{safe(row.name)}"


def _facts(step: Step) -> Iterable[tuple[str, str]]:
    own = ", ".join(_beside(step))
    if own:
        yield "own load", own
    if step.commands:
        yield "commands", _commands(step.commands, MOST_COMMANDS)
    if step.other_commands:
        yield "elsewhere", _commands(step.other_commands, MOST_OTHERS)
    waited = ", ".join(_waited(step))
    if waited:
        yield "waited", waited
    if step.commands_lost:
        yield "not heard of", f"{step.commands_lost} commands"
    source = SOURCES.get(step.accounts_from or "")
    if source:
        yield "known from", source


def _waited(step: Step) -> Iterable[str]:
    """What its commands waited for, the longest first."""
    sums: dict[tuple[str, str, str], float] = {}
    for row in step.waits or ():
        place = row.kind, row.command, row.holder or ""
        sums[place] = sums.get(place, 0.0) + row.duration_s
    for (kind, command, holder), seconds in sorted(sums.items(), key=lambda pair: -pair[1])[:MOST_COMMANDS]:
        if seconds >= LEAST_WAIT_S:
            yield f"{safe(command)} {duration(seconds)} {wait_in_words(kind, holder)}"


def _beside(step: Step) -> Iterable[str]:
    seconds = step.metrics.get("own_cpu_s")
    if seconds is not None:
        yield f"{number(seconds)} s CPU"
    for own, machine, both, alone in BESIDE:
        one, other = step.metrics.get(own), step.metrics.get(machine)
        if one is not None:
            yield alone.format(number(one)) if other is None else both.format(number(one), number(other))


def _commands(commands: Sequence[Command], most: int) -> str:
    named = [row for row in commands if row.name]
    words = [_command(row) for row in named[:most]]
    rest = [*named[most:], *(row for row in commands if not row.name)]
    seconds = sum(row.cpu_s or 0 for row in rest)
    return ", ".join([*words, *([f"others {number(seconds)} s"] if seconds >= 0.05 else [])])


def _command(row: Command) -> str:
    more = [f"{row.count} ×"] if row.count > 1 else []
    more += [f"{number(row.io_mb)} MB"] if row.io_mb is not None and row.io_mb >= 1 else []
    more += [f"{number(row.delay_s)} s without a CPU"] if row.delay_s is not None and row.delay_s >= 1 else []
    return f"{safe(row.name)} {number(row.cpu_s)} s" + (f" ({', '.join(more)})" if more else "")
