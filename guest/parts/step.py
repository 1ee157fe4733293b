# --- Commands ---------------------------------------------------------------------------------------


def machine(kernel: "Kernel") -> "dict[str, Any]":
    """What `hello` tells of this machine."""
    system, fs = posix.uname(), posix.statvfs("/")
    counters = kernel.counters()
    release = read_file("/etc/os-release").decode("utf-8", "replace")
    pretty = [line[12:].strip("\"'") for line in release.splitlines() if line.startswith("PRETTY_NAME=")]
    return {
        "agent": __version__,
        "python": "%d.%d.%d" % sys.version_info[:3],
        "cpus": (counters.get("cpus") or [None])[0],
        "memory_total_kb": (counters.get("mem") or [None])[0],
        "disk_total_kb": fs.f_blocks * fs.f_frsize // 1024,
        "kernel": system.release,
        "os": clean_name(pretty[0]) if pretty else None,
        "arch": system.machine,
        "hz": posix.sysconf("SC_CLK_TCK"),
        "psi": bool(read_file(kernel.proc + "/pressure/cpu")),
    }


def begin(options: "dict[str, str]", out: "int", amid_line: "bool" = False) -> "tuple[Recorder, Spool, Kernel]":
    """What every call does first: brings the whole-life sampler's news, or says hello where there is none.

    With the option `record` the records go to that file, in whose folder all else is kept too: so does the
    runner, whose log is for people. Whoever may be called `amid_line` says so.
    """
    kernel = Kernel(options.get("proc", "/proc"), options.get("sys", "/sys"))
    if "record" in options:
        file = options["record"]
        out = posix.open(file, posix.O_WRONLY | posix.O_APPEND | posix.O_CREAT | posix.O_CLOEXEC, 0o600)
        key = posix.environ.get(b"BUILDTEL_KEY", b"")
        return Recorder(out, options.get("run", ""), kernel.proc, None, key), Spool("", file.rpartition("/")[0]), kernel
    installed = home()
    spool = Spool(installed or sys.argv[0])
    run = options.get("run", "")
    run = run if run.replace("-", "").isalnum() else ""
    key = posix.environ.get(b"BUILDTEL_KEY", b"") or (spool.key() if installed else b"")
    recorder = Recorder(out, run, kernel.proc, spool if installed else None, key)
    recorder.amid_line = amid_line
    if installed and life_lives(spool):
        flush(recorder, spool)
    elif installed:
        recorder.emit("hello", machine(kernel), own_line=True)
        start_life(run)
    elif "parent" not in options:
        recorder.emit("hello", machine(kernel), own_line=True)
    if installed:
        bring_rest(recorder)
    return recorder, spool, kernel


def sampler(options: "dict[str, str]") -> "None":
    """Measures the step that our parent shell runs: stdout is the shell's pipe, file 9 the build's output."""
    for number in (1, 2, 15):
        _signal.signal(number, _signal.SIG_IGN)
    out = 9
    recorder, spool, kernel = begin(options, out)
    name = options.get("step", "")
    shown = name or options.get("label", "") or "step"
    step = recorder.sid + ".1"
    place = Spool(home() or sys.argv[0]) if "\n" in options.get("record", "") else spool
    rc_fd = place.create(recorder.sid + ".rc")
    write(out, start_block(shown).encode())
    watch = Watch(recorder, kernel, step, out)
    fields = {"name": name or None, "parent": options.get("parent"), "c": watch.start}
    recorder.emit("start", fields, {"step": step}, own_line=True)
    where = place.path(recorder.sid + ".rc") if rc_fd >= 0 else "/dev/null"
    if where[0] != "/":
        where = posix.getcwd() + "/" + where
    # Only the last word may hold blanks: for `run` the place for the status, for `lead` the agent that is installed.
    agent = "" if "label" in options else " " + (home() and home() + "/buildtel_agent.py")
    words = "%s %d %s%s\n" % (step, posix.getpid(), where, agent)
    write(1, words.encode(sys.getfilesystemencoding(), "surrogateescape"))
    watch.until_hang_up(1)
    counters, m_ns = kernel.counters(), boottime_ns()
    status = read_file(where, 10).strip()
    if rc_fd >= 0:
        _quietly(posix.unlink, where)
    exit_status = int(status) if status.isdigit() else None
    watch.finish(shown, name, m_ns, counters, exit_status)
    if recorder.spool is None:
        place.tidy()


