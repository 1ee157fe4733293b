def start(options: "dict[str, str]") -> "None":
    """Begins a step that a later `end` of the same name ends."""
    recorder, spool, kernel = begin(options, 1, mid_line=True)
    name = clean_name(options.get("name", "")) or "step"
    if recorder.has_block:
        write(1, ("\n" + start_block(name)).encode())
        recorder.mid_line = False
    counters, m_ns = kernel.counters(), boottime_ns()
    step = recorder.sid + ".1"
    fields = {"name": name, "parent": options.get("parent"), "by": "start", "c": counters}
    recorder.emit("start", fields, {"step": step}, last=True, own_line=True)
    fd = spool.create("step-%08x-%020d" % (crc32(name.encode()) & 0xFFFFFFFF, m_ns))
    if fd >= 0:
        names, values = zip(*flatten(counters))
        write(fd, "\n".join((step, str(m_ns), *rows_to_text(list(names), values))).encode())


def begun_under(name: "str", spool: "Spool") -> "list[str]":
    """The files of the steps that were begun under this name and not ended, newest first."""
    return spool.find("step-%08x-" % (crc32(name.encode()) & 0xFFFFFFFF))[::-1]


def end(options: "dict[str, str]") -> "None":
    """Ends the last step that was begun under this name."""
    kernel = Kernel(options.get("proc", "/proc"), options.get("sys", "/sys"))
    counters, m_ns = kernel.counters(), boottime_ns()
    recorder, spool, _ = begin(options, 1, mid_line=True)
    name = clean_name(options.get("name", "")) or "step"
    status = options.get("status") or options.get("second", "")
    exit_status = int(status) if status.isdigit() else None
    begun = None
    for path in begun_under(name, spool):
        begun = read_file(path).decode("ascii", "replace").split("\n")
        _quietly(posix.unlink, path)
        if len(begun) in (2, 4):  # two, where the sh part began it
            break
    fields = {"name": name, "c": counters, "exit": exit_status, "signal": None, "cost": cost(recorder, kernel.proc)}
    known = begun is not None and len(begun) in (2, 4)
    if begun and recorder.is_quiet and exit_status != 0:
        recorder.held = starts_of(begun[0], spool)
    recorder.emit("end", fields, {"step": begun[0] if begun and known else None}, last=True)
    figures = {}  # type: dict[str, Any]
    if begun and len(begun) == 4:
        before = unflatten(zip(begun[2].split(), row_from_text(begun[3])))
        figures = metrics(before, counters, (m_ns - int(begun[1])) / 1e9)
    if recorder.has_block:
        write(1, end_block(name, figures, further_lines(figures, exit_status)).encode())
    spool.tidy()


def starts_of(step: "str", spool: "Spool") -> "list[bytes]":
    """The start record of a step that another process began, as the spool has it."""
    paths = spool.find(step.rpartition(".")[0] + ".jsonl")
    lines = read_file(paths[0]).splitlines(True) if paths else []
    return [line for line in lines if b',"ev":"start",' in line[:40]]


def mark(options: "dict[str, str]") -> "None":
    """Notes an instant that the user names."""
    recorder, _, _ = begin(options, 1, mid_line=True)
    fields = {"name": clean_name(options.get("name", "")), "parent": options.get("parent")}
    recorder.emit("mark", fields, last=True)


def install(options: "dict[str, str]") -> "None":
    """Leaves this agent, and a compiled copy for this interpreter, where later steps find it."""
    folder = options.get("dir", INSTALL_DIR)
    if not _exists(folder):
        posix.mkdir(folder, 0o755)
    if not owned_folder(folder):
        print("buildtel: %s belongs to somebody else; steps will not be measured" % folder)
        return
    try:
        put_agent(folder)
        put_quiet(folder, options)
    except OSError:  # a full disk, say
        remove_agent(folder)
        raise
    sys.argv[0] = folder + "/agent.pyc"
    options["run"] = options["run"] or options.get("name", "")
    spool = Spool(home())
    stop_life(spool)  # an earlier build's, which did not get to its end
    for path in spool.find("life-") + spool.find("sent-") + spool.find("key") + rests():
        _quietly(posix.unlink, path)
    _quietly(posix.unlink, folder + "/life")
    user = posix.environ.get(b"SUDO_UID", b"").decode("ascii", "replace")
    if user.isdigit():
        link_to(spool.first_of(user), folder + "/life-user")  # of a sampler that this user starts after a reboot
    key = posix.environ.get(b"BUILDTEL_KEY", b"")
    if key and not spool.keep_key(key):
        print("buildtel: no tmpfs here to keep the key on: the records of later steps will not be signed")
    begin(options, 1)
    print("buildtel: agent %s installed in %s" % (__version__, folder))


