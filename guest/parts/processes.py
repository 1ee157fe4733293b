# --- The busiest processes --------------------------------------------------------------------------


class Processes:
    """CPU and I/O of every process over a step, by scans; costs about ten times a sample, so it is rare."""

    def __init__(self, proc: "str", hz: "int", started_ticks: "int") -> "None":
        self._proc, self._hz, self._started_ticks = proc, hz, started_ticks
        self._first = {}  # type: dict[tuple[str, bytes], tuple[int, int | None]]
        self._last = {}  # type: dict[tuple[str, bytes], tuple[str, int, int | None]]

    def scan(self) -> "None":
        """Takes the CPU ticks and bytes of every process now."""
        for pid in posix.listdir(self._proc):
            if not pid.isdigit():
                continue
            stat = read_file(self._proc + "/" + pid + "/stat", 4096)
            opened, closed = stat.find(b"("), stat.rfind(b")")
            fields = stat[closed + 2 :].split(None, 20)
            if closed < 0 or len(fields) < 20:
                continue
            io = read_file(self._proc + "/" + pid + "/io", 4096)
            done = (_number_after(io, b"read_bytes: "), _number_after(io, b"write_bytes: "))
            moved = None if done[0] is None or done[1] is None else done[0] + done[1]
            key = (pid, fields[19])
            ticks = int(fields[11]) + int(fields[12])
            if key not in self._first:
                self._first[key] = (0, 0) if int(fields[19]) >= self._started_ticks else (ticks, moved)
            self._last[key] = (stat[opened + 1 : closed].decode("utf-8", "replace"), ticks, moved)

    def busiest(self, count: "int" = 8) -> "list[list[Any]]":
        """`[[comm, cpu_s, io_mb or None], …]`: processes of one name together, busiest first."""
        sums = {}  # type: dict[str, list[Any]]
        for key, (name, ticks, moved) in self._last.items():
            ticks_before, moved_before = self._first[key]
            row = sums.setdefault(clean_name(name), [0, None])
            row[0] += ticks - ticks_before
            if moved is not None and moved_before is not None:
                row[1] = (row[1] or 0) + moved - moved_before
        rows = [
            [name, ticks / self._hz, None if io is None else round(io / MB, 1)] for name, (ticks, io) in sums.items()
        ]
        busy = [row for row in rows if row[1] >= 0.05 or (row[2] or 0) >= 1]
        busy.sort(key=lambda row: (-row[1], -(row[2] or 0), row[0]))
        io_first = sorted(busy[count:], key=lambda row: -(row[2] or 0))[:2]
        return busy[: count - len(io_first)] + io_first if io_first and io_first[0][2] else busy[:count]


