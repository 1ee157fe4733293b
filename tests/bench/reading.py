"""What reading a long log costs, beside a read and a split of the same file at its newlines, measured in turn.

    .venv/bin/python tests/bench/reading.py [MIB [ROUNDS]]

For each form of Packer's output: the wall seconds of `collect` less those of an empty log, their ratio to the split,
and the peak memory of `collect` above that of an empty log. Medians; asserts nothing.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HOST = str(Path(sys.executable).with_name("buildtel-host"))
SPLIT = """
import sys, time
begun = time.perf_counter()
open(sys.argv[1], "rb").read().split(b"\\n")
print(time.perf_counter() - begun)
"""
BLOCK_LINES = 20_000
LINE_END, TIME = "\n", "2026-01-24T12:00:00.123456789Z"
EARLY = ("==> qemu.debian: Connected to SSH!", "==> qemu.debian: Provisioning with shell script: x.sh")
LAST = "Build 'qemu.debian' finished after 3 minutes 2 seconds."
# Each form: how a line of Packer's output stands in the log.
FORMS: dict[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "colour": lambda text: f"\x1b[1;32m{text}\x1b[0m",
    "all ==>": lambda text: text.replace("    qemu.debian: ", "==> qemu.debian: ", 1),
    "timestamp-ui": lambda text: f"2026-01-24T12:00:00Z: {text}",
    "debug": lambda text: f"2026/01/24 12:00:00 ui: {text}",
    "machine-readable": lambda text: "1769256000,,ui,message," + text.replace(",", "%!(PACKER_COMMA)"),
    "announced late": lambda text: text,
    "stamps of a CI": lambda text: f"2026-01-24T12:00:00.1234567Z {text}",
    "Docker's JSON": lambda text: f'{{"log":{json.dumps(text + LINE_END)},"stream":"stdout","time":"{TIME}"}}',
    "CRI": lambda text: f"{TIME} stdout F {text}",
    "logfmt": lambda text: f'time="{TIME}" level=info msg={json.dumps(text)}',
}


def chatter(chance: random.Random) -> str:
    """A line as apt, docker, pip, compilers and loggers print them."""
    number = chance.randrange(10**6)
    return chance.choice((
        f"Get:{number} http://mirror.example/debian bookworm/main libfoo{number % 97} amd64 1.2.{number % 9} [3 kB]",
        f"Unpacking libfoo{number}:amd64 (1.2.3-4) over (1.2.2-1) ...",
        f"Setting up libfoo{number}:amd64 (1.2.3-4) ...",
        f"{number:012x}: Pulling fs layer",
        f"  Downloading foo_bar-{number % 99}-cp311-cp311-manylinux_2_17_x86_64.whl ({number} kB)",
        f"gcc -DHAVE_CONFIG_H -I. -I../include -O2 -g -Wall -fPIC -c -o obj/{number:x}.o src/{number % 77}.c",
        f'{{"level":"info","ts":{number}.25,"msg":"container started"}}',
        f'time="2026-01-24T12:00:{number % 60:02d}Z" level=info msg="Loading containers: done."',
        "",
    ))  # fmt: skip


def write_log(path: Path, form: str, mib: int) -> None:
    """A log of one build of so many MiB; in the form `announced late` what tells its name comes in the middle."""
    chance, shown = random.Random(form), FORMS[form]
    block = "".join(f"{shown('    qemu.debian: ' + chatter(chance))}\n" for _ in range(BLOCK_LINES)).encode()
    with path.open("wb") as file:
        while form == "announced late" and file.tell() < mib << 19:
            file.write(block)
        file.write("".join(f"{shown(line)}\n" for line in EARLY).encode())
        while file.tell() < mib << 20:
            file.write(block)
        file.write(f"{shown(LAST)}\n".encode())


def collected(log: Path, environment: dict[str, str]) -> tuple[float, float]:
    """Wall seconds and peak MB of `collect`."""
    begun = time.perf_counter()
    command = [HOST, "collect", "--force", "-q", "-o", "/dev/null", str(log)]
    child = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"collect of {log.name} failed")
    return time.perf_counter() - begun, usage.ru_maxrss / 1024


def split_s(log: Path) -> float:
    """Wall seconds of reading and splitting the file at once."""
    done = subprocess.run([sys.executable, "-c", SPLIT, str(log)], capture_output=True, check=True)
    return float(done.stdout)


def main() -> None:
    """Every form once."""
    mib = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory() as folder:
        environment = {"PATH": "/usr/bin:/bin", "HOME": folder, "TELEMETRY_DIR": f"{folder}/telemetry"}
        log, empty = Path(folder) / "packer.log", Path(folder) / "empty.log"
        empty.write_bytes(b"")
        for form in FORMS:
            write_log(log, form, mib)
            rows = [(split_s(log), *collected(empty, environment), *collected(log, environment)) for _ in range(rounds)]
            read_s = statistics.median(row[3] - row[1] for row in rows)
            ratio = statistics.median((row[3] - row[1]) / row[0] for row in rows)
            more_mb = max(row[4] for row in rows) - min(row[2] for row in rows)
            print(f"{form:18}{mib:5} MiB{read_s:8.2f} s {ratio:6.2f} x split {more_mb:6.1f} MB more", flush=True)
        print(f"load of this machine meanwhile {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
