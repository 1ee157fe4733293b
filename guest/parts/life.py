# --- The sampler of the whole life of the machine ---------------------------------------------------


class LifeFile:
    """A file of samples with one header; a new one is begun when the machine's devices change."""

    def __init__(self, spool: "Spool") -> "None":
        self.spool, self.names, self.fd = spool, [], -1  # type: Spool, list[str], int

    def add(self, pairs: "list[tuple[str, int | None]]") -> "bool":
        """Appends a sample; False where it can't be kept."""
        names = [name for name, _ in pairs]
        if names != self.names and not self._begin(names, pairs[0][1] or 0):
            return False
        return write(self.fd, (rows_to_text([], [value for _, value in pairs])[1] + "\n").encode()) > 0

    def note(self, line: "str") -> "None":
        """Appends a line that is no sample."""
        write(self.fd, (line + "\n").encode())

    def _begin(self, names: "list[str]", m_ms: "int") -> "bool":
        import fcntl

        ident = "%013d-%s" % (m_ms, posix.urandom(3).hex())
        if self.fd >= 0:
            posix.close(self.fd)
        self.names, self.fd = names, self.spool.create("life-" + ident)
        sent = self.spool.create("sent-" + ident, 0o666)
        if self.fd < 0 or sent < 0:
            return False
        posix.close(sent)
        fcntl.flock(self.fd, fcntl.LOCK_EX)
        return write(self.fd, ("%d %s\n" % (posix.getpid(), " ".join(names))).encode()) > 0

    def remove(self) -> "None":
        """Lets go of the lock; what another user's `finish` could not remove goes a little later."""
        if self.fd >= 0:
            posix.close(self.fd)
        time.sleep(3)
        self.spool.clear()
        self.spool.tidy()


def link_to(folder: "str", link: "str") -> "None":
    """Makes or changes a link, if we may."""
    _quietly(posix.unlink, link)
    _quietly(posix.symlink, folder, link)


class Door:
    """Where the sh part tells of steps: a FIFO of the SSH user's, in the folder that the link `life` leads to."""

    def __init__(self, spool: "Spool", owner: "int", run: "str") -> "None":
        self.spool, self.run, self.key, self.quiet = spool, run, spool.key(), quiet_words(home())
        for name in ("fifo", "pid", "deaf"):
            _quietly(posix.unlink, spool.path(name))
        path = spool.path("fifo")
        posix.mkfifo(path, 0o600)
        stat = posix.lstat(path)
        self.identity = stat.st_dev, stat.st_ino
        self.fd = posix.open(path, posix.O_RDWR | posix.O_NONBLOCK | posix.O_CLOEXEC)
        spool.leave("deaf")
        for name in ("fifo", "deaf") if owner != posix.getuid() else ():
            posix.chown(spool.path(name), owner, -1)
        self.inside = Spool(home(), spool.path("")[:-1])
        self.leash = Leash()
        self._nods = []  # type: list[tuple[float, str]]
        self._poll = select.poll()
        self._poll.register(self.fd, select.POLLIN)
        birth = stat_fields("/proc/self")[19].decode()
        spool.leave("pid", ("%d %s\n" % (posix.getpid(), birth)).encode())
        link_to(spool.path("")[:-1], home() + "/life")  # root's, of another user's home: then `life-user` leads here

    def messages(self, wait_s: "float") -> "list[tuple[str, int]]":
        """Waits so long for tellers; gives what each is (`pre`, `run`, `lead`) and its process."""
        while self._nods and self._nods[0][0] < time.monotonic():
            _quietly(posix.unlink, self.inside.path(self._nods.pop(0)[1]))
        if not self._poll.poll(int(wait_s * 1000) + 1):
            self._hear()
            return []
        try:
            lines = posix.read(self.fd, 65536).decode("ascii", "replace").splitlines()
        except OSError:
            return []
        words = [line.split(" ") for line in lines]
        return [
            (pair[0], int(pair[1]))
            for pair in words
            if len(pair) == 2 and pair[0] in ("pre", "run", "lead") and pair[1].isdigit()
        ]

    def nod(self, teller: "int", served: "bool") -> "None":
        """Lets a teller go on; one whose step we can't serve may start a sampler of its own."""
        for name in [str(teller)] if served else ["%d.no" % teller, str(teller)]:
            self._nods.append((time.monotonic() + 1, self.inside.leave(name)))

    def _hear(self) -> "None":
        """A teller that had no nod in time wrote that we are deaf: here we are."""
        path = self.spool.path("deaf")
        try:
            if posix.stat(path).st_size:
                posix.truncate(path, 0)
        except OSError:
            pass


