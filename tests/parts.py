"""Runs the tests by parts and tells how long each took: `python -m tests.parts [PART ...]`, all without a name.

A part fails if a test of it fails; the others run all the same. Many tests start real programs and wait for them, on a
machine that may be slowed down from outside: where at most AGAIN_AT_MOST tests failed, these run a second time, with
nothing beside them. The part fails if one fails again; a test that passed only then is listed, since it has a fault,
too. What its tests leave behind is listed: a process, a file in the temporary folder, or a file in /tmp or /dev/shm
(that only where `CI` is set: elsewhere it may be somebody else's).
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

BY_TWO = ("-n", "2", "--dist", "loadfile")
PARTS: dict[str, tuple[str, ...]] = {
    "together": (*BY_TWO, "-m", "not calm and not vm", "--durations=15"),
    "calm": (*BY_TWO, "-m", "calm and not vm", "--durations=10"),
    "vm": ("-m", "vm", "--durations=5"),
}
QUICK: dict[str, tuple[str, ...]] = {"quick": (*BY_TWO, "-m", "not calm and not vm and not slow and not packer")}
SHARED = ("/tmp", "/dev/shm")
AGAIN_AT_MOST = 3
GRACE_S = 10  # so long a process may take to end after its test
PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Outcome:
    """What came of a part: pytest's exit status, how long it took, what was left, which tests failed at first only."""

    status: int
    elapsed_s: float
    left: list[str]
    unsteady: list[str]

    @property
    def failed(self) -> bool:
        """Whether it fails the whole."""
        return self.status != 0


def main(names: list[str]) -> int:
    """Run the parts named, or all; the exit status is 1 if one failed, 2 for a name that is none."""
    unknown = [name for name in names if name not in PARTS | QUICK]
    if unknown:
        print(f"no part {unknown[0]!r}; there are {', '.join(PARTS | QUICK)}", file=sys.stderr)
        return 2
    # Processes that lose their parent become children of this one, so that it sees whose they were.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    outcomes = {name: run(name, (PARTS | QUICK)[name]) for name in names or PARTS}
    for name, outcome in outcomes.items():
        print(f"part {name}: {outcome.elapsed_s:.0f} s, {'failed' if outcome.failed else 'passed'}")
        for test in outcome.unsteady:
            print(f"  failed once, then passed: {test}")
        for left in outcome.left:
            print(f"  left behind: {left}")
    return int(any(outcome.failed for outcome in outcomes.values()))


def run(name: str, words: tuple[str, ...]) -> Outcome:
    """One part, in a temporary folder of its own."""
    print(f"part {name}: pytest {' '.join(words)}", flush=True)
    before = shared_files()
    begun = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="tests-"))
    folder.chmod(0o755)  # some tests look at it as another user
    try:
        status, unsteady = played(name, words, folder)
        left = [*processes(), *(str(path) for path in folder.iterdir() if not path.name.startswith("pytest-of-"))]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    new = sorted(shared_files() - before)
    if not os.environ.get("CI"):
        print("".join(f"new meanwhile: {path}\n" for path in new), end="")
        new = []
    return Outcome(status, time.monotonic() - begun, left + new, unsteady)


def played(name: str, words: tuple[str, ...], folder: Path) -> tuple[int, list[str]]:
    """Pytest's exit status, and the tests that failed at first and passed at the second time."""
    environ = {**os.environ, "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"}
    cache = Path(".pytest_cache", name)
    command = [sys.executable, "-m", "pytest", *words, "-o", f"cache_dir={cache}"]
    status = reaped(subprocess.Popen([*command, "--cache-clear"], env=environ))
    failed = last_failed(cache) if status == 1 else []
    if not 0 < len(failed) <= AGAIN_AT_MOST:
        return status, []
    print(f"part {name}: {len(failed)} failed, which run once more", flush=True)
    status = reaped(subprocess.Popen([*command, "-n", "0", "--last-failed"], env=environ))
    return status, sorted({*failed} - {*last_failed(cache)})


def last_failed(cache: Path) -> list[str]:
    """The tests that failed in the last run with this cache folder."""
    try:
        return [*json.loads((cache / "v/cache/lastfailed").read_bytes())]
    except FileNotFoundError:
        return []


def reaped(child: subprocess.Popen[bytes]) -> int:
    """Wait for pytest, and for whatever ends meanwhile; gives pytest's exit status."""
    while child.returncode is None:
        pid, status = os.wait()
        if pid == child.pid:
            child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode


def processes() -> list[str]:
    """The command lines of what still runs a while later, which is killed."""
    give_up = time.monotonic() + GRACE_S
    while (running := children()) and time.monotonic() < give_up:
        reap()
        time.sleep(0.1)
    for pid in running:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return [f"process {pid}: {line}" for pid, line in running.items()]


def reap() -> None:
    """Take the status of children that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def children() -> dict[int, str]:
    """The command line of each living child."""
    pids = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    found = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            found[int(pid)] = line or "ended, not waited for"
    return found


def shared_files() -> set[str]:
    """What lies in the folders that all programs share, but for pytest's own."""
    return {str(path) for place in SHARED for path in Path(place).iterdir() if not path.name.startswith("pytest-of-")}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
