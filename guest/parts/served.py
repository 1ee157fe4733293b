# --- A step that the sampler of the whole life measures -----------------------------------------------


def begun_step(
    kind: "str", teller: "int", door: "Door", kernel: "Kernel", tasks: "Tasks | None"
) -> "Step | None":
    """The step that the sh part tells of, its start written; None for one that a sampler of its own user may serve."""
    spool, spent_s = door.inside, time.process_time()
    try:
        options = told(kind, teller)
        process = Process(int(options["pid"]), (teller,))
        process.hear(tasks)
        out = open_output("/proc/%d/fd/%d" % (teller, 9 if kind == "lead" else 1), door.identity)
    except (OSError, ValueError):
        return None
    if out < 0:
        process.close()
        return None
    left = spool.find("")
    outer = outer_step(options["pid"], [path for path in left if "/at-" in path])
    options.update({"parent": outer} if outer else {})
    if not options["step"] and not outer:
        options["step"] = name_of(teller, False) or name_of(process.pid, True)
    step = Step(process, options, Outlet(out))
    recorder = StepRecorder(step.outlet, run_id(options) or door.run, kernel.proc, spool, door.key, door.quiet)
    bring_owed(recorder, [path for path in left if "/owed-" in path])
    step.start(recorder, spool, kernel, spent_s)
    return step


def told(kind: "str", teller: "int") -> "dict[str, str]":
    """What a process that tells of a step says of it, by its command line. Raises OSError if it is none of ours."""
    words = read_file("/proc/%d/cmdline" % teller).split(b"\0")[:-1]
    if (home() + "/buildtel_agent.py").encode("utf-8", "surrogateescape") not in words:
        raise OSError("not our process")  # another by now, or one of another pid namespace
    options = {"name": kind, "step": "", "run": ""}
    if kind == "run":
        options.update(run_options([word.decode("utf-8", "surrogateescape") for word in words]), pid=str(teller))
    else:
        options["run"] = words[-1].decode("ascii", "replace")
        options["pid"] = stat_fields("/proc/%d" % teller)[1].decode()
    return options


def run_options(words: "list[str]") -> "dict[str, str]":
    """The options of `sh AGENT run [OPTION ...] [--] COMMAND ...`, and the command's name as `label`."""
    found = {}  # type: dict[str, str]
    rest = iter(words[words.index("run") + 1 :])
    for word in rest:
        if word == "--" or word[:2] != "--":
            found["label"] = (next(rest, "") if word == "--" else word).rpartition("/")[2]
            break
        found.update([option(word, rest)])
    found["step"] = clean_name(found.get("step", ""))
    return found


def serve(
    message: "tuple[str, int]", door: "Door", kernel: "Kernel", account: "LifeAccount", claim: "int"
) -> "None":
    """Begins a step and nods; ends it, too, if it is over at once and its reader takes all.

    Else a fork measures it, without the locks (`claim` and that of the file of samples) that say that we live.
    """
    kind, teller = message
    door.leash.arm()
    try:
        step = begun_step(kind, teller, door, kernel, account.tasks)
    except Exception:  # a step unmeasured is better than no sampler
        step = None
    door.nod(teller, step is not None)
    if step is None:
        door.leash.arm(False)
        return
    is_ours = True
    try:
        account.begin(step)
        is_done = step.process.over_before(door.fd, AT_ONCE_MS) and step.end(0)
        is_ours = is_done or is_parent(step, account)
    except Exception:  # no process can be started, say: the step has no end from us
        pass
    if is_ours:
        step.let_go()
        door.leash.arm(False)
        return
    try:
        _signal.signal(15, _signal.SIG_IGN)
        for fd in (door.fd, claim, account.kept.fd):
            posix.close(fd)
        step.measure()
    finally:
        posix._exit(0)


def is_parent(step: "Step", account: "LifeAccount") -> "bool":
    """Forks, True in the parent: the fork goes on with the step's account, and nothing that ends meanwhile is lost."""
    tasks = account.tasks
    try:
        fresh = None if tasks is None else tasks.again()
    except OSError:  # no more files
        fresh = None
    step.process.take()
    if tasks is not None and fresh is not None:
        fresh.follow(tasks)
    if posix.fork() > 0:
        account.served(step.mark)
        if fresh is not None:
            fresh.close()
        return True
    step.bind()
    if tasks is not None:
        tasks.close()
    step.process.hear(fresh)
    return False


