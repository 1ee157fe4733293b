"""Runs Packer, logs its output with times, and samples this machine meanwhile."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import buildtel_agent as agent
from buildtel.capture.debuglog import EVERY_S, DebugLog
from buildtel.capture.relay import Relay, Write, write_all
from buildtel.capture.sampling import LineRecorder, RunnerSampler
from buildtel.capture.stamped import StampedLog

VERSION_WAIT_S = 5
SAMPLE_AGAIN_S = 60.0
ANNOUNCED = b"==> "
PLUGIN_INSTALLED = b"Packer plugin installed: "
READ_FROM = b"Packer was read from: %s\n"
PIPES = "pipes"
NO_LOG = {"PACKER_LOG": "", "PACKER_LOG_PATH": ""}


class PackerProcess:
    """A run of Packer whose output is read and logged; `lines` gets each part of the log when it is written.

    Packer's words are read from its debug log, beside it. Where that can't be, and where `write` is given, its output
    comes through pipes; of the debug log only the tries to connect are read then.
    """

    def __init__(
        self, command: Sequence[str], environ: Mapping[str, str], log_path: str,
        lines: Callable[[bytes], None] | None = None, write: Write | None = None,
    ) -> None:  # fmt: skip
        self.command = command
        self._log = StampedLog(log_path)
        self._ask = (command[0], environ)
        self._debug = DebugLog(environ, command[0], self._writes_log)
        self._piped = write is not None or self._debug.kind is None
        self._lines = lines or _ignore
        self._held = b""
        self._problem: str | None = None
        self._recorder = LineRecorder(self._log.record, environ.get("BUILDTEL_KEY", ""))
        self._kernel = agent.Kernel()
        self.sampler = RunnerSampler(self._recorder, self._kernel)
        self.relay = Relay(
            command, {**environ, **self._debug.environ}, self._heard,
            (write or write_all) if self._piped else None, self._debug.inherited,
        )  # fmt: skip
        self._name = agent.clean_name(f"packer {subcommand(command[1:])}")
        self._step = f"{self._recorder.sid}.1"

    @property
    def secrets(self) -> set[str]:
        """Values of `environment_vars` with a telling name that Packer's debug log showed."""
        return self._debug.secrets

    def run(self) -> tuple[int, str | None]:
        """Run it to its end: its wait status, and why the log is incomplete (None if it is complete).

        Raises:
            OSError: Packer can't be started.
        """
        try:
            with self._excused("the runner's first record"):
                self._recorder.tell("hello", agent.machine(self._kernel))
                self._log.take("version", READ_FROM % (PIPES if self._piped else self._debug.kind or PIPES).encode())
            self.relay.start()
            with self._excused("the start record"):
                fields = {"name": self._name, "parent": None, "c": self._kernel.counters()}
                self._recorder.tell("start", fields, step=self._step)
            self.relay.timers[self._sample] = 0.0
            if self._debug.kind is not None:
                self.relay.timers[self._tail] = 0.0
            status = self.relay.run()
            self._tail(0.0)
            with self._excused("the end record"):
                self._end(status)
        finally:
            self._debug.close()
        return status, self._log.problem or self._problem

    @contextmanager
    def _excused(self, what: str) -> Iterator[None]:
        """What goes wrong in our own part is no reason to disturb Packer: it is said in the end."""
        try:
            yield
        except Exception as error:
            self._problem = self._problem or f"{what} failed: {type(error).__name__}: {error}"

    def _heard(self, stream: str, data: bytes) -> None:
        with self._excused("keeping the log"):
            self._lines(self._log.take(stream, data))
        if ANNOUNCED in data and self.sampler.is_due(time.monotonic()):
            self.relay.timers[self._sample] = 0.0

    def _tail(self, _now_s: float) -> float:
        with self._excused("reading Packer's debug log"):
            if self._piped:
                self._hear_tries()
            while not self._piped and (words := self._debug.news()):
                self._heard("debug", words)
        return EVERY_S

    def _hear_tries(self) -> None:
        """Take the tries to connect of the last time: the words that they follow have come through the pipe by now."""
        held, self._held = self._held, self._debug.tries()
        if held:
            self._heard("debug", held)

    def _sample(self, now_s: float) -> float:
        with self._excused("sampling the runner"):
            return self.sampler.sample(now_s, self.relay.pid)
        return SAMPLE_AGAIN_S

    def _end(self, status: int) -> None:
        counters = self._kernel.counters()
        self.sampler.sample(time.monotonic(), self.relay.pid)
        self.sampler.search(self.relay.pid)
        self.sampler.flush()
        code = os.waitstatus_to_exitcode(status)
        fields = {
            "name": self._name, "c": counters, "exit": code if code >= 0 else 128 - code,
            "signal": -code if code < 0 else None, "procs": self.sampler.busiest(own=True),
            "near": self.sampler.busiest(own=False), "cost": agent.cost(self._recorder, self._kernel.proc),
        }  # fmt: skip
        self._recorder.tell("end", fields, last=True, step=self._step)
        told = version_line(*self._ask) + plugin_lines(*self._ask) if self._piped else b""
        self._lines(self._log.take("version", told) + self._log.close())

    def _writes_log(self, environ: Mapping[str, str], inherited: int) -> bool:
        """Whether a script in Packer's place lets Packer write its debug log there."""
        return bool(_asked(self._ask[0], {**self._ask[1], **environ}, "version", inherited=inherited))


def version_line(packer: str, environ: Mapping[str, str]) -> bytes:
    """`Packer v1.6.6`, as `packer version` prints it without a call to HashiCorp; empty if it prints none.

    Args:
        packer: the path of the program.
        environ: its environment.
    """
    told = _asked(packer, {**environ, **NO_LOG}, "version")
    return next((line + b"\n" for line in told if line.startswith(b"Packer v")), b"")


def plugin_lines(packer: str, environ: Mapping[str, str]) -> bytes:
    """A line for each plugin that `packer plugins installed` (since Packer 1.8) prints; empty for an older Packer.

    Args:
        packer: the path of the program.
        environ: its environment.
    """
    told = _asked(packer, {**environ, **NO_LOG}, "plugins", "installed")
    return b"".join(PLUGIN_INSTALLED + line.strip() + b"\n" for line in told if b"packer-plugin-" in line)


def _asked(packer: str, environ: Mapping[str, str], *words: str, inherited: int = -1) -> list[bytes]:
    """What Packer prints for these words, without calling home, and without a terminal to ask for a password."""
    import subprocess  # noqa: PLC0415  # Packer's start does not wait for it

    try:
        done = subprocess.run(
            [packer, *words], env={**environ, "CHECKPOINT_DISABLE": "1"}, stdin=subprocess.DEVNULL,
            capture_output=True, timeout=VERSION_WAIT_S, check=False, start_new_session=True,
            pass_fds=[inherited] if inherited >= 0 else [],
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        is_script = getattr(error, "errno", None) == errno.ENOEXEC
        return _asked("/bin/sh", environ, packer, *words, inherited=inherited) if is_script else []
    return done.stdout.splitlines()


def subcommand(words: Sequence[str]) -> str:
    """The first of Packer's words that is no flag."""
    return next((word for word in words if not word.startswith("-")), "")


def find_packer(environ: Mapping[str, str]) -> str | None:
    """Where Packer is; None if a program of this name can't be run."""
    path = environ.get("PATH", os.defpath)
    paths = [os.path.join(folder, "packer") for folder in path.split(os.pathsep)] if path else []
    return next((path for path in paths if os.path.isfile(path) and os.access(path, os.X_OK)), None)


def _ignore(_lines: bytes) -> None:
    """Nobody looks."""