def put_agent(folder: "str") -> "None":
    """Writes the agent, its compiled form and the interpreter's name into a folder."""
    import marshal
    from _frozen_importlib_external import MAGIC_NUMBER

    source = read_file(home() + "/buildtel_agent.py" if home() else sys.argv[0])
    target = folder + "/buildtel_agent.py"
    at_once, later, last = source.split(b"\n# === Loaded ")
    later = marshal.dumps(compile(b"# " + later, target, "exec", 0, True, 2))
    whole = at_once + b"\nLATER = " + repr(later).encode() + b"\n# " + last
    code = compile(whole, target, "exec", 0, True, 2)
    header = MAGIC_NUMBER + b"\0" * (8 if sys.version_info < (3, 7) else 12)
    _replace(target, source)
    _replace(folder + "/interpreter", sys.executable.encode() + b"\n")
    _replace(folder + "/agent.pyc", header + marshal.dumps(code))
    _quietly(posix.unlink, folder + "/by-sh")


def put_quiet(folder: "str", options: "dict[str, str]") -> "None":
    """Leaves what `install` was told to keep out of the build's output, for every later call and sampler."""
    words = [word for word, value in (("block", "false"), ("records", "spool")) if options.get(word) == value]
    if words:
        _replace(folder + "/buildtel_quiet", " ".join(words).encode() + b"\n")
    else:
        _quietly(posix.unlink, folder + "/buildtel_quiet")


def remove_agent(folder: "str") -> "list[str]":
    """Removes what is ours in a folder (all in INSTALL_DIR), and the folder if it is empty; gives what stays.

    The agent goes last: as long as anything else is there, `finish` can be called again.
    """
    stuck = []
    for name in sorted(_listed(folder), key=lambda name: (name == "buildtel_agent.py", name == "interpreter", name)):
        path = folder + "/" + name
        is_cache = name == "__pycache__"
        if folder != INSTALL_DIR and not name.startswith("buildtel_rest-") and name not in OUR_NAMES:
            continue
        for inner in _listed(path) if is_cache else ():
            if folder == INSTALL_DIR or inner.startswith("buildtel_agent."):
                _quietly(posix.unlink, path + "/" + inner)
        if not _quietly(posix.rmdir if is_cache else posix.unlink, path) and (folder == INSTALL_DIR or not is_cache):
            stuck.append(path)
    if folder == INSTALL_DIR or not _listed(folder):
        _quietly(posix.rmdir, folder)
    return stuck


def _replace(path: "str", data: "bytes") -> "None":
    fresh = path + ".new"
    _quietly(posix.unlink, fresh)
    fd = posix.open(fresh, posix.O_CREAT | posix.O_EXCL | posix.O_WRONLY | posix.O_CLOEXEC, 0o644)
    try:
        while data:
            data = data[posix.write(fd, data) :]
    finally:
        posix.close(fd)
    posix.rename(fresh, path)


def finish(options: "dict[str, str]") -> "None":
    """Sends the rest, stops the whole-life sampler, and removes all that `install` left."""
    folder = home() or sys.argv[0].rpartition("/")[0]
    if folder != INSTALL_DIR and not _exists(folder + "/interpreter"):
        return
    sys.argv[0] = folder + "/agent.pyc"  # where an earlier `finish` was killed, it is gone
    recorder, spool, kernel = begin(options, 1)
    _quietly(posix.unlink, folder + "/agent.pyc")
    wait_for_ends(spool, folder)
    stop_life(spool)
    stop_stopped(folder)
    bring_owed(recorder, spool.find("owed-"))
    flush(recorder, spool)
    recorder.emit("bye", {"c": kernel.counters()}, last=True, own_line=True)
    spool.clear()
    spool.tidy()
    remove_own(options.get("to", ""))
    for path in remove_agent(folder):
        print("buildtel: can't remove %s (another user's, or in use); remove it in a last step as root" % path)


def wait_for_ends(spool: "Spool", folder: "str") -> "None":
    """Waits, at most three seconds, for the ends of steps whose processes are gone, while somebody may write them."""
    give_up = time.monotonic() + 3
    of_life = [read_file(path, 20).split(b" ")[0].decode() for path in spool.find("pid")]
    while time.monotonic() < give_up:
        pids = [path.rpartition("at-")[2] for path in spool.find("at-")]
        samplers = [pid for pid, _ in own_processes(folder) if pid not in of_life]
        if all(_exists("/proc/" + pid) for pid in pids) or not samplers:
            return
        time.sleep(0.02)


