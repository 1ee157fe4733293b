# --- Accounts of commands ---------------------------------------------------------------------------

SHORT_S = 0.1  # neighbours on the time line that are shorter become one row
MOST_NAMES = 400
MOST_STRETCHES = 120  # kept of one process's children while it lives
MOST_ROWS = 40
MOST_OWN, MOST_OTHERS = 10, 4
ROOM_BYTES = 2800
AS_TOLD = (0.0, 1.0)  # no correction of CPU time
# Programs that do nothing but run others: what they ran is shown instead of them.
WRAPPERS = (
    "sh", "bash", "dash", "ash", "busybox", "ksh", "ksh93", "mksh", "zsh", "fish", "csh", "tcsh", "sudo", "su", "doas",
    "env", "nice", "ionice", "nohup", "timeout", "setsid", "setpriv", "runuser", "chroot", "unshare", "time", "stdbuf",
)  # fmt: skip
# What commands of one name used.
COUNT, RUN_NS, TICKED_NS, READ, WRITTEN, LONGEST_S, DELAY_NS, RESIDENT_KB, MORE_NS = range(9)
SUMS = (COUNT, RUN_NS, TICKED_NS, READ, WRITTEN, DELAY_NS, RESIDENT_KB, MORE_NS)


class Commands:
    """What the commands of each name used, of a bounded number of names; the rest has the name ''."""

    def __init__(self, since_s: "float" = 0.0) -> "None":
        self.used, self.since_s = {}, since_s  # type: dict[str, list[Any]], float

    def add(self, task: "Task") -> "None":
        """One more that ended."""
        row = self._row(command_name(task.name))
        row[COUNT] += 1
        row[RUN_NS] += task.run_ns
        row[TICKED_NS] += task.ticked_ns
        row[RESIDENT_KB] += task.resident_kb
        if task.read is not None:
            row[READ] = (row[READ] or 0) + task.read
            row[WRITTEN] = (row[WRITTEN] or 0) + (task.written or 0)
        if task.delay_ns is not None:
            row[DELAY_NS] = (row[DELAY_NS] or 0) + task.delay_ns
        row[LONGEST_S] = max(row[LONGEST_S], task.length_s)

    def merge(self, other: "Commands") -> "None":
        """All that the other has."""
        for name, more in other.used.items():
            row = self._row(name)
            for at in SUMS:
                row[at] = _sum(row[at], more[at])
            row[LONGEST_S] = max(row[LONGEST_S], more[LONGEST_S])

    def total(self, at: "int") -> "int | None":
        """The sum of one number over all names."""
        total = None  # type: int | None
        for row in self.used.values():
            total = _sum(total, row[at])
        return total

    def cpu_ns(self) -> "int":
        """CPU time of all."""
        return sum([_cpu_ns(row) for row in self.used.values()])

    def correct(self, lacking_ns: "int") -> "tuple[float, float]":
        """Divides CPU time that all together lack, or have too much.

        What they lack is their ends, when memory is freed: divided by each one's memory. What they have too much is by
        ticks: they have less of what ticks say beyond run time. Gives ns for each kB, and how much of ticks counts.
        """
        resident_kb = self.total(RESIDENT_KB) or 0
        beyond_ns = sum([max(row[TICKED_NS] - row[RUN_NS], 0) for row in self.used.values()])
        by_kb = lacking_ns / resident_kb if lacking_ns > 0 and resident_kb else 0.0
        share = max(1 + lacking_ns / beyond_ns, 0.0) if lacking_ns < 0 and beyond_ns else 1.0
        for row in self.used.values():
            row[MORE_NS] += int(by_kb * row[RESIDENT_KB] - (1 - share) * max(row[TICKED_NS] - row[RUN_NS], 0))
        return by_kb, share

    def add_unseen(self, all_ns: "int") -> "None":
        """What of the CPU time of all no command has: of those that no look saw."""
        unseen_ns = all_ns - self.cpu_ns()
        if unseen_ns > 0:
            self._row("")[RUN_NS] += unseen_ns

    def busiest(self, count: "int") -> "list[list[Any]]":
        """`[[name, count, cpu_s, io_mb, longest_s, delay_s], …]`: by CPU, two by I/O; last the rest, named ''."""
        moved = {name: (row[READ] or 0) + (row[WRITTEN] or 0) for name, row in self.used.items()}
        names = sorted([name for name in self.used if name], key=lambda name: (-_cpu_ns(self.used[name]), name))
        by_io = sorted(names[count - 2 :], key=lambda name: -moved[name])[:2]
        by_io = [name for name in by_io if moved[name] >= MB or name in names[:count]]
        first = [name for name in names if name not in by_io][: count - len(by_io)]
        chosen = [name for name in names if name in first or name in by_io]
        rest = Commands()
        for name in self.used:
            if name not in chosen:
                one = Commands()
                one.used[""] = self.used[name]
                rest.merge(one)
        return [_shown_row(name, self.used[name]) for name in chosen] + [
            _shown_row("", row) for row in rest.used.values()
        ]

    def _row(self, name: "str") -> "list[Any]":
        row = self.used.get(name)
        if row is None:
            name = name if len(self.used) < MOST_NAMES else ""
            row = self.used.setdefault(name, [0, 0, 0, None, None, 0.0, None, 0, 0])
        return row


