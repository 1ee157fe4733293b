"""What the agent costs, beside `python3 -I -S -c pass` of the same interpreter, measured in turn in one run.

    .venv/bin/python tests/bench/agent.py [ROUNDS]

Prints medians of wall milliseconds and of the ratios within each round; asserts nothing. "extra" is the cost of a step
to its build: the wall time of the measured step less that of the same step unmeasured in the same round.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import buildtel_agent

AGENT = Path(__file__).parents[2] / "guest" / "buildtel_agent.py"
PYTHON = "/usr/bin/python3"
ENVIRONMENT = {"PATH": "/usr/bin:/bin"}
BARE = "an empty step, bare"
STEPS = ("an empty step behind the words", "an empty step by `run`", "the same, nothing installed")


def wall_ms(command: list[str]) -> float:
    """One run of a command, from spawn until nobody holds its output any more, as Packer waits."""
    begun = time.perf_counter()
    subprocess.run(command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
    return (time.perf_counter() - begun) * 1000


def in_turn(commands: dict[str, list[str]], rounds: int) -> None:
    """Every command once a round, so that a slow minute slows them all."""
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            taken[name].append(wall_ms(command))
    for name, times in taken.items():
        tell(name, times, taken["pass"], taken[BARE] if name in STEPS else [])


def tell(name: str, times: list[float], floor: list[float], bare: list[float]) -> None:
    """Prints the medians of a command; `bare` has the rounds of the same step unmeasured, if it is one."""
    ratio = statistics.median(one / other for one, other in zip(times, floor, strict=True))
    line = f"{name:34}{statistics.median(times):8.1f} ms {ratio:6.2f} x pass"
    if bare:
        extra = statistics.median((one - none) / other for one, none, other in zip(times, bare, floor, strict=True))
        line += f", extra {extra:5.2f} x"
    print(line)


def lengths_ms(command: list[str], rounds: int) -> tuple[float, float]:
    """How long an empty step lasts by the agent's records, and its process with our start in it by the kernel's."""
    by_us, by_kernel = [], []
    for _ in range(rounds):
        kernel = buildtel_agent.Tasks()
        with subprocess.Popen(command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as step:
            output = step.stdout.read() if step.stdout else b""
        by_kernel += [task.length_s * 1000 for task in kernel.take() if task.pid == step.pid]
        kernel.close()
        lines = [line[9:] for line in output.splitlines() if line.startswith(b"BUILDTEL:")]
        times = {record["ev"]: record["m"] for record in map(json.loads, lines)}
        by_us.append((times["end"] - times["start"]) / 1e6)
    return statistics.median(by_us), statistics.median(by_kernel)


def life_cost(agent: Path, seconds: float) -> tuple[float, float]:
    """CPU percent of one core, and PSS in MiB, of the whole-life sampler."""
    pid = subprocess.run(["pgrep", "-f", f"{agent.parent}/agent.pyc life"], capture_output=True, check=True).stdout
    process = Path("/proc") / pid.decode().split()[0]

    def run_ns() -> int:
        return int((process / "schedstat").read_text().split()[0])

    before = run_ns()
    time.sleep(seconds)
    used = run_ns() - before
    rollup = (process / "smaps_rollup").read_text().splitlines()
    pss_kb = next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
    return used / seconds / 1e7, pss_kb / 1024


def without_sampler(agent: Path, command: list[str], bare: list[str], rounds: int) -> None:
    """Prints what an empty step costs whose whole-life sampler was killed just before."""
    times, floor, unmeasured = [], [], []
    number = agent.parent / "life" / "pid"
    for _ in range(rounds):
        with contextlib.suppress(OSError, ValueError):
            os.kill(int(number.read_text().split()[0]), signal.SIGKILL)
        floor.append(wall_ms([PYTHON, "-I", "-S", "-c", "pass"]))
        unmeasured.append(wall_ms(bare))
        times.append(wall_ms(command))
        time.sleep(0.2)  # the new one begins
    tell("the same, its sampler was killed", times, floor, unmeasured)


def main() -> None:
    """Every figure once."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 41
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "installed"
        subprocess.run(["sh", AGENT, "install", "--dir", home], env=ENVIRONMENT, check=True, stdout=subprocess.DEVNULL)
        installed = home / "buildtel_agent.py"
        compiled = [PYTHON, "-I", "-S", str(home / "agent.pyc")]
        words = f"/bin/sh -c '{{ test -r $0 && . $0; }} 2>/dev/null' {installed} tell c0ffee; "
        commands = {
            "pass": [PYTHON, "-I", "-S", "-c", "pass"],
            "mark, as source": [PYTHON, "-I", "-S", str(AGENT), "mark", "x"],
            "mark, compiled": [*compiled, "mark", "x"],
            "start (one boundary), compiled": [*compiled, "start", "x"],
            "end (one boundary), compiled": [*compiled, "end", "x"],
            "sh start, as a script calls it": ["sh", str(installed), "start", "y"],
            "sh end": ["sh", str(installed), "end", "y"],
            BARE: ["sh", "-c", "true"],
            STEPS[0]: ["sh", "-c", words + "true"],
            STEPS[1]: ["sh", str(installed), "run", "--", "true"],
            STEPS[2]: ["sh", str(AGENT), "run", "--", "true"],
        }
        in_turn(commands, rounds)
        if os.geteuid() == 0:
            for name in STEPS[:2]:
                ours, kernels = lengths_ms(commands[name], rounds)
                print(f"{name:34}{ours:8.1f} ms by our records, with our start {kernels:.1f} ms by taskstats")
        without_sampler(installed, commands[STEPS[0]], commands[BARE], rounds)
        cpu_percent, pss_mb = life_cost(installed, 20)
        print(f"whole-life sampler, 1 Hz          {cpu_percent:8.3f} % of a core, {pss_mb:.1f} MiB PSS")
        print(f"load of this machine meanwhile    {os.getloadavg()[0]:8.2f}")
        subprocess.run(["sh", installed, "finish"], env=ENVIRONMENT, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
