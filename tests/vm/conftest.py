"""The VM builds that the tests look at: four builds of one example template, one of a machine without Python.

They run two at a time, and go on while the tests of those that are finished run.
The wired ones of the example run under `buildtel-host packer`, the others alone.

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

from buildtel.wire import copies

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
        copies.put(folder)
        watched = "buildtel_enabled" not in VARIABLES[name]
        variables = {"image": str(image), **VARIABLES[name]}
        status.write_text(str(run_packer(folder, printed, variables, PACKER if watched else ("packer",))))
    stamped = next((folder / "telemetry").glob("*.packer.log"), printed)
    return Built(printed, stamped, disk, int(status.read_text()))


def run_packer(folder: Path, log: Path, variables: Mapping[str, str], packer: Sequence[str], *words: str) -> int:
    """`packer build` of a folder's template; what it prints goes into a file. Gives its exit status."""
    settings = [word for name, value in variables.items() for word in ("-var", f"{name}={value}")]
    environment = {
        **os.environ,
        "PACKER_CACHE_DIR": str(folder / "packer-cache"),
        "CHECKPOINT_DISABLE": "1",
        "TELEMETRY_DIR": str(folder / "telemetry"),
    }
    with log.open("wb") as stream:
        return subprocess.run(
            [*LIMIT, *packer, "build", "-color=false", *words, *settings, "."],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode


@pytest.fixture(scope="session")
def tools() -> None:
    """What the builds need; CI must have it."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if os.geteuid() != 0:
        missing.append("root")
    if missing and not os.environ.get("CI"):
        pytest.skip(f"the VM tests need {', '.join(missing)}: see tests/apt-packages.txt")


def made_base(*words: str) -> Path:
    """The folder of a Debian base, made on first use."""
    done = subprocess.run([HERE / "make_base_image.sh", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(f"the VM's base can't be made:\n{done.stderr[-2000:]}", pytrace=False)
    return Path(done.stdout.strip()).resolve()


@pytest.fixture(scope="session")
def base_image(tools: None) -> Path:
    """The folder of the Debian base with Python."""
    return made_base()


@pytest.fixture(scope="session")
def pool() -> ThreadPoolExecutor:
    """Two builds at a time."""
    return ThreadPoolExecutor(max_workers=2)


@pytest.fixture(scope="session")
def builds_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where each build has its folder."""
    kept = os.environ.get("BUILDTEL_VM_BUILDS")
    return Path(kept) if kept else tmp_path_factory.mktemp("vm")


@pytest.fixture(scope="session")
def builds(
    request: pytest.FixtureRequest, base_image: Path, pool: ThreadPoolExecutor, builds_folder: Path
) -> dict[str, Future[Built]]:
    """Every build of the example by its name, begun; `result()` waits for it."""
    started = {name: pool.submit(build, name, base_image, builds_folder / name) for name in VARIABLES}
    if any("no_python_build" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("no_python_build")
    return started


@pytest.fixture(scope="session")
def no_python_build(tools: None, pool: ThreadPoolExecutor, builds_folder: Path) -> Future[Path]:
    """The folder of the build of a machine without Python, begun."""
    return pool.submit(build_without_python, builds_folder / "no-python")


def build_without_python(folder: Path) -> Path:
    """Builds in `folder`, which then has packer.log, exit-status and output; looks only, if it has been built there."""
    if not (folder / "exit-status").exists():
        image = made_base("no-python")
        folder.mkdir(exist_ok=True)
        shutil.copy(HERE / "no_python.pkr.hcl", folder)
        copies.put(folder)
        status = run_packer(folder, folder / "packer.log", {"image": str(image)}, ("packer",), "-timestamp-ui")
        (folder / "exit-status").write_text(str(status))
    return folder
