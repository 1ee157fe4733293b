"""Ways in, and what is said where there is none: each one line, with the mend."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .servers import Client, Proxy, Server, free_port, keygen, sshd


def status(client: Client, *words: str, host: str | None = None, key: bool = True, **environ: str) -> str:
    """What `guest status` says: its one line on stdout."""
    done = client.run("guest", "status", host or client.host, *words, key=key, **environ)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refusal(client: Client, *words: str, host: str | None = None, key: bool = True, **environ: str) -> str:
    """What `guest status` says where it fails: one line on stderr, nothing on stdout."""
    done = client.run("guest", "status", host or client.host, *words, key=key, **environ)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    return line


def alias(client: Client, *lines: str) -> None:
    """A Host `vm` of the configuration that is the server, with further lines."""
    client.write_config("Host vm", "HostName 127.0.0.1", f"Port {client.server.port}", "User root", *lines)


def test_the_configuration_names_host_port_user_and_key(client: Client) -> None:
    """A Host of ~/.ssh/config is enough; what it includes counts, too."""
    (client.home / "more").write_text(f"Host vm\n  IdentityFile {client.key}\n")
    client.write_config(f"Include {client.home}/more", "Host vm", "HostName 127.0.0.1",
                        f"Port {client.server.port}", "User root")  # fmt: skip

    assert "vm: no agent is installed" in status(client, host="vm", key=False)


def test_an_agent_opens(client: Client) -> None:
    """A key that only ssh-agent has, with IdentitiesOnly, too."""
    address = str(client.home / "agent")
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", address], stdout=subprocess.DEVNULL)
    try:
        while not Path(address).exists():
            assert agent.poll() is None
        subprocess.run(["ssh-add", "-q", client.key], env={**os.environ, "SSH_AUTH_SOCK": address}, check=True)
        client.key.rename(client.home / "away")
        shutil.copy(client.key.with_suffix(".pub"), client.home / "id.pub")
        alias(client, "IdentitiesOnly yes", f"IdentityFile {client.home}/id")

        assert "no agent" in status(client, key=False, SSH_AUTH_SOCK=address)
        assert "no agent" in status(client, host="vm", key=False, SSH_AUTH_SOCK=address)
    finally:
        agent.terminate()
        agent.wait()


def test_a_key_with_a_passphrase(client: Client) -> None:
    """It opens by BUILDTEL_SSH_PASSPHRASE; without it, and with a wrong one, the line says so."""
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "open sesame", "-f", client.key], check=True)

    assert "no agent" in status(client, BUILDTEL_SSH_PASSPHRASE="open sesame")
    assert "put the passphrase into BUILDTEL_SSH_PASSPHRASE" in refusal(client)
    assert "the passphrase is wrong" in refusal(client, BUILDTEL_SSH_PASSPHRASE="close sesame")


def test_a_password(client: Client) -> None:
    """It opens by BUILDTEL_SSH_PASSWORD; a wrong one, or none, does not, and the line says the mend."""
    host = f"builder@127.0.0.1:{client.server.port}"
    client.key.with_suffix(".pub").write_text("")

    assert "no agent" in status(client, host=host, key=False, BUILDTEL_SSH_PASSWORD="sesame")
    wrong = refusal(client, host=host, key=False, BUILDTEL_SSH_PASSWORD="simsim")
    assert "does not let builder in" in wrong and "tried: a password" in wrong and "sesame" not in wrong
    assert "the password in BUILDTEL_SSH_PASSWORD" in refusal(client, host=host, key=False)


def test_a_certificate(client: Client, tmp_path: Path) -> None:
    """A key that only its certificate makes good, beside the key or named by CertificateFile."""
    authority, key = keygen(tmp_path / "ca"), keygen(tmp_path / "mine")
    subprocess.run(["ssh-keygen", "-q", "-s", authority, "-I", "me", "-n", "root", key.with_suffix(".pub")], check=True)
    nobody = tmp_path / "nobody"
    nobody.touch()
    server = sshd(tmp_path / "certified", nobody, f"TrustedUserCAKeys {authority}.pub")
    other = Client(client.home, key, server)
    other.known_hosts.write_text(server.known)
    try:
        assert "no agent" in status(other)
        (tmp_path / "mine-cert.pub").rename(tmp_path / "elsewhere.pub")
        assert "does not let root in" in refusal(other)
        alias(other, f"CertificateFile {tmp_path}/elsewhere.pub")
        assert "no agent" in status(other, host="vm")
    finally:
        server.stop()


@pytest.fixture
def inner(client: Client, tmp_path: Path) -> Iterator[Server]:
    """A second server, behind the first."""
    server = sshd(tmp_path / "inner", client.key.with_suffix(".pub"))
    client.known_hosts.write_text(client.server.known + server.known)
    yield server
    server.stop()


def test_over_a_jump_host(client: Client, inner: Server) -> None:
    """ProxyJump, by a Host of the configuration; each hop's host key is checked."""
    client.write_config(
        "Host jump", "HostName 127.0.0.1", f"Port {client.server.port}", "User root",
        "Host deep", "HostName 127.0.0.1", f"Port {inner.port}", "User root", "ProxyJump jump",
    )  # fmt: skip

    assert "deep: no agent" in status(client, host="deep")
    client.known_hosts.write_text(inner.known)
    assert f"the host key of jump port {client.server.port} is not known" in refusal(client, host="deep")


