"""Runs a command as a measured step; exit status, signals and standard streams stay the command's.

This process starts the command as its child, with its own files and no others, passes signals on to it, and gives
its exit status. Another child measures: it writes to standard error only, and where it fails the command goes on.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from itertools import pairwise

import buildtel_agent as agent
from buildtel.capture.group_signal import GroupSignalProbe
from buildtel.capture.runner_steps import options
from buildtel.errors import BuildtelError

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
PYTHONS_OWN = (signal.SIGPIPE, signal.SIGXFSZ)  # Python ignores them, a command is not to
READY_MS = 5000
BY_SHELL = ("sh", "-c", '"$@"', "sh")
IN_SHELL = ("sh", "-c", 'exec "$@"', "sh")


def run(environ: Mapping[str, str], name: str, command: list[str], agent_file: str) -> int:
    """Runs a command as a measured step; gives its exit status as a shell has it (128 + number after a signal).

    Args:
        environ: the environment of this process, and of the command.
        name: the step's name.
        command: the program and its arguments.
        agent_file: the agent's path, which the command finds in `BUILDTEL`.

    Raises:
        BuildtelError: there is no place for the job's records; the command has not run.
    """
    found = options(environ, name)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*PASSED_ON, signal.SIGCHLD})
    try:
        sampler = Sampler(found, command[0].rpartition("/")[2], grouped=bool(environ.get("GITHUB_ACTIONS")))
        probe = GroupSignalProbe(PASSED_ON)
    except OSError as error:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        raise BuildtelError(f"no process can be started to measure it: {error.strerror}") from error
    known = {"BUILDTEL": agent_file, "BUILDTEL_PARENT": sampler.step} if sampler.step else {}
    try:
        pid = spawn(command, {**environ, **known}, before)
        sampler.began(pid)
        status = wait_for(pid, probe)
    finally:
        probe.dismiss()
    sampler.end(status)
    return agent.exit_of(status, "wait")[0]


def spawn(command: list[str], environ: Mapping[str, str], mask: Iterable[int]) -> int:
    """Starts a command as a child of this process; gives its pid.

    Args:
        command: the program and its arguments.
        environ: its environment.
        mask: the signals that it has blocked at its start.
    """
    pid = os.fork()
    if pid == 0:
        try:
            if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
                signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            become(command, environ)
        finally:
            os._exit(126)
    return pid


def become(command: list[str], environ: Mapping[str, str], program: str | None = None) -> int:
    """Replaces this process by a command. A shell starts what the kernel can't start.

    The shell knows commands of its own, runs scripts without a `#!` line, and says what is wrong with the rest.

    Args:
        command: the program and its arguments.
        environ: its environment.
        program: the path of the program, None to search PATH for `command[0]`.
    """
    for number in PYTHONS_OWN:
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvpe(program or command[0], command, environ)
    except (OSError, ValueError) as error:
        is_script = isinstance(error, OSError) and error.errno == errno.ENOEXEC
        os.execve("/bin/sh", [*(IN_SHELL if is_script else BY_SHELL), *command], environ)


def wait_for(pid: int, probe: GroupSignalProbe) -> int:
    """Passes signals on until a child has ended; gives its status as wait(2) does.

    A signal to the whole process group has reached the child already.

    Args:
        pid: the child.
        probe: tells whether a signal was sent to the whole group.
    """
    while True:
        number = signal.sigwait({*PASSED_ON, signal.SIGCHLD})
        if number != signal.SIGCHLD and not probe.saw(number):
            os.kill(pid, number)
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return status


class Sampler:
    """A child that measures until its pipe hangs up; `step` is the id of the step, '' if it is not measured."""

    def __init__(self, found: Mapping[str, str], label: str, *, grouped: bool) -> None:
        self._shown, self._grouped = found["step"] or label or "step", grouped
        told, self._status = os.pipe()
        hear, ready = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                os.close(self._status)
                measure(found, self._shown, told, ready)
            except Exception as error:  # nothing of ours may end the command
                say(f"buildtel-host: step {self._shown!r} is not measured: {error}\n")
            finally:
                os._exit(0)
        os.close(told)
        os.close(ready)
        poll = select.poll()
        poll.register(hear, select.POLLIN)
        self.step = os.read(hear, 64).decode() if poll.poll(READY_MS) else ""
        os.close(hear)
        if grouped:
            say(f"::group::{self._shown}\n")

    def began(self, pid: int) -> None:
        """Tells the sampler which process is the command."""
        with suppress(OSError):  # it may be gone
            os.write(self._status, b"%d\n" % pid)

    def end(self, status: int) -> None:
        """Tells the sampler the status of wait(2), and waits for its record and its block."""
        if self._grouped:
            say("::endgroup::\n")
        with suppress(OSError):  # it may be gone
            os.write(self._status, str(status).encode())
        os.close(self._status)
        os.waitpid(self._pid, 0)


def measure(found: Mapping[str, str], shown: str, told: int, ready: int) -> None:
    """Samples a step as the agent's own sampler does; the step's exit status comes through a pipe.

    Args:
        found: the agent's options for the step (`capture.runner_steps.options`).
        shown: the step's name in its block.
        told: the pipe from which the pid of its process is read, then the status of wait(2), as decimal text in a
            line each; it hangs up if the parent has died.
        ready: the pipe to which the step's id is written once its start is recorded.
    """
    told, ready = kept(told, ready)
    for number in PASSED_ON:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {*PASSED_ON, signal.SIGCHLD})
    recorder, _, kernel = agent.begin(dict(found), 1)
    step = f"{recorder.sid}.1"
    if recorder.has_block:
        agent.write(2, agent.start_block(shown).encode())
    watch = agent.Watch(recorder, kernel, step, lambda text: agent.write(2, text))
    fields = {"name": found["step"] or None, "parent": None, "c": watch.start}
    recorder.emit("start", fields, {"step": step}, own_line=True)
    os.write(ready, step.encode())
    os.close(ready)
    pid, _, text = os.read(told, 64).partition(b"\n")
    process = process_of(pid)
    watch.own = None if process is None else agent.OwnLoad(process)
    watch.until(ended_by(process, told))
    counters, m_ns = kernel.counters(), agent.boottime_ns()
    text = text or os.read(told, 16)
    ended = agent.exit_of(int(text), "wait") if text else (None, None, None)
    watch.finish(shown, found["step"], m_ns, counters, ended)


def process_of(pid: bytes) -> agent.Process | None:
    """The process of this number, with the accounts of what it runs if the kernel tells them; None if it has gone."""
    try:
        process = agent.Process(int(pid))
    except (OSError, ValueError):
        return None
    if process.tasks is None:
        process.hear(agent.Tasks.opened())
    return process


def ended_by(process: agent.Process | None, told: int) -> Callable[[float], bool]:
    """A function that waits so many seconds for the end of a process, or of the one that waits for it.

    Args:
        process: the process, None where it has gone already.
        told: a pipe that hangs up with the parent.
    """
    hung_up = select.poll()
    hung_up.register(told, 0)

    def over(wait_s: float) -> bool:
        if process is None:
            return bool(hung_up.poll(int(wait_s * 1000) + 1))
        return process.over(wait_s) or bool(hung_up.poll(0))

    return over


def kept(*files: int) -> list[int]:
    """These files under other numbers, beside standard error the only ones: the caller's are not ours to hold open."""
    nothing = os.open(os.devnull, os.O_RDWR)
    moved = sorted(fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3) for fd in files)
    for fd in {0, 1, *(fd for fd in (2,) if fd in files or not is_open(fd))}:
        os.dup2(nothing, fd)
    for low, high in pairwise([2, *moved, 65536]):
        os.closerange(low + 1, high)
    return moved


def is_open(fd: int) -> bool:
    """Whether there is a file of this number."""
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def say(text: str) -> None:
    """Text for people, past all buffers: the sampler writes there, too."""
    with suppress(OSError):  # nobody reads
        os.write(2, text.encode("utf-8", "replace"))
