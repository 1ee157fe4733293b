"""`make test`: every part runs, each with its time; a part that fails fails the whole, what a part leaves is listed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT

SCRIPT = """
import sys
from tests import parts
parts.GRACE_S = 1
parts.PARTS = {"first": (sys.argv[1],), "second": (sys.argv[2],)}
sys.exit(parts.main([]))
"""
BODIES = {
    "a test fails": ("assert False", 1, ""),
    "a process is left": (
        "import subprocess; subprocess.Popen('sleep 60 & exit', shell=True).wait()", 0, "  left behind: process "
    ),
    "a file is left": (
        "import pathlib, tempfile; pathlib.Path(tempfile.gettempdir(), 'x.sock').touch()", 0, "  left behind: /"
    ),
    "nothing is left": ("import subprocess; subprocess.Popen('sleep 0.3 &', shell=True).wait()", 0, ""),
}  # fmt: skip


def parts_of(first: Path, second: Path) -> subprocess.CompletedProcess[str]:
    """Two parts, each of the tests of one file; without CI, so that files of other tests in /tmp are not looked at."""
    environ = {name: value for name, value in os.environ.items() if name != "CI"} | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", SCRIPT, first, second]
    return subprocess.run(command, cwd=first.parent, capture_output=True, text=True, timeout=120, env=environ)


@pytest.mark.parametrize(("body", "status", "said"), BODIES.values(), ids=BODIES)
def test_a_part_fails_by_its_tests_and_lists_what_they_leave(tmp_path: Path, body: str, status: int, said: str) -> None:
    """Pytest's closing line of each part is there, and the times come last."""
    first, second = tmp_path / "test_first.py", tmp_path / "test_second.py"
    first.write_text(f"def test_one():\n    {body}\n")
    second.write_text("def test_two(): pass\n")
    done = parts_of(first, second)

    assert done.returncode == status, done.stdout + done.stderr
    assert done.stdout.count("1 passed in") == (1 if "assert" in body else 2)
    times = done.stdout[done.stdout.rindex("part first: ") :].splitlines()
    assert times[0].endswith(" s, failed" if status else " s, passed")
    assert said in times[1] if said else times[1].startswith("part second: ")
    assert times[-1].startswith("part second: ") and times[-1].endswith(" s, passed")


def test_a_test_that_fails_once_runs_again_and_is_named(tmp_path: Path) -> None:
    """Two tests: one passes at the second time and is listed, one fails again and fails its part."""
    first, second = tmp_path / "test_first.py", tmp_path / "test_second.py"
    once = "from pathlib import Path\n\ndef test_once():\n    path = Path('FILE')\n    was = path.exists()\n"
    once += "    path.touch()\n    assert was\n"
    first.write_text(once.replace("FILE", str(tmp_path / "a")))
    second.write_text(once.replace("FILE", str(tmp_path / "b")) + "\ndef test_never():\n    assert False\n")
    done = parts_of(first, second)

    assert done.returncode == 1, done.stdout + done.stderr
    told = done.stdout[done.stdout.rindex("part first: ") :].splitlines()
    assert told[0].endswith(" s, passed")
    assert told[1] == "  failed once, then passed: test_first.py::test_once"
    assert told[2].startswith("part second: ") and told[2].endswith(" s, failed")
    assert told[3] == "  failed once, then passed: test_second.py::test_once"


def test_many_failures_are_no_chance(tmp_path: Path) -> None:
    """More than three failed tests run once alone."""
    first, second = tmp_path / "test_first.py", tmp_path / "test_second.py"
    first.write_text("".join(f"def test_{number}(): assert False\n" for number in range(4)))
    second.write_text("def test_two(): pass\n")
    done = parts_of(first, second)
    assert (done.returncode, done.stdout.count("4 failed")) == (1, 1), done.stdout


def test_a_part_that_is_none_is_named() -> None:
    """Exit status 2 and the names there are."""
    done = subprocess.run([sys.executable, "-m", "tests.parts", "x"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "no part 'x'; there are together, calm, vm, quick\n")
