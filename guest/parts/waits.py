# --- What a quiet step waits for ----------------------------------------------------------------------

# Beginnings of the names of the kernel's functions in which a process sleeps (/proc/PID/wchan, Linux 4.18 to 6.18), and
# what it waits for; `runs`: for no other process. `socket` and `poll` are told apart by its sockets. What is not here
# is `other`, told by its name.
WCHANS = (
    ("hrtimer_nanosleep", "sleep"), ("do_nanosleep", "sleep"), ("common_nsleep", "sleep"),
    ("locks_lock_inode_wait", "lock"), ("flock_lock_inode_wait", "lock"), ("posix_lock_inode_wait", "lock"),
    ("do_lock_file_wait", "lock"), ("fcntl_setlk", "lock"), ("n_tty_read", "user"), ("unix_", "daemon"),
    ("wait_woken", "socket"), ("sk_wait_data", "socket"), ("inet_stream_connect", "socket"),
    ("__inet_stream_connect", "socket"), ("inet_wait_for_connect", "socket"), ("__skb_wait_for", "socket"),
    ("poll_schedule_timeout", "poll"), ("do_poll", "poll"), ("do_sys_poll", "poll"), ("do_select", "poll"),
    ("ep_poll", "poll"), ("do_epoll_wait", "poll"), ("do_wait", "runs"), ("kernel_clone", "runs"), ("_do_fork", "runs"),
)  # fmt: skip
# Of several processes that wait the first of these is told.
WAIT_KINDS = ("lock", "silent", "remote", "user", "daemon", "sleep", "other")
RUNS = "runs"  # it waits for no other process: its input is there, or it has just begun a child
MOST_WAITS = 50
MOST_THREADS = 64
SOCKETS_EVERY_S = 5.0  # /proc/net/tcp walks a table of all buckets: some milliseconds
SYN_SENT, ESTABLISHED, CLOSE_WAIT = b"02", b"01", b"08"
LOOPBACK = (b"0100007F", b"00000000000000000000000001000000", b"0000000000000000FFFF00000100007F")


class Waits:
    """What the processes of a step without children waited for, look by look; none where one of them runs."""

    def __init__(self) -> "None":
        self._rows, self._last_s = [], time.monotonic()  # type: list[list[Any]], float
        self._sockets = {}  # type: dict[int, tuple[float, str]]

    def look(self, tree: "Tree") -> "None":
        """Notes what they wait for now, as of the time since the last look."""
        since_s, now_s = self._last_s, time.monotonic()
        self._last_s = now_s
        told = self._of(tree, now_s)
        if told is None:
            return
        last = self._rows[-1] if self._rows else None
        if last is not None and last[2:] == list(told) and since_s - last[1] < 0.05:
            last[1] = now_s
        else:
            self._rows.append([since_s, now_s, *told])
        if len(self._rows) > MOST_WAITS:
            self._rows.remove(min(self._rows, key=lambda row: row[1] - row[0]))

    def now(self) -> "list[Any]":
        """`[length_s, kind, command, holder]` of what they waited for at the last look; [] where one of them ran."""
        row = self._rows[-1] if self._rows else None
        return [round(row[1] - row[0], 2), *row[2:]] if row is not None and row[1] == self._last_s else []

    def rows(self, zero_s: "float") -> "list[list[Any]]":
        """`[[start_s, length_s, kind, command, holder], …]`, starts counted from `zero_s`.

        `holder` is who holds a lock; of `other` it is the kernel's function.
        """
        return [[round(max(row[0] - zero_s, 0.0), 2), round(row[1] - row[0], 2), *row[2:]] for row in self._rows]

    def _of(self, tree: "Tree", now_s: "float") -> "tuple[str, str, str] | None":
        parents = {one.parent for one in tree.known.values()}
        leaves = [(pid, one) for pid, one in tree.known.items() if pid not in parents and one.state not in b"ZX"]
        if any(one.state in b"RD" or (one.threads > 1 and thread_runs(pid)) for pid, one in leaves):
            return None
        known = []
        for pid, one in leaves:
            wchan = clean_name(read_file("/proc/%d/wchan" % pid, 128).decode("ascii", "replace"))
            kind = self._kind(wchan, pid, now_s) if wchan and wchan != "0" else ""  # 0: hidden, or it runs
            if kind == RUNS:
                return None
            if kind:
                known.append((WAIT_KINDS.index(kind), -pid, one, wchan))
        if not known:
            return None
        place, negative, one, wchan = min(known, key=lambda row: row[:2])
        kind = WAIT_KINDS[place]
        holder = lock_holder(-negative) if kind == "lock" else wchan if kind == "other" else ""
        return kind, command_name(one.name), holder

    def _kind(self, wchan: "str", pid: "int", now_s: "float") -> "str":
        kind = next((kind for start, kind in WCHANS if wchan.startswith(start)), "other")
        if kind not in ("socket", "poll"):
            return kind
        looked_s, told = self._sockets.get(pid, (0.0, ""))
        if now_s - looked_s >= SOCKETS_EVERY_S:
            told = kind_by_sockets(pid)
            self._sockets = {pid: (now_s, told)}
        return told


