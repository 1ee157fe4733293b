"""What `buildtel-host` costs, beside `python -c pass` of the same interpreter, measured in turn in one run.

    .venv/bin/python -m tests.bench.host [ROUNDS]

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

from tests.host.page.documents import document

HOST = str(Path(sys.executable).with_name("buildtel-host"))
LINE = b"    qemu.debian: Unpacking libfoo%d:amd64 (1.2.3-4) over (1.2.2-1) ...\n"
LONG_POINTS = 7200  # samples that a machine's agent takes in three hours
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


def prepare(folder: Path, environment: dict[str, str]) -> None:
    """Write a small and a large log, a document and a store with one build."""
    (folder / "small.log").write_bytes(SMALL)
    ten_megabytes(folder / "large.log")
    (folder / "long.json").write_text(document(machines=1, points=LONG_POINTS).to_json())
    for words in (
        ["collect", "-q", "-o", f"{folder}/small.json", f"{folder}/small.log"],
        ["upload", "-q", "--store", f"{folder}/store", f"{folder}/small.json"],
    ):
        subprocess.run([HOST, *words], env=environment, check=True)


def candidates(folder: Path) -> dict[str, list[list[str]]]:
    """What is measured: the commands of each row."""
    bare, store = [sys.executable, "-c", "pass"], ["--store", f"{folder}/store"]
    collect = [HOST, "collect", "-q", "-o", f"{folder}/new.json"]
    return {
        "pass": [bare],
        "pass, twice": [bare, bare],
        "step start and end": [[HOST, "step", "start", "x"], [HOST, "step", "end", "x"]],
        "--version": [[HOST, "--version"]],
        "--help": [[HOST, "--help"]],
        "list": [[HOST, "list", *store]],
        "history": [[HOST, "history", *store]],
        "upload of nothing": [[HOST, "upload", *store, "-q"]],
        "report of a small log": [[HOST, "report", f"{folder}/small.json"]],
        "diagnose of three hours": [[HOST, "diagnose", f"{folder}/long.json"]],
        "collect of a small log": [[*collect, f"{folder}/small.log"]],
        "collect of 10 MB": [[*collect, f"{folder}/large.log"]],
    }


def measure(folder: Path, rounds: int) -> dict[str, list[float]]:
    """The wall milliseconds of each row, one of each round."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "TELEMETRY_DIR": f"{folder}/telemetry"}
    steps = {**environment, "TELEMETRY_DIR": f"{folder}/steps"}
    prepare(folder, environment)
    rows = candidates(folder)
    taken: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(rounds):
        for name, commands in rows.items():
            taken[name].append(wall_ms(commands, steps if name.startswith("step") else environment))
    return taken


def ratio(taken: dict[str, list[float]], name: str, other: str) -> float:
    """The median of the ratios of two rows within each round."""
    return statistics.median(one / two for one, two in zip(taken[name], taken[other], strict=True))


def main() -> None:
    """Every figure once."""
    with tempfile.TemporaryDirectory() as folder:
        taken = measure(Path(folder), int(sys.argv[1]) if len(sys.argv) > 1 else 15)
    for name, times in taken.items():
        print(f"{name:28}{statistics.median(times):8.1f} ms {ratio(taken, name, 'pass'):7.2f} x pass")
    print(f"a step over two starts of Python  {ratio(taken, 'step start and end', 'pass, twice'):.2f}")
    print(f"load of this machine meanwhile    {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
