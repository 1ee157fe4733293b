"""Throw-away SSH servers on loopback: sshd and dropbear with keys of their own, and a proxy that misbehaves."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SBIN = "/usr/sbin:/usr/bin:/usr/local/sbin"
SSHD, DROPBEAR = shutil.which("sshd", path=SBIN), shutil.which("dropbear", path=SBIN)
# What an agent leaves is seen by this server alone: several tests may run on one machine.
OWN_PLACES = """
mount -t tmpfs -o mode=1777 none /var/tmp && mount -t tmpfs -o mode=1777 none /dev/shm &&
mount -t tmpfs -o mode=755 none /run && mkdir /run/sshd && mount --bind "$1" /etc/passwd &&
{ [ ! -e /etc/sudoers ] || mount --bind "$1.sudo" /etc/sudoers; } && shift && exec "$@"
"""
BUILDER = 4711  # a user beside root; its password is `sesame`
PROGRAM = [sys.executable, "-c", "import sys; from buildtel.cli import main; sys.exit(main())"]


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def keygen(path: Path, *words: str, passphrase: str = "") -> Path:
    """A new key."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, *words, "-f", path], check=True)
    return path


def machine(folder: Path) -> list[str]:
    """What to put before a server's command so that it runs in a machine of its own, with two users."""
    crypted = subprocess.run(["openssl", "passwd", "-6", "-salt", "buildtel", "sesame"], capture_output=True, text=True)
    home = folder / "home"
    (home / ".ssh").mkdir(parents=True)
    users = folder / "passwd"
    users.write_text(
        f"root:*:0:0:root:{home}:/bin/sh\n"
        f"builder:{crypted.stdout.strip()}:{BUILDER}:{BUILDER}:builder:{home}:/bin/sh\n"
        "sshd:*:100:65534:sshd:/run/sshd:/usr/sbin/nologin\nnobody:*:65534:65534:nobody:/:/usr/sbin/nologin\n"
    )
    sudoers = folder / "passwd.sudo"
    sudoers.write_text("builder ALL=(ALL) NOPASSWD: ALL\n")
    sudoers.chmod(0o440)
    return ["unshare", "--mount", "sh", "-c", OWN_PLACES, "sh", str(users)]


def may_make_machines() -> bool:
    """Whether this process may run servers, each in places of its own."""
    if os.geteuid() != 0 or SSHD is None:
        return False
    return subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/dev/shm"]).returncode == 0


@dataclass
class Server:
    """A running server: its port and the files of its keys."""

    port: int
    host_key: Path
    process: subprocess.Popen[bytes]

    @property
    def known(self) -> str:
        """Its line in a known_hosts file."""
        kind, key = self.host_key.with_suffix(".pub").read_text().split()[:2]
        return f"[127.0.0.1]:{self.port} {kind} {key}\n"

    def inside(self, script: str) -> None:
        """Run sh in the machine, past SSH."""
        enter = ["nsenter", "--mount", "--target", str(self.process.pid), "sh", "-c", script]
        subprocess.run(enter, check=True, capture_output=True)

    def exists(self, path: str) -> bool:
        """Whether there is such a file in the machine."""
        enter = ["nsenter", "--mount", "--target", str(self.process.pid), "test", "-e", path]
        return subprocess.run(enter).returncode == 0

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait()


def wait_for(port: int) -> None:
    """Until somebody listens."""
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"nobody listens on {port}")


