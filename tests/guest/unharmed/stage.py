"""Plays one world: process 1 of a PID and mount namespace of its own, in the part of sshd.

A program of its own, so that it runs on with all it needs in memory whatever a world does to Python and to folders:
reads a pickled `dict` on stdin (see `play.py`, which starts it), writes a pickled `dict` to stdout.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pickle
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator

sys.path.insert(0, os.path.dirname(__file__))
from seen import BEGUN, LOOK, LOOKED, WRITTEN, processes_left, reap, settled, tree

HANGS_S = 30
GRACE_S = 4  # so long what ends by itself may take after the last command
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
            for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
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
            reap()
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


if __name__ == "__main__":
    main()
