"""What is seen of a world's processes and files: a part of stage.py, which runs outside of any package."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import time

SCRIPTS = "/opt/scripts"
LOOK, LOOKED, BEGUN = f"{SCRIPTS}/look", f"{SCRIPTS}/looked", f"{SCRIPTS}/begun"
ROOTS = ("/var/tmp", "/tmp", "/run", "/dev/shm", "/root", "/home", "/opt")
WRITTEN = "/home/step/out.log"  # a step's stdout where it is a file: records stand in it
OWN_FILES = (LOOK, LOOKED, BEGUN, "/var/tmp/keep")
STATUS = ("Name", "Umask", "Uid", "Gid", "Groups", "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt", "CapInh", "CapPrm",
          "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp")  # fmt: skip
HASHED = 1 << 20


def reap() -> None:
    """Process 1 takes the status of every orphan."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def pids() -> list[int]:
    """Every process of the namespace but this one."""
    return sorted(int(name) for name in os.listdir("/proc") if name.isdigit() and name != "1")


def text_of(path: str) -> str:
    """A file of /proc, empty when the process is gone."""
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "surrogateescape")
    except OSError:
        return ""


def stat_of(pid: int) -> tuple[int, int, int, int] | None:
    """Parent, group, session, terminal's group."""
    words = text_of(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(words[1]), int(words[2]), int(words[3]), int(words[5])) if words else None


def settled(names: dict[str, str]) -> list[dict[str, object]]:
    """The same twice, and the step waits for the answer: no longer in the middle of asking."""
    seen = looked_at(names)
    for _ in range(100):
        time.sleep(0.02)
        before, seen = seen, looked_at(names)
        if before == seen and not any(LOOK in str(process["fds"]) for process in seen):
            break
    return seen


def looked_at(names: dict[str, str]) -> list[dict[str, object]]:
    """Every process below the sessions: relations by place in this list, never by number."""
    stats = {pid: found for pid in pids() if (found := stat_of(pid))}
    below = [pid for pid, found in stats.items() if found[0] == 1 and is_session(pid, stats)]
    order = []
    while below:
        pid = below.pop(0)
        order.append(pid)
        below = sorted(child for child, found in stats.items() if found[0] == pid) + below
    place = {pid: number for number, pid in enumerate(order)}

    def where(pid: int) -> object:
        return place.get(pid, "none" if pid in (0, -1) else "elsewhere")

    return [
        {"parent": where(stats[pid][0]), "group": where(stats[pid][1]), "session": where(stats[pid][2]),
         "terminal": where(stats[pid][3]), **facts(pid, names)}
        for pid in order
    ]  # fmt: skip


def is_session(pid: int, stats: dict[int, tuple[int, int, int, int]]) -> bool:
    """Whether it is the process that sshd has for a session: a fork of this one."""
    return text_of(f"/proc/{pid}/cmdline") == text_of("/proc/1/cmdline") and stats[pid][0] == 1


def facts(pid: int, names: dict[str, str]) -> dict[str, object]:
    """What a process has from those above it."""
    rows = dict(line.split(":", 1) for line in text_of(f"/proc/{pid}/status").splitlines() if ":" in line)
    found: dict[str, object] = {key: " ".join(rows.get(key, "").split()) for key in STATUS}
    environ = text_of(f"/proc/{pid}/environ").split("\0")
    found["environment"] = sorted(word for word in environ if word and not word.startswith("BUILDTEL"))
    found["limits"] = " ".join(text_of(f"/proc/{pid}/limits").split())
    found["nice"] = text_of(f"/proc/{pid}/stat").rpartition(")")[2].split()[15:17]
    found["oom"] = text_of(f"/proc/{pid}/oom_score_adj").strip()
    found["cgroup"] = text_of(f"/proc/{pid}/cgroup")
    for name in ("cwd", "root", "exe", "ns/mnt", "ns/pid", "ns/net"):
        try:
            found[name] = os.readlink(f"/proc/{pid}/{name}")
        except OSError:
            found[name] = None
    for name in ("ns/mnt", "ns/pid", "ns/net"):  # numbers differ between two plays
        found[name] = found[name] == os.readlink(f"/proc/self/{name}")
    found["fds"] = descriptors(pid, names)
    return found


def descriptors(pid: int, names: dict[str, str]) -> dict[str, str]:
    """What each open file is, with its flags and its place in a regular file."""
    found = {}
    try:
        numbers = sorted(os.listdir(f"/proc/{pid}/fd"), key=int)
    except OSError:
        return {}
    for number in numbers:
        try:
            target = os.readlink(f"/proc/{pid}/fd/{number}")
        except OSError:
            continue
        info = text_of(f"/proc/{pid}/fdinfo/{number}").split()
        what = names.get(target, "another terminal" if target.startswith("/dev/pts/") else target.split("[")[0])
        flags = info[info.index("flags:") + 1] if "flags:" in info else ""
        at = info[info.index("pos:") + 1] if target.startswith("/") and target != WRITTEN and "pos:" in info else ""
        found[number] = f"{what} {flags} {at}".strip()
    return found


def processes_left(wait_s: float) -> list[str]:
    """Command lines of what runs in the namespace, after what ends by itself within `wait_s`."""
    give_up = time.monotonic() + wait_s
    while True:
        reap()
        found = [line_of(pid) for pid in pids()]
        if time.monotonic() >= give_up or not [line for line in found if line]:
            return sorted(line for line in found if line)
        time.sleep(0.05)


def line_of(pid: int) -> str:
    """A command line, or the name of what has none."""
    line = text_of(f"/proc/{pid}/cmdline").replace("\0", " ").strip()
    return line or text_of(f"/proc/{pid}/comm").strip()


def tree() -> dict[str, str]:
    """Every file below the places that we use: kind, mode, owner, content."""
    found = {}
    for root in ROOTS:
        found[root] = described(root)
        for folder, folders, files in os.walk(root):
            for name in folders + files:
                path = os.path.join(folder, name)
                if not path.startswith(OWN_FILES) and path != WRITTEN and not name.endswith(".full"):
                    found[path] = described(path)
    return found


def described(path: str) -> str:
    """A file in one line."""
    try:
        mode = os.lstat(path)
    except OSError as error:
        return str(error.errno)
    what = f"{mode.st_mode:o} {mode.st_uid}:{mode.st_gid}"
    try:
        if stat.S_ISLNK(mode.st_mode):
            what += f" -> {os.readlink(path)}"
        elif stat.S_ISREG(mode.st_mode):
            what += f" {mode.st_size}"
            if mode.st_size < HASHED:
                with open(path, "rb") as file:
                    what += " " + hashlib.sha256(file.read()).hexdigest()[:12]
    except OSError as error:
        what += f" errno {error.errno}"
    return what
