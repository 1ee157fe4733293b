"""The charter's first line: a step behaves the same with buildtel and without it, whatever is missing or broken.

The worlds that CI plays; `make unharmed` plays all (tests/guest/unharmed, docs/unharmed.md).
"""

from __future__ import annotations

import os
import shutil

import pytest

from .unharmed import world as world_module
from .unharmed.play import compare, theirs
from .unharmed.table import PYTHON, plays
from .unharmed.world import DEFAULT, World, local

__all__ = ["DEFAULT", "local", "theirs"]
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root and unshare"),
    pytest.mark.skipif(not shutil.which("packer"), reason="needs packer, which evaluates the HCL"),
]
PLAYS = plays(ci=True)
IDS = [f"{world.name}-{form}-{PYTHON[python]}" for world, form, python in PLAYS]


@pytest.mark.parametrize(("world", "form", "python"), PLAYS, ids=IDS)
def test_with_buildtel_is_as_without(world: World, form: str, python: bool):
    """Status, streams, processes, what they inherit, files; and the step is measured where it can be."""
    if world.login.startswith("/usr/bin/") and not shutil.which(world.login):
        pytest.skip(f"no {world.login} on this machine")
    assert compare(world, form, python=python).faults == []


def test_the_librarys_commands_are_the_ones_that_are_played():
    """`buildtel_execute_command` and its sudo form are `buildtel_pre` and Packer's own."""
    sudo = "chmod +x {{ .Path }}; sudo -n env {{ .Vars }} {{ .Path }}"

    assert local("buildtel_execute_command") == local("buildtel_pre") + DEFAULT
    assert local("buildtel_execute_command_sudo") == local("buildtel_pre") + sudo


HARMS = {
    "echo harm; ": "stdout",
    "echo harm >&2; ": "stderr",
    "export HARM=1; ": "environment",
    "exec 7</dev/null; ": "fds",
    "ulimit -n 100; ": "limits",
    "trap '' HUP; ": "SigIgn",
    "umask 77; ": "Umask",
    "cd /tmp; ": "cwd",
    "renice 3 $$ >/dev/null; ": "nice",
    "echo >/tmp/harm; ": "file /tmp/harm",
    "setsid sleep 60 </dev/null >/dev/null 2>&1 & ": "processes after step",
    "sleep 60 </dev/null >/dev/null 2>&1 & ": "processes",
    "exec </dev/null; ": "fds",
    "sleep 3; ": "begins",
    "exit 9; ": "status",
}


@pytest.mark.parametrize(("harm", "told"), HARMS.items())
def test_each_harm_is_seen(monkeypatch: pytest.MonkeyPatch, harm: str, told: str):
    """A piece before the command that does harm is told for what it did: the tests above can fail."""
    monkeypatch.setattr(world_module, "local", lambda name: harm if name == "buildtel_pre" else "")
    (plain,) = [world for world, form, python in PLAYS if (world.name, form, python) == ("plain", "pre", True)]

    assert any(told in fault for fault in compare(plain, "pre", python=True).faults)