def own_processes(folder: "str") -> "list[tuple[str, bytes]]":
    """The processes of the agent in `folder`, but for this one, and the command of each."""
    ours, found = (folder + "/agent.pyc").encode("utf-8", "surrogateescape"), []
    for pid in posix.listdir("/proc"):
        words = read_file("/proc/%s/cmdline" % pid).split(b"\0") if pid.isdigit() else []
        if ours in words[:4] and int(pid) != posix.getpid():
            found.append((pid, b"".join(words[4:5])))
    return found


def stop_stopped(folder: "str") -> "None":
    """Ends processes of this agent's that can't end by themselves."""
    for pid, command in own_processes(folder):
        state = read_file("/proc/%s/stat" % pid).rpartition(b") ")[2][:1]
        if state in (b"T", b"t") or command == b"life":
            _quietly(posix.kill, int(pid), 9)


def print_spool(options: "dict[str, str]") -> "None":
    """Writes all records of this machine, and every sample of its whole life, to stdout or to a new file."""
    file = options.get("to", "")
    if file:
        remove_own(file)
        out = posix.open(file, posix.O_WRONLY | posix.O_APPEND | posix.O_CREAT | posix.O_EXCL | posix.O_CLOEXEC, 0o600)
    else:
        out = 1
    folder = home()
    spool, kernel = Spool(folder), Kernel(options.get("proc", "/proc"))
    key = posix.environ.get(b"BUILDTEL_KEY", b"") or spool.key()
    recorder = Recorder(out, options["run"], kernel.proc, None, key)
    for path in spool.find("") if folder else []:
        if path.endswith(".jsonl"):
            _copy(path, out)
    for path in spool.find("life-") if folder else []:
        _flush_file(recorder, path, 0, 1 << 24)


def remove_own(path: "str") -> "None":
    """Removes a plain file of ours."""
    try:
        stat = posix.lstat(path)
        if stat.st_mode & 0o170000 == 0o100000 and stat.st_uid == posix.getuid():
            posix.unlink(path)
    except OSError:
        pass


OUR_NAMES = (
    "agent.pyc", "agent.pyc.new", "buildtel_agent.py", "buildtel_agent.py.new", "buildtel_quiet", "buildtel_quiet.new",
    "interpreter", "interpreter.new", "by-sh", "life", "life-user", "__pycache__",
)  # fmt: skip
SHELL_INIT = """\
BUILDTEL=${BUILDTEL:-%s}
telemetry_step_start() {
    [ ! -r "$BUILDTEL" ] || sh "$BUILDTEL" start "${1-}" </dev/null 2>/dev/null || :
}
telemetry_step_end() {
    [ ! -r "$BUILDTEL" ] || sh "$BUILDTEL" end "$@" </dev/null 2>/dev/null || :
}
"""


def shell_init(options: "dict[str, str]") -> "None":
    """Shell functions with the original's names: no-ops where the agent is not, or not any more."""
    path = (home() or INSTALL_DIR) + "/buildtel_agent.py"
    is_plain = all((char.isalnum() and char <= "~") or char in "/._+:@%,=-" for char in path)
    print(SHELL_INIT % (path if is_plain else "'" + path.replace("'", "'\\''") + "'"), end="")


def run(options: "dict[str, str]") -> "None":
    """A step is never Python's child: this process becomes the shell."""
    posix.execv("/bin/sh", ["sh", *sys.argv])


USAGE = """\
usage: sh buildtel_agent.py COMMAND
  run [--step NAME] -- COMMAND [ARGUMENT ...]   run a command as a measured step
  start NAME                                    begin a step
  end NAME [[--status] N]                       end the last step begun under this name, with its exit status
  mark NAME                                     note an instant
  install [RUN_UUID] [--dir DIR]                leave the agent in this machine, sample its whole life
          [--block false] [--records spool]     print no block around a step; print failing steps' records only
  spool [--to FILE]                             print every record and sample that this machine still has
  finish                                        send the rest and remove everything
  shell-init                                    print telemetry_step_start and telemetry_step_end for sh
  --version
Options of all: --proc DIR, --sys DIR (other roots than /proc and /sys), --run RUN_UUID
"""
COMMANDS = {
    "run": run, "life": life, "start": start, "end": end, "mark": mark, "install": install,
    "finish": finish, "shell-init": shell_init, "spool": print_spool,
}  # fmt: skip


