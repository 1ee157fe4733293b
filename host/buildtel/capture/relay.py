"""Runs Packer as a child process with this process's files, terminal and group; passes on signals."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable, Mapping, Sequence

from buildtel.capture.command import become
from buildtel.capture.group_signal import GroupSignalProbe

TYPE_CHECKING = False
if TYPE_CHECKING:  # Packer's start does not wait for it
    from typing import Any

CHUNK_BYTES = 65536
PASSED_ON = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM")
)  # fmt: skip
STOP_LOOK_S = 0.05
OUT, ERR = "out", "err"
LATEST_POLL_MS = 1000

Write = Callable[[int, bytes], None]


class Relay:
    """Starts a command, hands on the signals that it did not get itself, and waits for its end.

    With `write` its output comes through pipes as under `| tee`, standard error the way of standard output where both
    are the same file: `write(fd, data)` writes it, then `heard(stream, data)` is given it. Without, the output is the
    command's own. The command inherits the file `inherited` (-1: none). `begun`, `resized` and `over` are called at
    those moments, `timers` with the time (monotonic, s) when they are due, and say in how many seconds next.
    """

    def __init__(
        self, command: Sequence[str], environ: Mapping[str, str], heard: Callable[[str, bytes], None],
        write: Write | None, inherited: int = -1,
    ) -> None:  # fmt: skip
        self._command, self._environ, self._heard = list(command), dict(environ), heard
        self._write = write
        self._inherited = inherited
        self._sources: dict[int, tuple[str, int]] = {}
        self._wakes = self._waker = -1
        self._before: dict[int, Any] = {}
        self._signals: list[int] = []
        self.timers: dict[Callable[[float], float], float] = {}
        self.begun: Callable[[], None] = _nothing
        self.resized: Callable[[], None] = _nothing
        self.over: Callable[[], None] = _nothing
        self.pid = 0

    def start(self) -> None:
        """Start the command; a shell tells what is wrong with one that can't be started.

        Raises:
            OSError: no process can be started.
        """
        self._probe = GroupSignalProbe([*PASSED_ON, signal.SIGTSTP])
        self._listen()
        try:
            self.pid = self._spawn(self._connect() if self._write else {})
        except OSError:
            self._stop()
            raise
        self._pass_on()

    def run(self) -> int:
        """Wait until the command has ended; gives its wait status (`os.waitpid`)."""
        self.begun()
        try:
            while True:
                self._turn()
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self._drain()
                    self.over()
                    return status
        finally:
            self._stop()

    def _stop(self) -> None:
        signal.set_wakeup_fd(-1)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
        os.close(self._wakes)
        os.close(self._waker)
        self._probe.dismiss()

    # Files.

    def _connect(self) -> dict[int, int]:
        """The child's files by its numbers; sets where what they bring goes."""
        sink = self._pipe(OUT, 1)
        return {1: sink, 2: sink if _same_file(1, 2) else self._pipe(ERR, 2)}

    def _pipe(self, stream: str, target: int) -> int:
        source, sink = os.pipe2(os.O_CLOEXEC)
        self._sources[source] = (stream, target)
        return sink

    def _spawn(self, files: dict[int, int]) -> int:
        pid = os.fork()
        if pid == 0:
            self._become(files)
        for fd in {*files.values()}:
            os.close(fd)
        return pid

    def _become(self, files: dict[int, int]) -> None:
        try:
            signal.set_wakeup_fd(-1)
            for fd, source in files.items():
                os.dup2(source, fd)
            if self._inherited >= 0:
                os.set_inheritable(self._inherited, True)
            for number in PASSED_ON:
                ignored = self._before[number] is signal.SIG_IGN
                signal.signal(number, signal.SIG_IGN if ignored else signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
            become(["packer", *self._command[1:]], self._environ, self._command[0])
        finally:
            os._exit(126)

    # Signals.

    def _listen(self) -> None:
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTSTP])
        self.timers[self._stop_if_told] = 0.0
        self._wakes, self._waker = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        for number in PASSED_ON:
            self._before[number] = signal.signal(number, self._came)
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, _nothing)
        self._before[signal.SIGWINCH] = signal.signal(signal.SIGWINCH, self._resize)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)

    def _came(self, number: int, _frame: object) -> None:
        self._signals.append(number)
        if self.pid and len(self._signals) == 1:  # else the call that is under way takes it
            self._pass_on()

    def _pass_on(self) -> None:
        """A signal to the group, as the terminal sends it, has reached the command by itself."""
        while self._signals:
            number = self._signals[0]
            if not self._probe.saw(number):
                self._tell(number)
            del self._signals[0]

    def _tell(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def _stop_if_told(self, _now_s: float) -> float:
        """After SIGTSTP: stop, and the command too, until somebody lets us go on.

        The signal is blocked, so it is pending until now, and a SIGCONT that came meanwhile has taken it back.
        """
        if signal.SIGTSTP in signal.sigpending():
            is_told = self._probe.saw(signal.SIGTSTP) or signal.SIGTSTP not in signal.sigpending()
            if not is_told:
                self._tell(signal.SIGTSTP)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTSTP])
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTSTP])
            if not is_told:
                self._tell(signal.SIGCONT)
        return STOP_LOOK_S

    def _resize(self, _number: int, _frame: object) -> None:
        self.resized()

    # The work.

    def _turn(self) -> None:
        poll = select.poll()
        poll.register(self._wakes, select.POLLIN)
        for fd in self._sources:
            poll.register(fd, select.POLLIN)
        now = time.monotonic()
        wait_s = min((due - now for due in self.timers.values()), default=1.0)
        for fd, _ in poll.poll(max(0, min(int(wait_s * 1000) + 1, LATEST_POLL_MS))):
            if fd == self._wakes:
                os.read(fd, 512)
            else:
                self._pass(fd)
        self._tick()

    def _tick(self) -> None:
        now = time.monotonic()
        for act, due in self.timers.items():
            if due <= now:
                self.timers[act] = now + act(now)

    def _pass(self, source: int) -> bool:
        """Pass on what there is; False if there is nothing more."""
        stream, target = self._sources[source]
        data = os.read(source, CHUNK_BYTES)
        if not data:
            self._drop(source)
            return False
        assert self._write is not None
        try:
            self._write(target, data)
        except OSError:  # our reader left: Packer shall learn it as if the reader was its own
            self._drop(source)
            return False
        self._heard(stream, data)
        return True

    def _drop(self, source: int) -> None:
        del self._sources[source]
        os.close(source)

    def _drain(self) -> None:
        """Pass on what the command has written before its end; a process it left behind is not waited for."""
        poll = select.poll()
        for fd in list(self._sources):
            poll.register(fd, select.POLLIN)
            while fd in self._sources and any(ready == fd for ready, _ in poll.poll(0)) and self._pass(fd):
                pass
            poll.unregister(fd)


def write_all(fd: int, data: bytes) -> None:
    """Write all of the data, and wait for a slow reader; works for non-blocking files, too.

    Args:
        fd: an open file.
        data: what to write.
    """
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    while data:
        poll.poll()
        with contextlib.suppress(BlockingIOError):
            data = data[os.write(fd, data) :]


def _same_file(one: int, other: int) -> bool:
    try:
        return os.path.sameopenfile(one, other)
    except OSError:
        return False


def _nothing(*_: object) -> None:
    """Of a signal only the wake-up counts; nobody else asked to be called."""
