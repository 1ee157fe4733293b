# --- Reading the kernel's numbers -------------------------------------------------------------------


def parse_stat(text: "bytes") -> "list[int | None]":
    """`[user, nice, system, idle, iowait, irq, softirq, steal]`, ticks over all CPUs.

    Source: the line `cpu` of /proc/stat; Linux 2.6.11 and later have all eight. Containers may have two such lines,
    one of them all zero.
    """
    rows = [line.split()[1:9] for line in text.split(b"\n") if line[:4] == b"cpu "]
    rows = [row for row in rows if len(row) >= 4 and all(value.isdigit() for value in row[:4])]
    chosen = next((row for row in rows if any(value.strip(b"0") for value in row)), rows[0] if rows else [])
    return [_number(value) for value in chosen] + [None] * (8 - len(chosen)) if chosen else []


def parse_cpus(text: "bytes") -> "list[int]":
    """`[cpus]` that are online. Source: the lines `cpuN` of /proc/stat."""
    count = sum([line[:3] == b"cpu" and line[3:4].isdigit() for line in text.split(b"\n")])
    return [count] if count else []


def parse_tasks(text: "bytes") -> "list[int | None]":
    """The group `tasks`. Source: the last lines of /proc/stat."""
    return [_number_after(text, key) for key in TASKS_KEYS]


def _number(word: "bytes") -> "int | None":
    """A counter; None for what is none, or is more than any counter reaches (what is below 0 is printed as 2**64)."""
    return int(word) if word.isdigit() and len(word) < 19 else None


def parse_meminfo(text: "bytes") -> "list[int | None]":
    """`[total_kb, available_kb]`; where the kernel does not tell the second, a third that stands for it.

    Source: /proc/meminfo; MemAvailable since Linux 3.14, before that free memory, buffers and cache together.
    """
    total, available = _number_after(text, b"MemTotal:"), _number_after(text, b"MemAvailable:")
    parts = [_number_after(text, key) for key in (b"MemFree:", b"Buffers:", b"Cached:")]
    known = [part for part in parts if part is not None]
    if total is None:
        return []
    return [total, None, sum(known)] if available is None and len(known) == 3 else [total, available]


def parse_vmstat(text: "bytes", page_kb: "int") -> "list[int | None]":
    """The group `vm`. Source: /proc/vmstat, where what is in kB here is in pages."""
    found = []  # type: list[int | None]
    for keys, in_pages in VM_KEYS:
        numbers = [number for number in [_number_after(text, key) for key in keys] if number is not None]
        found.append(sum(numbers) * (page_kb if in_pages else 1) if numbers else None)
    return found


def _number_after(text: "bytes", key: "bytes") -> "int | None":
    at = 0 if text.startswith(key) else text.find(b"\n" + key) + 1
    if at == 0 and not text.startswith(key):
        return None
    words = text[at + len(key) : at + len(key) + 24].split(None, 1)
    return _number(words[0]) if words else None


def parse_pressure(text: "bytes") -> "list[int | None]":
    """`[some_us, full_us]` stalled since boot.

    Source: /proc/pressure/*; Linux 4.20 with CONFIG_PSI; `full` of cpu since 5.13, of a whole machine 0.
    """
    totals = {line[:5]: _number(line.rpartition(b"total=")[2]) for line in text.splitlines()}
    return [totals.get(b"some "), totals.get(b"full ")]


def parse_diskstats(
    text: "bytes", whole: "Callable[[tuple[str, ...]], Iterable[str]]"
) -> "dict[str, list[int | None]]":
    """The group `disk`, by disk. Source: /proc/diskstats; sectors are of 512 bytes on every device."""
    found = {}
    for line in text.splitlines():
        row = line.split(None, max(DISK_AT) + 1)
        numbers = _numbers(row, DISK_AT)
        if len(row) > 2 and None not in numbers[: COUNTERS["disk"][2]]:
            found[row[2].decode("ascii", "replace")] = numbers
    return {name: found[name] for name in whole(tuple(found))}


def parse_net_dev(
    text: "bytes", real: "Callable[[tuple[str, ...]], Iterable[str]]"
) -> "dict[str, list[int | None]]":
    """The group `net`, by interface. Source: /proc/net/dev. An alias (`eth0:1`) has no numbers of its own."""
    found = {}
    for line in text.splitlines():
        name, _, rest = line.rpartition(b":")
        numbers = _numbers(rest.split(None, max(NET_AT) + 1), NET_AT)
        interface = name.strip().decode("ascii", "replace")
        if None not in numbers[: COUNTERS["net"][2]] and interface and ":" not in interface:
            found[interface] = numbers
    return {name: found[name] for name in real(tuple(found))}


