# --- Formulas: the only place where figures come from -----------------------------------------------


USER_HZ = 100  # ticks a second of one CPU in /proc/stat, on every architecture that has not died out
WRAP = 1 << 32  # of the kernel's counters of milliseconds, those of `disk` in ms


class Delta:
    """Differences between two sets of counters; a number that is absent, fell or can't be gives None."""

    def __init__(
        self, start: "dict[str, Any]", end: "dict[str, Any]", seconds: "float", peak_kb: "int | None" = None,
        load: "list[float] | None" = None,
    ) -> "None":  # fmt: skip
        self.start, self.end, self.seconds, self.peak_kb, self.load = start, end, seconds, peak_kb, load
        self.cpu, self.busy, self.total = cpu_ticks(start, end, seconds)
        self.idle = None if self.total is None or self.busy is None else self.total - self.busy

    def of(self, group: "str", at: "int") -> "int | None":
        """Growth of number `at` of a flat group."""
        return _grown(_at(self.start.get(group), at), _at(self.end.get(group), at))

    def each(self, group: "str", at: "int") -> "list[int] | None":
        """Growth of number `at` for each device that both ends have; None if any of them fell."""
        before, after = self.start.get(group) or {}, self.end.get(group) or {}
        names = [name for name in after if name in before and not _moved(before, after, nvme_head(name))]
        if group == "disk" and at in DISK_MS:
            grown = [_grown_ms(before[name], after[name], at) for name in names]
        else:
            grown = [_grown(_at(before[name], at), _at(after[name], at)) for name in names]
        known = [value for value in grown if value is not None]
        return known if known and len(known) == len(grown) else None

    def sum(self, group: "str", *at: "int") -> "int | None":
        """Growth of the numbers `at` over all devices."""
        parts = [self.each(group, number) for number in at]
        return None if None in parts else sum(sum(part) for part in parts if part is not None)

    def psi_us(self, kind: "str", at: "int") -> "int | None":
        """Microseconds stalled."""
        before, after = self.start.get("psi") or {}, self.end.get("psi") or {}
        return _grown(_at(before.get(kind), at), _at(after.get(kind), at))

    def percent_of_time(self, part_ms: "float | None") -> "float | None":
        """Share of the time between; None for far more than all of it: no counter of this time."""
        if part_ms is None or part_ms > self.seconds * 1100 + 20:
            return None
        share = _ratio(part_ms, self.seconds * 1000, 100)
        return None if share is None else min(share, 100.0)

    def stalled_percent(self, kind: "str", at: "int") -> "float | None":
        """Share of the time in which work stalled."""
        stalled_us = self.psi_us(kind, at)
        return None if stalled_us is None else self.percent_of_time(stalled_us / 1000)


def cpu_ticks(
    start: "dict[str, Any]", end: "dict[str, Any]", seconds: "float"
) -> "tuple[list[int | None], float | None, float | None]":
    """`[user, …, steal]` between two sets of counters, all that was busy, and the total.

    Kernels and containers let single numbers fall, jump or stand still. What more ticks than CPUs and time allow is
    left out. The sum is then wrong without it, or where idle stands still: CPUs x time is the total.
    """
    ticks = [_grown(_at(start.get("cpu"), at), _at(end.get("cpu"), at)) for at in range(8)]
    cpus = max([_at(counters.get("cpus"), 0) or 0 for counters in (start, end)])
    whole = cpus * max(seconds, 0.0) * USER_HZ
    most = whole * 1.1 + cpus * 10
    # Neither user, system nor idle jump together: then the counters are not of these CPUs, or not of this time.
    if sum([(ticks[at] or 0) > most for at in (0, 2, 3)]) > 1:
        whole = 0.0
    rest = sum([ticks[at] or 0 for at in (0, 1, 2, 3, 5, 6)])
    limits = [most if whole else float("inf")] * 8
    if not whole:
        limits[4] = limits[7] = max(rest, 1) * 1000.0
    ticks = [part if part is not None and part <= limit else None for part, limit in zip(ticks, limits)]
    user, nice, system, idle, iowait, irq, softirq, steal = ticks
    waited = None if idle is None or (iowait is None and not whole) else idle + (iowait or 0)
    if user is None or nice is None or system is None:
        busy = None  # type: float | None
    else:
        busy = user + nice + system + (irq or 0) + (softirq or 0) + (steal or 0)
    total = None if busy is None or waited is None else busy + waited  # type: float | None
    if seconds >= 0.5 and whole and (total is None or (total < whole * 0.75 and (waited == 0 or None in ticks))):
        total = max(whole, busy or 0, waited or 0)
        busy = busy if busy is not None else None if waited is None else total - waited
    return ticks, busy if total is not None else None, total


