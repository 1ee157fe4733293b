# --- A step's output, and what is owed to it ----------------------------------------------------------


def open_output(path: "str", ours: "tuple[int, int] | None") -> "int":
    """Opens a step's output anew by its link in /proc; -1 for what is neither a pipe nor a terminal.

    A file opened anew would have an offset of its own. For some microseconds the output of a process that tells of a
    step is our FIFO, `ours` (device, inode).

    Raises:
        OSError: we may not open it, or it has gone.
    """
    for _attempt in range(500):
        stat = posix.stat(path)
        if (stat.st_dev, stat.st_ino) != ours:
            break
        time.sleep(0.00002)
    else:
        return -1
    if stat.st_mode & 0o170000 != 0o010000 and not (stat.st_mode & 0o170000 == 0o020000 and _is_terminal(stat.st_rdev)):
        return -1
    return posix.open(path, posix.O_WRONLY | posix.O_NONBLOCK | posix.O_NOCTTY | posix.O_CLOEXEC)


def _is_terminal(device: "int") -> "bool":
    """Whether it is a pseudo-terminal. Source: Documentation/admin-guide/devices.txt of Linux, 136 to 143."""
    return 136 <= (device >> 8 & 0xFFF) <= 143


class Outlet:
    """A step's output: takes what it can take now, in order; the rest waits.

    While it is held all waits, so that what belongs together is written at once.
    """

    def __init__(self, fd: "int") -> "None":
        self.fd, self.waiting, self.is_held = fd, [], True  # type: int, list[bytes], bool
        stat = posix.fstat(fd) if fd >= 0 else None
        self.is_terminal = bool(stat and stat.st_mode & 0o170000 == 0o020000 and _is_terminal(stat.st_rdev))

    def say(self, data: "bytes") -> "int":
        """Writes at most 4,096 bytes, now or later."""
        self.waiting.append(data)
        self.pay(0)
        return len(data)

    def pay(self, wait_ms: "int") -> "bool":
        """Writes what waits, as far as it goes; whether nothing waits any more."""
        while self.waiting and not self.is_held and _writable(self.fd, wait_ms):
            count, size = 1, len(self.waiting[0])
            while count < len(self.waiting) and size + len(self.waiting[count]) <= 4096:
                size += len(self.waiting[count])
                count += 1
            data = b"".join(self.waiting[:count])
            taken = write(self.fd, data)
            if not taken:
                break
            self.waiting[:count] = [data[taken:]] if taken < size else []
        return not self.waiting

    def close(self) -> "None":
        """Lets go of it: what comes is owed."""
        if self.fd >= 0:
            posix.close(self.fd)
        self.fd = -1


class StepRecorder(Recorder):
    """A recorder whose records go to a step's outlet."""

    def __init__(self, outlet: "Outlet", *more: "Any") -> "None":
        super().__init__(outlet.fd, *more)
        self._outlet = outlet

    def say(self, data: "bytes") -> "int":
        """As `Outlet.say`."""
        return self._outlet.say(data)


def keep_owed(outlet: "Outlet", spool: "Spool", name: "str") -> "None":
    """Leaves what could not be written for the next call of the agent."""
    fd = spool.create("owed-" + name) if outlet.waiting else -1
    for data in outlet.waiting if fd >= 0 else ():
        write(fd, data)
    outlet.waiting = []


def bring_owed(recorder: "Recorder", paths: "list[str]") -> "None":
    """Writes what earlier steps could not, once: who may not remove it leaves it to somebody who may."""
    for path in paths:
        data = read_file(path)
        if not _quietly(posix.unlink, path):
            continue
        while data:
            piece = data[: data[:4000].rfind(b"\n") + 1] or data[:4000]
            recorder.say(piece)
            data = data[len(piece) :]