def _numbers(row: "list[bytes]", places: "list[int]") -> "list[int | None]":
    return [_number(row[at]) if at < len(row) else None for at in places]


NOT_DISKS = ("dm-", "md", "loop", "zram", "ram", "sr", "fd", "drbd", "bcache", "zd")
# Beginnings of names; `#` is a digit.
NOT_INTERFACES = (
    "antrea", "azv", "bond#", "br#", "br-", "cali", "cbr#", "cilium", "cni", "datapath", "docker", "dummy#", "eni",
    "erspan", "flannel", "genev", "gre#", "gretap", "ifb#", "ip6_vti", "ip6gre", "ip6tnl", "ip_vti", "ipvlan", "kube",
    "lxc", "lxd", "macvlan", "macvtap", "nodelocaldns", "ovs", "podman", "qbr", "qvb", "qvo", "sit#", "tap#", "team#",
    "tun#", "tunl#", "vboxnet", "veth", "virbr", "vlan", "vmnet", "vnet", "vxlan", "weave", "wg#",
)  # fmt: skip


def whole_disks(names: "Collection[str]", sys_root: "str") -> "list[str]":
    """Those that are disks of their own. A network block device (nbd) is a file on another one, if there is any."""
    found = [name for name in names if is_whole_disk(name, names, sys_root)]
    return [name for name in found if name[:3] != "nbd"] or found


def is_whole_disk(name: "str", names: "Collection[str]", sys_root: "str" = "") -> "bool":
    """Whether a line of /proc/diskstats is a whole physical disk: no partition, and not stacked on others.

    Source: /sys/block has whole disks only, /sys/class/block partitions, too. What neither has is judged by its name:
    after a disk's name that ends in a digit a partition is `pN`, else `N`.
    """
    if name.startswith(NOT_DISKS):
        return False
    if _exists(sys_root + "/block/" + name.replace("/", "!")):
        return True
    if _exists(sys_root + "/class/block/" + name.replace("/", "!")):
        return False
    stem = name.rstrip("0123456789")
    is_numbered = stem[-1:] == "p" and stem[-2:-1].isdigit() and stem[:-1] in names
    return stem == name or not (is_numbered or stem in names)


def real_interfaces(names: "Iterable[str]", sys_root: "str") -> "list[str]":
    """Those whose bytes left the machine, each byte once: hardware, without the slaves of counted masters.

    Where none is hardware, as in a container, those that look real by their names.
    """
    ranks = {name: _interface_rank(name, sys_root) for name in names}
    best = max(ranks.values(), default=0)
    counted = [name for name in ranks if best and ranks[name] == best]
    return [name for name in counted if _master(name, sys_root) not in counted]


def is_real_interface(name: "str", sys_root: "str") -> "bool":
    """Whether an interface may be counted: no loopback, bridge, tunnel, VLAN or bond."""
    return _interface_rank(name, sys_root) > 0


def _interface_rank(name: "str", sys_root: "str") -> "int":
    """2 for hardware by /sys or, where /sys does not know it, by its name; 1 for what has a real name only, else 0.

    Source: /sys/class/net/NAME/device is there for what a driver of hardware made; a VLAN of IPoIB has it, too.
    """
    folder = sys_root + "/class/net/"
    base = folder + name
    if _exists(base + "/device"):
        return 0 if "." in name and _exists(folder + name.partition(".")[0]) else 2
    if name == "lo" or "." in name or (name[:3] == "tap" and "-" in name) or _has_prefix(name, NOT_INTERFACES):
        return 0
    if not _exists(base):
        return 2
    return 0 if any(_exists(base + kind) for kind in ("/bridge", "/tun_flags", "/bonding")) else 1


def _has_prefix(name: "str", prefixes: "Iterable[str]") -> "bool":
    for prefix in prefixes:
        stem = prefix.rstrip("#")
        if name.startswith(stem) and (stem == prefix or name[len(stem) : len(stem) + 1].isdigit()):
            return True
    return False


def _master(name: "str", sys_root: "str") -> "str":
    """The interface that this one is a part of, or ''."""
    place = sys_root + "/class/net/" + name + "/master"
    for line in read_file(place + "/uevent", 4096).splitlines():
        if line[:10] == b"INTERFACE=":
            return line[10:].decode("ascii", "replace")
    try:
        return posix.readlink(place).rpartition("/")[2]
    except OSError:
        return ""


def _exists(path: "str") -> "bool":
    try:
        posix.stat(path)
    except (OSError, ValueError):
        return False
    return True