def nvme_head(name: "str") -> "str":
    """The disk `nvme0n1` of the path `nvme0c1n1`, '' for what is no path. Some kernels count at one, some at both."""
    controller, path, rest = name.partition("c")
    return controller + "n" + rest.partition("n")[2] if path and name.startswith("nvme") else ""


def _moved(before: "dict[str, Any]", after: "dict[str, Any]", name: "str") -> "bool":
    return name in before and name in after and before[name] != after[name]


def used_kb(counters: "dict[str, Any]") -> "int | None":
    """MemTotal - MemAvailable, or what stands for it; None where more is available than there is, as in containers."""
    memory = counters.get("mem")
    available = _at(memory, 1)
    used = _change(_at(memory, 2) if available is None else available, _at(memory, 0))
    return None if used is None or used < 0 else used


def _change(before: "int | None", after: "int | None") -> "int | None":
    return None if before is None or after is None else after - before


def _less(whole: "int | None", part: "int | None") -> "int | None":
    """What is left of a whole, None where it is not known; a part that is not known is none of it."""
    return None if whole is None else max(whole - (part or 0), 0)


def _at(values: "Any", at: "int") -> "int | None":
    return values[at] if values is not None and at < len(values) else None


def _grown(before: "int | None", after: "int | None") -> "int | None":
    return None if before is None or after is None or after < before else after - before


def _grown_ms(before: "list[int]", after: "list[int]", at: "int") -> "int | None":
    """Growth of a time of a disk, also over the end of its 32 bits; None if the disk's counts fell: it began anew."""
    grown = _grown(_at(before, at), _at(after, at))
    if grown is not None:
        return grown
    old, new = _at(before, at), _at(after, at)
    counts = [_grown(_at(before, number), _at(after, number)) for number in (0, 1, 3, 4)]
    if old is None or new is None or None in counts or not new < old < WRAP or new + WRAP - old > WRAP // 2:
        return None
    return new + WRAP - old


def _ratio(part: "float | None", whole: "float | None", scale: "float" = 1.0) -> "float | None":
    return None if part is None or whole is None or whole <= 0 else scale * part / whole


def metrics(
    start: "dict[str, Any]", end: "dict[str, Any]", seconds: "float", peak_kb: "int | None" = None,
    load: "list[float] | None" = None,
) -> "dict[str, float | int]":  # fmt: skip
    """The figures of a step between two sets of counters (docs/format.md, 1.3), those that can be had.

    Args:
        start: `c` at the beginning.
        end: `c` at the end.
        seconds: the time between them by the monotonic clock.
        peak_kb: the largest MemTotal - MemAvailable seen between them.
        load: what `Load.figures` gives of the samples between them.
    """
    delta = Delta(start, end, seconds, peak_kb, load)
    figures = {}  # type: dict[str, float | int]
    for metric in METRICS:
        value = metric.formula(delta)
        if value is not None:
            figures[metric.name] = round(value, metric.decimals) if metric.decimals else int(value)
    return figures


class Load:
    """How many tasks ran, and how many waited for disks, at samples: mean over time and peak of each.

    A sample stands for the time since the one before; the task that read it is not counted.
    """

    def __init__(self, m_ns: "int") -> "None":
        self._last_ns, self._ns, self._sums, self._peaks = m_ns, 0, [0, 0], [0, 0]

    def add(self, m_ns: "int", counters: "dict[str, Any]") -> "None":
        """Takes a sample in; one that does not tell of tasks counts for nothing."""
        running, blocked = [_at(counters.get("tasks"), at) for at in (0, 1)]
        length_ns, self._last_ns = m_ns - self._last_ns, m_ns
        if running is None or blocked is None or length_ns <= 0:
            return
        seen = [max(running - 1, 0), blocked]
        self._ns += length_ns
        self._sums = [total + number * length_ns for total, number in zip(self._sums, seen)]
        self._peaks = [max(pair) for pair in zip(self._peaks, seen)]

    def figures(self) -> "list[float] | None":
        """`[mean of the running, peak, mean of the blocked, peak]`, None without a sample."""
        if not self._ns:
            return None
        running, blocked = [round(total / self._ns, 2) for total in self._sums]
        return [running, self._peaks[0], blocked, self._peaks[1]]


