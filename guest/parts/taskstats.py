# --- Tasks that end, as the kernel tells root of them ------------------------------------------------

# struct taskstats, behind a message's heads of 36 bytes, or 40 where the kernel aligns it: exit code, flags, run-queue
# delay and run time (ns), name, pid, parent, elapsed, user and system time (us), most resident memory (kB), bytes read,
# written, and written but cancelled; from version 12 on thread group and its elapsed time (us).
# Source: include/uapi/linux/taskstats.h and genetlink.h of Linux.
TASK_FORMAT = "=4xH2xI%dx4xIB15xQ40xQ32s16xII8xQQQ32xQ40xQQQ"
GROUP_FORMAT = "96xI4xQ"  # since version 12 (Linux 5.18)
AGROUP = 0x20  # the last of its thread group, since version 12
MOST_CPUS = 256
MOST_GROUPS = 10000  # processes of which some threads have ended
MOST_OF_TAKE = 100000
LATE_S = 0.1
BUFFERS_BYTES = 1 << 24  # of all sockets together; the kernel allows twice that
SEQUENCE = 1 << 32
OLD_MESSAGES = 1 << 20  # a number further behind or ahead than this is another CPU's


class Task:
    """A process that ended. `ended_s` is when that was heard, by the monotonic clock; `code` is a status of wait(2).

    The kernel counts its CPU time twice: `run_ns` lacks what was since the last tick or wait, `ticked_ns` is by ticks,
    so right on average. Both lack the end itself, when its memory is freed.
    """

    __slots__ = (
        "code", "delay_ns", "ended_s", "is_whole", "length_s", "main_s", "name", "parent", "pid", "read", "resident_kb",
        "run_ns", "ticked_ns", "written",
    )  # fmt: skip

    def __init__(self, pid: "int", parent: "int", name: "bytes", length_s: "float", ended_s: "float") -> "None":
        self.pid, self.parent, self.name, self.length_s, self.ended_s = pid, parent, name, length_s, ended_s
        self.run_ns = self.ticked_ns = self.resident_kb = 0
        self.main_s = None  # type: float | None  # how long its main thread ran, if that has ended
        self.is_whole = False  # no thread of it can run on
        self.delay_ns = None  # type: int | None
        self.code, self.read, self.written = None, None, None  # type: int | None, int | None, int | None


class CpuSocket:
    """The messages of one CPU's tasks, which are numbered: a gap tells how many were lost."""

    def __init__(self, socket: "Any", cpu: "int") -> "None":
        self.socket, self.cpu = socket, cpu
        self.expected = -1  # the number of the next message, -1 before the first
        self.is_continued = False  # messages before `expected` were another socket's
        self.overran = False

    def is_new(self, number: "int") -> "tuple[bool, int]":
        """Whether a message is none that the socket before this one had, and how many before it were lost."""
        ahead = (number - self.expected) % SEQUENCE if self.expected >= 0 else 0
        if ahead >= SEQUENCE - OLD_MESSAGES:  # behind
            return not self.is_continued, 0
        if ahead >= OLD_MESSAGES:
            return True, 0
        self.is_continued = False
        self.expected = (number + 1) % SEQUENCE
        return True, ahead if self.overran else 0


class Threads:
    """Joins the threads of a process to one task; before version 12 the kernel does not tell whose a thread was."""

    def __init__(self) -> "None":
        self._parts, self._over = {}, []  # type: dict[int, Task], list[Task]

    def add(self, fields: "tuple[Any, ...]", now_s: "float", is_one_of_several: "bool") -> "Task | None":
        """The process of which a message tells the end; None if it has threads, whose messages may come later."""
        _, _, code, flags, delay_ns, run_ns, name, pid, parent, length_us, user_us, system_us = fields[:12]
        group, group_us = fields[16:] or (pid, length_us)
        task = Task(group, parent, name.rstrip(b"\0"), group_us / 1e6, now_s)
        task.run_ns, task.ticked_ns, task.resident_kb = run_ns, (user_us + system_us) * 1000, fields[12]
        task.delay_ns, task.read, task.written = delay_ns, fields[13], max(fields[14] - fields[15], 0)
        task.is_whole = len(fields) > 16
        if pid == group:
            task.code, task.main_s = code, length_us / 1e6
        if len(fields) == 16 or not is_one_of_several:
            return task
        self._parts[group] = task if group not in self._parts else joined(task, self._parts[group])
        if flags & AGROUP:
            self._over.append(task)
        return None

    def over(self) -> "list[Task]":
        """The processes of several threads that have ended, as all messages have come that were sent until now."""
        found = [self._parts.pop(task.pid) for task in self._over if task.pid in self._parts]
        self._over = []
        if len(self._parts) > MOST_GROUPS:  # of which the last message was lost
            self._parts.clear()
        return found