def life(options: "dict[str, str]") -> "None":
    """Samples into a spool file until TERM or until the agent is gone; the interval grows, so data stays bounded.

    It begins each step that it is told of; a fork of it measures the step.
    """
    kernel, kept = Kernel(), LifeFile(Spool(home()))
    timers()
    claim = kept.spool.claim()
    if claim < 0:
        return  # two calls after a reboot each began one
    owner = options.get("owner", "")
    due, rows, account = time.monotonic(), 0, LifeAccount(kept)
    end_by_exception()
    try:
        kept.add(sample(kernel))
        door = Door(kept.spool, int(owner) if owner.isdigit() else posix.getuid(), options["run"])
        while is_installed():
            rows += 1
            due += min(1 << rows // 3600, 60)
            while time.monotonic() < due and is_installed():
                for message in door.messages(max(0.0, min(due - time.monotonic(), 1.0))):
                    serve(message, door, kernel, account, claim)
                account.take()
            account.close()
            if not kept.add(sample(kernel)):
                break
        kept.remove()
    except KeyboardInterrupt:  # by `finish`, which removes the files, or because the machine goes down
        _signal.signal(15, _signal.SIG_IGN)
        write_last(kernel, account)
        if is_installed():
            keep_rest(kept.spool, options["run"])


def write_last(kernel: "Kernel", account: "LifeAccount") -> "None":
    """Writes what has ended since the last sample, and a sample; the latter also where the account was interrupted."""
    try:
        account.take()
        account.close()
    except Exception:  # it may have been at it just now
        pass
    account.kept.add(sample(kernel))


def end_by_exception() -> "None":
    """Makes TERM raise KeyboardInterrupt, which nothing on the way catches, and ignores HUP and CHLD."""

    def stop(*_: "Any") -> "None":
        raise KeyboardInterrupt

    for number in (1, 17):  # HUP: systemd sends it right after TERM as a session ends; CHLD: no fork is waited for
        _signal.signal(number, _signal.SIG_IGN)
    _signal.signal(15, stop)


def is_installed() -> "bool":
    """Whether the agent that `install` left is there, compiled for this Python; not what others wrote in its place."""
    from _frozen_importlib_external import MAGIC_NUMBER

    try:
        return read_file(home() + "/agent.pyc", len(MAGIC_NUMBER)) == MAGIC_NUMBER
    except OSError:
        return False


def keep_rest(spool: "Spool", run: "str") -> "None":
    """Leaves what was not sent yet where it outlives a reboot: all, where the log is to have no records."""
    recorder = Recorder(-1, run, "/proc", None, spool.key())
    flags = posix.O_CREAT | posix.O_EXCL | posix.O_WRONLY | posix.O_APPEND | posix.O_CLOEXEC
    recorder.out = posix.open(home() + "/buildtel_rest-" + recorder.sid, flags, 0o644)
    is_quiet = "records" in quiet_words(home())
    for path in spool.find("") if is_quiet else ():
        if path.endswith(".jsonl"):
            _copy(path, recorder.out)
    flush(recorder, spool, 1 << 24 if is_quiet else FLUSH_ROWS)


def sample(kernel: "Kernel") -> "list[tuple[str, int | None]]":
    """All numbers of this moment with their columns' names."""
    return [("m_ms", boottime_ns() // 1000000), *flatten(kernel.sampled())]


def sampler_is_running(spool: "Spool") -> "bool":
    """Whether a whole-life sampler holds the lock of its newest file."""
    import fcntl

    for path in spool.find("life-")[::-1]:
        try:
            fd = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            posix.close(fd)
    return False


def start_life(run: "str") -> "None":
    """Starts the whole-life sampler as a daemon that holds none of our files."""
    if posix.fork():
        posix.wait()
        return
    try:
        posix.setsid()
        if not posix.fork():
            posix.closerange(0, 256)
            for _ in (0, 1, 2):
                posix.open("/dev/null", posix.O_RDWR)
            posix.chdir("/")
            environment = {key: value for key, value in posix.environ.items() if key != b"BUILDTEL_KEY"}
            owner = posix.environ.get(b"SUDO_UID", b"").decode("ascii", "replace")
            words = [sys.executable, "-I", "-S", home() + "/agent.pyc", "life", "--run", run, "--owner", owner]
            posix.execve(sys.executable, words, environment)
    finally:
        posix._exit(0)


def revive_life(spool: "Spool", run: "str") -> "None":
    """Starts it where the agent is installed and none lives."""
    if home() and not sampler_is_running(spool):
        start_life(run)


def stop_life(spool: "Spool") -> "None":
    """Ends the whole-life sampler, if it is one that we may end, and waits for its last sample."""
    for path in spool.find("life-"):
        pid = read_file(path, 20).split(b" ", 1)[0]
        if pid.isdigit() and b"life" in read_file("/proc/%s/cmdline" % pid.decode()).split(b"\0"):
            _quietly(posix.kill, int(pid), 15)
    give_up = time.monotonic() + 3
    while sampler_is_running(spool) and time.monotonic() < give_up:
        time.sleep(0.02)


def flush(recorder: "Recorder", spool: "Spool", most_rows: "int" = FLUSH_ROWS) -> "None":
    """Sends what the whole-life sampler has not sent yet, so many samples of it; none where the spool has all."""
    import fcntl

    for path in () if recorder.is_quiet else spool.find("life-"):
        sent_path = path.replace("/life-", "/sent-")
        try:
            fd = posix.open(sent_path, posix.O_RDWR | posix.O_CLOEXEC | posix.O_NOFOLLOW)
        except OSError:
            continue
        try:
            if posix.fstat(fd).st_nlink != 1:
                continue  # no file of ours has another name
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            sent_bytes = int(_read_all(fd, 20) or b"0")
            if sent_bytes == posix.stat(path).st_size:
                continue
            sent_bytes = _flush_file(recorder, path, sent_bytes, most_rows)
            posix.pwrite(fd, b"%020d" % sent_bytes, 0)
        except (OSError, ValueError):
            pass  # another step sends just now, or somebody else wrote there
        finally:
            posix.close(fd)


def _flush_file(recorder: "Recorder", path: "str", sent_bytes: "int", most_rows: "int" = FLUSH_ROWS) -> "int":
    fd = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NOFOLLOW)
    try:
        head = _read_all(fd, 65536).partition(b"\n")[0].decode()
        data = _read_all(fd, 1 << 24, sent_bytes or len(head) + 1)
    finally:
        posix.close(fd)
    data = data[: data.rfind(b"\n") + 1]
    lines = data.decode().splitlines()
    intervals = [interval_from_text(line) for line in lines if line[:1] == "c"]
    lines = [line for line in lines if line[:1] != "c"]
    if len(lines) > most_rows:
        stride = -(-len(lines) // most_rows)
        lines = lines[::-1][::stride][::-1]
    names = head.split()[1:]
    step = max(1, min(30, 9000 // (len(names) + 1)))  # rows of an event, which is to have no more parts than are read
    accounts = list(in_records(thinned(intervals, ROOM_BYTES) if most_rows == FLUSH_ROWS else intervals))
    for first in range(0, max(len(lines), len(accounts) * step), step):
        rows = [row_from_text(line) for line in lines[first : first + step]]
        columns, same = constant_apart(pack_columns(names, [row for row in rows if len(row) == len(names)]))
        fields = {"cols": columns} if columns else {}  # type: dict[str, Any]
        fields.update({"same": same} if same else {})
        fields.update({"cmds": accounts.pop(0)} if accounts else {})
        recorder.emit("samples", fields, {"src": path.rpartition("life-")[2]}, own_line=True)
    return (sent_bytes or len(head) + 1) + len(data)


