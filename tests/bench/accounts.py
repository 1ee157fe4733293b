"""Accounts of commands in long form: what they cost, and how near they are to the kernel's own sums.

    .venv/bin/python tests/bench/accounts.py      as root

Prints figures beside their bars; asserts nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.guest.conftest import Guest  # noqa: E402
from tests.guest.loads import COMPILE, PACKAGES, THREADS, count_short, end_of, measured_by_us  # noqa: E402

import buildtel_agent  # noqa: E402

PYTHON = Path("/usr/bin/python3")
STEADY = """
import os, time
begun = time.monotonic()
for number in range({count}):
    os.waitpid(os.posix_spawn("/bin/true", ["true"], {{}}), 0)
    time.sleep(max(begun + number / {rate} - time.monotonic(), 0))
"""
LOADS = {
    "compiling": COMPILE, "unpacking": PACKAGES, "threads": THREADS,
    "stress-ng --fork": "stress-ng --fork 2 --timeout 4 -q", "stress-ng --vm": "stress-ng --vm 1 --timeout 4 -q",
    "stress-ng --pipe": "stress-ng --pipe 2 --timeout 4 -q", "stress-ng --hdd": "stress-ng --hdd 1 --timeout 4 -q",
    "a day of shell": f"for n in 1 2 3 4 5 6 7 8 9 10; do {count_short(1500)}; sleep 0.5; done",
}  # fmt: skip


def run_ns(pid: int) -> int:
    """CPU time of a process, ns."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


def step(guest: Guest, script: str) -> tuple[dict, float, float, int]:
    """A step: its end, its seconds, the CPU seconds of the whole-life sampler meanwhile, its bytes in the log."""
    life = int((guest.home / "life" / "pid").read_text().split()[0])
    before, begun = run_ns(life), time.monotonic()
    output = guest.run("run", "--", "sh", "-c", script)
    seconds, used_s = time.monotonic() - begun, (run_ns(life) - before) / 1e9
    lines = [line for line in output.stdout.split(b"\n") if line.startswith(b"BUILDTEL:")]
    return end_of(output), seconds, used_s, sum(map(len, lines))


class Unkept:
    """A file of samples that keeps nothing."""

    def note(self, line: str) -> None:
        """Forgets the line."""


def begun() -> int:
    """How many tasks of this machine have begun since its boot: each ends and is heard of."""
    lines = Path("/proc/stat").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("processes ")))


def quiet(guest: Guest, seconds: int = 20) -> None:
    """The listener alone and the whole-life sampler of which it is a part, while no step runs."""
    life = int((guest.home / "life" / "pid").read_text().split()[0])
    account = buildtel_agent.LifeAccount(Unkept())
    before, heard, begun_ns = begun(), time.thread_time_ns(), run_ns(life)
    for _ in range(seconds):
        time.sleep(1)
        account.take()
        account.close()
    listener, sampler = ((now - then) / seconds / 1e7
                         for now, then in ((time.thread_time_ns(), heard), (run_ns(life), begun_ns)))  # fmt: skip
    print(f"no step, {(begun() - before) / seconds:5.0f} commands a second: listener {listener:.3f} %, with it the"
          f" whole-life sampler {sampler:.3f} % of a core (bars when quiet 0.1 % and 0.08 %)")  # fmt: skip


def costs(guest: Guest) -> None:
    """The listener at 1,000 commands a second, and when all is quiet."""
    busy = guest.folder / "steady.py"
    busy.write_text(STEADY.format(count=20000, rate=1000))
    for name, script in (("1,000 commands a second", f"python3 -I -S {busy}"), ("quiet", "sleep 20")):
        end, seconds, life_s, size = step(guest, script)
        own = end["cost"]["cpu_ms"] / 10 / seconds
        lost = end["cmds"].get("lost")
        print(f"{name:26} whole-life sampler {100 * life_s / seconds:5.2f} %, step's {own:5.2f} % of a core (bar 2 %);"
              f" {lost} lost, {size} bytes in the log")  # fmt: skip


def short(guest: Guest, count: int) -> None:
    """Many short commands as fast as they go."""
    end, seconds, _, size = step(guest, count_short(count))
    found = {row[0]: row[1] for row in end["cmds"]["own"]}.get("true")
    lost = end["cmds"]["lost"]
    print(f"{count} short commands in {seconds:.0f} s: {found} found, {lost} lost, {size} bytes in the log")


def sums(guest: Guest, folder: Path, bar: str) -> None:
    """The seconds of all commands beside those of the tree."""
    for name, script in LOADS.items():
        output, real_s = measured_by_us(guest, script, folder)
        if output.returncode:
            print(f"{name:26} failed with {output.returncode}")
            continue
        end = end_of(output)
        told_s = sum(row[2] for row in end["cmds"]["own"])
        off, own_off = (100 * one / real_s - 100 for one in (told_s, end["own"]["cpu_ms"] / 1000))
        print(f"{name:26} {real_s:7.2f} s, commands {off:+5.1f} %, own load {own_off:+5.1f} % (bar {bar}),"
              f" {len(json.dumps(end))} bytes")  # fmt: skip


def main() -> None:
    """As root, then as a user."""
    if os.geteuid():
        sys.exit("accounts.py: run it as root")
    for before, bar in (((), "2 %"), (("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"), "15 %")):
        with tempfile.TemporaryDirectory(prefix="buildtel-") as name:
            folder = Path(name)
            (folder / "work").mkdir()
            for place in (folder, folder / "work"):
                place.chmod(0o777)
            guest = Guest(folder, PYTHON, before)
            guest.install()
            time.sleep(1)
            print("as root" if not before else "as a user, sampled")
            if not before:
                quiet(guest)
                costs(guest)
                short(guest, 100_000)
            sums(guest, folder / "work", bar)
            guest.run("finish")
            subprocess.run(["rm", "-rf", folder / "work"], check=True)
    print(f"load of this machine meanwhile {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
