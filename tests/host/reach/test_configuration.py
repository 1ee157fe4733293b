"""What the SSH configuration says of a machine, told by ssh or read by our own reader; through `guest status`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from buildtel.reach.address import Address
from buildtel.reach.ssh_program import parse
from buildtel.reach.target import Config, Options

from .servers import Client, Server, sshd

NO_AGENT = "no agent is installed"


def said(client: Client, host: str, path: Path | None = None, *, key: bool = True) -> tuple[str, str]:
    """What `guest status` says on stdout and on stderr; `path` is the only folder where programs are found."""
    environ = {"PATH": str(path)} if path is not None else {}
    done = client.run("guest", "status", host, key=key, **environ)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def refused(client: Client, host: str, path: Path | None = None) -> str:
    """What `guest status` says on stderr where it fails."""
    done = client.run("guest", "status", host, **({"PATH": str(path)} if path is not None else {}))
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


@pytest.fixture
def no_ssh(tmp_path: Path) -> Path:
    """A folder of programs without ssh."""
    folder = tmp_path / "programs"
    folder.mkdir()
    return folder


def program(folder: Path, *lines: str) -> None:
    """A program in the place of ssh."""
    path = folder / "ssh"
    path.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
    path.chmod(0o755)


@pytest.fixture(params=["ssh", "own"])
def programs(request: pytest.FixtureRequest, no_ssh: Path) -> Path | None:
    """Once with ssh, once without: what both must understand."""
    return no_ssh if request.param == "own" else None


def reach(client: Client) -> tuple[str, ...]:
    """The lines by which a Host is the server."""
    return "HostName 127.0.0.1", f"Port {client.server.port}", "User root"


def test_a_host_of_an_included_file_does_not_change_what_follows(client: Client, programs: Path | None) -> None:
    """The words after an `Include` belong to the `Host` before it."""
    (client.home / "more").write_text("Host other\n  User nobody\n")
    client.write_config("Host vm", f"Include {client.home}/more", *reach(client))

    assert f"vm: {NO_AGENT}" in said(client, "vm", programs)[0]


def test_match_counts(client: Client) -> None:
    """`Match host`, `Match user` of a user on the command line, `Match exec`."""
    client.write_config(
        "Match host built.invalid user root", "HostName 127.0.0.1",
        'Match exec "test %n = built.invalid"', f"Port {client.server.port}",
    )  # fmt: skip

    assert f"built.invalid: {NO_AGENT}" in said(client, "root@built.invalid")[0]
    assert "no machine has the name built.invalid" in refused(client, "builder@built.invalid")


def test_a_user_and_port_of_the_command_line_beat_the_configuration(client: Client, programs: Path | None) -> None:
    """As with ssh."""
    client.write_config("Host vm", "HostName 127.0.0.1", "Port 9", "User nobody")

    assert NO_AGENT in said(client, f"root@vm:{client.server.port}", programs)[0]


def test_proxy_command_none_ends_what_follows(client: Client, programs: Path | None) -> None:
    """`none` is no command and no jump host."""
    client.write_config(
        "Host vm", *reach(client), "ProxyCommand none", "ProxyJump none", "Host *", "ProxyCommand exit 7"
    )

    assert NO_AGENT in said(client, "vm", programs)[0]


def test_tokens_and_spaces_in_names_of_files(client: Client) -> None:
    """The program prints tokens as they are, and quotes nothing."""
    folder = client.home / "my keys"
    folder.mkdir()
    client.key.rename(folder / "vm-root")
    client.known_hosts.rename(folder / "known")
    client.config.write_text("\n".join(["Host vm", *reach(client), f'IdentityFile "{folder}/%n-%r"',
                                        f'UserKnownHostsFile "{folder}/known" ~/more']) + "\n")  # fmt: skip

    assert NO_AGENT in said(client, "vm", key=False)[0]


def test_no_known_hosts_file(client: Client) -> None:
    """`none` is no file: the key is unknown, accepted where the policy says so, and kept nowhere."""
    client.config.write_text("UserKnownHostsFile none\nGlobalKnownHostsFile none\n")

    assert "is not known" in refused(client, client.host)
    done = client.run("guest", "status", client.host, "--host-key-policy", "accept-new")
    assert NO_AGENT in done.stdout
    assert not (client.home / "none").exists()


def test_keeping_a_key_leaves_the_mode_of_the_file(client: Client) -> None:
    """`UserKnownHostsFile /dev/null` is common, and its mode is everybody's."""
    client.known_hosts.write_text("")
    client.known_hosts.chmod(0o644)
    done = client.run("guest", "status", client.host, "--host-key-policy", "accept-new")

    assert NO_AGENT in done.stdout
    assert client.known_hosts.stat().st_mode & 0o777 == 0o644
    assert client.known_hosts.read_text() == client.server.known


@pytest.mark.parametrize("hashed", [False, True])
@pytest.mark.parametrize("written", ["BuildVM.Example", "buildvm.example"])
def test_a_name_with_capitals_in_known_hosts(client: Client, programs: Path | None, hashed: bool, written: str) -> None:
    """The case of a name does not count: in the file, hashed by ssh-keygen or plain, and on the command line."""
    client.write_config("Match all", *reach(client), "HostKeyAlias BuildVM.Example")
    client.known_hosts.write_text(f"{written} {client.server.known.partition(' ')[2]}")
    if hashed:
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", client.known_hosts], check=True, capture_output=True)
        assert "|1|" in client.known_hosts.read_text()

    assert NO_AGENT in said(client, "root@BUILDVM", programs)[0]