class Watch:
    """A step under way: its samples, beats, peak and busiest processes."""

    def __init__(self, recorder: "Recorder", kernel: "Kernel", step: "str", people: "int") -> "None":
        self.recorder, self.kernel, self.step, self.people = recorder, kernel, step, people
        hz = posix.sysconf("SC_CLK_TCK")
        self.processes = Processes(kernel.proc, hz, boottime_ns() * hz // 1000000000)
        self.start, self.start_ns = kernel.counters(), boottime_ns()
        self.series = Series(self.start_ns, self.start)
        self.points = self.series.points
        self.peak_kb = used_kb(self.start)
        self.stride_s = 0.0

    def until_hang_up(self, pipe: "int") -> "None":
        """Samples until the reader of `pipe` has gone."""
        poll = select.poll()
        poll.register(pipe, 0)
        now = begun = time.monotonic()
        due = {self._sample: now + 0.25, self._beat: now + BEAT_S, self._scan: now + 2}
        while not poll.poll(max(0, int((min(due.values()) - now) * 1000) + 1)):
            now = time.monotonic()
            for act, at in due.items():
                if at <= now:
                    due[act] = now + act(now - begun)
            now = time.monotonic()

    def _sample(self, elapsed_s: "float") -> "float":
        counters = self.kernel.counters()
        point = self.series.point(boottime_ns(), counters)
        self._raise_peak(counters)
        if (point[0] or 0) - (self.points[-1][0] or 0) >= self.stride_s * 950:
            self.points.append(point)
        if len(self.points) >= SERIES_POINTS:
            self.points = self.points[::2]
            self.stride_s = max(self.stride_s * 2, elapsed_s / SERIES_POINTS * 2)
        return 0.25 if elapsed_s < 1 else 1.0 if elapsed_s < 1800 else 5.0

    def _raise_peak(self, counters: "dict[str, Any]") -> "None":
        self.peak_kb = max([kb for kb in (self.peak_kb, used_kb(counters)) if kb is not None], default=None)

    def _beat(self, elapsed_s: "float") -> "float":
        fields = {"c": self.kernel.counters(), "peak_kb": self.peak_kb}
        self.recorder.emit("beat", fields, {"step": self.step}, may_wait=False)
        return max(BEAT_S, elapsed_s / 240)

    def _scan(self, elapsed_s: "float") -> "float":
        self.processes.scan()
        return max(10.0, elapsed_s / 100)

    def finish(
        self, shown: "str", name: "str", m_ns: "int", counters: "dict[str, Any]", exit_status: "int | None"
    ) -> "None":
        """The end record, and the block of figures for people, where somebody still reads."""
        last = self.series.point(m_ns, counters)
        self._raise_peak(counters)
        seconds = (m_ns - self.start_ns) / 1e9
        if seconds > 2:
            self.processes.scan()
        signal = exit_status - 128 if exit_status is not None and 128 < exit_status <= 192 else None
        fields = {
            "name": name or None, "c": counters, "exit": exit_status, "signal": signal, "peak_kb": self.peak_kb,
            "series": pack_columns(SERIES, [*self.points, last]), "procs": self.processes.busiest(),
            "cost": cost(self.recorder, self.kernel.proc),
        }  # fmt: skip
        if not _writable(self.recorder.out, 5000):
            return
        self.recorder.emit("end", fields, {"step": self.step}, last=True)
        figures = metrics(self.start, counters, seconds, self.peak_kb)
        write(self.people, end_block(shown, figures, further_lines(figures, exit_status)).encode())


def further_lines(figures: "dict[str, Any]", exit_status: "int | None") -> "Iterator[tuple[str, str]]":
    """Our own lines under the original's eight."""
    if "memory_peak_mb" in figures:
        yield "Peak Memory", "%dMB" % round(figures["memory_peak_mb"])
    stalls = [(kind, figures.get("psi_%s_some_percent" % kind)) for kind in ("cpu", "memory", "io")]
    if any(value is not None for _, value in stalls):
        yield "Pressure", ", ".join(["%s=%d%%" % (kind, round(value)) for kind, value in stalls if value is not None])
    if exit_status is not None:
        yield "Exit", str(exit_status)


def cost(recorder: "Recorder", proc: "str") -> "dict[str, int | None]":
    """What this process has used until now."""
    times = posix.times()
    status = read_file(proc + "/self/status", 8192)
    return {
        "cpu_ms": int((times.user + times.system) * 1000),
        "rss_kb": _number_after(status, b"VmHWM:"),
        "bytes": recorder.bytes,
    }


