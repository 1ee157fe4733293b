# --- The limits of our cgroup -----------------------------------------------------------------------


UNLIMITED_BYTES = 1 << 60  # version 1 writes the largest number of whole pages where there is no limit


class Limits:
    """What the limits that stand over this process did: those of its cgroup, or of the nearest one above that has some.

    Source: cgroup v2 (cpu.max, memory.max, memory.high) and v1 (cpu.cfs_quota_us, memory.limit_in_bytes), looked for
    once. `quota` is the folder of the limit of CPU time, or our own where there may be one later, `memory` that of
    memory; '' without one.
    """

    def __init__(self, proc: "str", sys_root: "str") -> "None":
        self.quota = self.memory = ""
        root = sys_root + "/fs/cgroup"
        for line in read_file(proc + "/self/cgroup", 16384).decode("utf-8", "replace").splitlines():
            number, _, rest = line.partition(":")
            names, _, path = rest.partition(":")
            if number == "0" and not names:
                unified = root if _exists(root + "/cgroup.controllers") else root + "/unified"
                self.quota = self.quota or _nearest(unified, path, ("cpu.max",)) or _counting(unified, path)
                self.memory = self.memory or _nearest(unified, path, ("memory.max", "memory.high"))
            elif "cpu" in names.split(","):
                mounted = _mounted(root, "cpu", names)
                self.quota = _nearest(mounted, path, ("cpu.cfs_quota_us",)) or _counting(mounted, path) or self.quota
            elif names == "memory":
                self.memory = _nearest(root + "/memory", path, ("memory.limit_in_bytes",)) or self.memory

    def counters(self, text: "Callable[[str], bytes]") -> "list[int | None]":
        """The group `cgroup`, [] without a limit; `text` reads a file."""
        if not self.quota and not self.memory:
            return []
        stat = text(self.quota + "/cpu.stat") if self.quota else b""
        throttled_ns = _number_after(stat, b"throttled_time ")
        throttled_us = _number_after(stat, b"throttled_usec ") if throttled_ns is None else throttled_ns // 1000
        events = text(self.memory + "/memory.events") if self.memory else b""
        reached, killed = _number_after(events, b"max "), _number_after(events, b"oom_kill ")
        if self.memory and not events:
            reached = _number(text(self.memory + "/memory.failcnt").strip())
            killed = _number_after(text(self.memory + "/memory.oom_control"), b"oom_kill ")
        periods = [_number_after(stat, key) for key in (b"nr_periods ", b"nr_throttled ")]
        return [*periods, throttled_us, _number_after(events, b"high "), reached, killed]


def _mounted(root: "str", controller: "str", names: "str") -> "str":
    """The folder of a controller of version 1, which may be mounted together with others."""
    alone = root + "/" + controller
    return alone if _exists(alone) else root + "/" + names


def _nearest(root: "str", path: "str", files: "tuple[str, ...]") -> "str":
    """The folder of a cgroup, or of the nearest one above it, in which one of the files has a limit; '' without one.

    In a container the path may be the host's, and its end stands at the root.
    """
    path = "" if ".." in path else path.rstrip("/")
    while True:
        if any(_is_limit(read_file(root + path + "/" + file, 100)) for file in files):
            return root + path
        if not path:
            return ""
        path = path.rpartition("/")[0]


def _counting(root: "str", path: "str") -> "str":
    """The folder of a cgroup that counts periods of CPU time, but for the root; '' for another."""
    is_inner = path.strip("/") and ".." not in path
    return root + path if is_inner and b"nr_periods " in read_file(root + path + "/cpu.stat", 4096) else ""


def _is_limit(text: "bytes") -> "bool":
    """Whether a file of a limit has one: a number, but for the largest ones of version 1."""
    number = text.split()[:1]
    return bool(number) and number[0].isdigit() and int(number[0]) < UNLIMITED_BYTES


