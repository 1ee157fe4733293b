"""The bars of a page's time line: lanes of what ran one after the other, in groups, one for each machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from buildtel.insight.cause_account import CauseAccount
from buildtel.insight.causes import CAUSE
from buildtel.insight.inner_rows import label_of_part
from buildtel.insight.stretches import BuildStretches, Stretch
from buildtel.insight.wait_words import wait_in_words
from buildtel.job.model import InsideRow, Step
from buildtel.measure.drafts import RUNNER
from buildtel.page.axis import Axis
from buildtel.page.entries import Entry
from buildtel.text import duration, rounded, safe

LANE_PX = 20
MOST_LANES = 12
_WAITS = frozenset(("lock", "try"))  # kinds of parts in which a build waits
MOST_OF_A_KIND = 1000
ROUNDED_S = 0.005  # bars that overlap by no more do not: their times are rounded


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time: its kind (the colour), its label, a sentence on it, the entry that tells more."""

    kind: str
    label: str
    about: str
    target: str
    start_s: float
    duration_s: float
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Lane:
    """Bars that do not overlap; `name` says what they are."""

    name: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch of time with one cause; its words and length in `about`."""

    cause: str
    about: str
    start_s: float
    duration_s: float
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Group:
    """The lanes of one machine. `critical`: of several builds it ended last, so that the run waited for it.

    `slices` say what the time of a build was spent on, where that is known; `cut` bars, the shortest, are left out.
    """

    name: str
    lanes: tuple[Lane, ...]
    critical: bool = False
    slices: tuple[Slice, ...] = ()
    cut: int = 0


def build_group(
    found: BuildStretches, entries: Sequence[Entry], axis: Axis, steps: Sequence[Entry], causes: CauseAccount | None
) -> Group | None:
    """The lanes of a build: what Packer did, steps of its machine that are no whole provisioner, what ran inside.

    Args:
        found: the build.
        entries: the entry of each of its stretches, in their order.
        axis: the page's.
        steps: the entries of the steps of its machine, but for those that are a whole provisioner.
        causes: what its time was spent on, None where that is not known.
    """
    build = found.build
    zero_s = (build.started_at or 0.0) - axis.zero_s
    pairs = [(stretch, entry) for stretch, entry in zip(found.stretches, entries, strict=True)]
    outer = [_of_stretch(stretch, entry, zero_s, axis) for stretch, entry in pairs if stretch.start_s is not None]
    inner: list[Bar] = []
    for stretch, entry in pairs:
        inner += _inside(stretch, entry, axis)
    lanes, cut = _filled(outer, steps, [*entries, *steps], inner, axis)
    slices = () if causes is None else tuple(_slices(causes, axis))
    return Group(found.name, lanes, build.critical, slices, cut) if lanes else None


def step_group(name: str, steps: Iterable[Entry], axis: Axis) -> Group | None:
    """The lanes of a machine that is no build's: the runner, or a guest outside of Packer.

    Args:
        name: the machine.
        steps: the entries of its steps.
        axis: the page's.
    """
    known = list(steps)
    lanes, cut = _filled([], known, known, [], axis)
    return Group(safe(name), lanes, cut=cut) if lanes else None


def _filled(
    outer: list[Bar], steps: Sequence[Entry], entries: Sequence[Entry], inner: list[Bar], axis: Axis
) -> tuple[tuple[Lane, ...], int]:
    """The lanes of a group, from Packer's own down to what commands waited for; and how many bars have no place."""
    lanes = [Lane("Packer", tuple(outer))] if outer else []
    below = {
        "steps": [bar for entry in steps for bar in (of_step(entry, axis),) if bar is not None],
        "inside": [*inner, *(bar for entry in entries for bar in _commands(entry, axis))],
        "waits": [bar for entry in entries for bar in _waits(entry, axis)],
    }
    for name, bars in below.items():
        lanes += _lanes(name, sorted(bars, key=lambda bar: -bar.duration_s)[:MOST_OF_A_KIND])
    shown = sum(len(lane.bars) for lane in lanes)
    return tuple(lanes), len(outer) + sum(map(len, below.values())) - shown


def of_step(entry: Entry, axis: Axis) -> Bar | None:
    """A step as a bar; None where its times are not known.

    Args:
        entry: the step's entry.
        axis: the page's.
    """
    step = entry.step
    if step is None or step.start_time is None:
        return None
    start_s = step.start_time - axis.zero_s
    length_s = _length_s(step)
    kind = "failed" if step.status in ("failure", "timeout") else "runner" if step.machine == RUNNER else "step"
    return _bar(kind, entry.name, entry.took, entry.anchor, start_s, length_s, axis)