def _cpu_ns(row: "list[Any]") -> "int":
    return int(max(row[RUN_NS], row[TICKED_NS]) + row[MORE_NS])


def _shown_row(name: "str", row: "list[Any]") -> "list[Any]":
    moved = None if row[READ] is None else round((row[READ] + row[WRITTEN]) / MB, 1)
    delay_s = None if row[DELAY_NS] is None else round(row[DELAY_NS] / 1e9, 3)
    return [name, row[COUNT], round(_cpu_ns(row) / 1e9, 3), moved, round(row[LONGEST_S], 3), delay_s]


def _sum(one: "int | None", other: "int | None") -> "int | None":
    return one if other is None else other if one is None else one + other


def command_name(raw: "bytes", known: "dict[bytes, str]" = {}) -> "str":  # noqa: B006  (the same come again and again)
    """The name of a command as text that can be printed; never ''."""
    found = known.get(raw)
    if found is None:
        found = clean_name(raw.decode("utf-8", "replace")) or "?"
        if len(known) < 5000:
            known[raw] = found
    return found


class Stretch:
    """One child of a process on its time line, or neighbours that are short."""

    __slots__ = ("codes", "end_s", "inner", "names", "pid", "resident_kb", "run_ns", "start_s", "ticked_ns")

    def __init__(self, task: "Task", below: "Commands | None", inner: "Line | None") -> "None":
        self.start_s, self.end_s, self.pid = task.ended_s - task.length_s, task.ended_s, task.pid
        self.run_ns, self.ticked_ns, self.resident_kb = task.run_ns, task.ticked_ns, task.resident_kb
        for row in below.used.values() if below is not None else ():
            self.run_ns, self.ticked_ns = self.run_ns + row[RUN_NS], self.ticked_ns + row[TICKED_NS]
            self.resident_kb += row[RESIDENT_KB]
        self.names, self.codes = {command_name(task.name): 1}, {task.code}
        self.inner = inner if task.length_s >= SHORT_S else None

    def is_before(self, other: "Stretch") -> "bool":
        """Whether it began before the other: by their numbers where the times, which are heard, are too close."""
        if abs(self.start_s - other.start_s) < 2 * BATCH_S and abs(self.pid - other.pid) < 1000:
            return self.pid < other.pid
        return self.start_s < other.start_s

    def is_short(self) -> "bool":
        """Whether it may take in a short neighbour."""
        return self.count() > 1 or self.end_s - self.start_s < SHORT_S

    def count(self) -> "int":
        """How many commands it is."""
        return sum(self.names.values())

    def take(self, other: "Stretch") -> "None":
        """A short neighbour."""
        for name, count in other.names.items():
            known = name if name in self.names or len(self.names) < 20 else ""
            self.names[known] = self.names.get(known, 0) + count
        self.start_s, self.end_s = min(self.start_s, other.start_s), max(self.end_s, other.end_s)
        self.run_ns, self.ticked_ns = self.run_ns + other.run_ns, self.ticked_ns + other.ticked_ns
        self.resident_kb += other.resident_kb
        self.codes |= other.codes

    def cpu_s(self, corrected: "tuple[float, float]") -> "float":
        """Its CPU time and its descendants', `corrected` as `Commands.correct` says."""
        beyond_ns = max(self.ticked_ns - self.run_ns, 0) * corrected[1]
        return round((self.run_ns + beyond_ns + corrected[0] * self.resident_kb) / 1e9, 3)

    def row(self, zero_s: "float", corrected: "tuple[float, float]") -> "list[Any]":
        """`[name, count, start_s, length_s, cpu_s, exit status]`; of several names the most frequent, and `…`."""
        name = max(self.names, key=lambda name: (self.names[name], name))
        name = name if len(self.names) == 1 else name + " …"
        failed = sorted([code for code in self.codes if code])
        code = failed[-1] if failed else None if None in self.codes else 0
        status = None if code is None else exit_of(code, None)[0]
        return [
            name, self.count(), round(max(self.start_s - zero_s, 0.0), 2), round(self.end_s - self.start_s, 3),
            self.cpu_s(corrected), status,
        ]  # fmt: skip


