# --- What the sampler of the whole life and earlier steps left ---------------------------------------


def send_news(recorder: "Recorder", spool: "Spool", kernel: "Kernel", begins_step: "bool") -> "None":
    """Sends what the whole-life sampler and earlier steps left, or says hello and starts a sampler.

    With `begins_step` the sampler's samples and its start wait until the step is over.
    """
    if not begins_step and sampler_is_running(spool):
        flush(recorder, spool)
    else:
        if not begins_step or not lived_since_boot(spool):
            recorder.emit("hello", machine(kernel), own_line=True)
        if not begins_step:
            start_life(recorder.run)
    send_leftovers(recorder)
    bring_owed(recorder, spool.find("owed-"))


def rests() -> "list[str]":
    """The files of what samplers left for after a reboot."""
    return [home() + "/" + name for name in _listed(home()) if name.startswith("buildtel_rest-")]


def send_leftovers(recorder: "Recorder") -> "None":
    """Hands it on, once: who may not remove it leaves it to somebody who may. To the spool where that has all."""
    for path in rests():
        if recorder.is_quiet and recorder.spool and _taken_over(path, recorder.spool):
            continue
        lines = read_file(path).splitlines()
        for line in lines if _quietly(posix.unlink, path) else ():
            if line.startswith(b"BUILDTEL:"):
                recorder.write_record(line + b"\n")


def _taken_over(path: "str", spool: "Spool") -> "bool":
    """Whether a file of records is the spool's now."""
    name = path.rpartition("/")[2] + ".jsonl"
    fd = spool.create(name)
    is_there = fd >= 0 and _quietly(_copy, path, fd)
    if fd >= 0:
        posix.close(fd)
    if is_there and _quietly(posix.unlink, path):
        return True
    _quietly(posix.unlink, spool.path(name))
    return False


def lived_since_boot(spool: "Spool") -> "bool":
    """Whether a whole-life sampler has written since this machine's boot: then hello has been said."""
    booted_s = time.time() - boottime_ns() / 1e9
    return any(posix.stat(path).st_mtime > booted_s for path in spool.find("life-"))


def _copy(path: "str", out: "int") -> "None":
    try:
        fd = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NOFOLLOW)
    except OSError:
        return
    block = posix.read(fd, 65536)
    while block:
        block = block[posix.write(out, block) :] or posix.read(fd, 65536)
    posix.close(fd)


