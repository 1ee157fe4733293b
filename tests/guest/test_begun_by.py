"""What a start record tells of the command that began it: a whole script of Packer's, or a part of one."""

from __future__ import annotations

import subprocess

import pytest

from .conftest import records

BEGUN = {
    "the library's piece": ("/bin/sh -c '. $0' {agent} tell c0ffee; true", None),
    "the older piece": ("exec 9>&1; sh {agent} lead --run c0ffee >/dev/null; true", None),
    "run": ("sh {agent} run -- true", "run"),
    "start": ("sh {agent} start x; sh {agent} end x", "start"),
}


@pytest.mark.parametrize("where", ["Python", "installed", "sh"])
@pytest.mark.parametrize(("script", "by"), BEGUN.values(), ids=BEGUN)
def test_a_part_of_a_script_says_so(guest, script, by, where):
    """Behind `run` and `start` the rest of the script is no part of the step; no record of ours says more."""
    if where == "installed":
        guest.install()
    if where == "sh":
        (guest.folder / "by-sh").touch()
    agent = guest.home / "buildtel_agent.py" if where == "installed" else guest.agent
    done = subprocess.run(["sh", "-c", script.format(agent=agent)], env=guest.env, stdin=subprocess.DEVNULL,
                          capture_output=True)  # fmt: skip
    (start,) = [record for record in records(done.stdout) if record["ev"] == "start"]

    assert (done.returncode, start.get("by")) == (0, by)