def read_file(path: "str", limit_bytes: "int" = 1 << 20) -> "bytes":
    """A file's bytes, at most `limit_bytes`, or none where it can't be read."""
    try:
        fd = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NONBLOCK)
    except (OSError, ValueError):
        return b""
    try:
        return _read_all(fd, limit_bytes)
    finally:
        posix.close(fd)


def _read_all(fd: "int", limit_bytes: "int" = 1 << 20, at: "int" = 0) -> "bytes":
    # The kernel hands seq files out in whole lines, at least three quarters of a page at a time: only a read that
    # is shorter is the end. (One more read would make it print everything again.)
    blocks = []
    try:
        while limit_bytes > 0:
            block = posix.pread(fd, min(65536, limit_bytes), at)
            if not block:
                break
            blocks.append(block)
            at += len(block)
            limit_bytes -= len(block)
            if len(block) < 3072:
                break
    except OSError:
        pass
    return b"".join(blocks)


class Kernel:
    """The counters of this machine, read through files that stay open."""

    def __init__(self, proc: "str" = "/proc", sys_root: "str" = "/sys") -> "None":
        self.proc = proc
        self._fds = {}  # type: dict[str, int]
        self._disks = ((), [])  # type: tuple[tuple[str, ...], list[str]]
        self._interfaces = ((), [])  # type: tuple[tuple[str, ...], list[str]]
        self._sys = sys_root
        self._limits, self._tcp = None, Tcp(self)  # type: Limits | None, Tcp
        page_kb = posix.sysconf("SC_PAGE_SIZE") // 1024
        self._files = (
            ("/stat", (("cpu", parse_stat), ("cpus", parse_cpus), ("tasks", parse_tasks))),
            ("/meminfo", (("mem", parse_meminfo),)),
            ("/diskstats", (("disk", lambda text: parse_diskstats(text, self._whole)),)),
            ("/net/dev", (("net", lambda text: parse_net_dev(text, self._real)),)),
            ("/vmstat", (("vm", lambda text: parse_vmstat(text, page_kb)),)),
        )  # type: tuple[tuple[str, tuple[tuple[str, Callable[[bytes], Any]], ...]], ...]

    def _whole(self, names: "tuple[str, ...]") -> "list[str]":
        if names != self._disks[0]:
            self._disks = names, whole_disks(names, self._sys)
        return self._disks[1]

    def _real(self, names: "tuple[str, ...]") -> "list[str]":
        if names != self._interfaces[0]:
            self._interfaces = names, real_interfaces(names, self._sys)
        return self._interfaces[1]

    def text(self, name: "str") -> "bytes":
        """What a file below /proc has just now, b"" where it can't be read."""
        return self._text(self.proc + name)

    def _text(self, path: "str") -> "bytes":
        fd = self._fds.get(path)
        if fd is None:
            try:
                fd = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC)
            except OSError:
                fd = -1
            self._fds[path] = fd
        return _read_all(fd) if fd >= 0 else b""

    def counters(self, only: "tuple[str, ...]" = ()) -> "dict[str, Any]":
        """The object `c` of docs/format.md, section 1.3, but for `tcp`, or what of it is in `only` these files.

        A group that can't be read is missing.
        """
        found = {}  # type: dict[str, Any]
        for name, groups in self._files:
            if only and name not in only:
                continue
            text = self.text(name)
            for key, parse in groups if text else ():
                values = parse(text)
                if values and (isinstance(values, dict) or any(value is not None for value in values)):
                    found[key] = values
        if only:
            return found
        pressure = {}
        for kind in ("cpu", "memory", "io"):
            text = self.text("/pressure/" + kind)
            values = parse_pressure(text) if text else ()
            if any(value is not None for value in values):
                pressure[kind] = values
        if pressure:
            found["psi"] = pressure
        if self._limits is None:
            self._limits = Limits(self.proc, self._sys)
        limits = self._limits.counters(self._text)
        if limits:
            found["cgroup"] = limits
        try:
            fs = posix.statvfs("/")
            found["fs"] = [(fs.f_blocks - fs.f_bfree) * fs.f_frsize // 1024, fs.f_bavail * fs.f_frsize // 1024]
        except OSError:
            pass
        return found

    def sampled(self) -> "dict[str, Any]":
        """The object `c` with `tcp`, which is up to ten seconds old where little is sent: for samples of a machine."""
        found = self.counters()
        tcp = self._tcp.counters(sum([sum(numbers) for numbers in found.get("net", {}).values()]))
        if tcp:
            found["tcp"] = tcp
        return found


