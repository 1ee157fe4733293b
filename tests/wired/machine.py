"""A machine to build on: an sshd on loopback, in namespaces of its own, with users of several login shells."""

from __future__ import annotations

import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/bin:/usr/local/sbin")
PASSWORD = "vagrant"
SHELLS = {"fish": "/usr/bin/fish", "csh": "/bin/csh", "zsh": "/usr/bin/zsh", "plain": "/bin/dash"}
SCENE = r"""
set -e
mount -t tmpfs none /mnt; mkdir /mnt/build /mnt/etc; mount --bind BUILD /mnt/build
cp /etc/passwd /etc/shadow /etc/group /etc/sudoers /mnt/etc/; cp -a /etc/sudoers.d /mnt/etc/
PASS=$(openssl passwd -6 PASSWORD)
add() { echo "$1:x:$2:$2::/home/$1:$3" >>/mnt/etc/passwd; echo "$1:x:$2:" >>/mnt/etc/group
    echo "$1:$PASS:19000:0:99999:7:::" >>/mnt/etc/shadow; }
add vagrant 3000 /bin/bash; add fish 3001 /usr/bin/fish; add csh 3002 /bin/csh; add zsh 3003 /usr/bin/zsh
add plain 3004 /bin/dash
printf 'vagrant ALL=(ALL) ALL\nfish ALL=(ALL) NOPASSWD: ALL\ncsh ALL=(ALL) NOPASSWD: ALL\n' >/mnt/etc/sudoers.d/build
chmod 440 /mnt/etc/sudoers.d/build
for file in passwd shadow group sudoers.d; do mount --bind /mnt/etc/$file /etc/$file; done
for place in /run /var/tmp /dev/shm /home /root; do mount -t tmpfs none $place; done
chmod 1777 /var/tmp /dev/shm
for user in vagrant fish csh zsh plain; do mkdir /home/$user; chown $user:$user /home/$user; done
mkdir /run/sshd; cp KEYS/user.pub /mnt/etc/keys; cp KEYS/host /mnt/etc/host; chmod 600 /mnt/etc/host
cp KEYS/sshd_config /mnt/etc/sshd_config
mount -t tmpfs none /tmp; chmod 1777 /tmp
exec SSHD -D -e -f /mnt/etc/sshd_config
"""
ROOTS = ("/var/tmp", "/tmp", "/run", "/dev/shm", "/home", "/root")


@dataclass
class Machine:
    """A running sshd: `folder` is the template's folder, /mnt/build on the machine."""

    folder: Path
    port: int
    key: Path
    server: subprocess.Popen[bytes]
    address: str = "127.0.0.1"

    def packer(self, *words: str, timeout_s: float = 180) -> subprocess.CompletedProcess[bytes]:
        """`packer WORDS` on the machine, so that shell-local finds it, too."""
        text = "cd /mnt/build && exec packer " + shlex.join(words)
        return subprocess.run(
            self.enter("sh", "-c", text), stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "CHECKPOINT_DISABLE": "1"},
        )  # fmt: skip

    def enter(self, *words: str) -> list[str]:
        """A command in the machine's namespaces."""
        return ["nsenter", "-t", str(self.pid()), "-m", "-p", *words]

    def pid(self) -> int:
        """The sshd: the child of unshare."""
        children = Path(f"/proc/{self.server.pid}/task/{self.server.pid}/children")
        return int(children.read_text().split()[0])

    def files(self) -> list[str]:
        """Every path below the places that we use."""
        done = subprocess.run(self.enter("find", *ROOTS), capture_output=True, check=True)
        return sorted(done.stdout.decode().splitlines())

    def processes(self) -> list[str]:
        """The command lines of all but sshd."""
        done = subprocess.run(self.enter("ps", "-eo", "pid=,args="), capture_output=True, check=True)
        lines = [line.split(None, 1)[-1] for line in done.stdout.decode().splitlines()]
        return sorted(line for line in lines if not line.startswith(("sshd", str(SSHD), "ps -eo", "nsenter")))

    def processes_left(self, wait_s: float = 5) -> list[str]:
        """The same, once what still ends has ended: a step whose connection was lost sleeps on."""
        until_s = time.monotonic() + wait_s
        while (found := self.processes()) and time.monotonic() < until_s:
            time.sleep(0.1)
        return found

    def stop(self) -> None:
        """All of it: the namespace's first process takes the others with it."""
        self.server.kill()
        self.server.wait()


def start(folder: Path, address: str = "127.0.0.1", within: Sequence[str] = ()) -> Machine:
    """A machine whose keys and template folder are below `folder`.

    Args:
        folder: an empty folder.
        address: where its sshd listens.
        within: the beginning of a command that runs the rest in a network that has this address.
    """
    build = folder / "build"
    build.mkdir()
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    shutil.copy(folder / "user", build / "key")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress {address}\nHostKey /mnt/etc/host\nAuthorizedKeysFile /mnt/etc/keys\n"
        "StrictModes no\nUsePAM no\nPidFile none\nMaxStartups 100\nPermitRootLogin yes\nSubsystem sftp internal-sftp\n"
    )
    scene = SCENE.replace("BUILD", shlex.quote(str(build))).replace("KEYS", shlex.quote(str(folder)))
    scene = scene.replace("PASSWORD", PASSWORD).replace("SSHD", str(SSHD))
    server = subprocess.Popen(
        [*within, "unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "--propagation", "private",
         "sh", "-c", scene],
        stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex((address, port)) == 0:
                return Machine(build, port, folder / "user", server, address)
        time.sleep(0.05)
    server.kill()
    raise RuntimeError("sshd did not start")