def joined(task: "Task", before: "Task") -> "Task":
    """A thread and those of its process that were heard of before, as one.

    The status of a main thread that left long before the others tells nothing; nor is a number's former owner joined.
    Where another thread began a program it is the main one from then on: there are two, the last counts.
    """
    if before.ended_s < task.ended_s - task.length_s - LATE_S:
        return task
    task.run_ns, task.ticked_ns = task.run_ns + before.run_ns, task.ticked_ns + before.ticked_ns
    task.resident_kb = max(task.resident_kb, before.resident_kb)
    task.delay_ns = (task.delay_ns or 0) + (before.delay_ns or 0)
    task.read, task.written = (task.read or 0) + (before.read or 0), (task.written or 0) + (before.written or 0)
    task.length_s, task.ended_s = max(task.length_s, before.length_s), max(task.ended_s, before.ended_s)
    if before.main_s is not None and (task.main_s is None or task.main_s < before.main_s):
        task.name, task.code, task.main_s = before.name, before.code, before.main_s
    if task.main_s is not None and task.length_s - task.main_s > LATE_S:
        task.code = None
    return task


class Tasks:
    """Hears of every task of the machine that ends; root only, in the initial namespaces.

    Raises:
        OSError: this kernel tells us nothing, or in a form that we do not know.
    """

    def __init__(self) -> "None":
        import _socket
        import _struct

        self.lost, self._threads, self._buffer = 0, Threads(), bytearray(4096)
        self.sockets = []  # type: list[CpuSocket]
        self._new = _socket.socket
        asked = self._new(16, 3, 16)  # AF_NETLINK, SOCK_RAW, NETLINK_GENERIC
        try:
            asked.bind((0, 0))
            self._family = family_of_taskstats(asked)
            self._unpack, self._size, self._of_one = task_reader(asked, self._family, _struct.Struct)
            self._open()
        except BaseException:
            self.close()
            raise
        finally:
            asked.close()

    @classmethod
    def opened(cls) -> "Tasks | None":
        """One, or None where the kernel has none for us."""
        if posix.getuid():
            return None
        try:
            return cls()
        except Exception:  # a kernel that answers as no other: it must cost no sampler
            return None

    def again(self) -> "Tasks":
        """Another that hears what this one has not taken yet, once this one has taken what is there and `follow`ed."""
        other = Tasks.__new__(Tasks)
        other.__dict__.update(self.__dict__, lost=0, sockets=[])
        try:
            other._open()
        except OSError:
            other.close()
            raise
        return other

    def follow(self, before: "Tasks") -> "None":
        """Leaves out what the one before has taken."""
        for socket, old in zip(self.sockets, before.sockets):
            socket.expected, socket.is_continued = old.expected, old.expected >= 0

    def fds(self) -> "list[int]":
        """Files that are readable when there is news."""
        return [one.socket.fileno() for one in self.sockets]

    def close(self) -> "None":
        """Hears no more."""
        for one in self.sockets:
            one.socket.close()
        self.sockets = []

    def take(self) -> "list[Task]":
        """The tasks of which the messages have come, children before their parents."""
        found, heard = [], -1  # type: list[Task], int
        while heard and len(found) < MOST_OF_TAKE:  # a child's message may have come after its parent's, by another CPU
            heard = sum([self._take_of(one, found) for one in self.sockets])
        found += self._threads.over()
        return children_first(found) if len(found) > 1 else found

    def settle(self) -> "list[Task]":
        """After a loss: lets a task end on each CPU, whose number tells how many were lost before it."""
        for one in self.sockets:
            if not one.overran:
                continue
            pid = posix.fork()
            if not pid:
                _quietly(posix.sched_setaffinity, 0, {one.cpu})
                posix._exit(0)
            _quietly(posix.waitpid, pid, 0)  # one that ignores SIGCHLD waits and has no status
        return [task for task in self.take() if task.parent != posix.getpid()]

    def _take_of(self, one: "CpuSocket", found: "list[Task]") -> "int":
        receive, buffer, now, heard = one.socket.recv_into, self._buffer, time.monotonic(), 0
        while True:
            try:
                size = receive(buffer)
            except BlockingIOError:
                return heard
            except OSError:  # ENOBUFS: messages were lost
                one.overran = True
                continue
            heard += 1
            if size < self._size:
                continue
            fields = self._unpack(buffer)
            if fields[0] != self._family:
                continue
            is_new, lost = one.is_new(fields[1])
            self.lost += lost
            if is_new:
                # The last of several has a message that tells of its group, too.
                task = self._threads.add(fields, now, size > self._of_one or not fields[3] & AGROUP)
                if task is not None:
                    found.append(task)

    def _open(self) -> "None":
        count = posix.sysconf("SC_NPROCESSORS_CONF")
        if count > MOST_CPUS:
            raise OSError("too many CPUs")
        for cpu in range(count):
            socket = self._new(16, 3, 16)
            self.sockets.append(CpuSocket(socket, cpu))
            socket.setsockopt(1, 33, min(1 << 22, BUFFERS_BYTES // count))  # SO_RCVBUFFORCE
            socket.bind((0, 0))
            answer = ask(socket, self._family, 1, 3, b"%d\0" % cpu)  # CMD_GET, ATTR_REGISTER_CPUMASK
            if _u16(answer, 4) == 2 and _u32(answer, 16):
                raise OSError("no taskstats")
            socket.setblocking(False)


def family_of_taskstats(socket: "Any") -> "int":
    """The number that the kernel gave to taskstats. Raises OSError where it has none."""
    answer = ask(socket, 16, 3, 2, b"TASKSTATS\0")  # GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME
    for kind, at, _ in _attributes(answer, 20, len(answer)):
        if kind == 1:
            socket.recv(65536)  # the acknowledgement
            return _u16(answer, at)
    raise OSError("no taskstats")


def task_reader(
    socket: "Any", family: "int", new: "Callable[[str], Any]"
) -> "tuple[Callable[[Any], tuple[Any, ...]], int, int]":
    """What reads a message, its length, and the message's, by one about ourselves: Linux 6.14 has fields elsewhere.

    Raises:
        OSError: the kernel's messages have a form that we do not know.
    """
    pid = posix.getpid()
    answer = ask(socket, family, 1, 1, pid.to_bytes(4, sys.byteorder))  # CMD_GET, ATTR_PID
    for kind, at, end in _attributes(answer, 20, len(answer)):
        starts = [start for inner, start, _ in _attributes(answer, at, end) if inner == 3] if kind == 4 else []
        for start in starts:
            reader = new(TASK_FORMAT % (start - 12) + (GROUP_FORMAT if _u16(answer, start) >= 12 else ""))
            fields = reader.unpack_from(answer)
            if fields[7:9] == (pid, posix.getppid()) and fields[16:17] in ((), (pid,)):
                return reader.unpack_from, reader.size, _u32(answer, 0)
    raise OSError("taskstats of another form")


def children_first(tasks: "list[Task]") -> "list[Task]":
    """The same, each behind its children, else in their order."""
    by_parent, pids = {}, {task.pid for task in tasks}  # type: dict[int, list[Task]], set[int]
    for task in tasks:
        if task.parent in pids and task.parent != task.pid:
            by_parent.setdefault(task.parent, []).append(task)
    if not by_parent:
        return tasks
    ordered, waiting = [], [task for task in reversed(tasks) if task.parent not in pids]
    while waiting:
        task = waiting.pop()
        children = by_parent.pop(task.pid, None)
        if children:
            waiting.append(task)
            waiting += reversed(children)
        else:
            ordered.append(task)
    return ordered + [task for children in by_parent.values() for task in children]  # of numbers that came twice


def ask(socket: "Any", family: "int", command: "int", kind: "int", value: "bytes") -> "bytes":
    """The kernel's answer to a message of generic netlink with one attribute."""
    order = sys.byteorder
    attribute = (len(value) + 4).to_bytes(2, order) + kind.to_bytes(2, order) + value + bytes(-len(value) % 4)
    head = (len(attribute) + 20).to_bytes(4, order) + family.to_bytes(2, order) + (5).to_bytes(2, order)
    socket.send(head + bytes(8) + bytes((command, 1, 0, 0)) + attribute)
    return bytes(socket.recv(65536))


def _u16(data: "bytes", at: "int") -> "int":
    return int.from_bytes(data[at : at + 2], sys.byteorder)


def _u32(data: "bytes", at: "int") -> "int":
    return int.from_bytes(data[at : at + 4], sys.byteorder)


def _attributes(data: "bytes", at: "int", end: "int") -> "Iterator[tuple[int, int, int]]":
    """(kind, start, end) of each netlink attribute."""
    while at + 4 <= end:
        length = _u16(data, at)
        if length < 4:
            return
        yield _u16(data, at + 2) & 0x3FFF, at + 4, at + length
        at += length + 3 & ~3


