"""Plays one world: process 1 of a PID and mount namespace of its own, in the part of sshd.

A program of its own, so that it runs on with all it needs in memory whatever a world does to Python and to folders:
reads a pickled `dict` on stdin (see `play.py`, which starts it), writes a pickled `dict` to stdout.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pickle
import pty
import select
import signal
import stat
import subprocess
import sys
import termios
import time
from collections.abc import Iterator

SCRIPTS = "/opt/scripts"
LOOK, LOOKED, BEGUN = f"{SCRIPTS}/look", f"{SCRIPTS}/looked", f"{SCRIPTS}/begun"
ROOTS = ("/var/tmp", "/tmp", "/run", "/dev/shm", "/root", "/home", "/opt")
WRITTEN = "/home/step/out.log"  # a step's stdout where it is a file: records stand in it
OWN_FILES = (LOOK, LOOKED, BEGUN, "/var/tmp/keep")
HANGS_S = 30
GRACE_S = 4  # so long what ends by itself may take after the last command
STATUS = ("Name", "Umask", "Uid", "Gid", "Groups", "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt", "CapInh", "CapPrm",
          "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp")  # fmt: skip
NOBODY = 65534
CHUNK = 1 << 20
KEPT = 130 << 20  # so much of a stream is told: one may be without end


def main() -> None:
    """The whole play: scene, install, step, finish; and what is there afterwards."""
    asked = pickle.load(sys.stdin.buffer)
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    answer = os.dup(1)
    os.dup2(2, 1)
    fcntl.fcntl(answer, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    told: dict[str, object] = {}
    prepare(asked["scene"], told)
    os.mkfifo(LOOK)
    os.mkfifo(LOOKED)
    os.chmod(LOOK, 0o666)
    os.chmod(LOOKED, 0o666)
    for part in ("install", "setup", "step", "finish"):
        if not asked[part]:
            continue
        if part == "setup":
            prepare(asked["setup"], told)
            continue
        told[part] = Play(asked, part).run()
        told[f"left by {part}"] = processes_left(0.2 if part == "step" else GRACE_S if part == "finish" else 0)
    if not asked["finish"]:
        told["left by finish"] = processes_left(GRACE_S)
    with contextlib.suppress(OSError), open(WRITTEN, "rb") as file:
        told["written"] = file.read()
    told["tree"] = tree()
    with os.fdopen(answer, "wb") as out:
        pickle.dump(told, out)


def prepare(text: str, told: dict[str, object]) -> None:
    """Run a text by sh as root, outside of what is compared."""
    words = ["timeout", "-s", "KILL", str(HANGS_S), "/bin/sh", "-c", text]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode:
        told["broken"] = f"{text[-300:]!r}: {done.returncode} {done.stderr.decode(errors='replace')[-500:]}"


class Play:
    """One command of a communicator, by the login shell, until its streams have ended."""

    def __init__(self, asked: dict[str, object], part: str) -> None:
        """Takes the world's part of `asked`: the step has its own caller and streams, the others plain ones."""
        self.step = part == "step"
        self.command = str(asked[part])
        self.asked = asked
        self.terminal = self.step and asked["stdio"] == "pty"
        self.out = {"stdout": bytearray(), "stderr": bytearray()}
        self.looks: list[list[dict[str, object]]] = []
        self.streams: dict[int, str] = {}
        self.names: dict[str, str] = {}
        self.status: int | None = None
        self.ended_at = 0.0

    def run(self) -> dict[str, object]:
        """Start it, serve it until it is over, tell what was seen."""
        with contextlib.suppress(OSError):
            os.unlink(BEGUN)
        look = os.open(LOOK, os.O_RDWR | os.O_NONBLOCK)
        begun_at = time.time()
        started = time.monotonic()
        session, status_fd = self.start()
        self.serve(look, status_fd, started)
        os.close(look)
        closed_at = time.monotonic()
        hangs = self.ended_at == 0.0 or bool(self.streams)
        for fd in list(self.streams):
            os.close(fd)
        with contextlib.suppress(OSError):
            os.kill(session, 0)
        try:
            begun_s: float | None = max(0.0, os.stat(BEGUN).st_mtime - begun_at)
        except OSError:
            begun_s = None
        return {
            "status": self.status, "stdout": bytes(self.out["stdout"]), "stderr": bytes(self.out["stderr"]),
            "looks": self.looks, "begun_s": begun_s, "hangs": hangs, "total_s": closed_at - started,
            "held_s": max(0.0, closed_at - self.ended_at) if self.ended_at else None,
        }  # fmt: skip

    def start(self) -> tuple[int, int]:
        """The process that sshd has for a session, and under it the login shell; its status comes by a pipe."""
        report, reported = os.pipe()
        inputs, outputs = self.open_streams()
        session = os.fork()
        if session == 0:
            become(str(self.asked["who"]))
            for number in (signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            shell = os.fork()
            if shell == 0:
                self.be_shell(inputs, outputs)
            os.closerange(3, reported)
            os.closerange(reported + 1, 256)
            self.leave_streams()
            _, code = os.waitpid(shell, 0)
            os.write(reported, b"%d" % os.waitstatus_to_exitcode(code))
            os._exit(0)
        os.close(reported)
        for fd in {inputs, *outputs}:
            os.close(fd)
        return session, report

    @staticmethod
    def leave_streams() -> None:
        """The session's process keeps none of the driver's own."""
        null = os.open("/dev/null", os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)

    def open_streams(self) -> tuple[int, tuple[int, int]]:
        """The shell's ends; ours are registered in `streams`."""
        stdin = bytes(self.asked["stdin"]) if self.step else b""  # type: ignore[call-overload]
        if self.terminal:
            ours, theirs = pty.openpty()
            settings = termios.tcgetattr(theirs)
            settings[1] &= ~termios.OPOST
            settings[3] &= ~termios.ECHO
            termios.tcsetattr(theirs, termios.TCSANOW, settings)
            self.streams = {ours: "stdout"}
            self.names[os.ttyname(theirs)] = "terminal"
            if self.asked["who"] != "root":
                os.fchown(theirs, NOBODY, NOBODY)
            os.write(ours, stdin)
            return theirs, (theirs, theirs)
        user = self.asked["who"] != "root" and not (self.step and self.asked["stdio"] == "pipes of root")
        with owned(user=user):
            (read, write), (out_read, out_write), (err_read, err_write) = os.pipe(), os.pipe(), os.pipe()
        for name, fd in (("stdin", read), ("stdout", out_write), ("stderr", err_write)):
            self.names[os.readlink(f"/proc/self/fd/{fd}")] = name
        os.write(write, stdin)
        os.close(write)
        self.streams = {out_read: "stdout", err_read: "stderr"}
        return read, (out_write, err_write)

    def be_shell(self, inputs: int, outputs: tuple[int, int]) -> None:
        """Never returns: the login shell with Packer's command, by the world's caller."""
        os.setsid()
        if self.terminal:
            fcntl.ioctl(inputs, termios.TIOCSCTTY, 0)
        for fd, target in ((inputs, 0), (outputs[0], 1), (outputs[1], 2)):
            os.dup2(fd, target)
        os.closerange(3, 256)
        os.umask(0o022)
        os.chdir("/home/step")
        login = str(self.asked["login"])
        words = [login, "-c", self.command]
        caller = str(self.asked["caller"]) if self.step else ""
        if caller:
            words = ["/bin/sh", "-c", caller, "caller", *words]
        environ = dict(self.asked["env"])  # type: ignore[call-overload]
        try:
            os.execve(words[0], words, environ)
        finally:
            os._exit(127)

    def serve(self, look: int, status_fd: int, started: float) -> None:
        """Read what it writes and answer its looks, until shell and streams are over, or for HANGS_S."""
        stall_until = started + (float(str(self.asked["stall_s"])) if self.step else 0)
        while (self.streams or not self.ended_at) and time.monotonic() < started + HANGS_S:
            stalled = time.monotonic() < stall_until
            wanted = [look, *([] if self.ended_at else [status_fd])]
            wanted += [fd for fd, name in self.streams.items() if name == "stderr" or not stalled]
            for fd in select.select(wanted, [], [], 0.05)[0]:
                if fd == look:
                    self.look(look)
                elif fd == status_fd:
                    self.ended(status_fd)
                else:
                    self.take(fd)
            self.reap()
        os.close(status_fd)

    def ended(self, status_fd: int) -> None:
        """The shell is over: its status as sshd tells it (128 + n for a signal), or None if the session is lost."""
        text = os.read(status_fd, 16)
        self.ended_at = time.monotonic()
        if text:
            code = int(text)
            self.status = code if code >= 0 else 128 - code

    def take(self, fd: int) -> None:
        """What a stream has; a terminal that nobody has open any more is EIO."""
        try:
            data = os.read(fd, CHUNK)
        except OSError:
            data = b""
        if not data:
            os.close(fd)
            del self.streams[fd]
            return
        if len(self.out[self.streams[fd]]) < KEPT:
            self.out[self.streams[fd]] += data

    def look(self, look: int) -> None:
        """The step asks to be looked at, and waits for the answer."""
        os.read(look, 4096)
        self.looks.append(settled(self.names))
        with contextlib.suppress(OSError):
            back = os.open(LOOKED, os.O_WRONLY)
            os.write(back, b"\n")
            os.close(back)

    @staticmethod
    def reap() -> None:
        """Process 1 takes the status of every orphan."""
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def become(who: str) -> None:
    """The user of the world."""
    if who != "root":
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)


@contextlib.contextmanager
def owned(*, user: bool) -> Iterator[None]:
    """What is made meanwhile belongs to the user, as a session's pipes do."""
    if user:
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
    yield
    os.seteuid(0)
    os.setegid(0)


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
        Play.reap()
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
            if mode.st_size < CHUNK:
                with open(path, "rb") as file:
                    what += " " + hashlib.sha256(file.read()).hexdigest()[:12]
    except OSError as error:
        what += f" errno {error.errno}"
    return what


if __name__ == "__main__":
    main()
