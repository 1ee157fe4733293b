"""What `buildtel-host` costs, beside `python -c pass` of the same interpreter, measured in turn in one run.

    .venv/bin/python tests/bench/host.py [ROUNDS]

Prints medians of wall milliseconds and of the ratios within each round; asserts nothing.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HOST = str(Path(sys.executable).with_name("buildtel-host"))
LINE = b"    qemu.debian: Unpacking libfoo%d:amd64 (1.2.3-4) over (1.2.2-1) ...\n"
SMALL = (
    b"==> qemu.debian: Connected to SSH!\n==> qemu.debian: Provisioning with shell script: x.sh\n"
    b"    qemu.debian: done\nBuild 'qemu.debian' finished after 3 minutes 2 seconds.\n"
)


def wall_ms(commands: list[list[str]], environment: dict[str, str]) -> float:
    """The commands one after the other, each from spawn to reap."""
    begun = time.perf_counter()
    for command in commands:
        subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    return (time.perf_counter() - begun) * 1000


def ten_megabytes(path: Path) -> None:
    """A log of one build whose guest has much to say."""
    head = b"==> qemu.debian: Connected to SSH!\n==> qemu.debian: Provisioning with shell script: x.sh\n"
    body = b"".join(LINE % number for number in range(10 * 1024 * 1024 // len(LINE)))
    path.write_bytes(head + body + b"Build 'qemu.debian' finished after 3 minutes 2 seconds.\n")


def main() -> None:
    """Every figure once."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as folder:
        environment = {"PATH": "/usr/bin:/bin", "HOME": folder, "TELEMETRY_DIR": f"{folder}/telemetry"}
        small, large = Path(folder) / "small.log", Path(folder) / "large.log"
        small.write_bytes(SMALL)
        store = f"{folder}/store"
        ten_megabytes(large)
        for words in (
            ["collect", "-q", "-o", f"{folder}/small.json", str(small)],
            ["upload", "-q", "--store", store, f"{folder}/small.json"],
        ):
            subprocess.run([HOST, *words], env=environment, check=True)
        start, end = [HOST, "step", "start", "x"], [HOST, "step", "end", "x"]
        steps = {**environment, "TELEMETRY_DIR": f"{folder}/steps"}
        candidates = {
            "pass": [[sys.executable, "-c", "pass"]],
            "pass, twice": [[sys.executable, "-c", "pass"]] * 2,
            "step start and end": [start, end],
            "--version": [[HOST, "--version"]],
            "--help": [[HOST, "--help"]],
            "list": [[HOST, "list", "--store", store]],
            "history": [[HOST, "history", "--store", store]],
            "upload of nothing": [[HOST, "upload", "--store", store, "-q"]],
            "report of a small log": [[HOST, "report", f"{folder}/small.json"]],
            "collect of a small log": [[HOST, "collect", "-q", "-o", f"{folder}/new.json", str(small)]],
            "collect of 10 MB": [[HOST, "collect", "-q", "-o", f"{folder}/new.json", str(large)]],
        }
        taken: dict[str, list[float]] = {name: [] for name in candidates}
        for _ in range(rounds):
            for name, commands in candidates.items():
                taken[name].append(wall_ms(commands, steps if name.startswith("step") else environment))
        for name, times in taken.items():
            ratio = statistics.median(one / other for one, other in zip(times, taken["pass"], strict=True))
            print(f"{name:28}{statistics.median(times):8.1f} ms {ratio:7.2f} x pass")
        pairs = zip(taken["step start and end"], taken["pass, twice"], strict=True)
        print(f"a step over two starts of Python  {statistics.median(one / other for one, other in pairs):.2f}")
        print(f"load of this machine meanwhile    {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
