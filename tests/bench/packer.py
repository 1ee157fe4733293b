"""What watching Packer costs: builds alone and under `buildtel-host packer`, in turn in one run.

    .venv/bin/python tests/bench/packer.py [ROUNDS [MB]]

Wall is until the wrapper's exit, its document written; a step sleeps for a second, or prints so many lines. CPU is the
wrapper's own for 1,000 lines a second, over that for none. Memory is the most that the wrapper and the debug log in
memory hold together in a build that prints MB (default 8; 64 took Packer two minutes on a busy machine), over that of
one that prints nothing. Asserts nothing.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HOST = str(Path(sys.executable).with_name("buildtel-host"))
TEMPLATE = """
source "null" "one" { communicator = "none" }
build {
  sources = ["source.null.one"]
  provisioner "shell-local" { inline = ["%s"] }
}
"""
SECONDS = 20
STEPS = {
    "null build": "true",
    "one second": "sleep 1",
    "one second, 3,000 lines": "sleep 0.5; seq 1 3000; sleep 0.5",
}
NONE_A_SECOND = f"for i in `seq {SECONDS * 10}`; do seq 1 100 >/dev/null; sleep 0.1; done"
THOUSAND_A_SECOND = f"for i in `seq {SECONDS * 10}`; do seq 1 100; sleep 0.1; done"
PRINTED = "head -c %d000000 /dev/zero | tr '\\\\0' x | fold -w 4000"


class Bench:
    """A folder with a template and the places of its documents."""

    def __init__(self, folder: Path, step: str) -> None:
        self.folder = folder
        self.environ = {**os.environ, "CHECKPOINT_DISABLE": "1"}
        self.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed has its bytecode
        (folder / "t.pkr.hcl").write_text(TEMPLATE % step)

    def start(self, prefix: list[str]) -> subprocess.Popen[bytes]:
        """A build under way."""
        self.telemetry = self.folder / f"telemetry-{time.monotonic_ns()}"
        return subprocess.Popen(
            [*prefix, "build", "."], cwd=self.folder, env={**self.environ, "TELEMETRY_DIR": str(self.telemetry)},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def wall_s(self, prefix: list[str]) -> float:
        """The seconds of a build."""
        zero = time.perf_counter()
        assert self.start(prefix).wait() == 0
        return time.perf_counter() - zero

    def packers_end_s(self) -> float:
        """When Packer ended in the last build."""
        (path,) = self.telemetry.glob("*.json")
        return next(s for s in json.loads(path.read_bytes())["steps"] if s["name"] == "packer build")["end_time"]


def watched_by(*words: str) -> list[str]:
    """The wrapper's command."""
    return [HOST, "packer", "-q", *words]


def wall(name: str, step: str, rounds: int) -> str:
    """What the wrapper adds to the wall."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), step)
        bench.wall_s(watched_by())
        added, after, alone = [], [], []
        for _ in range(rounds):
            alone.append(bench.wall_s(["packer"]))
            added.append(bench.wall_s(watched_by()) - alone[-1])
            after.append(time.time() - bench.packers_end_s())
    return (
        f"{name}: alone {statistics.median(alone):.2f} s, with the wrapper {statistics.median(added):+.3f} s "
        f"({min(added):+.3f} to {max(added):+.3f}), of it after Packer's end {statistics.median(after):.3f} s"
    )


def cpu_s(step: str) -> float:
    """The wrapper's own CPU until Packer's end, its children's left out."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), step)
        process = bench.start(watched_by())
        used = 0.0
        while process.poll() is None:
            try:
                fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                break
            used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            time.sleep(0.2)
        process.wait()
    return used


def most_kb(step: str) -> int:
    """The most that the wrapper held in memory, with its debug log."""
    with tempfile.TemporaryDirectory() as folder:
        process = Bench(Path(folder), step).start(watched_by())
        most = 0
        while process.poll() is None:
            most = max(most, held_kb(process.pid))
            time.sleep(0.05)
    return most


def held_kb(pid: int) -> int:
    """What a wrapper holds in memory now, with its debug log."""
    try:
        status = Path(f"/proc/{pid}/status").read_text().splitlines()
        held = sum(int(line.split()[1]) for line in status if line.startswith(("RssAnon", "RssFile")))
        logs = [file for file in Path(f"/proc/{pid}/fd").iterdir() if "buildtel-packer-log" in str(file.readlink())]
        return held + sum(file.stat().st_blocks // 2 for file in logs)
    except (OSError, ValueError):
        return 0


def main() -> None:
    """Every figure."""
    given = [int(word) for word in sys.argv[1:]]
    rounds, megabytes = [*given, *(7, 8)[len(given) :]]
    for name, step in STEPS.items():
        print(wall(name, step, rounds))
    many_s, none_s = cpu_s(THOUSAND_A_SECOND), cpu_s(NONE_A_SECOND)
    print(f"1,000 lines a second for {SECONDS} s: {100 * many_s / SECONDS:.1f} % of a core, "
          f"{100 * (many_s - none_s) / SECONDS:.1f} % more than without a line")  # fmt: skip
    much_kb, little_kb = most_kb(PRINTED % megabytes), most_kb("sleep 1")
    print(f"{megabytes} MB printed: at most {much_kb / 1024:.0f} MB held, {(much_kb - little_kb) / 1024:+.0f} MB")


if __name__ == "__main__":
    main()
