"""`buildtel-host guest …` and `collect --ssh` against real servers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .servers import DROPBEAR, Client, dropbear

STEP = "sh /var/tmp/buildtel/buildtel_agent.py run --step one -- sh -c 'exit 3' || true"


def everything(client: Client) -> dict[str, str]:
    """Install, a step, status, fetch, collect from the file and from the machine, remove: what each said."""
    said = {}
    for name, words in {
        "before": ("guest", "status", client.host),
        "install": ("guest", "install", client.host),
    }.items():
        done = client.run(*words)
        assert done.returncode == 0, done.stderr
        said[name] = done.stdout + done.stderr
    client.server.inside(STEP)
    for name, words in {
        "status": ("guest", "status", client.host),
        "fetch": ("guest", "fetch", client.host, "-o", "s.jsonl"),
        "file": ("collect", "--spool", "s.jsonl", "-q", "-o", "file.json"),
        "ssh": ("collect", "--ssh", client.host, "-q", "-o", "ssh.json"),
        "remove": ("guest", "remove", client.host),
        "after": ("guest", "status", client.host),
    }.items():
        done = client.run(*words)
        assert done.returncode == 0, (name, done.stderr)
        said[name] = done.stdout + done.stderr
    return said


def check(client: Client, said: dict[str, str]) -> None:
    """All of it worked."""
    assert "no agent is installed. Install it with `buildtel-host guest install" in said["before"] == said["after"]
    assert "installed in /var/tmp/buildtel" in said["install"]
    assert "agent 0." in said["status"] and "installed by root" in said["status"]
    documents = [json.loads((client.home / name).read_text()) for name in ("file.json", "ssh.json")]
    for document in documents:
        (found,) = document["steps"]
        assert (found["name"], found["exit_code"], found["machine"]) == ("one", 3, "guest")
        assert document["integrity"]["missing"] == document["integrity"]["damaged"] == 0
        assert document["integrity"]["recovered"] == document["integrity"]["records"] >= 3
        assert document["machines"]["guest"]["samples"][0]["columns"]["t_s"]
    assert not client.server.exists("/var/tmp/buildtel")
    assert not client.server.exists("/dev/shm/buildtel-*")


def test_the_whole_life_of_an_agent_on_a_machine_without_sftp(client: Client) -> None:
    """Put there, measuring, fetched in two ways, removed: by plain commands over OpenSSH without SFTP."""
    check(client, everything(client))


@pytest.mark.skipif(not DROPBEAR, reason="needs dropbear")
def test_the_whole_life_of_an_agent_over_dropbear(client: Client, tmp_path: Path) -> None:
    """The same over dropbear."""
    with dropbear(tmp_path / "dropbear", client.key) as server:
        other = Client(client.home, client.key, server)
        other.known_hosts.write_text(server.known)
        check(other, everything(other))
