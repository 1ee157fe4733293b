"""Keeps the samples of a machine's whole life."""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property
from typing import Any

from buildtel.measure.charts import OF_DEVICES, OF_SAMPLES, Column, Columns, without_requests
from buildtel.measure.intervals import Intervals
from buildtel_agent import COUNTERS, DISK_MS, SERIES, WRAP, Delta, Load, Series, unpack_columns, used_kb

Row = tuple[int, dict[str, int]]  # ms of the monotonic clock, counters by their columns' names
MAX_KEPT = 1920  # half an hour of seconds, an hour of every other
LEAST_KEPT = 120
MAX_NUMBERS = 384_000  # in all points together: of more than 200 counters there are fewer points
MAX_CHARTED = 480


def unpack(packed: Columns) -> Columns:
    """Plain numbers from difference-coded columns; what falls outside of 64 bits is None."""
    return {
        name: [value if value is not None and 0 <= value < 2**64 else None for value in column]
        for name, column in unpack_columns(packed).items()
    }


class Samples:
    """The whole-life samples of one boot, bounded, whatever the order and however often they come.

    Time is cut into stretches of `stride_ms` and the first sample of each is kept, and the newest of
    all; the stretch doubles until no more than `most` hold one. So what is kept depends on which
    samples came, not on how. `intervals` has what commands used meanwhile.
    """

    def __init__(self) -> None:
        self.intervals = Intervals()
        self.stride_ms = 1
        self._rows: dict[int, Row] = {}  # by stretch
        self._newest: Row | None = None
        self._width = 1

    def add(self, columns: Columns) -> None:
        """Take points in; one that is known already gains what it lacked."""
        names = [name for name in columns if is_counter(name)]
        for at, time_ms in enumerate(columns["m_ms"]):
            if time_ms is not None:
                self._take(time_ms, {name: value for name in names if (value := columns[name][at]) is not None})
        self._shrink()

    def merge(self, other: Samples) -> None:
        """Take in what `other` kept."""
        self.intervals.merge(other.intervals)
        for time_ms, counters in other.rows:
            self._take(time_ms, counters)
        self._shrink()

    @property
    def most(self) -> int:
        """How many points are kept: the fewer, the more counters one has."""
        return max(LEAST_KEPT, min(MAX_KEPT, MAX_NUMBERS // self._width))

    @property
    def most_numbers(self) -> int:
        """How many numbers it holds at most."""
        return self.most * self._width

    def _shrink(self) -> None:
        while len(self._rows) > self.most:
            self._widen()

    def _take(self, time_ms: int, counters: dict[str, int]) -> None:
        row = (time_ms, counters)
        if self._newest is None or time_ms >= self._newest[0]:
            self._newest = _earlier(row, self._newest) if self._newest and time_ms == self._newest[0] else row
        stretch = time_ms // self.stride_ms
        self._rows[stretch] = kept = _earlier(row, self._rows.get(stretch))
        self._width = max(self._width, 1 + len(kept[1]))
        if len(self._rows) > 4 * MAX_KEPT:
            self._widen()

    def _widen(self) -> None:
        self.stride_ms *= 2
        rows, self._rows = self._rows, {}
        for row in rows.values():
            stretch = row[0] // self.stride_ms
            self._rows[stretch] = _earlier(row, self._rows.get(stretch))

    @property
    def rows(self) -> list[Row]:
        """What is kept, in order."""
        kept = sorted(self._rows.values(), key=lambda row: row[0])
        newest = [self._newest] if self._newest is not None and self._newest[0] > kept[-1][0] else []
        return kept + newest

    @cached_property
    def rows_kept(self) -> list[Row]:
        """What is kept, in order; the samples take no more in from here on."""
        return self.rows

    @cached_property
    def times_ms(self) -> list[int]:
        """The time of each point."""
        return [time_ms for time_ms, _ in self.rows_kept]

    @cached_property
    def columns(self) -> Columns:
        """A column for each counter, None where a point lacks it."""
        rows = [counters for _, counters in self.rows_kept]
        names = sorted({name for counters in rows for name in counters})
        return {name: [counters.get(name) for counters in rows] for name in names}

    def __len__(self) -> int:
        """How many points there are."""
        return len(self.rows)

    def chart_columns(self) -> Columns:
        """The columns of a step's series and some more, at most about `MAX_CHARTED` points, the last among them."""
        count = len(self.times_ms)
        chosen = sorted({*range(0, count, -(-count // MAX_CHARTED)), count - 1})
        found: list[list[int | None]] = []
        series: Series | None = None
        for at in chosen:
            m_ns, counters = self.times_ms[at] * 1_000_000, self._counters(at)
            if series is None:
                series = Series(m_ns, counters)
                found.append(series.points[0])
            else:
                found.append(series.point(m_ns, counters))
        columns = {name: [row[number] for row in found] for number, name in enumerate(SERIES)}
        known = {name: self.columns[name] for name in OF_SAMPLES if name in self.columns}
        columns |= without_requests({name: [column[at] for at in chosen] for name, column in known.items()})
        columns |= {name: self._grown(chosen, *place) for name, place in OF_DEVICES.items()}
        return {name: column for name, column in columns.items() if any(value is not None for value in column)}

    def _grown(self, chosen: list[int], group: str, number: int) -> Column:
        """The growth of a number of all devices up to some points, None at one to which it is not known."""
        total, before = 0, self._counters(chosen[0])
        found: Column = [total if Delta(before, before, 0.0).sum(group, number) is not None else None]
        for at in chosen[1:]:
            now = self._counters(at)
            grown = Delta(before, now, 0.0).sum(group, number)
            total, before = total + (grown or 0), now
            found.append(None if grown is None else total)
        return found

    def _counters(self, at: int) -> dict[str, Any]:
        """The counters `c` of one sample."""
        whole: dict[str, Any] = {}
        for name, value in self.rows_kept[at][1].items():
            _place(whole, name, value)
        return whole

    def counters_at(self, time_ms: float) -> dict[str, Any] | None:
        """The counters `c` at an instant, between two samples in proportion; None outside of them."""
        at = bisect_left(self.times_ms, time_ms)
        if at >= len(self.times_ms) or (at == 0 and self.times_ms[0] != time_ms):
            return None
        before = max(at - 1, 0)
        span = self.times_ms[at] - self.times_ms[before]
        share = (time_ms - self.times_ms[before]) / span if span else 0.0
        whole: dict[str, Any] = {}
        for key, column in self.columns.items():
            value = _between(column, before, at, share, wraps=_wraps(key))
            if value is not None:
                _place(whole, key, value)
        return whole

    def peak_kb(self, from_ms: float, to_ms: float) -> int | None:
        """The largest memory use of the samples between two instants.

        Args:
            from_ms: the start, in milliseconds of the monotonic clock.
            to_ms: the end, in milliseconds of the monotonic clock.
        """
        inside = (at for at, time in enumerate(self.times_ms) if from_ms <= time <= to_ms)
        used = (used_kb({"mem": [self._value(f"mem.{number}", at) for number in range(3)]}) for at in inside)
        return max((kb for kb in used if kb is not None), default=None)

    def load(self, from_ms: float, to_ms: float) -> list[float] | None:
        """How many tasks ran and waited for disks at the samples between two instants; None without such samples.

        Args:
            from_ms: the start, in milliseconds of the monotonic clock.
            to_ms: the end, in milliseconds of the monotonic clock.
        """
        load = Load(round(from_ms * 1e6))
        for at, time_ms in enumerate(self.times_ms):
            if from_ms < time_ms <= to_ms:
                load.add(time_ms * 1_000_000, {"tasks": [self._value(f"tasks.{number}", at) for number in range(2)]})
        return load.figures()

    def _value(self, name: str, at: int) -> int | None:
        column = self.columns.get(name)
        return None if column is None else column[at]


HYPERVISOR = ("process", 7)  # of the runner's own: CPU, memory and I/O of the processes that are the machines
BESIDE = ("", 3)  # of the runner's own: other builds on it, and the CPU time of their processes
RUNNERS = {"hyp": HYPERVISOR, "beside": BESIDE}
SIZES = {name: (per, len(fields)) for name, (per, _, _, fields) in COUNTERS.items()} | RUNNERS
SHAPES = {name: (bool(per), frozenset(map(str, range(size)))) for name, (per, size) in SIZES.items()}
ALWAYS = {name: least for name, (_, _, least, _) in COUNTERS.items()} | {"hyp": 5, "beside": 3}


def is_counter(name: str) -> bool:
    """True for the name of a column of `c`: `cpu.3`, `disk.vda.0`."""
    group, _, rest = name.partition(".")
    device, _, number = rest.rpartition(".")
    of_devices, known = SHAPES.get(group, (False, frozenset()))
    return bool(device) == of_devices and number in known


def _place(counters: dict[str, Any], name: str, value: int | None) -> None:
    group, _, rest = name.partition(".")
    device, _, number = rest.rpartition(".")
    home = counters.setdefault(group, {}) if device else counters
    row = home.setdefault(device or group, [None] * ALWAYS[group])
    row += [None] * (int(number) + 1 - len(row))
    row[int(number)] = value


def _earlier(row: Row, other: Row | None) -> Row:
    """The earlier of two; of one instant both in one."""
    if other is None or row[0] != other[0]:
        return row if other is None or row[0] < other[0] else other
    names = {**row[1], **other[1]}
    return row[0], {name: max(row[1].get(name, 0), other[1].get(name, 0)) for name in names}


def _wraps(name: str) -> bool:
    """True for a counter of 32 bits: a disk's times."""
    return name.startswith("disk.") and int(name.rpartition(".")[2]) in DISK_MS


def _between(column: Column, before: int, after: int, share: float, *, wraps: bool) -> int | None:
    low, high = column[before], column[after]
    if low is None or high is None:
        return None
    if wraps and high < low < WRAP:
        return round(low + share * (high + WRAP - low)) % WRAP
    return round(low + share * (high - low))
