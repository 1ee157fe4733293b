"""`buildtel-host guest` and `collect --ssh` on a real machine that runs, by OpenSSH and by dropbear."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from buildtel.reach import Link, Options, parse_address
from buildtel.reach.auth import Secrets

from .conftest import PACKER
from .machine_play import Login, differences
from .worlds import BUILDS

pytestmark = pytest.mark.vm

HOST = PACKER[:3]  # the command itself, without the subcommand
DROPBEAR = shutil.which("dropbear", path=f"{os.environ['PATH']}:/usr/sbin")
# What dropbear needs and the machine has not.
LIBRARIES = ("libtomcrypt", "libtommath", "libgmp")
BOOT_S = 300
AGENT = "/var/tmp/buildtel/buildtel_agent.py"


@dataclass(frozen=True)
class Running:
    """A machine that runs; its user is `packer`, with the password `packer`."""

    home: Path
    openssh: int
    dropbear: int

    def host(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`buildtel-host WORDS`, new host keys accepted."""
        environ = {
            "PATH": os.environ["PATH"], "HOME": str(self.home), "TELEMETRY_DIR": str(self.home / "telemetry"),
            "BUILDTEL_SSH_PASSWORD": "packer",
        }  # fmt: skip
        return subprocess.run(
            [*HOST, *words, "--host-key-policy", "accept-new"], env=environ, cwd=self.home, capture_output=True,
            text=True, stdin=subprocess.DEVNULL, timeout=300,
        )  # fmt: skip

    def shell(self, script: str, stdin: bytes = b"") -> tuple[int, bytes]:
        """A command in the machine, by OpenSSH."""
        config = self.home / "ssh_config"
        config.write_text(f"UserKnownHostsFile {self.home}/known_hosts\nIdentitiesOnly yes\n")
        options = Options(config=config, host_key_policy="accept-new")
        with Link(parse_address(f"packer@127.0.0.1:{self.openssh}"), options, Secrets(password="packer")) as link:
            done = link.run(script, stdin)
        return done.status, done.output


def free_port() -> int:
    """A port of loopback that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def running(base_image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The base, booted; what is written goes into a layer above it."""
    home = tmp_path_factory.mktemp("running")
    disk, ports = home / "disk.qcow2", (free_port(), free_port())
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base_image / "disk.qcow2", disk], check=True
    )
    forwards = ",".join(f"hostfwd=tcp:127.0.0.1:{port}-:{inner}" for port, inner in zip(ports, (22, 2222), strict=True))
    machine = subprocess.Popen(
        ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "768", "-display", "none",
         "-drive", f"file={disk},if=virtio",
         "-netdev", f"user,id=net,{forwards}", "-device", "virtio-net-pci,netdev=net",
         "-kernel", base_image / "vmlinuz", "-initrd", base_image / "initrd.img",
         "-append", "root=/dev/vda rw console=ttyS0 net.ifnames=0 quiet mitigations=off cryptomgr.notests"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield _answering(Running(home, *ports))
    finally:
        machine.kill()
        machine.wait()


def _answering(running: Running) -> Running:
    give_up = time.monotonic() + BOOT_S
    while True:
        said = running.host("guest", "status", f"packer@127.0.0.1:{running.openssh}")
        if "no agent" in said.stdout + said.stderr or time.monotonic() > give_up:
            return running
        time.sleep(2)


@pytest.fixture(scope="module")
def measured(running: Running) -> Running:
    """The machine with the agent put there over SSH, and a step that ended with 3."""
    done = running.host("guest", "install", "--sudo", f"packer@127.0.0.1:{running.openssh}")
    assert done.returncode == 0, done.stderr
    status, _ = running.shell(f"sh {AGENT} run --step write-20-mib -- sh -c "
                              "'dd if=/dev/zero of=/tmp/zeros bs=1M count=20 conv=fsync; exit 3'")  # fmt: skip
    assert status == 3
    return running


def collected(running: Running, port: int, name: str) -> dict[str, object]:
    """The document of the machine's own records, over SSH on a port."""
    done = running.host("collect", "--ssh", f"packer@127.0.0.1:{port}", "-q", "-o", name)
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads((running.home / name).read_bytes())
    return found


def step_of(document: dict[str, object]) -> tuple[str, int, bool]:
    """Name, exit status and whether the writing was seen, of the only step."""
    (step,) = document["steps"]  # type: ignore[misc]
    return step["name"], step["exit_code"], 19 <= step["disk_write_mb"] <= 25


def test_a_running_machine_is_measured_over_openssh(measured: Running) -> None:
    """Installed, looked at, collected: the step with its status and what it wrote."""
    where = f"packer@127.0.0.1:{measured.openssh}"
    status = measured.host("guest", "status", where)
    assert status.returncode == 0, status.stderr
    assert step_of(collected(measured, measured.openssh, "openssh.json")) == ("write-20-mib", 3, True)


def test_dropbear_gives_the_same(measured: Running) -> None:
    """Another server on the same machine: the same records."""
    assert DROPBEAR, "dropbear is not installed: see tests/apt-packages.txt"
    linked = subprocess.run(["ldd", DROPBEAR], capture_output=True, text=True, check=True).stdout.split()
    paths = [Path(word) for word in linked if word.startswith("/") and Path(word).name.startswith(LIBRARIES)]
    measured.shell("mkdir -p /tmp/dropbear")
    for path in (Path(DROPBEAR), *paths):
        status, said = measured.shell(f"cat >/tmp/dropbear/{path.name}", path.read_bytes())
        assert status == 0, said
    status, said = measured.shell(
        "chmod +x /tmp/dropbear/dropbear && sudo -n mkdir -p /etc/dropbear && "
        "sudo -n env LD_LIBRARY_PATH=/tmp/dropbear /tmp/dropbear/dropbear -R -p 2222 2>&1"
    )
    assert status == 0, said
    one, other = (collected(measured, port, f"{port}.json") for port in (measured.openssh, measured.dropbear))
    assert step_of(other) == ("write-20-mib", 3, True)
    assert other["integrity"] == one["integrity"]


def test_nothing_stays_behind(measured: Running) -> None:
    """After `guest remove` the machine has no file of the agent's and no process of it."""
    done = measured.host("guest", "remove", f"packer@127.0.0.1:{measured.openssh}")
    assert done.returncode == 0, done.stderr
    _, left = measured.shell("ls -d /var/tmp/buildtel /dev/shm/buildtel* /run/buildtel* /tmp/buildtel* 2>/dev/null; "
                             "sleep 4; ps -e -o args= | grep [a]gent.pyc; true")  # fmt: skip
    assert left == b""


@pytest.fixture(scope="module")
def login(running: Running) -> Iterator[Login]:
    """The machine by OpenSSH alone, with what plays of worlds need."""
    with tempfile.TemporaryDirectory(prefix="", dir="/tmp") as sockets:
        found = Login(running.home, running.openssh, sockets)
        found.prepare(running.shell)
        yield found
        found.close()


@pytest.mark.parametrize("name", BUILDS)
def test_steps_are_the_same_with_and_without_us(login: Login, name: str) -> None:
    """Exit status, output, files and processes that are left; and each step's start is in the records."""
    assert differences(login, BUILDS[name]) == []