def test_a_key_is_kept_as_ssh_keeps_it(client: Client) -> None:
    """OpenSSH itself finds the key of a name with capitals that we kept."""
    client.write_config("Host VM", *reach(client), "HostKeyAlias BuildVM")
    client.known_hosts.write_text("")
    client.run("guest", "status", "VM", "--host-key-policy", "accept-new")

    ssh = ["ssh", "-F", client.config, "-i", client.key, "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes"]
    assert subprocess.run([*ssh, "VM", "true"], stdin=subprocess.DEVNULL, timeout=30).returncode == 0


@pytest.fixture
def on_ipv6(client: Client, tmp_path: Path) -> Iterator[Server]:
    """A server on ::1."""
    try:
        server = sshd(tmp_path / "six", client.key.with_suffix(".pub"), "ListenAddress ::1")
    except AssertionError:
        pytest.skip("needs IPv6")
    yield server
    server.stop()


def test_an_ipv6_address(client: Client, on_ipv6: Server, programs: Path | None) -> None:
    """With a port, in brackets; known_hosts has it so, too."""
    client.known_hosts.write_text(on_ipv6.known.replace("127.0.0.1", "::1"))

    assert NO_AGENT in said(client, f"root@[::1]:{on_ipv6.port}", programs)[0]


def test_what_only_ssh_knows_counts(client: Client, no_ssh: Path) -> None:
    """Where there is no ssh, our own reader does its work, and says nothing of it."""
    client.write_config("Host vm", *reach(client))

    assert said(client, "vm", no_ssh)[1] == ""


def test_a_home_that_is_not_the_account_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The configuration, keys and known hosts of $HOME count, where ssh would read another folder."""
    folder = tmp_path / ".ssh"
    folder.mkdir()
    (folder / "id_rsa").touch()
    (folder / "config").write_text("Host vm\n  HostName built.invalid\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    empty = tmp_path / "empty"
    empty.touch()
    by_home, by_file = Config().target(Address("vm")), Config(Options(config=empty)).target(Address("vm"))

    assert (by_home.host, by_file.host) == ("built.invalid", "vm")
    assert by_home.keys == by_file.keys == (folder / "id_rsa",)
    assert by_home.known_hosts[:2] == by_file.known_hosts[:2] == (folder / "known_hosts", folder / "known_hosts2")


def test_an_ssh_that_fails(client: Client, no_ssh: Path) -> None:
    """Its first words are told once, and our own reader does its work."""
    client.write_config("NoSuchWord yes", "Host vm", *reach(client))
    output, messages = said(client, "vm")
    assert NO_AGENT in output
    (line,) = messages.splitlines()
    assert "ssh can't say how to reach vm (" in line and "Bad configuration option: nosuchword" in line

    program(no_ssh, "exit 3")
    assert "(ssh -G ends with status 3)" in said(client, "vm", no_ssh)[1]


def test_an_ssh_that_hangs(client: Client, no_ssh: Path) -> None:
    """It is ended after a bounded time, with what it started; asked about jump hosts, it is not tried again."""
    client.write_config("Host vm", *reach(client), "ProxyJump jump", "Host jump", *reach(client))
    sleep = shutil.which("sleep")
    mark = f"9{time.monotonic_ns() % 10**6}"
    program(no_ssh, f"{sleep} {mark}", "exit 1")
    began_s = time.monotonic()

    output, messages = said(client, "vm", no_ssh)
    assert NO_AGENT in output
    assert messages.count("no answer from ssh -G within 10 s") == len(messages.splitlines()) == 1
    assert time.monotonic() - began_s < 20
    running = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [words for words in running if words.split(b"\0")[1:2] == [mark.encode()]]


def test_ssh_gets_no_terminal_and_no_option_by_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that begins with `-` stays a name, and nothing can ask the user."""
    program(tmp_path, f"exec {sys.executable} -c 'import os, sys; print(\"hostname\", sys.argv[1:], os.getsid(0) == "
                      "os.getpid(), sys.stdin.read() == str())' \"$@\"")  # fmt: skip
    monkeypatch.setenv("PATH", str(tmp_path))
    host = Config(Options(config=tmp_path / "config")).target(Address("-oProxyCommand=x", "-me", 22)).host

    options = ["-T", "-G", "-F", f"{tmp_path}/config", "-l", "-me", "-p", "22", "--", "-oProxyCommand=x"]
    assert host == f"{options} True True"


def test_the_lists_that_ssh_prints() -> None:
    """Its default keys are no configured ones; one configured key is."""
    defaults = [f"identityfile ~/.ssh/id_{kind}" for kind in ("rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk")]
    assert "identityfile" not in parse("\n".join(["hostname vm", *defaults]), "vm")
    assert parse("\n".join([*defaults, "identityfile ~/.ssh/id_work"]), "vm")["identityfile"][-1] == "~/.ssh/id_work"
    assert parse("identityfile ~/.ssh/id_rsa", "vm") == {"identityfile": ["~/.ssh/id_rsa"]}
    assert parse("userknownhostsfile /a b/k ~/k", "vm") == {"userknownhostsfile": ["/a b/k", "~/k"]}
