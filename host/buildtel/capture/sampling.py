"""Samples the runner's counters and the hypervisor's process while Packer runs."""

from __future__ import annotations

import os
from collections.abc import Callable

import buildtel_agent as agent
from buildtel.capture.beside import Beside
from buildtel.capture.family import descends, hypervisors, look, sees_all, stat

TYPE_CHECKING = False
if TYPE_CHECKING:  # Packer's start does not wait for it
    from typing import Any

RUNNER = {"on": "runner"}
ROWS_A_RECORD = 10
SEARCH_EVERY_S = 5
SEARCH_SHARE = 60  # after so long a search it is that much rarer: what is known of processes stays bounded
LEAST_APART_S = 0.25


class LineRecorder(agent.Recorder):
    """A recorder whose records go to a callable, marked as the runner's."""

    def __init__(self, take: Callable[[bytes], None], key: str = "") -> None:
        super().__init__(-1, "", key=key.encode("utf-8", "surrogateescape"))
        self._take = take

    def tell(self, event: str, fields: dict[str, Any], *, last: bool = False, **shared: Any) -> None:
        """Make a record of an event.

        Args:
            event: its kind, `ev` of the record.
            fields: the fields that may be spread over several parts.
            last: no record of this process follows.
            shared: fields that each part repeats.
        """
        self.emit(event, fields, {**RUNNER, **shared}, last=last, own_line=True)

    def _write(self, line: bytes, own_line: bool, is_quiet: bool = False) -> None:
        self.bytes += len(line)
        self._take(line)


class RunnerSampler:
    """Samples once a second for an hour, then ever more rarely, so that data stays bounded.

    Beside that it samples when Packer announces something, at most every `LEAST_APART_S`: what a stretch of the
    account took is then known from its very edges.
    """

    def __init__(self, recorder: LineRecorder, kernel: agent.Kernel) -> None:
        self._recorder, self._kernel = recorder, kernel
        self._names: list[str] = []
        self._rows: list[list[int | None]] = []
        self._began_s: float | None = None
        self._taken_s = float("-inf")
        self._search_at = 0.0
        self._started_ticks = agent.boottime_ns() * os.sysconf("SC_CLK_TCK") // 1_000_000_000
        self._machines: dict[int, str] = {}
        self._own: set[str] = set()
        self._beside = Beside()
        self._processes = _Processes(kernel.proc, os.sysconf("SC_CLK_TCK"), self._started_ticks)
        self.last: dict[str, Any] = {}

    def sample(self, now_s: float, packer: int) -> float:
        """Take one sample; gives the seconds until the next one is due.

        Args:
            now_s: the time, seconds of the monotonic clock.
            packer: the pid of Packer, whose descendants are searched for hypervisors.
        """
        if self._began_s is None:
            self._began_s = now_s
        if now_s >= self._search_at:
            self._search_at = now_s + max(SEARCH_EVERY_S, (now_s - self._began_s) / SEARCH_SHARE)
            self.search(packer)
        self.last = self._kernel.sampled()
        counters = dict(self.last)
        machines = {name: found for pid, name in self._machines.items() if (found := process_counters(pid))}
        if machines:
            counters["hyp"] = machines
        beside = self._beside.counters()
        if beside is not None:
            counters["beside"] = beside
        pairs = [("m_ms", agent.boottime_ns() // 1_000_000), *agent.flatten(counters)]
        names = [name for name, _ in pairs]
        if names != self._names or len(self._rows) >= ROWS_A_RECORD:
            self.flush()
            self._names = names
        self._rows.append([value for _, value in pairs])
        self._taken_s = now_s
        hours = int(now_s - self._began_s) // 3600
        return float(min(1 << (hours + 1).bit_length() - 1, 60))

    def is_due(self, now_s: float) -> bool:
        """Whether an announcement is worth a sample now."""
        return now_s - self._taken_s >= LEAST_APART_S

    def search(self, packer: int) -> None:
        """Look for the hypervisors, for other builds, and at what each process has used."""
        seen = look()
        self._machines = hypervisors(packer, seen, self._started_ticks)
        ours = {pid for pid in seen if pid in self._machines or descends(pid, os.getpid(), seen)}
        if sees_all():
            self._beside.look(seen, ours)
        self._own.update(map(str, ours))
        self._processes.scan()

    def busiest(self, *, own: bool) -> list[list[Any]] | None:
        """`[[name, CPU s, MB read and written], …]`, busiest first, as far as searches saw them.

        Those of Packer's tree and the hypervisors, or the others; None for these where not every process can be seen.
        """
        if not own and not sees_all():
            return None
        return self._processes.busiest_of(lambda pid: (pid in self._own) == own)

    def flush(self) -> None:
        """Record what was sampled since the last record."""
        if self._rows:
            self._recorder.tell("samples", {"cols": agent.pack_columns(self._names, self._rows)})
        self._rows = []


class _Processes(agent.Processes):
    """What each process used between the first and the last search that saw it."""

    def busiest_of(self, wanted: Callable[[str], bool]) -> list[list[Any]]:
        """The busiest of those with a wanted process id."""
        everything, self._last = self._last, {key: row for key, row in self._last.items() if wanted(key[0])}
        try:
            return self.busiest()
        finally:
            self._last = everything


def process_counters(pid: int) -> list[int | None] | None:
    """`[start_ms, cpu_ticks, rss_kb, read_bytes, written_bytes, kvm, cpu_wait_us]` of a process, None if it is gone.

    `kvm` is 1 where it is a machine by KVM, 0 where QEMU emulates one; `cpu_wait_us` is how long its threads waited for
    a CPU. Source: /proc/PID/stat (fields 14, 15, 22 and 24), /proc/PID/io and /proc/PID/fd, which only its user may
    read, and /proc/PID/task/*/schedstat.
    """
    found = stat(pid)
    if not found:
        return None
    fields = found[1]
    hz, page_kb = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE") // 1024
    io = dict(line.split(b": ") for line in agent.read_file(f"/proc/{pid}/io").splitlines())
    moved = [int(io[key]) if key in io else None for key in (b"read_bytes", b"write_bytes")]
    own = [int(fields[19]) * 1000 // hz, int(fields[11]) + int(fields[12]), int(fields[21]) * page_kb]
    return [*own, *moved, _has_kvm(pid, found[0]), _cpu_wait_us(pid)]


def _has_kvm(pid: int, name: str) -> int | None:
    """1 where a process of QEMU's has a machine of KVM's open, 0 where it has none, None where nothing tells."""
    if not name.startswith("qemu"):
        return None
    try:
        targets = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
    except OSError:  # another user's, or one of its files was closed meanwhile
        return None
    return int("anon_inode:kvm-vm" in targets)


def _cpu_wait_us(pid: int) -> int | None:
    """How long the threads of a process were ready to run and had no CPU; None where the kernel does not tell."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return None
    waits = [agent.read_file(f"/proc/{pid}/task/{thread}/schedstat", 200).split()[1:2] for thread in threads]
    known = [int(wait[0]) for wait in waits if wait and wait[0].isdigit()]
    return sum(known) // 1000 if known else None
