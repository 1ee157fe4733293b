"""The agent is what its parts give, and no part hides another's names."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

GUEST = Path(__file__).parents[2] / "guest"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the folder, to change."""
    return Path(shutil.copytree(GUEST, tmp_path / "guest", ignore=shutil.ignore_patterns("__pycache__")))


def assemble(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command on that folder."""
    return subprocess.run([sys.executable, str(folder / "assemble.py"), *words], capture_output=True, text=True)


def test_the_committed_agent_is_what_the_parts_give(copy: Path) -> None:
    """`--check` is silent, and joining them anew changes no byte."""
    before = (copy / "buildtel_agent.py").read_bytes()

    assert (assemble(copy, "--check").returncode, assemble(copy).returncode) == (0, 0)
    assert (copy / "buildtel_agent.py").read_bytes() == before


def test_a_changed_part_is_told(copy: Path) -> None:
    """The check fails and says what to run; joining mends it."""
    with (copy / "parts" / "people.py").open("a") as part:
        part.write("\n\nMORE = 1\n")

    done = assemble(copy, "--check")
    assert done.returncode == 1 and "Run `make agent`" in done.stderr
    assert assemble(copy).returncode == 0 and assemble(copy, "--check").returncode == 0


@pytest.mark.parametrize(
    ("part", "text", "name"),
    [
        ("people.py", "\n\ndef dumps(value):\n    pass\n", "dumps"),
        ("people.py", "\nMB = 3\n", "MB"),
        ("records.py", "\n\nclass Recorder:\n    pass\n", "Recorder"),
        ("text.sh", "\nbt_stat() {\n    :\n}\n", "bt_stat"),
    ],
)
def test_a_name_defined_twice_is_refused(copy: Path, part: str, text: str, name: str) -> None:
    """Nothing is written, and the name is said."""
    with (copy / "parts" / part).open("a") as file:
        file.write(text)
    before = (copy / "buildtel_agent.py").read_bytes()

    done = assemble(copy)
    assert done.returncode == 1 and f"defined twice: {name}" in done.stderr
    assert (copy / "buildtel_agent.py").read_bytes() == before


def test_what_only_tools_need_stays_out() -> None:
    """The heads of the parts are not in the agent."""
    assert b"shellcheck shell=" not in (GUEST / "buildtel_agent.py").read_bytes()
