"""Plays builds of worlds on a machine that runs, over OpenSSH, with and without buildtel, and tells what differs."""

from __future__ import annotations

import ast
import shlex
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..guest.conftest import AGENT
from ..guest.unharmed import play as unharmed
from ..guest.unharmed import seen
from ..guest.unharmed.world import World, commands, local, rendered

HERE = Path(__file__).parent
PLACE = "/etc/world"  # what a play needs in the machine: outside of all that is compared
ACCOUNTS = {"/bin/bash": "packer", "/bin/dash": "dasher"}
HANGS_S = 45
# Once: accounts, a key for all of them, a Python that no world takes away, and what is mounted.
PREPARE = r"""
set -e
mkdir -p PLACE
useradd --create-home --shell /bin/dash dasher
echo "dasher ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/dasher
for home in /root /home/*; do
    name=${home##*/}; mkdir -p -m 700 $home/.ssh; echo KEY >$home/.ssh/authorized_keys; chown -R $name: $home/.ssh
done
cp $(readlink -f /usr/bin/python3) PLACE/python
cut -d ' ' -f 2 /proc/mounts | sort >PLACE/mounts
"""
# Before each play: nothing of the one before.
RESET = r"""
while :; do
    more=$(cut -d ' ' -f 2 /proc/mounts | sort | comm -13 PLACE/mounts - | grep -v '^/run/user/' | tail -n 1)
    [ -n "$more" ] || break
    umount -l "$more"
done
rm -rf /opt/scripts /var/tmp/buildtel /dev/shm/buildtel* /run/buildtel* /tmp/mine
mkdir -m 777 /opt/scripts; : >/opt/scripts/begun; chmod 666 /opt/scripts/begun
cp PLACE/agent.py /opt/scripts/uploaded.sh
"""
SCRIPT = "printf '%s' STEP >/opt/scripts/N.sh; chmod 777 /opt/scripts/N.sh; chown WHO: /opt/scripts/N.sh\n"


@dataclass
class Login:
    """OpenSSH to a machine, one connection for all sessions of an account, as Packer has it.

    The sockets lie in a folder with a short name: one's path has at most 107 bytes.
    """

    home: Path
    port: int
    sockets: str

    def prepare(self, first: Any) -> None:
        """Makes accounts and files, by `first`, which runs a text of sh with a stdin as the user packer."""
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.home / "key"], check=True)
        text = PREPARE.replace("PLACE", PLACE).replace("KEY", shlex.quote((self.home / "key.pub").read_text().strip()))
        status, said = first(f"sudo -n sh -c {shlex.quote(text)} 2>&1")
        assert status == 0, said
        looks = Path(seen.__file__).read_text() + (HERE / "looked.py").read_text()
        for name, content in (("agent.py", AGENT.read_text()), ("look.py", looks)):
            self.root(f"printf %s {shlex.quote(content)} >PLACE/{name}")

    def words(self, account: str, *more: str) -> list[str]:
        """The command of OpenSSH."""
        options = {
            "UserKnownHostsFile": "/dev/null", "StrictHostKeyChecking": "no", "LogLevel": "ERROR",
            "ControlMaster": "auto",
            "ControlPath": f"{self.sockets}/%C", "ControlPersist": "600", "IdentitiesOnly": "yes",
        }  # fmt: skip
        given = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        return ["ssh", "-F", "/dev/null", *given, "-i", str(self.home / "key"), "-p", str(self.port), *more,
                f"{account}@127.0.0.1"]  # fmt: skip

    def run(self, account: str, command: str, stdin: bytes = b"", *more: str) -> dict[str, Any]:
        """One command of an account's: status, both streams, whether it never ended, how long it took."""
        begun = time.monotonic()
        child = subprocess.Popen([*self.words(account, *more), command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)  # fmt: skip
        hangs = False
        try:
            out, err = child.communicate(stdin, HANGS_S)
        except subprocess.TimeoutExpired:
            child.kill()
            out, err = child.communicate()
            hangs = True
        took_s = time.monotonic() - begun
        return {"status": child.returncode, "stdout": out, "stderr": err, "hangs": hangs, "held_s": took_s}

    def root(self, text: str) -> bytes:
        """A text of sh as root, outside of what is compared."""
        done = self.run("root", "sh -s", text.replace("PLACE", PLACE).encode())
        assert done["status"] == 0, (text[-300:], done)
        return bytes(done["stdout"])

    def close(self) -> None:
        """Ends the connections."""
        for account in (*ACCOUNTS.values(), "root"):
            subprocess.run(self.words(account, "-O", "exit"), capture_output=True)


def played(login: Login, worlds: tuple[World, ...], *, ours: bool) -> dict[str, Any]:
    """One build: reset, install, the steps, finish, and what is there then."""
    first, account = worlds[0], ACCOUNTS[worlds[0].login]
    sudo = "_sudo" if "sudo" in first.forms else ""
    look = f"{PLACE}/python -I -S {PLACE}/look.py {PLACE}"
    script = SCRIPT.replace("WHO", account)
    scripts = "".join(script.replace("N.sh", f"{number}.sh").replace("STEP", shlex.quote(world.script()))
                      for number, world in enumerate(worlds))  # fmt: skip
    login.root(f"{RESET}\n{scripts}\n{look}\n{first.before}")
    told: dict[str, Any] = {"steps": [], "left by step": []}
    if ours:
        install = rendered(local(f"buildtel_install_command{sudo}"), path="/opt/scripts/uploaded.sh")
        told["install"] = login.run(account, install)
    for number, world in enumerate(worlds):
        command = commands(world, world.forms[0])[ours]
        text = rendered(command, f"BUILDTEL_STEP={shlex.quote(world.name)} PLAIN='x y' ", f"/opt/scripts/{number}.sh")
        terminal = ("-tt",) if world.stdio == "pty" else ()
        done = login.run(account, text, world.stdin.encode(), *terminal)
        told["steps"].append(done | {"looks": [], "begun_s": None})
    if ours:
        told["finish"] = login.run(account, rendered(local(f"buildtel_finish_command{sudo}")))
    there = ast.literal_eval(login.root(f"{look} 6").decode())
    return told | {"tree": there["tree"], "left by finish": there["left"]}


def differences(login: Login, worlds: tuple[World, ...]) -> list[str]:
    """What is otherwise with buildtel than without it; empty where nothing is."""
    without, with_us = (played(login, worlds, ours=ours) for ours in (False, True))
    parts = [with_us["install"], *with_us["steps"], with_us["finish"]]
    said = b"\n".join(part["stdout"].replace(b"\r\n", b"\n") for part in parts)
    faults = [
        f"{world.name}: {fault}"
        for world, bare, wired in zip(worlds, without["steps"], with_us["steps"], strict=True)
        for fault in (
            *unharmed.step_faults(world, bare, wired, by_sh=False),
            *start_faults(world, unharmed.records(said)),
        )
    ]
    faults += unharmed.left_faults(worlds[0], without, with_us)
    return faults + [
        f"{part}: status {with_us[part]['status']}, hangs: {with_us[part]['hangs']}"
        for part in ("install", "finish")
        if with_us[part]["status"] != 0 or with_us[part]["hangs"]
    ]


def start_faults(world: World, read: list[dict[str, Any]]) -> list[str]:
    """Whether the step's start is there by its name, and its exit status, if a record has one, is true.

    Ssh has no number for a shell that was killed.
    """
    begun = {record["step"] for record in read if record["ev"] == "start" and record["name"] == world.name}
    mine = [record for record in read if record.get("step") in begun]
    return unharmed.measured_faults(world, mine, world.status if world.status != 255 else None, python=False)
