# --- Commands ---------------------------------------------------------------------------------------


def machine(kernel: "Kernel") -> "dict[str, Any]":
    """What `hello` tells of this machine."""
    system, fs = posix.uname(), posix.statvfs("/")
    counters = kernel.counters(("/stat", "/meminfo"))
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


def begin(
    options: "dict[str, str]", out: "int", mid_line: "bool" = False, outlet: "Outlet | None" = None
) -> "tuple[Recorder, Spool, Kernel]":
    """What every call does first: brings the whole-life sampler's news, or says hello where there is none.

    With the option `record` the records go to that file, in whose folder all else is kept too: so does the
    runner, whose log is for people. A command that may run in the middle of an output line sets `mid_line`. A step's
    sampler gives its `outlet`; it sends the whole-life sampler's news, or starts that one, after its step.
    """
    kernel = Kernel(options.get("proc", "/proc"), options.get("sys", "/sys"))
    if "record" in options:
        return (*file_recorder(options, kernel), kernel)
    installed = home()
    spool = Spool(installed or sys.argv[0])
    run = run_id(options)
    key = posix.environ.get(b"BUILDTEL_KEY", b"") or (spool.key() if installed else b"")
    kept = spool if installed and may_leave(installed) else None
    more = (run, kernel.proc, kept, key, quiet_words(installed))
    recorder = StepRecorder(outlet, *more) if outlet else Recorder(out, *more)
    recorder.mid_line = mid_line
    if "parent" not in options:
        outer = outer_step(options.get("pid", ""), spool.find("at-"))
        options.update({"parent": outer} if outer else {})
    if installed:
        send_news(recorder, spool, kernel, begins_step=outlet is not None)
    elif "parent" not in options:
        recorder.emit("hello", machine(kernel), own_line=True)
    return recorder, spool, kernel


def file_recorder(options: "dict[str, str]", kernel: "Kernel") -> "tuple[Recorder, Spool]":
    """Writes into the file of the option `record`, and keeps all else in its folder."""
    file = options["record"]
    out = posix.open(file, posix.O_WRONLY | posix.O_APPEND | posix.O_CREAT | posix.O_CLOEXEC, 0o600)
    key = posix.environ.get(b"BUILDTEL_KEY", b"")
    recorder = Recorder(out, options.get("run", ""), kernel.proc, None, key, quiet_words(""))
    return recorder, Spool("", file.rpartition("/")[0])


def run_id(options: "dict[str, str]") -> "str":
    """Packer's id of its run, '' for what is none."""
    run = options.get("run", "")
    return run if run.replace("-", "").isalnum() else ""


def watch(options: "dict[str, str]") -> "None":
    """Measures one step where the sampler of the whole life can't: `watch pre|run|lead PID`, started by the sh part."""
    leave_caller()
    process = Process(int(options["second"]))
    hears = not tells_exits()  # if no pidfd tells the exit status, the kernel's message on the ended task may
    if hears:
        hear(process, Tasks.opened())
    outlet = Outlet(taken_output())
    options["pid"] = str(process.pid)
    if not options["step"] and "parent" not in options:
        options["step"] = name_of(process.pid, options["name"] != "run")
    recorder, spool, kernel = begin(options, outlet.fd, outlet=outlet)
    marks = [path for path in spool.find("at-") if path.endswith("/at-%d" % process.pid)]
    if any(read_file(path, 100).split(b" ")[-1] == process.birth.encode() for path in marks):
        call_ourselves(b"bt-watch")  # a sampler began it, and was killed: it is not begun again
        return
    step = Step(process, options, outlet)
    step.start(recorder, spool, kernel)
    call_ourselves(b"bt-watch")
    tasks = None if hears else Tasks.opened()  # before the step's first command can have ended
    is_over = not hears and process.over(0.0)
    if not is_over:
        if not hears:
            hear(process, tasks)
            step.measure_own()
        is_over = process.over(AT_ONCE_MS / 1000)
    is_done = is_over and step.end(0, with_samples=False)
    time.sleep(0.01)  # who reads the output goes on first, also where it was to have our CPU
    load_later()
    revive_life(spool, run_id(options))
    if not is_done:
        step.measure()


def leave_caller() -> "None":
    """Makes this process one that no signal or file of who started it concerns, but for its output."""
    if posix.getpid() != posix.getsid(0):
        posix.setsid()
    for number in (1, 2, 15):
        _signal.signal(number, _signal.SIG_IGN)
    for name in _listed("/proc/self/fd"):
        if name.isdigit() and int(name) > 2:
            _quietly(posix.close, int(name))


def taken_output() -> "int":
    """This process's output, opened anew so that no write to it waits; as it is where it can't be opened."""
    try:
        out = open_output("/proc/self/fd/1", None)
    except OSError:  # a pipe of another user's, whom we were before
        return 1
    if out < 0:
        return 1
    posix.close(1)
    posix.open("/dev/null", posix.O_RDWR)
    return out