def _length_s(step: Step) -> float:
    known = step.metrics.get("duration_s")
    if known is not None:
        return max(known, 0.0)
    end_s = step.end_time if step.end_time is not None else step.last_seen
    return 0.0 if end_s is None or step.start_time is None else max(end_s - step.start_time, 0.0)


def _of_stretch(stretch: Stretch, entry: Entry, zero_s: float, axis: Axis) -> Bar:
    kind = "failed" if stretch.mark and "ignored" not in stretch.mark else stretch.spent
    start_s = zero_s + (stretch.start_s or 0.0)
    return _bar(kind, stretch.shown, entry.took, entry.anchor, start_s, stretch.duration_s or 0.0, axis)


def _inside(stretch: Stretch, entry: Entry, axis: Axis) -> Iterator[Bar]:
    for part in stretch.parts:
        if part.started_at is not None and part.ended_at is not None:
            length_s = part.ended_at - part.started_at
            kind = "wait" if part.kind in _WAITS else "inside"
            took = rounded(length_s, stretch.grain_s)
            yield _bar(kind, label_of_part(part), took, entry.anchor, part.started_at - axis.zero_s, length_s, axis)


def _commands(entry: Entry, axis: Axis) -> Iterator[Bar]:
    """What ran in a step: its commands, short neighbours together."""
    step = entry.step
    if step is None or step.start_time is None:
        return
    for row in step.inside or ():
        if row.start_s is not None and row.duration_s is not None:
            kind = "inside" if not row.exit_code else "failed"
            start_s = step.start_time + row.start_s - axis.zero_s
            yield _bar(kind, named(row), duration(row.duration_s), entry.anchor, start_s, row.duration_s, axis)


def _waits(entry: Entry, axis: Axis) -> Iterator[Bar]:
    """What the commands of a step waited for."""
    step = entry.step
    if step is None or step.start_time is None:
        return
    for row in step.waits or ():
        label = f"{safe(row.command)} {wait_in_words(row.kind, row.holder or '')}"
        start_s = step.start_time + row.start_s - axis.zero_s
        yield _bar("wait", label, duration(row.duration_s), entry.anchor, start_s, row.duration_s, axis)


def named(row: InsideRow) -> str:
    """A command inside a step, or how many of them, in words that are safe to print."""
    return f"{row.count} × {safe(row.name)}" if row.count > 1 else safe(row.name)


def _slices(account: CauseAccount, axis: Axis) -> Iterator[Slice]:
    """The causes in order of time, neighbours of one cause together."""
    zero_s = (account.build.started_at or 0.0) - axis.zero_s
    first_ms = account.slices[0].start_ms if account.slices else 0
    for cause, parts in groupby(account.slices, key=lambda part: part.cause):
        row = list(parts)
        start_s, length_s = zero_s + (row[0].start_ms - first_ms) / 1000, (row[-1].end_ms - row[0].start_ms) / 1000
        about = f"{CAUSE[cause].words}: {duration(length_s)}"
        yield Slice(cause, about, start_s, length_s, axis.left(start_s), axis.width(start_s, length_s))


def _bar(  # noqa: PLR0913, PLR0917  # all that a bar has
    kind: str, label: str, took: str, target: str, start_s: float, length_s: float, axis: Axis
) -> Bar:
    about = f"{label}: {took}, from {duration(start_s)} on"
    left, width = axis.left(start_s), axis.width(start_s, length_s)
    return Bar(kind, label, about, target, round(start_s, 3), round(length_s, 3), left, width)


def _lanes(name: str, bars: Iterable[Bar]) -> Iterator[Lane]:
    """Bars in as many lanes as they need, so that none covers another; what is inside stands below."""
    lanes: list[list[Bar]] = []
    ends_s: list[float] = []
    for bar in sorted(bars, key=lambda bar: (bar.start_s, -bar.duration_s)):
        free = next((at for at, end_s in enumerate(ends_s) if end_s <= bar.start_s + ROUNDED_S), len(lanes))
        if free == len(lanes):
            if free == MOST_LANES:
                continue
            lanes.append([])
            ends_s.append(0.0)
        lanes[free].append(bar)
        ends_s[free] = bar.start_s + bar.duration_s
    return (Lane(name if at == 0 else "", tuple(lane)) for at, lane in enumerate(lanes))
