"""Spools read over connections that break, from places that somebody else prepared, larger than memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from paramiko import Message
from paramiko.common import MSG_CHANNEL_CLOSE, MSG_CHANNEL_WINDOW_ADJUST
from paramiko.packet import Packetizer

from buildtel.errors import BuildtelError
from buildtel.reach import Guest, Link, Options, link, parse_address
from buildtel_agent import INSTALL_DIR, crc32

from .servers import BUILDER, PROGRAM, Client, Proxy

STEM = f"buildtel-{crc32(INSTALL_DIR.encode()):08x}-"
OWN, FOREIGN = f"/dev/shm/{STEM}0", f"/var/tmp/{STEM}{BUILDER}"
STEP = f"sh {INSTALL_DIR}/buildtel_agent.py run --step one -- true"


def linked(client: Client, port: int, told: list[str] | None = None) -> Link:
    """A link to the server through `port`, that does not wait between attempts."""
    known = client.server.known.replace(f":{client.server.port}", f":{port}")
    client.known_hosts.write_text(client.server.known + known)
    options = Options(keys=(client.key,), config=client.config)
    said = told.append if told is not None else lambda words: None
    return Link(parse_address(f"root@127.0.0.1:{port}"), options, told=said, pauses_s=(0.0,) * 3)


def test_a_file_is_read_on_where_the_connection_broke(client: Client, tmp_path: Path) -> None:
    """Cut again and again, the bytes are those of the file, each once."""
    data = bytes(range(256)) * 12_000
    (tmp_path / "big").write_bytes(data)
    proxy, told = Proxy(client.server.port, cut_after=[200_000, 3_000, 900_000, 70_000, 1_000_000]), []
    with linked(client, proxy.port, told) as one:
        read = b"".join(one.read(str(tmp_path / "big"), 0, len(data)))
    proxy.close()

    assert read == data
    assert proxy.connections >= 5 and told and all("connecting again" in words for words in told)


def test_a_connection_that_breaks_while_we_speak_is_left_for_another(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is gone for what we send before it is for what we read, closing the command fails, too."""
    (tmp_path / "big").write_bytes(b"x" * 5_000_000)
    send, refused = Packetizer.send_message, []

    def gone(self: Packetizer, data: Message) -> None:
        if not refused or refused[0] is self:
            number = data.asbytes()[0]
            if number in (MSG_CHANNEL_WINDOW_ADJUST, MSG_CHANNEL_CLOSE):
                refused.append(self)
                raise EOFError
        send(self, data)

    monkeypatch.setattr(Packetizer, "send_message", gone)
    with linked(client, client.server.port) as one:
        assert sum(len(block) for block in one.read(str(tmp_path / "big"), 0, 5_000_000)) == 5_000_000
    assert len(refused) == 2


def test_a_machine_that_is_gone_for_good_is_given_up(client: Client, tmp_path: Path) -> None:
    """After a bounded number of attempts, in one line."""
    (tmp_path / "big").write_bytes(b"x" * 5_000_000)
    proxy = Proxy(client.server.port, cut_after=[1_000_000] + [0] * 20)
    with linked(client, proxy.port) as one, pytest.raises(BuildtelError, match=r"4 times in a row\. Try again"):
        list(one.read(str(tmp_path / "big"), 0, 5_000_000))
    proxy.close()