class Line:
    """The children of a process in the order in which they ended, the longest of them."""

    def __init__(self) -> "None":
        self.stretches = []  # type: list[Stretch]
        self.left_out, self.left_s = 0, 0.0

    def add(self, one: "Stretch") -> "None":
        """One more that ended."""
        if not self.stretches or not one.is_short() or not self.stretches[-1].is_short():
            self.stretches.append(one)
        else:
            self.stretches[-1].take(one)
        if len(self.stretches) > MOST_STRETCHES:
            self.cut(MOST_STRETCHES // 2)

    def cut(self, count: "int") -> "None":
        """Keeps so many, the longest."""
        longest = sorted(self.stretches, key=lambda one: one.start_s - one.end_s)
        for one in longest[count:]:
            self.left_out += one.count()
            self.left_s += one.cpu_s(AS_TOLD)
        kept = set(longest[:count])
        self.stretches = [one for one in self.stretches if one in kept]

    def inside(self, least_s: "float") -> "Line":
        """This, or the line of the one child that ran all others and took at least so long."""
        line = self
        while line.stretches:
            longest = max(line.stretches, key=lambda one: one.end_s - one.start_s)
            if longest.inner is None or longest.end_s - longest.start_s < least_s:
                break
            line = longest.inner
        return line

    def rows(self, zero_s: "float", corrected: "tuple[float, float]") -> "list[list[Any]]":
        """In order of their starts, the longest that there is room for; last what is left out, without a start."""
        self._order()
        self.cut(MOST_ROWS)
        while True:
            rows = [one.row(zero_s, corrected) for one in self.stretches]
            rest = [["", self.left_out, None, None, round(self.left_s, 3), None]] if self.left_out else []
            if len(dumps(rows)) <= ROOM_BYTES:
                return rows + rest
            self.cut(len(self.stretches) * 3 // 4)

    def _order(self) -> "None":
        """Puts them in the order of their starts: news of several CPUs come in none, and some microseconds late."""
        ordered, self.stretches = sorted(self.stretches, key=lambda one: one.start_s), []
        for last in range(1, len(ordered)):
            at = last
            while at and ordered[at].is_before(ordered[at - 1]):
                ordered[at - 1 : at + 1] = ordered[at], ordered[at - 1]
                at -= 1
        for one, other in list(zip(ordered, ordered[1:]))[::-1]:
            late_s = max(one.start_s - other.start_s, 0.0)
            one.start_s, one.end_s = one.start_s - late_s, one.end_s - late_s
        for one in ordered:
            if not self.stretches or not one.is_short() or not self.stretches[-1].is_short():
                self.stretches.append(one)
            else:
                self.stretches[-1].take(one)


def is_wrapper(name: "str") -> "bool":
    """Whether a program does nothing but run others: a shell, a script, sudo."""
    return name in WRAPPERS or name.endswith(".sh") or name.startswith("script_")


def _is_later(task: "Task", seen_s: "float") -> "bool":
    """Whether a process began after something was seen under its number."""
    return task.ended_s - task.length_s > seen_s + LATE_S


class Account:
    """What ended in a step, below its process `pid` and elsewhere in the machine.

    A process that ended is filed under its parent; when that ends, all that was filed there goes to its own parent.
    """

    def __init__(self, pid: "int", not_ours: "Collection[int]" = ()) -> "None":
        self.pid, self.began_s = pid, time.monotonic()
        self.shell = None  # type: Task | None
        self.adopted = {}  # type: dict[int, Relative]
        self._left_out = set(not_ours)
        self._below = {}  # type: dict[int, Commands]
        self._lines = {}  # type: dict[int, Line]

    def add(self, tasks: "Iterable[Task]") -> "None":
        """More that ended, children before their parents."""
        for task in tasks:
            if task.pid in self._left_out:
                self._left_out.discard(task.pid)  # another may get its number
                continue
            is_orphan = self._is_orphan(task)
            parent = self.pid if is_orphan else task.parent
            below, line = self._filed(task)
            if task.pid == self.pid:
                self.shell = task
                if line is not None:
                    self._lines[0] = line
                parent = 0  # its own and its descendants': under a number that no process has
            home = self._below.get(parent)
            if home is None:
                home = self._below[parent] = Commands(task.ended_s)
            home.add(task)
            if below is not None:
                home.merge(below)
            if parent and not is_orphan:
                self._place(task, parent, below, line)

    def _is_orphan(self, task: "Task") -> "bool":
        """Whether it was seen in the step's tree, and its parent has ended."""
        seen = self.adopted.get(task.pid)
        return seen is not None and task.parent not in self.adopted and not _is_later(task, seen.seen_s)

    def _filed(self, task: "Task") -> "tuple[Commands | None, Line | None]":
        """What was filed under a process that ended; not what was filed under the one that had its number before."""
        below, line = self._below.pop(task.pid, None), self._lines.pop(task.pid, None)
        if below is None or not _is_later(task, below.since_s):
            return below, line
        self._below.setdefault(-1, Commands()).merge(below)
        return None, None

    def _place(self, task: "Task", parent: "int", below: "Commands | None", inner: "Line | None") -> "None":
        line = self._lines.get(parent)
        if line is None:
            line = self._lines[parent] = Line()
        is_most = inner is not None and task.length_s * 2 >= task.ended_s - self.began_s
        line.add(Stretch(task, below, inner if is_most and is_wrapper(command_name(task.name)) else None))

    def divided(self) -> "tuple[Commands, Commands]":
        """What ended in the step's tree, and what ended elsewhere."""
        own, others = Commands(), Commands()
        for parent, commands in self._below.items():
            (own if parent in (0, self.pid) or parent in self.adopted else others).merge(commands)
        return own, others

    def line(self, corrected: "tuple[float, float]") -> "list[list[Any]]":
        """The time line inside the step: the children of its process, or of the one that ran everything."""
        line = self._lines.get(0) or self._lines.get(self.pid) or Line()
        return line.inside((time.monotonic() - self.began_s) / 2).rows(self.began_s, corrected)