def hear(process: "Process", tasks: "Tasks | None") -> "None":
    """Begins the account of what the process runs."""
    load_later()
    process.hear(tasks)


def call_ourselves(name: "bytes") -> "None":
    """Tells the sh part how far we are, by our name in /proc."""
    fd = posix.open("/proc/self/comm", posix.O_WRONLY)
    posix.write(fd, name)
    posix.close(fd)


class Step:
    """A step whose process is not ours: writes its start, and its end when its process is over.

    The next call of the agent writes output that nobody read within five seconds, and the end of a step in a terminal.
    """

    def __init__(self, process: "Process", options: "dict[str, str]", outlet: "Outlet") -> "None":
        self.process, self.options, self.outlet = process, options, outlet
        self._shown = options["step"] or clean_name(options.get("label", "")) or "step"
        self._is_written = False
        self._leash = None  # type: Leash | None

    def start(self, recorder: "Recorder", spool: "Spool", kernel: "Kernel", spent_s: "float" = 0.0) -> "None":
        """Leaves a mark for steps within it, and writes the block's head and the start record.

        `spent_s` of CPU time this process had used before.
        """
        self.recorder, self.spool, self.kernel = recorder, spool, kernel
        name, step = self.options["step"], recorder.sid + ".1"
        if recorder.has_block:
            self.outlet.say(start_block(self._shown).encode())
        self._watch = Watch(recorder, kernel, step, self.outlet.say)
        self._watch.spent_s = spent_s
        if self.process.account is not None:
            self.measure_own()
        self._mark = spool.leave("at-%d" % self.process.pid, ("%s %s" % (step, self.process.birth)).encode())
        self.mark = spool.path(self._mark)
        fields = {"name": name or None, "parent": self.options.get("parent"), "c": self._watch.start}
        if self.options["name"] == "run":
            fields["by"] = "run"  # it may be a part of its provisioner, or one of several
        recorder.emit("start", fields, {"step": step}, own_line=True)
        self.outlet.is_held = False
        self.outlet.pay(0)

    def measure_own(self) -> "None":
        """Measures what the step's own processes use from now on; its process has an account of what it runs."""
        self._watch.own = OwnLoad(self.process)

    def bind(self) -> "Leash":
        """Bounds how long this process holds the step's output once it is stopped; a fork calls it before all else."""
        self._leash = Leash()
        self._leash.arm()
        return self._leash

    def measure(self) -> "None":
        """Samples until the process is over, and writes the end."""
        outlet = self.outlet
        leash = self._leash or self.bind()

        def is_over(wait_s: "float") -> "bool":
            leash.arm()
            return self.process.over(wait_s if outlet.pay(0) else min(wait_s, 0.05))

        if not self._is_written:
            self._watch.spent_s = 0.0  # a fork has used none
            self._watch.until(is_over)
        leash.arm()
        self.end(5000)

    def end(self, wait_ms: "int", with_samples: "bool" = True) -> "bool":
        """Writes the end, once; False where its reader did not take all in that time. What waits 5 s is owed.

        Without `with_samples` the whole-life sampler's news wait for the next step.
        """
        outlet, spool = self.outlet, self.recorder.spool
        if not self._is_written:
            counters, m_ns = self.kernel.counters(), boottime_ns()
            if outlet.is_terminal:
                outlet.close()
            self._watch.finish(self._shown, self.options["step"], m_ns, counters, self.process.exit())
            self._is_written = True
        if outlet.pay(wait_ms) and spool and with_samples:
            flush(self.recorder, spool)
            outlet.pay(wait_ms)
        if outlet.waiting and outlet.fd >= 0 and not wait_ms:
            return False
        if spool:
            keep_owed(outlet, spool, self.recorder.sid)
        if self._mark:
            _quietly(posix.unlink, self.spool.path(self._mark))
        if not spool:
            self.spool.tidy()
        outlet.close()
        return True

    def let_go(self) -> "None":
        """Closes what a fork of ours has, too."""
        self.process.close()
        self.outlet.close()
        self.recorder.close()


