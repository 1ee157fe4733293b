# --- The processes of a step, by looking at them now and then ----------------------------------------


class Relative:
    """A process of a step's tree as it was last seen; `waited_ticks` are those of the children that it waited for."""

    __slots__ = (
        "anonymous", "birth", "moved", "name", "own_ticks", "parent", "seen_s", "state", "threads", "waited_ticks",
    )  # fmt: skip

    def __init__(self, text: "bytes", folder: "str", seen_s: "float") -> "None":
        opened, closed = text.find(b"("), text.rfind(b")")
        fields = text[closed + 2 :].split(None, 20)
        self.name, self.parent, self.birth, self.seen_s = text[opened + 1 : closed], int(fields[1]), fields[19], seen_s
        self.state, self.threads = fields[0], int(fields[17])
        self.own_ticks, self.waited_ticks = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
        io = read_file(folder + "/io", 1024)
        numbers = [_number_after(io, key) for key in (b"read_bytes: ", b"write_bytes: ", b"cancelled_write_bytes: ")]
        known = [number for number in numbers if number is not None]
        self.moved = (known[0], max(known[1] - known[2], 0)) if len(known) == 3 else None
        pages = read_file(folder + "/statm", 256).split()
        self.anonymous = int(pages[1]) - int(pages[2]) if len(pages) > 2 else 0


class Tree:
    """The tree of a process: CPU, I/O and memory, with what was used by children that were waited for.

    Times by the clock of `starttime` in /proc/PID/stat, which counts from the boot.
    """

    def __init__(self, pid: "int", proc: "str" = "/proc") -> "None":
        self.pid, self._proc = pid, proc
        self.hz, self._page_kb = posix.sysconf("SC_CLK_TCK"), posix.sysconf("SC_PAGE_SIZE") // 1024
        self.known = {}  # type: dict[int, Relative]
        self.peak_kb = None  # type: int | None
        self._gone_ticks, self._most_ticks, self._last_s = 0, 0, 0.0
        self._gone_moved, self._most_moved = [0, 0], None  # type: list[int], list[int] | None

    def look(self) -> "list[Task]":
        """Sees what is there now; gives what was there before and is not any more, children before their parents."""
        now_s, found = time.monotonic(), {}  # type: float, dict[int, Relative]
        waiting = [(self.pid, False), *[(pid, False) for pid in self.known]]
        for pid, is_child in waiting:
            one = self._seen(pid, now_s) if pid not in found and pid != posix.getpid() else None
            before = self.known.get(pid)
            if one is None or (before is not None and not is_child and before.birth != one.birth):
                continue
            found[pid] = one
            waiting += [(child, True) for child in self._children(pid)]
        ended = [self._task(pid, one, now_s) for pid, one in self.known.items() if not _is_same(found.get(pid), one)]
        self._count(found)
        self.known, self._last_s = found, now_s
        return ended[::-1]

    def last(self) -> "list[Task]":
        """What is there still, as if it ended now; children before their parents."""
        return [self._task(pid, one, self._last_s) for pid, one in self.known.items()][::-1]

    def living_ns(self, ended: "Collection[int]" = ()) -> "int":
        """CPU time of those that ran at the last look and have not `ended` since, without their children's."""
        ticks = [one.own_ticks for pid, one in self.known.items() if one.state not in b"ZX" and pid not in ended]
        return sum(ticks) * 1000000000 // self.hz

    def cpu_s(self) -> "float | None":
        """CPU time of all, of those that were waited for, too; None where nothing was seen."""
        return self._most_ticks / self.hz if self.peak_kb is not None else None

    def moved(self) -> "list[int] | None":
        """Bytes read and written by all; None where we may not see them."""
        return self._most_moved

    def _seen(self, pid: "int", now_s: "float") -> "Relative | None":
        folder = "%s/%d" % (self._proc, pid)
        try:
            return Relative(read_file(folder + "/stat", 4096), folder, now_s)
        except (IndexError, ValueError):
            return None

    def _children(self, pid: "int") -> "list[int]":
        folder = "%s/%d/task" % (self._proc, pid)
        text = b"".join([read_file("%s/%s/children" % (folder, task)) for task in _listed(folder)])
        return [int(word) for word in text.split()]

    def _count(self, found: "dict[int, Relative]") -> "None":
        for pid, one in self.known.items():
            if not _is_same(found.get(pid), one) and not self._is_inherited(one, found):
                self._gone_ticks += one.own_ticks + one.waited_ticks
                self._gone_moved = [old + new for old, new in zip(self._gone_moved, one.moved or (0, 0))]
        alive = list(found.values())
        ticks = sum([one.own_ticks + one.waited_ticks for one in alive]) + self._gone_ticks
        self._most_ticks = max(self._most_ticks, ticks)
        moved = [one.moved for one in alive if one.moved is not None]
        if moved:
            sums = [sum(parts) + gone for parts, gone in zip(zip(*moved), self._gone_moved)]
            self._most_moved = [max(pair) for pair in zip(sums, self._most_moved or sums)]
        if alive:
            self.peak_kb = max(self.peak_kb or 0, sum([one.anonymous for one in alive]) * self._page_kb)

    def _is_inherited(self, one: "Relative", found: "dict[int, Relative]") -> "bool":
        """Whether one that is not there any more was waited for by one that is."""
        for _generation in range(64):
            if one.parent in found:
                return True
            if one.parent not in self.known:
                return False
            one = self.known[one.parent]
        return False

    def _task(self, pid: "int", one: "Relative", now_s: "float") -> "Task":
        """A process as a task that ended between two looks."""
        ended_s = (one.seen_s + now_s) / 2
        length_s = ended_s - (time.monotonic() - boottime_ns() / 1e9) - int(one.birth) / self.hz
        task = Task(pid, one.parent, one.name, max(length_s, 0.0), ended_s)
        task.run_ns = one.own_ticks * 1000000000 // self.hz
        return task


def _is_same(one: "Relative | None", other: "Relative") -> "bool":
    return one is not None and one.birth == other.birth


