"""`sh packer/examples/try.sh`, typed literally where nothing is installed: a root of packages, nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import ROOT

README = ROOT / "README.md"
BARE = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def sources() -> list[str]:
    """Where this machine has its packages from."""
    candidates = [Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list")]
    return [str(path) for path in candidates if path.is_file() and path.stat().st_size][:1]


@pytest.fixture
def bare_root(tmp_path: Path):
    """A minimal Debian with a copy of this checkout in /root/buildtel."""
    if os.geteuid() != 0 or not shutil.which("mmdebstrap"):
        pytest.skip("needs root and mmdebstrap")
    root = tmp_path / "root"
    subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=minbase", "--include=ca-certificates",
         "bookworm", root, *sources()], check=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    checkout = root / "root" / "buildtel"
    subprocess.run(["git", "clone", "--quiet", ROOT, checkout], check=True)
    shutil.copy("/etc/resolv.conf", root / "etc" / "resolv.conf")
    shutil.copy("/etc/hosts", root / "etc" / "hosts")
    if CERTIFICATES.exists():  # a network that has its own authority has it here too
        shutil.copy(CERTIFICATES, root / CERTIFICATES.relative_to("/"))
    return root


def typed(root: Path, command: str) -> str:
    """What a newcomer sees on stdout after typing a command in the clone; it must succeed."""
    enter = "mount -t proc proc proc; mount --rbind /dev dev; exec chroot . "
    script = f"{enter} sh -c 'cd /root/buildtel && {command}'"
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_") and "FIND_LINKS" not in name}
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", script],
        cwd=root, env={**BARE, **pip}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.packer
def test_from_nothing_to_a_report(bare_root: Path):
    """It installs all it needs, runs a real packer, and the report has the example's steps."""
    report = typed(bare_root, "sh packer/examples/try.sh").split("Builds finished", 1)[1]

    assert "success" in report
    for step in ("write-128-mib", "compress", "wait-for-nothing"):
        assert step in report

    (install,) = [line.strip() for line in README.read_text().splitlines() if "-m venv" in line]
    assert "buildtel-host 0." in typed(bare_root, install + " && buildtel-host --version")