def thread_runs(pid: "int") -> "bool":
    """Whether a thread of a process runs, or waits for a disk: the process's own state is that of its main thread."""
    folder = "/proc/%d/task" % pid
    for thread in _listed(folder)[:MOST_THREADS]:
        try:
            if stat_fields("%s/%s" % (folder, thread))[0] in (b"R", b"D"):
                return True
        except (OSError, IndexError):
            pass
    return False


def kind_by_sockets(pid: "int") -> "str":
    """What a process waits for that sleeps in a socket or a poll, by its open files: of WAIT_KINDS, or RUNS."""
    folder, links = "/proc/%d/" % pid, {}
    for fd in _listed(folder + "fd"):
        try:
            links[fd] = posix.readlink(folder + "fd/" + fd)
        except OSError:
            pass
    inodes = {link[8:-1].encode() for link in links.values() if link.startswith("socket:[")}
    if not inodes:
        return "user" if links.get("0", "").startswith(("/dev/pts/", "/dev/tty", "/dev/console")) else "other"
    rows = _rows_of_sockets(folder + "net/tcp", inodes) + _rows_of_sockets(folder + "net/tcp6", inodes)
    if any(row[3] == SYN_SENT for row in rows):
        return "silent"
    talking = [row for row in rows if row[3] == ESTABLISHED]
    if any(row[3] in (ESTABLISHED, CLOSE_WAIT) and row[4].partition(b":")[2].strip(b"0") for row in rows):
        return RUNS
    if talking:
        return "daemon" if all(row[2].partition(b":")[0] in LOOPBACK for row in talking) else "remote"
    if _rows_of_sockets(folder + "net/udp", inodes) or _rows_of_sockets(folder + "net/udp6", inodes):
        return "silent"
    return "daemon" if _rows_of_sockets(folder + "net/unix", inodes, 6) else "other"


def _rows_of_sockets(path: "str", inodes: "Collection[bytes]", at: "int" = 9) -> "list[list[bytes]]":
    rows = [line.split() for line in read_file(path).splitlines()[1:]]
    return [row for row in rows if len(row) > at and row[at] in inodes]


def lock_holder(pid: "int") -> "str":
    """The command that holds the file lock that a process waits for, by /proc/locks; '' where that does not tell."""
    holders = {}  # type: dict[bytes, bytes]
    for line in read_file("/proc/locks").splitlines():
        words = line.split()
        is_waiting = words[1:2] == [b"->"]
        if is_waiting and words[5:6] == [str(pid).encode()]:
            name = read_file("/proc/%s/comm" % holders.get(words[0], b"0").decode(), 64).strip()
            return command_name(name) if name else ""
        if not is_waiting and len(words) > 4:
            holders[words[0]] = words[4]
    return ""


