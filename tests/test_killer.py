"""The killer of our processes: which are ours."""

from __future__ import annotations

import pytest

from .killer import HOME, action_of

AGENT = f"{HOME}/buildtel_agent.py"
TEXT = "{ test -r $0 && . $0; } 2>/dev/null"
# A command line by words, and what it makes the agent do.
LINES = (
    (("/bin/sh", "-c", TEXT, AGENT, "tell", "c0ffee-1"), "tell"),
    (("python3", "-I", "-S", f"{HOME}/agent.pyc", "watch", "pre", "41"), "watch"),
    (("/usr/bin/python3.11", "-I", "-S", f"{HOME}/agent.pyc", "life", "--run", ""), "life"),
    (("sh", AGENT, "finish", "--run", "c0ffee-1"), "finish"),
    (("python3", "-I", "-S", AGENT, "finish"), "finish"),
    (("sh", AGENT, "run", "--", "sleep", "1"), ""),
    (("sh", "/tmp/script_1.sh", "install", "c0ffee-1"), ""),
    (("bash", "-c", f"/bin/sh -c '{TEXT}' '{AGENT}' tell 'c0ffee-1'; chmod +x step.sh"), ""),
    (("sudo", "-n", "sh", AGENT, "finish"), ""),
    (("python3", "-I", "-S", "/home/other/buildtel/agent.pyc", "life"), ""),
    (("grep", "life", AGENT, "life"), ""),
    (("sh",), ""),
    ((), ""),
)


@pytest.mark.parametrize(("words", "action"), LINES, ids=lambda value: " ".join(value)[:40] or "none")
def test_a_process_of_ours_is_known_by_its_command_line(words: tuple[str, ...], action: str):
    """The agent's own parts are ours; a login shell that has our path within its command, and a step, are not."""
    assert action_of(b"\0".join([word.encode() for word in words] + [b""]), HOME) == action
