"""What watching Packer costs: a null build alone and under `buildtel-host packer`, in turn in one run.

    .venv/bin/python tests/bench/packer.py [ROUNDS]

The time is until Packer's exit (collecting and reporting come after it and are shown apart). Asserts nothing.
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
  provisioner "shell-local" { inline = ["sleep 1", "seq 1 %d", "sleep 1"] }
}
"""


def build(folder: Path, prefix: list[str]) -> tuple[float, float, dict[str, float]]:
    """Seconds until Packer's exit, seconds in all, and what the watching used, if it was watched."""
    telemetry = folder / f"telemetry-{time.monotonic_ns()}"
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1", "TELEMETRY_DIR": str(telemetry)}
    begun, zero = time.time(), time.perf_counter()
    subprocess.run(
        [*prefix, "build", str(folder / "template")], env=environment, stdin=subprocess.DEVNULL, check=True,
        capture_output=True,
    )  # fmt: skip
    whole_s = time.perf_counter() - zero
    paths = list(telemetry.glob("*.json"))
    if not paths:
        return whole_s, whole_s, {}
    step = next(step for step in json.loads(paths[0].read_bytes())["steps"] if step["name"] == "packer build")
    return step["end_time"] - begun, whole_s, {"cpu_ms": step["agent_cpu_ms"], "rss_mb": step["agent_rss_mb"]}


def main() -> None:
    """Every figure for a build that prints little, and for one that prints much."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    for lines in (10, 3_000):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "template").mkdir()
            (folder / "template" / "t.pkr.hcl").write_text(TEMPLATE % lines)
            alone, watched = [], []
            for _ in range(rounds):
                alone.append(build(folder, ["packer"])[0])
                watched.append(build(folder, [HOST, "packer", "-q", "--live", "never"]))
            added = [one[0] - other for one, other in zip(watched, alone, strict=True)]
            after = [one[1] - one[0] for one in watched]
            used = watched[len(watched) // 2][2]
            print(f"{lines:7} lines: alone {statistics.median(alone):.2f} s, added until Packer's exit "
                  f"{statistics.median(added):+.3f} s ({min(added):+.3f} to {max(added):+.3f}), "
                  f"then {statistics.median(after):.2f} s; wrapper {used}")  # fmt: skip


if __name__ == "__main__":
    main()
