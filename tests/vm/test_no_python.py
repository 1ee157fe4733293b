"""A real machine without Python: start and end of each step, the right exit status, nothing left in the image."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from buildtel.wire import place

from .conftest import HERE, LIMIT, TOOLS
from .test_clean_image import OURS, unpack

pytestmark = pytest.mark.vm

TEMPLATE = """
variable "image" {
  type = string
}

source "qemu" "bare" {
  iso_url          = "${var.image}/disk.qcow2"
  iso_checksum     = "none"
  disk_image       = true
  skip_resize_disk = true
  format           = "qcow2"
  output_directory = "output"
  accelerator      = "tcg"
  headless         = true
  memory           = 768
  boot_wait        = "1s"
  ssh_username     = "packer"
  ssh_password     = "packer"
  ssh_timeout      = "10m"
  shutdown_command = "sudo systemctl poweroff"
  shutdown_timeout = "5m"
  qemuargs = [
    ["-kernel", "${var.image}/vmlinuz"],
    ["-initrd", "${var.image}/initrd.img"],
    ["-append", "root=/dev/vda rw console=ttyS0 net.ifnames=0 quiet mitigations=off cryptomgr.notests"],
    ["-cpu", "max"],
  ]
}

build {
  sources = ["source.qemu.bare"]

  provisioner "shell" {
    script          = local.buildtel_agent
    execute_command = local.buildtel_install_command
  }

  provisioner "shell" {
    environment_vars = ["BUILDTEL_STEP=look for python"]
    execute_command  = local.buildtel_execute_command
    inline           = ["! command -v python3", "test ! -e /usr/bin/python3", "sleep 3"]
  }

  provisioner "shell" {
    environment_vars = ["BUILDTEL_STEP=write-50-mib"]
    execute_command  = local.buildtel_execute_command_sudo
    inline           = ["dd if=/dev/zero of=/srv/zeros.bin bs=1M count=50 conv=fsync", "id -u"]
  }

  provisioner "shell" {
    execute_command  = "${local.buildtel_pre}{{ .Vars }} sh {{ .Path }}${local.buildtel_post}"
    inline           = ["exit 7"]
    valid_exit_codes = [7]
  }

  provisioner "shell" {
    script          = local.buildtel_agent
    execute_command = local.buildtel_finish_command
  }
}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the finished build: packer.log, exit-status, output."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if os.geteuid() != 0:
        missing.append("root")
    if missing and not os.environ.get("CI"):
        pytest.skip(f"the VM tests need {', '.join(missing)}: see tests/apt-packages.txt")
    kept = os.environ.get("BUILDTEL_VM_BUILDS")
    made = Path(kept) / "no-python" if kept else tmp_path_factory.mktemp("no-python")
    if not (made / "exit-status").exists():
        made.mkdir(exist_ok=True)
        _build(made)
    return made


def _build(folder: Path) -> None:
    done = subprocess.run([HERE / "make_base_image.sh", "no-python"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    (folder / "bare.pkr.hcl").write_text(TEMPLATE)
    place.put(folder)
    environment = {**os.environ, "PACKER_CACHE_DIR": str(folder / "packer-cache"), "CHECKPOINT_DISABLE": "1"}
    image = Path(done.stdout.strip()).resolve()
    with (folder / "packer.log").open("wb") as log:
        built = subprocess.run(
            [*LIMIT, "packer", "build", "-timestamp-ui", "-color=false", "-var", f"image={image}", "."],
            cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    (folder / "exit-status").write_text(str(built.returncode))


@pytest.fixture(scope="module")
def document(folder: Path) -> dict[str, Any]:
    """What collect makes of its log."""
    log = (folder / "packer.log").read_text(errors="replace")
    assert (folder / "exit-status").read_text() == "0", log[-4000:]
    script = "import sys; from buildtel.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", script, "collect", folder / "packer.log", "-o", folder / "job.json"]
    subprocess.run(command, env={**os.environ, "TELEMETRY_DIR": str(folder / "telemetry")}, check=True)
    parsed: dict[str, Any] = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    return parsed


def test_each_step_has_its_start_end_and_status(document: dict[str, Any]) -> None:
    """The default command, sudo, and a command of one's own between the pieces."""
    steps = [step for step in document["steps"] if step["measured"] == "exactly"]

    assert [(step["name"], step["exit_code"], step["status"]) for step in steps[:2]] == [
        ("look for python", 0, "success"), ("write-50-mib", 0, "success"),
    ]  # fmt: skip
    assert (steps[2]["exit_code"], len(steps)) == (7, 3)
    assert document["integrity"]["damaged"] == document["integrity"]["missing"] == 0


def test_the_figures_are_those_of_the_work(document: dict[str, Any]) -> None:
    """By the same formulas, of counters that sh alone has read."""
    looked, wrote = document["steps"][0], next(step for step in document["steps"] if step["name"] == "write-50-mib")

    assert 3 <= looked["duration_s"] < 20
    assert 0 <= looked["cpu_percent"] <= 100
    assert 48 <= wrote["disk_write_mb"] <= 60
    assert wrote["memory_used_mb"] > 20
    assert "processes" not in wrote or not wrote["processes"]


def test_nothing_is_left_in_the_image(folder: Path, document: dict[str, Any], tmp_path: Path) -> None:
    """Neither a file of ours, nor a file outside the logs that speaks of it."""
    root = unpack(folder / "output" / "packer-bare", tmp_path / "root")
    files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    speaking = [
        str(path.relative_to(root))
        for path in files
        if not path.is_relative_to(root / "var/log") and any(word in path.read_bytes() for word in OURS)
    ]

    assert len(files) > 3000
    assert not list(root.glob("usr/bin/python3*"))
    assert speaking == []
    assert list(root.rglob("*buildtel*")) == []