def sshd(folder: Path, authorized: Path, *lines: str) -> Server:
    """An OpenSSH server that `authorized` opens, with further lines of configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    host_key, port = keygen(folder / "host"), free_port()
    config = folder / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {host_key}\nAuthorizedKeysFile {authorized}\n"
        "StrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\nMaxStartups 100\n" + "\n".join(lines) + "\n"
    )
    process = subprocess.Popen([*machine(folder), str(SSHD), "-D", "-f", config], stderr=subprocess.DEVNULL)
    wait_for(port)
    return Server(port, host_key, process)


@contextlib.contextmanager
def dropbear(folder: Path, user_key: Path) -> Iterator[Server]:
    """A dropbear that `user_key` opens."""
    folder.mkdir(parents=True, exist_ok=True)
    host_key = folder / "host"
    made = folder / "dropbear_key"
    subprocess.run(["dropbearkey", "-t", "ed25519", "-f", made], check=True, capture_output=True)
    public = subprocess.run(["dropbearkey", "-y", "-f", made], check=True, capture_output=True, text=True).stdout
    line = next(line for line in public.splitlines() if line.startswith("ssh-ed25519"))
    host_key.with_suffix(".pub").write_text(line)
    port = free_port()
    command = [*machine(folder), str(DROPBEAR), "-F", "-r", made, "-p", f"127.0.0.1:{port}"]
    shutil.copy(user_key.with_suffix(".pub"), folder / "home/.ssh/authorized_keys")
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    wait_for(port)
    server = Server(port, host_key, process)
    try:
        yield server
    finally:
        server.stop()


@dataclass
class Proxy:
    """A TCP proxy to a port: hangs up each of the first connections after so many bytes, or never says a word."""

    to: int
    cut_after: list[int] = field(default_factory=list)
    silent_after: int | None = None
    port: int = 0
    connections: int = 0

    def __post_init__(self) -> None:
        """Listen."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept no more."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            limit = self.cut_after[self.connections] if self.connections < len(self.cut_after) else None
            self.connections += 1
            threading.Thread(target=self._serve, args=(client, limit), daemon=True).start()

    def _serve(self, client: socket.socket, limit: int | None) -> None:
        with client, contextlib.suppress(OSError):
            if self.to == 0:
                client.recv(1 << 16)  # a machine that accepts, and then is silent
                time.sleep(60)
                return
            with socket.create_connection(("127.0.0.1", self.to)) as server:
                up = threading.Thread(target=self._pump, args=(client, server, None), daemon=True)
                up.start()
                self._pump(server, client, limit)

    def _pump(self, source: socket.socket, target: socket.socket, limit: int | None) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if limit is not None and passed + len(data) > limit:
                    target.sendall(data[: limit - passed])
                    break
                if self.silent_after is not None and limit is None and passed > self.silent_after:
                    time.sleep(60)
                    break
                target.sendall(data)
                passed += len(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@dataclass
class Client:
    """A home with an SSH configuration, from which commands are run."""

    home: Path
    key: Path
    server: Server

    @property
    def known_hosts(self) -> Path:
        """The only known_hosts file."""
        return self.home / "known_hosts"

    @property
    def config(self) -> Path:
        """The configuration that every command is given."""
        return self.home / "config"

    def write_config(self, *lines: str) -> None:
        """The configuration: no files but those of this home."""
        fixed = f"UserKnownHostsFile {self.known_hosts}\nGlobalKnownHostsFile /dev/null\n"
        self.config.write_text("\n".join(lines) + f"\nHost *\n{fixed}")

    @property
    def host(self) -> str:
        """The server's address."""
        return f"root@127.0.0.1:{self.server.port}"

    def run(
        self, *words: str, key: bool = True, within: Sequence[str] = (), **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """`buildtel-host WORDS` with this configuration and key, as the end of the command line `within`."""
        options = [*(["-i", str(self.key)] if key else []), "-F", str(self.config)]
        return subprocess.run(
            [*within, *PROGRAM, *words, *options], capture_output=True, text=True, cwd=self.home, timeout=120,
            stdin=subprocess.DEVNULL, start_new_session=True,
            env={
                "PATH": os.environ["PATH"], "HOME": str(self.home), "TELEMETRY_DIR": str(self.home / "telemetry"),
                "PYTHONWARNINGS": "error", "PYTHONUTF8": "1", "GIT_CEILING_DIRECTORIES": str(self.home.parent),
                **environ,
            },
        )  # fmt: skip
