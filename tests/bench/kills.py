"""SIGKILL of the wrapper at random moments: every build goes on to its own end, and what is left makes a document.

    .venv/bin/python tests/bench/kills.py [TIMES]

Prints in how many Packer had begun, how many ended as they would have (what the others printed), and of how many there
is a document or a word that there can be none.
"""

from __future__ import annotations

import os
import random
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
  provisioner "shell-local" { inline = ["sleep 0.3; seq 1 200; echo over >> over"] }
}
"""
LATEST_S = 1.2


def killed(folder: Path, number: int) -> tuple[bool, bool, bool]:
    """Whether Packer had begun; the build ended as it would have, or never began; its document can be made, or not.

    The last is true, too, where `collect` says that there is no document in what is left.
    """
    telemetry, over = folder / f"telemetry-{number}", folder / "over"
    over.unlink(missing_ok=True)
    environ = {**os.environ, "CHECKPOINT_DISABLE": "1", "TELEMETRY_DIR": str(telemetry)}
    process = subprocess.Popen(
        [HOST, "packer", "-q", "build", "-color=false", "."], cwd=folder, env=environ, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    after_s = random.uniform(0, LATEST_S)
    time.sleep(after_s)
    began = has_begun(process.pid)
    process.kill()
    output, _ = process.communicate()
    whole = b"null.one: 200\n" in output and b"Builds finished" in output and over.exists()
    logs = list(telemetry.glob("*.packer.log"))
    told = bool(logs) or not began
    for log in logs:
        done = subprocess.run(
            [HOST, "collect", "-q", "-o", f"{telemetry}/some.json", str(log)], env=environ, check=False,
            capture_output=True,
        )  # fmt: skip
        told = done.returncode == 0 or b"is not a Packer log" in done.stderr
    ended = whole or not (began or output)
    if not ended:
        print(f"{number}: killed after {after_s:.3f} s, Packer had begun: {began}, its output: {output!r}")
    return began, ended, told


def has_begun(pid: int) -> bool:
    """Whether the wrapper has started Packer."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return any(Path(f"/proc/{child}/comm").read_text() == "packer\n" for child in children)
    except OSError:
        return False


def main() -> None:
    """Count."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "t.pkr.hcl").write_text(TEMPLATE)
        found = [killed(folder, number) for number in range(times)]
    began, ended, told = (sum(column) for column in zip(*found, strict=True))
    print(f"{times} wrappers killed, {began} after Packer had begun: {ended} builds ended as they would have, ", end="")
    print(f"{told} documents made or said to be none")


if __name__ == "__main__":
    main()
