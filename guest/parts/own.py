# --- A step's own load -------------------------------------------------------------------------------

FREE_S = 0.05  # CPU time of a step's looks; of more than that a hundredth of the step's time


class OwnLoad:
    """What a step's own processes used, apart from the rest of the machine; exact if the kernel tells of each end."""

    def __init__(self, process: "Process") -> "None":
        self._process, self._tree, self._waits = process, Tree(process.pid), Waits()
        self._ended = []  # type: list[int]  # since the last look
        self._used, self._used_s = {}, time.monotonic()  # type: dict[str, float], float  # CPU seconds, at the last beat
        self._lacking_ns = 0  # what all messages until the last look lack of the CPU time of the tree
        self._spent_s = 0.0  # CPU time, not the clock's: on a busy machine a look takes long and costs no more

    def look(self, elapsed_s: "float") -> "float":
        """Looks at the tree of the step; gives the seconds until the next look."""
        process, tree, begun_s = self._process, self._tree, time.process_time()
        ended = tree.look()
        process.account.adopted = tree.known
        if process.tasks is None:
            process.account.add(ended)
        elif tree.pid in tree.known:
            told_ns = tree.living_ns([task.pid for task in process.take()])
            told_ns += process.account.divided()[0].cpu_ns()
            self._lacking_ns = int((tree.cpu_s() or 0) * 1e9) - told_ns
        self._waits.look(tree)
        usual_s = max(0.1, elapsed_s / 20) if process.tasks is None or elapsed_s < 1 else 1.0
        self._spent_s += time.process_time() - begun_s
        return max(min(usual_s, 1.0), (self._spent_s - FREE_S) * 100 - elapsed_s)

    def now(self) -> "dict[str, list[Any]]":
        """What a beat tells: the busiest command since the last one, and what the step waits for now."""
        self.look(0.0)
        since_s, self._used_s = self._used_s, time.monotonic()
        used = {name: _cpu_ns(row) / 1e9 for name, row in self._process.account.divided()[0].used.items()}
        for one in self._tree.known.values():
            name = command_name(one.name)
            used[name] = used.get(name, 0.0) + one.own_ticks / self._tree.hz
        grown = {name: cpu_s - self._used.get(name, 0.0) for name, cpu_s in used.items()}
        self._used = used
        most = max(grown, key=lambda name: grown[name], default="")
        busy = [most, round(grown[most], 2), round(self._used_s - since_s, 2)] if most and grown[most] >= 0.05 else []
        wait = self._waits.now()
        return {name: row for name, row in (("busy", busy), ("wait", wait)) if row}

    def fields(self, with_look: "bool") -> "dict[str, Any]":
        """Those of the end record; none of what nothing is known of."""
        account, tree, tasks = self._process.account, self._tree, self._process.tasks
        if with_look:
            self.look(0.0)
        if tasks is not None:
            last = tasks.take() + (tasks.settle() if with_look else [])
            account.add(last)
            self._ended = [task.pid for task in last]
        elif tree.cpu_s() is not None:
            account.add(tree.last())
        else:
            return {}
        own, others = account.divided()
        if tasks is None:
            own.add_unseen(int((tree.cpu_s() or 0) * 1e9))
        corrected = own.correct(self._lacking_ns)
        numbers = self._numbers(own)
        commands = {"from": "taskstats" if tasks else "sampled", "own": own.busiest(MOST_OWN)}  # type: dict[str, Any]
        if tasks is not None:
            commands.update(others=others.busiest(MOST_OTHERS), lost=self._process.lost())
        more = {"inside": account.line(corrected), "waits": self._waits.rows(account.began_s)}
        return {"own": numbers, "cmds": commands, **{name: rows for name, rows in more.items() if rows}}

    def _numbers(self, own: "Commands") -> "dict[str, int]":
        tree = self._tree
        cpu_s = tree.cpu_s()
        if self._process.tasks is not None:
            cpu_s = (own.cpu_ns() + tree.living_ns(self._ended)) / 1e9
        moved, seen = [own.total(READ), own.total(WRITTEN)], tree.moved() or (None, None)
        pairs = [[number for number in pair if number is not None] for pair in zip(moved, seen)]
        found = {
            "cpu_ms": None if cpu_s is None else int(cpu_s * 1000),
            "read_kb": max(pairs[0]) // 1024 if pairs[0] else None,
            "write_kb": max(pairs[1]) // 1024 if pairs[1] else None,
            "peak_kb": tree.peak_kb,
        }
        return {name: number for name, number in found.items() if number is not None}


def own_figures(own: "dict[str, int]", seconds: "float", cpus: "int | None") -> "dict[str, float | int]":
    """The figures of a step's own load (docs/format.md, 2.1) by the field `own` of its end record.

    `cpus` are the machine's, so that `own_cpu_percent` stands beside `cpu_percent`.
    """
    cpu_ms = own.get("cpu_ms")
    found = {
        "own_cpu_s": None if cpu_ms is None else cpu_ms / 1000,
        "own_cpu_percent": _ratio(cpu_ms, seconds * (cpus or 0), 0.1),
        "own_memory_peak_mb": _ratio(own.get("peak_kb"), 1024),
        "own_disk_read_mb": _ratio(own.get("read_kb"), 1024),
        "own_disk_write_mb": _ratio(own.get("write_kb"), 1024),
    }
    digits = {"own_cpu_s": 3, "own_disk_read_mb": 2, "own_disk_write_mb": 2}
    return {name: round(number, digits.get(name, 1)) for name, number in found.items() if number is not None}


def own_words(figures: "dict[str, Any]", is_sampled: "bool") -> "str":
    """A step's own load for people; '' where it is not known."""
    shown = (
        ("own_cpu_s", "CPU %.1fs"), ("own_memory_peak_mb", "memory %.0fMB"), ("own_disk_read_mb", "read %.0fMB"),
        ("own_disk_write_mb", "write %.0fMB"),
    )  # fmt: skip
    words = ", ".join([text % figures[name] for name, text in shown if name in figures])
    return words + " (sampled)" if words and is_sampled else words


