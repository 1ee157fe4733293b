# --- Accounts of the whole life, by interval ----------------------------------------------------------

MOST_OF_INTERVAL = 8


class LifeAccount:
    """What ended in the machine in each interval of the whole-life sampler, but for what the records of a step have."""

    def __init__(self, kept: "LifeFile") -> "None":
        self.kept, self.tasks = kept, Tasks.opened()
        self._commands, self._since_ms, self._lost = Commands(), boottime_ns() // 1000000, 0
        self._served, self._covering = [], []  # type: list[str], list[str]

    def take(self) -> "None":
        """Takes what has ended until now."""
        for task in self.tasks.take() if self.tasks is not None else ():
            self._commands.add(task)

    def begin(self, step: "Step") -> "None":
        """From now on the step takes what ends; what ended before it began is kept."""
        began_s = step.process.account.began_s
        for task in self.tasks.take() if self.tasks is not None else ():
            if task.ended_s - task.length_s >= began_s or task.parent == step.process.pid:
                step.process.account.add([task])
            else:
                self._commands.add(task)
        self.close()

    def served(self, mark: "str") -> "None":
        """A fork takes accounts of a step as long as its mark is there."""
        self._served.append(mark)

    def close(self) -> "None":
        """Ends an interval."""
        if self.tasks is None:
            return
        now_ms, commands = boottime_ns() // 1000000, self._commands
        is_covered = any(_exists(mark) for mark in self._covering)
        self._served = self._covering = [mark for mark in self._served if _exists(mark)]
        if commands.used and not is_covered:
            self.kept.note(interval_to_text(self._since_ms, now_ms, self.tasks.lost - self._lost, commands))
        self._commands, self._since_ms, self._lost = Commands(), now_ms, self.tasks.lost


def interval_to_text(from_ms: "int", to_ms: "int", lost: "int", commands: "Commands") -> "str":
    """A line of a sample file: `c`, both ends, messages lost, and six words for each command."""
    words = ["c", str(from_ms), str(to_ms), str(lost)]
    for row in commands.busiest(MOST_OF_INTERVAL):
        words += [row[0], *["-" if number is None else "%g" % number for number in row[1:]]]
    return "\t".join(words)


def interval_from_text(line: "str") -> "list[Any]":
    """`[from_ms, to_ms, lost, [name, count, cpu_s, io_mb, longest_s, delay_s], …]` of such a line."""
    words = line.split("\t")
    rows = [[words[at], *map(_numeral, words[at + 1 : at + 6])] for at in range(4, len(words) - 5, 6)]
    return [int(words[1]), int(words[2]), int(words[3]), *rows]


def _numeral(word: "str") -> "float | None":
    return None if word == "-" else int(word) if word.isdigit() else float(word)


def joined_intervals(intervals: "list[list[Any]]") -> "list[Any]":
    """Several as one, which has their busiest commands."""
    sums = {}  # type: dict[str, list[Any]]
    for one in intervals:
        for row in one[3:]:
            before = sums.setdefault(row[0], [row[0], 0, 0, None, 0, None])
            adding = [_sum(before[at], row[at]) for at in (1, 2, 3)]
            before[1:] = [*adding, max(before[4], row[4]), _sum(before[5], row[5])]
    rows = sorted(sums.values(), key=lambda row: (not row[0], -row[2]))
    rows = [[row[0], row[1], *[None if n is None else round(n, 3) for n in row[2:]]] for row in rows]
    return [intervals[0][0], intervals[-1][1], sum(one[2] for one in intervals), *rows[:MOST_OF_INTERVAL]]


def thinned(intervals: "list[list[Any]]", room_bytes: "int") -> "list[list[Any]]":
    """As many neighbours joined as it takes for the JSON of all to fit."""
    while len(dumps(intervals)) > room_bytes and len(intervals) > 1:
        intervals = [joined_intervals(intervals[at : at + 2]) for at in range(0, len(intervals), 2)]
    return intervals


def in_records(intervals: "list[list[Any]]") -> "Iterator[list[list[Any]]]":
    """As many at a time as one record has room for."""
    some, size = [], 0  # type: list[list[Any]], int
    for one in intervals:
        cost = len(dumps(one)) + 1
        if some and size + cost > ROOM_BYTES:
            yield some
            some, size = [], 0
        some.append(one)
        size += cost
    if some:
        yield some