def test_a_machine_that_falls_silent_is_given_up(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that stands and says nothing is as good as broken."""
    monkeypatch.setattr(link, "READ_S", 1.0)
    os.mkfifo(tmp_path / "silence")
    with linked(client, client.server.port) as one, pytest.raises(BuildtelError, match=r"no answer for 1 s, 4 times"):
        list(one.read(str(tmp_path / "silence"), 0, 1))
    os.close(os.open(tmp_path / "silence", os.O_RDWR))  # so that what reads there ends


def test_a_connection_that_falls_silent_is_left_for_another(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read stays read."""
    monkeypatch.setattr(link, "READ_S", 1.0)
    (tmp_path / "big").write_bytes(b"x" * 3_000_000)
    proxy = Proxy(client.server.port, silent_after=1_000_000)
    with linked(client, proxy.port) as one:
        assert sum(len(block) for block in one.read(str(tmp_path / "big"), 0, 3_000_000)) == 3_000_000
    proxy.close()
    assert proxy.connections > 1


def test_words_of_a_login_script_are_no_part_of_a_file(client: Client, tmp_path: Path) -> None:
    """A shell that greets, even without a newline, changes nothing in what is read."""
    (tmp_path / "small").write_bytes(b"12345")
    noisy = tmp_path / "noisy.sh"
    noisy.write_text('#!/bin/sh\necho Welcome\nprintf "to this machine: "\nexec /bin/sh "$@"\n')
    noisy.chmod(0o755)
    passwd = client.server.host_key.parent / "passwd"
    passwd.write_text(passwd.read_text().replace("/bin/sh\n", f"{noisy}\n", 1))
    with linked(client, client.server.port) as one:
        assert b"".join(one.read(str(tmp_path / "small"), 1, 4)) == b"234"
        assert one.ask("echo hello").output == b"hello\n"


def test_a_machine_that_answers_without_end_is_given_up(client: Client) -> None:
    """A login shell that never stops talking fills no memory."""
    endless = client.home / "endless.sh"
    endless.write_text("#!/bin/sh\nexec yes\n")
    endless.chmod(0o755)
    passwd = client.server.host_key.parent / "passwd"
    passwd.write_text(passwd.read_text().replace("/bin/sh\n", f"{endless}\n", 1))
    done = client.run("guest", "status", client.host)

    (line,) = done.stderr.splitlines()
    assert done.returncode == 1 and "sends endless output at login" in line
    with linked(client, client.server.port) as one, pytest.raises(BuildtelError, match="sends endless output at login"):
        list(one.read("/etc/passwd", 0, 10))


def test_removing_nothing_is_no_error(client: Client) -> None:
    """A cleanup may run twice."""
    done = client.run("guest", "remove", client.host)

    assert done.returncode == 0 and "nothing to remove" in done.stderr


def prepared(client: Client, script: str) -> None:
    """An agent with one step of root's, and what somebody else did."""
    assert client.run("guest", "install", client.host).returncode == 0
    client.server.inside(STEP)
    client.server.inside(script)


RECORD = 'BUILDTEL:{"v":1}'
ATTACKS = {
    "a link": (f"ln -s {OWN} {FOREIGN}", "it is a link"),
    "another user's": (f"mkdir {FOREIGN}; chown {BUILDER} {FOREIGN}; echo '{RECORD}' >{FOREIGN}/a.jsonl",
                       f"it belongs to user {BUILDER}, neither to root nor to the user who logged in"),
    "open to all": (f"mkdir {FOREIGN}; chmod 777 {FOREIGN}", "other users may write to it"),
    "a file": (f"touch {FOREIGN}", "it is no folder"),
    "a link in it": (f"ln -s /etc/passwd {OWN}/passwd.jsonl", "it is a link"),
    "a name": (f"touch '{OWN}/a b;c.jsonl'", "no agent names a file so"),
}  # fmt: skip


@pytest.mark.parametrize(("script", "says"), ATTACKS.values(), ids=ATTACKS)
def test_what_others_put_in_the_place_of_a_spool_is_left_out(client: Client, script: str, says: str) -> None:
    """It is said in a line, and in the document; what is root's is used."""
    prepared(client, script)
    done = client.run("collect", "--ssh", client.host, "-q", "-o", "job.json")
    document = json.loads((client.home / "job.json").read_text())

    assert done.returncode == 0, done.stderr
    (line,) = done.stderr.splitlines()
    assert "is left out: " in line and says in line
    assert any(says in note for note in document["notes"])
    assert [step["name"] for step in document["steps"]] == ["one"]
    assert document["integrity"]["damaged"] == 0


@pytest.mark.parametrize("action", ["install", "status", "remove", "follow"])
def test_an_agent_that_another_user_put_there_is_not_run(client: Client, action: str) -> None:
    """A folder of another user's in the agent's place is refused, whatever is asked."""
    client.server.inside(
        f"mkdir {INSTALL_DIR}; echo 'echo got it >/var/tmp/got' >{INSTALL_DIR}/buildtel_agent.py; "
        f"chown -R {BUILDER} {INSTALL_DIR}"
    )
    done = client.run("guest", action, client.host)
    client.server.inside(f"rm -r {INSTALL_DIR}")

    (line,) = done.stderr.splitlines()
    assert done.returncode == 1 and f"it belongs to user {BUILDER}" in line and "Remove it there" in line
    assert not client.server.exists("/var/tmp/got")


def test_sudo_where_the_spool_needs_it(client: Client) -> None:
    """A user who may sudo reads what only root may; one who may not is told."""
    prepared(client, f"chmod 700 {OWN}; chmod 600 {OWN}/*")
    host = f"builder@127.0.0.1:{client.server.port}"
    done = client.run("guest", "fetch", host, "-o", "-", BUILDTEL_SSH_PASSWORD="sesame")
    assert done.returncode == 0, done.stderr
    assert '"name":"one"' in done.stdout

    sudoers = client.server.host_key.parent / "passwd.sudo"
    sudoers.write_text("root ALL=(ALL) ALL\n")
    done = client.run("guest", "fetch", host, "-o", "-", BUILDTEL_SSH_PASSWORD="sesame")
    assert done.returncode == 1 and done.stdout == ""
    assert "only root may read it, and sudo -n is not allowed here" in done.stderr


SIZE_MB = 2048


MEASURED = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(status)
"""


def test_a_spool_larger_than_memory_streams(client: Client) -> None:
    """A sparse file of zeros and, behind it, a record: the record is found, and memory stays small."""
    prepared(
        client, f"truncate -s {SIZE_MB}M {OWN}/0.jsonl; echo >>{OWN}/0.jsonl; cat {OWN}/[1-9a-f]*.jsonl >>{OWN}/0.jsonl"
    )
    done = client.run("collect", "--ssh", client.host, "-q", "-o", "job.json", within=(sys.executable, "-c", MEASURED))

    assert done.returncode == 0, done.stderr
    document = json.loads((client.home / "job.json").read_text())
    assert document["integrity"]["duplicate"] >= 2 or document["integrity"]["records"] >= 2
    assert any("longer than 4 MiB, in a spool" in note for note in document["notes"])
    assert int(done.stderr.split()[-1]) < 200 * 1024


def test_what_is_too_much_is_left_out_and_said(client: Client) -> None:
    """More than the bound is not read; how much that is, is said."""
    prepared(client, "true")
    with linked(client, client.server.port) as one:
        guest = Guest(one, max_bytes=700)
        spools = guest.spools()
        read = sum(len(block) for block in guest.lines(spools))
    assert read < 5000
    assert any("are left out: too large" in words for words in spools.left_out)


def test_follow_shows_steps_as_they_happen_until_the_agent_goes(client: Client) -> None:
    """One line an event; `--format json` gives the records."""
    prepared(client, "true")
    places = [client.home / "text", client.home / "json"]
    outputs = [place.open("wb") for place in places]
    command = [*PROGRAM, "guest", "follow", client.host, "-i", client.key, "-F", client.config]
    followers = [
        subprocess.Popen(
            [*command, *more], stdout=output, stderr=subprocess.PIPE, text=True,
            env={"HOME": str(client.home), "PYTHONUTF8": "1"},
        )
        for output, more in zip(outputs, ([], ["--format", "json", "--all"]), strict=True)
    ]  # fmt: skip
    for output in outputs:
        output.close()
    while not all(place.stat().st_size for place in places):
        assert all(follower.poll() is None for follower in followers)
        time.sleep(0.1)
    assert client.run("guest", "remove", client.host).returncode == 0
    said = [follower.communicate(timeout=60)[1] for follower in followers]

    assert all("the agent was removed" in words for words in said)
    assert [follower.returncode for follower in followers] == [0, 0]
    words = [line.split()[1:3] for line in places[0].read_text().splitlines()]
    assert ["start", "one"] in words and ["end", "one"] in words
    assert {json.loads(line)["v"] for line in places[1].read_text().splitlines()} == {1}