SERIES = (
    "m_ms", "cpu_busy", "cpu_total", "cpu_iowait", "cpu_steal", "memory_used_kb", "disk_read_sectors",
    "disk_write_sectors", "net_rx_bytes", "net_tx_bytes", "psi_cpu_us", "psi_memory_us", "psi_io_us",
)  # fmt: skip


class Series:
    """The points of a step: numbers that grow by what `Delta` finds between each sample and the one before it."""

    def __init__(self, m_ns: "int", counters: "dict[str, Any]") -> "None":
        self._sums = [0] * (len(SERIES) - 1)
        self._last = m_ns, counters
        self._row = [None] * len(self._sums)  # type: list[int | None]
        self.points = [self.point(m_ns, counters)]

    def point(self, m_ns: "int", counters: "dict[str, Any]") -> "list[int | None]":
        """The numbers of one sample, in the order of `SERIES`; one of which the growth is not known is None."""
        grown = growth(self._last[1], counters, (m_ns - self._last[0]) / 1e9)
        self._last = m_ns, counters
        self._sums = [total + int(part or 0) for total, part in zip(self._sums, grown)]
        # Of what was not there before nothing is lost: it counts from here.
        here = growth(counters, counters, 0.0) if None in grown else grown
        self._row = [
            total if part is not None or (before is None and now is not None) else None
            for total, part, before, now in zip(self._sums, grown, self._row, here)
        ]
        self._row[MEMORY_AT] = used_kb(counters)
        return [m_ns // 1000000, *self._row]


def growth(start: "dict[str, Any]", end: "dict[str, Any]", seconds: "float") -> "list[float | None]":
    """What the numbers of `SERIES` grew by; but for the time, and for memory, which does not only grow."""
    delta = Delta(start, end, seconds)
    return [
        delta.busy, delta.total, delta.cpu[4], delta.cpu[7], 0,
        delta.sum("disk", 1), delta.sum("disk", 4), delta.sum("net", 0), delta.sum("net", 1),
        delta.psi_us("cpu", 0), delta.psi_us("memory", 0), delta.psi_us("io", 0),
    ]  # fmt: skip


MEMORY_AT = SERIES.index("memory_used_kb") - 1


def pack_columns(names: "Iterable[str]", rows: "list[list[int | None]]") -> "dict[str, list[int | None]]":
    """Columns of rows, difference-coded (docs/format.md, 1.3); a column of nothing but None is left out."""
    packed = {}
    for at, name in enumerate(names):
        column = []  # type: list[int | None]
        last = 0
        for row in rows:
            value = row[at]
            column.append(None if value is None else value - last)
            last = last if value is None else value
        if any(value is not None for value in column):
            packed[name] = column
    return packed


def constant_apart(
    packed: "dict[str, list[int | None]]",
) -> "tuple[dict[str, list[int | None]], dict[str, int]]":
    """The columns whose numbers change, with the time; and of each other one the number that stands in all rows."""
    same = {}
    for name, column in packed.items():
        first = column[0]
        if name != "m_ms" and first is not None and None not in column and not any(column[1:]):
            same[name] = first
    return {name: column for name, column in packed.items() if name not in same}, same


def unpack_columns(packed: "dict[str, list[int | None]]") -> "dict[str, list[int | None]]":
    """Columns of plain numbers: what `pack_columns` was given."""
    columns = {}
    for name, column in packed.items():
        last, values = 0, []  # type: int, list[int | None]
        for difference in column:
            last += difference or 0
            values.append(None if difference is None else last)
        columns[name] = values
    return columns


def flatten(counters: "dict[str, Any]", prefix: "str" = "") -> "Iterator[tuple[str, int | None]]":
    """Each number of `c` with its column's name: `cpu.0`, `disk.vda.3`."""
    for key, value in counters.items():
        if isinstance(value, dict):
            yield from flatten(value, prefix + key + ".")
        else:
            for at, number in enumerate(value):
                yield "%s%s.%d" % (prefix, key, at), number


def unflatten(pairs: "Iterable[tuple[str, int | None]]") -> "dict[str, Any]":
    """The counters that `flatten` was given."""
    counters = {}  # type: dict[str, Any]
    for name, number in pairs:
        group, _, rest = name.partition(".")
        device, _, _at_text = rest.rpartition(".")
        home = counters.setdefault(group, {}) if device else counters
        home.setdefault(device or group, []).append(number)
    return counters