def test_a_jump_host_that_can_not_reach_the_machine(client: Client) -> None:
    """The line says which hop failed."""
    client.write_config(
        "Host jump", "HostName 127.0.0.1", f"Port {client.server.port}", "User root",
        "Host deep", "HostName 127.0.0.1", f"Port {free_port()}", "User root", "ProxyJump jump",
    )  # fmt: skip

    assert "the jump host can't reach 127.0.0.1 port" in refusal(client, host="deep")


def test_through_a_proxy_command(client: Client) -> None:
    """ProxyCommand, run by sh; one that ends at once is said."""
    python = "import socket, sys, threading, os\ns = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n" \
             "def up():\n    while d := os.read(0, 65536): s.sendall(d)\n" \
             "threading.Thread(target=up, daemon=True).start()\nwhile d := s.recv(65536): os.write(1, d)\n"  # fmt: skip
    (client.home / "nc.py").write_text(python)
    alias(client, f"ProxyCommand python3 {client.home}/nc.py %p")

    assert "no agent" in status(client, host="vm")
    alias(client, "ProxyCommand exit 7")
    assert "no SSH server speaks there" in refusal(client, host="vm")


def test_a_host_key_that_is_not_known(client: Client) -> None:
    """Refused, unless the policy accepts new ones; then it is kept, and known from then on."""
    client.known_hosts.unlink()

    words = refusal(client)
    assert "is not known (ssh-ed25519 SHA256:" in words and "--host-key-policy accept-new" in words
    assert "no agent" in status(client, "--host-key-policy", "accept-new")
    assert client.known_hosts.read_text() == client.server.known
    assert "no agent" in status(client)


@pytest.mark.parametrize("policy", ["strict", "accept-new"])
@pytest.mark.parametrize("hashed", [False, True])
def test_a_changed_host_key_is_always_refused(client: Client, tmp_path: Path, policy: str, hashed: bool) -> None:
    """Whatever the policy, before anything is sent; the line says how to forget the old key."""
    other = keygen(tmp_path / "other")
    old = " ".join(other.with_suffix(".pub").read_text().split()[:2])
    client.known_hosts.write_text(f"[127.0.0.1]:{client.server.port} {old}\n")
    if hashed:
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", client.known_hosts], check=True, capture_output=True)
    before = client.known_hosts.read_bytes()

    words = refusal(client, "--host-key-policy", policy)
    assert "has changed" in words and f"ssh-keygen -f {client.known_hosts} -R '[127.0.0.1]:" in words
    assert client.known_hosts.read_bytes() == before


def test_a_revoked_host_key_is_refused(client: Client) -> None:
    """`@revoked` beats a line that knows the key."""
    known = client.server.known
    client.known_hosts.write_text(known + "@revoked * " + known.partition(" ")[2])

    assert "is revoked" in refusal(client)


def test_a_known_key_of_another_kind_is_asked_for(client: Client, tmp_path: Path) -> None:
    """A machine with several keys is asked for the one that is known."""
    rsa = tmp_path / "rsa"
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", rsa], check=True)
    server = sshd(tmp_path / "two", client.key.with_suffix(".pub"), f"HostKey {rsa}")
    kind, key = rsa.with_suffix(".pub").read_text().split()[:2]
    client.known_hosts.write_text(f"[127.0.0.1]:{server.port} {kind} {key}\n")
    try:
        assert "no agent" in status(client, host=f"root@127.0.0.1:{server.port}")
    finally:
        server.stop()


def test_nobody_listens(client: Client) -> None:
    """A refused connection."""
    words = refusal(client, host=f"127.0.0.1:{free_port()}")
    assert "refuses connections to port" in words and "Check that sshd runs there" in words


def test_no_such_machine(client: Client) -> None:
    """A name that nobody knows."""
    words = refusal(client, host="no-such-machine.invalid")
    assert "no machine has the name no-such-machine.invalid" in words


def test_a_machine_that_accepts_and_is_silent(client: Client) -> None:
    """It is given up after a bounded time."""
    proxy = Proxy(0)
    try:
        words = refusal(client, host=f"root@127.0.0.1:{proxy.port}")
    finally:
        proxy.close()
    assert "accepts connections but no SSH server speaks there" in words


@pytest.mark.parametrize(
    ("host", "says"),
    [("", "write [user@]host[:port]"), ("-oProxyCommand=x", ""), ("a:b", "no port"), ("h:70000", "no port"),
     ("[::1", "[ADDRESS]:PORT"), ("u@", "write [user@]host[:port]"), ("h;id", "write [user@]host[:port]"),
     ("$(id)@h", "write [user@]host[:port]")],
)  # fmt: skip
def test_what_is_no_address(client: Client, host: str, says: str) -> None:
    """Wrong usage, said in a line."""
    done = client.run("guest", "status", *(["--", host] if host.startswith("-") else [host]), key=False)

    assert done.returncode == 2 and says in done.stderr.splitlines()[-1]
