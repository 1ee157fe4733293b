"""Real loads for tests of accounts, and what of them the kernel tells the parent of a step."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import buildtel_agent as agent

from .conftest import records

SOURCE = "#include <stdio.h>\\n#include <math.h>\\n#include <stdlib.h>\\n#include <string.h>\\n"
COMPILE = f"""
printf '{SOURCE}' > a.c
n=0; while [ $n -lt 40 ]; do n=$((n + 1))
    printf 'double f%d(double x) {{ double s = 0; for (int i = 0; i < %d; i++) s += sin(x) * i; return s; }}\\n' \\
        $n $n >> a.c
done
n=0; while [ $n -lt 25 ]; do n=$((n + 1)); cc -O2 -c a.c -o a$n.o || exit 1; done
"""
PACKAGES = """
mkdir -p p/DEBIAN p/usr/share/x
printf 'Package: x\\nVersion: 1\\nArchitecture: all\\nMaintainer: x\\nDescription: x\\n' > p/DEBIAN/control
n=0; while [ $n -lt 60 ]; do n=$((n + 1)); head -c 40000 /dev/urandom > p/usr/share/x/$n; done
n=0; while [ $n -lt 8 ]; do n=$((n + 1))
    dpkg-deb -b p x.deb >/dev/null && dpkg-deb -x x.deb to && md5sum p/usr/share/x/* >/dev/null || exit 1
    mv to to$n && sync to$n
done
"""
THREADS = "stress-ng --cpu 2 --timeout 2 -q; head -c 6000000 /dev/urandom | xz -T 2 > x.xz"


def count_short(count: int, command: str | Path = "/bin/true") -> str:
    """A script of so many short commands."""
    return f"n=0; while [ $n -lt {count} ]; do n=$((n + 1)); {command}; done"


def end_of(output: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    """The fields of the end of a step, its parts joined."""
    assert output.returncode == 0, output
    found: dict[str, Any] = {}
    for record in records(output.stdout):
        if record["ev"] == "end":
            found.update({key: {**found.get(key, {}), **value} if isinstance(value, dict) else value
                          for key, value in record.items()})  # fmt: skip
    return found


def measured_by_us(guest: Any, script: str, folder: Path) -> tuple[subprocess.CompletedProcess[bytes], float]:
    """Runs a script as a step; gives its output, and the CPU seconds that the kernel tells its parent."""
    command = [*guest.before, "sh", str(guest.home / "buildtel_agent.py"), "run", "--", "sh", "-c", script]
    with subprocess.Popen(
        command, cwd=folder, env=guest.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    ) as process:
        output = process.stdout.read() if process.stdout else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return subprocess.CompletedProcess(command, process.returncode, output, b""), usage.ru_utime + usage.ru_stime


def busy_children(count: int) -> agent.Commands:
    """Commands c01, c02, …: each used more CPU than the one before, and the first two wrote most."""
    commands = agent.Commands()
    for number in range(1, count + 1):
        task = agent.Task(number, 1, b"c%02d" % number, 1.0, 10.0)
        task.run_ns, task.read = number * 10_000_000, 0
        task.written = (50 << 20) // number if number < 3 else 0
        commands.add(task)
    return commands
