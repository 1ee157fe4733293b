# --- The process that is a step ----------------------------------------------------------------------

PIDFD_GET_INFO = 0xC040FF0B  # _IOWR(0xFF, 11, struct pidfd_info of 64 bytes); Linux 6.13
PIDFD_INFO_EXIT = 8  # Linux 6.15
TIMER_NUMBERS = {"x86_64": (222, 223), "aarch64": (107, 110), "riscv64": (107, 110), "s390x": (254, 255)}
LEASH_S = 15
BATCH_S = 0.025  # news of commands that ended are taken together, so often at most


def stat_fields(folder: "str") -> "list[bytes]":
    """The fields of a process's /proc/PID/stat behind its name: state, parent, ... Raises OSError if it is gone."""
    text = read_file(folder + "/stat", 4096)
    fields = text[text.rfind(b")") + 2 :].split()
    if len(fields) < 20:
        raise OSError("no process " + folder)
    return fields


class Process:
    """A process that we are no parent of: when it ends, and how; once it is to `hear` of tasks, what it ran.

    `not_ours` are processes below it that are not its own.
    """

    def __init__(self, pid: "int", not_ours: "Collection[int]" = ()) -> "None":
        self.pid, self._folder = pid, "/proc/%d" % pid
        self._fd = -1
        try:
            self._fd = posix.pidfd_open(pid)
        except (AttributeError, OSError):  # Python before 3.9, Linux before 5.3
            pass
        self.birth = stat_fields(self._folder)[19].decode()
        self._begun = time.monotonic()
        self._poll = select.poll()
        if self._fd >= 0:
            self._poll.register(self._fd, select.POLLIN)
        self._not_ours = [other for other in not_ours if other != pid]
        self.account, self.tasks = None, None  # type: Any, Tasks | None  # an Account from `hear` on

    def over_before(self, fd: "int", wait_ms: "int") -> "bool":
        """Waits so long, or until `fd` is readable, for its end; whether it has ended. Never waits without a pidfd."""
        if self._fd < 0:
            return False
        self._poll.register(fd, select.POLLIN)
        ready = [found for found, _ in self._poll.poll(wait_ms)]
        self._poll.unregister(fd)
        return self._fd in ready and self.over(0)

    def hear(self, tasks: "Tasks | None") -> "None":
        """Takes accounts of what `tasks` tells from now on; needs every part of the agent, as what is called then."""
        if self.account is None:
            self.account = Account(self.pid, self._not_ours)
            self.account.began_s = self._begun
        self.tasks, self._news = tasks, select.poll()
        self._lost_before = tasks.lost if tasks is not None else 0
        for fd in [self._fd, *tasks.fds()] if tasks is not None and self._fd >= 0 else ():
            self._news.register(fd, select.POLLIN)

    def take(self) -> "list[Task]":
        """Takes accounts of what has ended until now; gives it."""
        if self.tasks is None or self.account is None:
            return []
        taken = self.tasks.take()
        self.account.add(taken)
        return taken

    def lost(self) -> "int":
        """How many commands could not be heard of."""
        return self.tasks.lost - self._lost_before if self.tasks is not None else 0

    def over(self, wait_s: "float") -> "bool":
        """Waits so long for its end, and takes accounts of what ends meanwhile; whether it has ended."""
        until = time.monotonic() + wait_s
        while self.tasks is not None and until - time.monotonic() > BATCH_S:
            self.take()
            if self._has_ended(BATCH_S):
                return True
            if self._fd >= 0:
                self._news.poll(int(max(until - time.monotonic() - BATCH_S, 0) * 1000) + 1)
        return self._has_ended(max(until - time.monotonic(), 0.0))

    def _has_ended(self, wait_s: "float") -> "bool":
        if self._fd >= 0:
            return bool(self._poll.poll(int(wait_s * 1000) + 1))
        until = time.monotonic() + wait_s
        while not self._is_gone():
            now = time.monotonic()
            if now >= until:
                return False
            time.sleep(min(until - now, max(0.001, min((now - self._begun - 0.1) / 100, 0.05))))
        return True

    def close(self) -> "None":
        """Lets go of it."""
        if self._fd >= 0:
            posix.close(self._fd)

    def _is_gone(self) -> "bool":
        try:
            fields = stat_fields(self._folder)
        except OSError:
            return True
        return fields[19].decode() != self.birth or (fields[0] in (b"Z", b"X") and int(fields[17]) <= 1)

    def exit(self) -> "Exit":
        """(exit status, signal, where it is from) of a process that has ended, as far as the kernel tells us.

        Its status is the kernel's of a zombie or of one that is reaped (some microseconds later), or the last task's.
        """
        give_up = time.monotonic() + 0.02
        code, source = None, None  # type: int | None, str | None
        while code is None:
            code, source = self._reaped(), "pidfd"
            if code is None:
                code, source = self._zombie(), "zombie"
            if code is not None or time.monotonic() > give_up:
                break
            if self._is_reaped() and not (self._fd >= 0 and tells_exits()):
                break
            time.sleep(0.0002)
        self.take()
        shell = self.account.shell if self.account is not None else None
        # Before version 12 nothing tells whether its other threads went on.
        if code is None and shell is not None and (shell.is_whole or time.monotonic() - shell.ended_s < LATE_S):
            code, source = shell.code, "taskstats"
        return (None, None, None) if code is None else exit_of(code, source)

    def _reaped(self) -> "int | None":
        if self._fd < 0:
            return None
        import fcntl

        info = bytearray(PIDFD_INFO_EXIT.to_bytes(8, sys.byteorder) + bytes(56))
        if not _quietly(fcntl.ioctl, self._fd, PIDFD_GET_INFO, info):
            return None
        mask = int.from_bytes(info[:8], sys.byteorder)
        return int.from_bytes(info[60:], sys.byteorder) if mask & PIDFD_INFO_EXIT else None

    def _is_reaped(self) -> "bool":
        return not _exists(self._folder + "/stat")

    def _zombie(self) -> "int | None":
        """Field 52 of a zombie of ours; of others the kernel says 0 whatever it was."""
        try:
            fields = stat_fields(self._folder)
            stat = posix.stat(self._folder)
        except OSError:
            return None
        ours = posix.getuid() == 0 or (stat.st_uid, stat.st_gid) == (posix.getuid(), posix.getgid())
        is_it = fields[0] == b"Z" and fields[19].decode() == self.birth and len(fields) > 49
        return int(fields[49]) if ours and is_it else None