class Watch:
    """A step under way: its samples, beats, peak, busiest processes, and its `own` load, where we know its process."""

    def __init__(
        self, recorder: "Recorder", kernel: "Kernel", step: "str", say: "Callable[[bytes], Any]"
    ) -> "None":
        self.recorder, self.kernel, self.step, self.say = recorder, kernel, step, say
        self.own = None  # type: OwnLoad | None
        hz = posix.sysconf("SC_CLK_TCK")
        self.processes = Processes(kernel.proc, hz, boottime_ns() * hz // 1000000000)
        self.start, self.start_ns = kernel.counters(), boottime_ns()
        self.series = Series(self.start_ns, self.start)
        self.points = self.series.points
        self.peak_kb = used_kb(self.start)
        self.load = Load(self.start_ns)
        self.stride_s = 0.0
        self.spent_s = 0.0  # CPU time of this process before, which is not for this step

    def until(self, over: "Callable[[float], bool]") -> "None":
        """Samples until `over(seconds)`, which waits so long, is true."""
        now = begun = time.monotonic()
        due = {self._sample: now + 0.25, self._beat: now + BEAT_S, self._scan: now + 2}
        if self.own is not None:
            due[self.own.look] = now + 0.1
        while not over(max(0.0, min(due.values()) - now)):
            now = time.monotonic()
            for act, at in due.items():
                if at <= now:
                    due[act] = now + act(now - begun)
            now = time.monotonic()

    def _sample(self, elapsed_s: "float") -> "float":
        counters, m_ns = self.kernel.counters(), boottime_ns()
        point = self.series.point(m_ns, counters)
        self._raise_peak(counters)
        self.load.add(m_ns, counters)
        if (point[0] or 0) - (self.points[-1][0] or 0) >= self.stride_s * 950:
            self.points.append(point)
        if len(self.points) >= SERIES_POINTS:
            self.points = self.points[::2]
            self.stride_s = max(self.stride_s * 2, elapsed_s / SERIES_POINTS * 2)
        return 0.25 if elapsed_s < 1 else 1.0 if elapsed_s < 1800 else 5.0

    def _raise_peak(self, counters: "dict[str, Any]") -> "None":
        self.peak_kb = max([kb for kb in (self.peak_kb, used_kb(counters)) if kb is not None], default=None)

    def _beat(self, elapsed_s: "float") -> "float":
        fields = {"c": self.kernel.counters(), "peak_kb": self.peak_kb}  # type: dict[str, Any]
        try:
            fields.update(self.own.now() if self.own is not None else {})
        except Exception:  # a beat without them is better than none
            pass
        self.recorder.emit("beat", fields, {"step": self.step}, may_wait=False)
        return max(BEAT_S, elapsed_s / 240)

    def _scan(self, elapsed_s: "float") -> "float":
        self.processes.scan()
        return max(10.0, elapsed_s / 100)

    def finish(self, shown: "str", name: "str", m_ns: "int", counters: "dict[str, Any]", ended: "Exit") -> "None":
        """Writes the end record, and the block of figures for people."""
        last = self.series.point(m_ns, counters)
        self._raise_peak(counters)
        seconds = (m_ns - self.start_ns) / 1e9
        if seconds > 2:
            self.processes.scan()
        exit_status, signal, source = ended
        own, load = self._own_fields(seconds), self.load.figures()
        fields = {
            "name": name or None, "c": counters, "exit": exit_status, "signal": signal, "exit_from": source,
            "peak_kb": self.peak_kb, "series": pack_columns(SERIES, [*self.points, last]),
            "procs": self.processes.busiest(), **({"tasks": load} if load else {}), **own,
            "cost": cost(self.recorder, self.kernel.proc, self.spent_s),
        }  # fmt: skip
        self.recorder.emit("end", fields, {"step": self.step}, last=True)
        if not self.recorder.has_block:
            return
        figures = metrics(self.start, counters, seconds, self.peak_kb, load)
        if "own" in own:
            figures.update(own_figures(own["own"], seconds, (counters.get("cpus") or [None])[0]))
        is_sampled = own.get("cmds", {}).get("from") == "sampled"
        self.say(end_block(shown, figures, further_lines(figures, exit_status, is_sampled)).encode())


    def _own_fields(self, seconds: "float") -> "dict[str, Any]":
        try:
            return {} if self.own is None else self.own.fields(seconds > 0.1)
        except Exception:  # an end without them is better than none
            return {}


def further_lines(
    figures: "dict[str, Any]", exit_status: "int | None", is_sampled: "bool" = False
) -> "Iterator[tuple[str, str]]":
    """Our own lines under the original's eight, which are of the whole machine. `is_sampled`: its own load is."""
    if "memory_peak_mb" in figures:
        yield "Peak Memory", "%dMB" % round(figures["memory_peak_mb"])
    stalls = [(kind, figures.get("psi_%s_some_percent" % kind)) for kind in ("cpu", "memory", "io")]
    if any(value is not None for _, value in stalls):
        yield "Pressure", ", ".join(["%s=%d%%" % (kind, round(value)) for kind, value in stalls if value is not None])
    if any(name[:4] == "own_" for name in figures):
        yield "Step's own", own_words(figures, is_sampled)
    if exit_status is not None:
        yield "Exit", str(exit_status)


def cost(recorder: "Recorder", proc: "str", spent_s: "float" = 0.0) -> "dict[str, int | None]":
    """What this process has used until now, but for CPU time that it had `spent_s` before."""
    status = read_file(proc + "/self/status", 8192)
    return {
        "cpu_ms": int((time.process_time() - spent_s) * 1000),
        "rss_kb": _number_after(status, b"VmHWM:"),
        "bytes": recorder.bytes,
    }


