"""The VM builds that the tests look at: four builds of one example template, two at a time.

Those that are wired run under `buildtel-host packer`, the others alone.

Set BUILDTEL_VM_BUILDS to a folder to keep the builds there and to look at them again without building.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from buildtel.wire import place

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[1] / "packer" / "examples" / "debian-qemu"
TOOLS = ("packer", "qemu-system-x86_64", "qemu-img", "mmdebstrap", "mke2fs", "debugfs")
# A build that hangs is told to stop, so that Packer takes its VM down.
LIMIT = ("timeout", "--kill-after=60", "1200")
FAILING_STATUS = 3

PACKER = (sys.executable, "-c", "import sys; from buildtel.cli import main; sys.exit(main())", "packer", "--live=never")
# In the order they start. The two that are not wired tell which files differ between any two builds.
VARIABLES: Mapping[str, Mapping[str, str]] = {
    "wired": {"reboots": "3"},
    "failing": {"exit_status": str(FAILING_STATUS)},
    "plain-1": {"buildtel_enabled": "false"},
    "plain-2": {"buildtel_enabled": "false"},
}


@dataclass(frozen=True, slots=True)
class Built:
    """A finished build: what packer printed, the log to collect, the disk (absent if it failed), the exit status.

    The log is the stamped one where the build was watched, else what packer printed.
    """

    printed: Path
    log: Path
    disk: Path
    exit_status: int


def build(name: str, image: Path, folder: Path) -> Built:
    """One `packer build` of the example, in `folder`; looks only, if it has been built there."""
    printed, disk = folder / "packer.log", folder / "output" / "packer-debian"
    status = folder / "exit-status"
    if not status.exists():
        shutil.copytree(EXAMPLE, folder)
        place.put(folder)
        watched = "buildtel_enabled" not in VARIABLES[name]
        variables = {"image": str(image), **VARIABLES[name]}
        status.write_text(str(_packer(folder, printed, variables, PACKER if watched else ("packer",))))
    stamped = next((folder / "telemetry").glob("*.packer.log"), printed)
    return Built(printed, stamped, disk, int(status.read_text()))


def _packer(folder: Path, log: Path, variables: Mapping[str, str], packer: Sequence[str]) -> int:
    settings = [word for name, value in variables.items() for word in ("-var", f"{name}={value}")]
    environment = {
        **os.environ,
        "PACKER_CACHE_DIR": str(folder / "packer-cache"),
        "CHECKPOINT_DISABLE": "1",
        "TELEMETRY_DIR": str(folder / "telemetry"),
    }
    with log.open("wb") as stream:
        return subprocess.run(
            [*LIMIT, *packer, "build", "-color=false", *settings, "."],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode


@pytest.fixture(scope="session")
def base_image() -> Path:
    """The folder of the Debian base, made on first use."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if os.geteuid() != 0:
        missing.append("root")
    if missing and not os.environ.get("CI"):
        pytest.skip(f"the VM tests need {', '.join(missing)}: see tests/apt-packages.txt")
    done = subprocess.run([HERE / "make_base_image.sh"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(f"the VM's base can't be made:\n{done.stderr[-2000:]}", pytrace=False)
    return Path(done.stdout.strip()).resolve()


@pytest.fixture(scope="session")
def builds(base_image: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Future[Built]]:
    """Every build by its name, begun; `result()` waits for it."""
    kept = os.environ.get("BUILDTEL_VM_BUILDS")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("vm")
    pool = ThreadPoolExecutor(max_workers=2)
    started = {name: pool.submit(build, name, base_image, folder / name) for name in VARIABLES}
    pool.shutdown(wait=False)
    return started
