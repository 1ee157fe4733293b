"""Which branches the tests take, of the agent (as it is run, too), the reader, the fold and the stores.

    .venv/bin/python tests/coverage/measure.py [agent|reader|fold|store ...]

Prints the figure of each, or of those named by their own tests alone; exit status 1 if one is below `LEAST_PERCENT` or
a test fails.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import coverage

ROOT = Path(__file__).parents[2]
LEAST_PERCENT = 95
GROUPS = {
    "agent": ("guest/buildtel_agent.py",),
    "reader": ("host/buildtel/parse/*",),
    "fold": ("host/buildtel/timeline/*", "host/buildtel/measure/*", "host/buildtel/job/*"),
    "store": ("host/buildtel/store/*",),
}
TESTS = {
    "agent": ("tests/guest", "--ignore=tests/guest/test_unharmed.py"),
    "reader": ("tests/host/parse",),
    "fold": ("tests/host/timeline", "tests/host/measure", "tests/host/job"),
    "store": ("tests/host/store",),
}
MORE = ("tests/host/capture/test_runner.py", "tests/host/cli/test_collect.py", "tests/host/report")
CONFIG = """\
[run]
branch = True
parallel = True
disable_warnings = no-data-collected
include =
    {files}
[report]
exclude_also =
    if TYPE_CHECKING:
    ^\\s*\\.\\.\\.$
"""


def make_python(folder: Path) -> Path:
    """A folder with a `python3` that measures the agent; returns the configuration that it uses."""
    folder.mkdir()
    agent, config = ROOT / GROUPS["agent"][0], folder / "coveragerc"
    files = [str(ROOT / pattern) for patterns in GROUPS.values() for pattern in patterns]
    config.write_text(CONFIG.format(files="\n    ".join(files)))
    packages = Path(coverage.__file__).parents[1]
    (folder / "settings").write_text(f"{agent}\n{packages}\n{folder.parent / 'data'}\n{config}\n")
    shim, real = Path(__file__).with_name("shim.py"), Path(sys.executable).resolve()
    for name in ("python3", f"python3.{sys.version_info.minor}"):
        (folder / name).write_text(f'#!/bin/sh\nexec {real} -I -S {shim} {folder}/x "$@"\n')
        (folder / name).chmod(0o755)
    return config


def main() -> int:
    """Run the tests measured, and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", metavar="GROUP", nargs="*", help=", ".join(GROUPS))
    groups = parser.parse_args().groups or list(GROUPS)
    if strange := [group for group in groups if group not in GROUPS]:
        parser.error(f"no group {strange[0]!r}: there are {', '.join(GROUPS)}")
    words = [word for group in groups for word in TESTS[group]] + list(MORE if groups == list(GROUPS) else ())
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "bin"
        config = make_python(folder)
        environ = {
            **os.environ,
            "PATH": f"{folder}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "PYTHONPATH": f"{ROOT / 'host'}:{ROOT / 'guest'}",
            "COVERAGE_FILE": f"{place}/data",
            "COVERAGE_CHILDREN": str(config),  # the tests hand it on to the commands that they start
        }
        measured = [sys.executable, "-m", "coverage", "run", f"--rcfile={config}", "-m", "pytest", "-q"]
        tests = subprocess.run([*measured, *words], cwd=ROOT, env=environ, check=False)
        data = coverage.Coverage(data_file=f"{place}/data", config_file=str(config))
        data.combine([place])
        enough = told(data, groups)
        return 1 if tests.returncode or not enough else 0


def told(data: coverage.Coverage, groups: list[str]) -> bool:
    """Print what was reached of some groups; True if it is enough."""
    enough = True
    for name in groups:
        print(f"\n{name}:")
        files = [str(ROOT / pattern) for pattern in GROUPS[name]]
        percent = data.report(include=files, show_missing=True, skip_covered=True, precision=1)
        branches = of_branches(data, files)
        print(f"{name}: {percent:.1f} % of statements and branches, {branches:.1f} % of branches")
        enough = enough and min(percent, branches) >= LEAST_PERCENT
    return enough


def of_branches(data: coverage.Coverage, files: list[str]) -> float:
    """How many of the branches in these files were taken, in percent."""
    with tempfile.NamedTemporaryFile() as told:
        data.json_report(include=files, outfile=told.name)
        totals = json.loads(Path(told.name).read_bytes())["totals"]
    return float(100 * totals["covered_branches"] / totals["num_branches"])


if __name__ == "__main__":
    sys.exit(main())