if TYPE_CHECKING:
    Exit = tuple[int | None, int | None, str | None]


def exit_of(code: "int", source: "str | None") -> "tuple[int, int | None, str | None]":
    """What a shell makes of a status of wait(2): 128 and the signal's number where one ended it."""
    signal = code & 127
    return (128 + signal, signal, source) if signal else (code >> 8 & 255, None, source)


def tells_exits(known: "list[bool]" = []) -> "bool":  # noqa: B006  (asked once)
    """Whether this kernel tells the exit status of processes that are reaped, by a pidfd (Linux 6.15)."""
    if not known:
        release = posix.uname().release.split("-")[0].split(".")
        numbers = [int(part) if part.isdigit() else 0 for part in release[:2]]
        known.append(numbers >= [6, 15] and hasattr(posix, "pidfd_open"))
    return known[0]


def timers(found: "list[Any]" = []) -> "Any":  # noqa: B006  (loaded once)
    """The ctypes module, None where there is none. The sampler of the whole life loads it before it forks."""
    if not found:
        try:
            import ctypes

            found.append(ctypes)
        except ImportError:
            found.append(None)
    return found[0]


class Leash:
    """Ends this process by SIGKILL where it is not armed again in time: a stopped one would hold the build's output.

    A timer of the kernel whose signal is SIGKILL works on a stopped process, too. There is none without ctypes.
    Source: timer_create(2); struct sigevent is value, signal, how to notify.
    """

    def __init__(self) -> "None":
        self._call = None  # type: Callable[..., Any] | None
        numbers, ctypes = TIMER_NUMBERS.get(posix.uname().machine), timers()
        if not numbers or not ctypes:
            return
        call = ctypes.CDLL(None).syscall
        event = ctypes.create_string_buffer(bytes(8) + (9).to_bytes(4, sys.byteorder) + bytes(52))
        timer = ctypes.c_int()
        if call(numbers[0], 1, event, ctypes.byref(timer)) == 0:
            times = [(ctypes.c_long * 4)(0, 0, seconds, 0) for seconds in (0, LEASH_S)]
            self._call = lambda armed: call(numbers[1], timer, 0, times[armed], None)

    def arm(self, armed: "bool" = True) -> "None":
        """Gives this process the time anew, or all time."""
        if self._call is not None:
            self._call(armed)


def outer_step(pid: "str", paths: "list[str]") -> "str | None":
    """The step under way that the process `pid` (ours if it is empty) is part of, by its ancestors.

    `paths` are the files at-PID of all steps under way.
    """
    marks = {path.rpartition("at-")[2]: path for path in paths}
    folder = "/proc/" + (pid or "self")
    for _generation in range(64 if marks else 0):
        try:
            parent = stat_fields(folder)[1].decode()
            folder = "/proc/" + parent
            birth = stat_fields(folder)[19].decode()
        except OSError:
            return None
        text = read_file(marks[parent], 100).decode("ascii", "replace") if parent in marks else ""
        step, _, begun = text.partition(" ")
        if begun == birth and step.replace(".", "").isalnum():
            return step
    return None


def name_of(pid: "int", by_words: "bool") -> "str":
    """The value of BUILDTEL_STEP in a process's environment, or in its command line, as its shell takes it."""
    text = read_file("/proc/%d/%s" % (pid, "cmdline" if by_words else "environ"), 1 << 17)
    found = text.find(b"BUILDTEL_STEP=")
    value = text[found + 14 :].split(b"\0", 1)[0] if found >= 0 else b""
    value = shell_word(value) if by_words else value
    return clean_name(value.decode(sys.getfilesystemencoding(), "surrogateescape"))


def shell_word(text: "bytes") -> "bytes":
    """The first word of a command line, without its quotes."""
    word, quote, at = bytearray(), 0, 0
    while at < min(len(text), 4096):
        char = text[at]
        if quote:
            if char == quote:
                quote = 0
            elif char == 92 and quote == 34 and text[at + 1 : at + 2] in (b'"', b"\\", b"$", b"`"):
                at += 1
                word.append(text[at])
            else:
                word.append(char)
        elif char in b"'\"":
            quote = char
        elif char == 92 and at + 1 < len(text):
            at += 1
            word.append(text[at])
        elif char in b" \t\n;&|<>()":
            break
        else:
            word.append(char)
        at += 1
    return bytes(word)


