"""Every machine: kernels from 3.10 to the newest, 1 to 64 CPUs, 0 to 40 disks, refusals; by Python and by sh alike."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from string import ascii_lowercase

import pytest

import buildtel_agent as agent

from .conftest import AGENT, PROC, records
from .test_by_sh import Bare, counters_of

FORTY_DISKS = [f"sd{a}{b}" for a in ("", "a") for b in ascii_lowercase][:40]


def numbers_of(machine: str, disks: list[str]) -> dict[str, list[int | None]]:
    """The ten numbers of these disks, as they stand in the file; kernels before 5.5 do not have the last two."""
    rows = {words[2]: words for words in map(str.split, (PROC / machine / "diskstats").read_text().splitlines())}
    places = (3, 5, 6, 7, 9, 10, 12, 13, 18, 19)
    return {disk: [int(rows[disk][at]) if at < len(rows[disk]) else None for at in places] for disk in disks}


# What each group of `c` must be; a group that is not named must be absent.
MACHINES = {
    "several-3.x": {
        "cpu": [10301, 0, 4212, 2473164, 7484, 1, 51, 6932],
        "cpus": [8],
        "tasks": [1, 0, 544064, 11873],
        "mem": [1011048, None, 817628],
        "disk": numbers_of("several-3.x", [f"sd{a}" for a in ascii_lowercase[:12]]),
        "vm": [31468, 223376, 28685, None, 18819, 8137532, 25995884, None, 0],
    },
    "rhel7-3.10": {
        "cpu": [100, 1, 50, 9000, 30, 0, 4, 0],
        "cpus": [1],
        "mem": [1014960, None, 802000],
        "disk": {
            "xvda1": [500, 9000, 300, 600, 12000, 900, 700, 1200, None, None],
            "xvdb": [5, 90, 30, 60, 1200, 90, 70, 120, None, None],
            "nvme0n1": [7, 56, 3, 8, 64, 4, 5, 7, None, None],
            "mmcblk0": [1, 8, 1, 1, 8, 1, 2, 2, None, None],
        },
        "net": {"eth0": [10485760, 1048576]},
        "vm": [4, 8, 3, None, None, None, None, None, None],
    },
    "ubuntu1604-4.4": {
        "cpu": [5000, 20, 1500, 90000, 700, 0, 60, 300],
        "cpus": [4],
        "tasks": [1, 0, 999, 1234],
        "mem": [16432000, 15000000],
        "disk": {
            "xvda": [9000, 400000, 3000, 4000, 350000, 8000, 5000, 11000, None, None],
            "xvdf": [100, 800, 50, 200, 40000, 400, 300, 450, None, None],
        },
        "net": {"eth0": [3000000000, 50000000]},
        "vm": [0, 0, 300, None, None, None, 0, None, None],
    },
    "ubuntu2004-5.4": {
        "cpu": [5000, 20, 1500, 90000, 700, 0, 60, 300],
        "cpus": [4],
        "tasks": [5, 2, 54000, 1234],
        "mem": [16432000, 15000000],
        "disk": {
            "xvda": [9000, 400000, 3000, 4000, 350000, 8000, 5000, 11000, None, None],
            "xvdf": [100, 800, 50, 200, 40000, 400, 300, 450, None, None],
        },
        "net": {"eth0": [3000000000, 50000000]},
        "vm": [0, 0, 300, 0, 13, 600, 1600, None, 124],
        "psi": {"cpu": [5400, None], "memory": [10, 5], "io": [20, 10]},
    },
    "rhel8-4.18-psi-off": {
        "cpu": [64000, 0, 32000, 3200000, 1600, 800, 400, 0],
        "cpus": [16],
        "tasks": [1, 0, 999, 1234],
        "mem": [32000000, 30000000],
        "disk": {
            "nvme0n1": [20000, 800000, 4000, 9000, 900000, 7000, 6000, 9000, None, None],
            "nvme1n1": [10, 80, 1, 0, 0, 0, 1, 1, None, None],
        },
        "net": {"ens5": [7000000000, 8000000000]},
        "vm": [0, 100, 1000, 2, 6, 36, 308, None, 16],
    },
    "debian11-5.10": {
        "cpu": [8, 0, 546, 1206, 0, 0, 10, 0],
        "cpus": [2],
        "tasks": [1, 0, 3369, 166],
        "mem": [987436, 873484],
        "disk": {
            "vda": [29, 4944, 15, 2, 1152, 3, 52, 20, 1, 1],
            "sda": [26, 4176, 36, 6, 1152, 4, 68, 41, 1, 0],
        },
        "net": {"eth0": [370, 664]},
        "vm": [0] * 9,
        "psi": {"cpu": [1194267, None], "memory": [0, 0], "io": [16415, 8050]},
    },
    "debian13-6.12": {  # 64 CPUs, a RAID over two NVMe disks, a card; pressure switched off by psi=0
        "cpu": [24, 0, 2495, 229037, 28, 0, 216, 0],
        "cpus": [64],
        "tasks": [1, 0, 16073, 750],
        "mem": [969064, 675748],
        "disk": {
            "nvme1n1": [20, 320, 14, 132, 102297, 212, 184, 287, 18, 60],
            "nvme0n1": [159, 108096, 1012, 19, 25, 67, 332, 1129, 18, 49],
            "mmcblk0": [26, 4176, 230, 2, 1152, 71, 192, 302, 0, 0],
        },
        "net": {"eth0": [370, 840]},
        "vm": [0] * 9,
    },
    "newest-7.2": {
        "cpu": [8, 0, 532, 481, 17, 0, 4, 0],
        "cpus": [1],
        "tasks": [1, 0, 6391, 182],
        "mem": [984296, 826688],
        "disk": numbers_of("newest-7.2", FORTY_DISKS),
        "net": {"eth0": [260, 504]},
        "vm": [0] * 9,
        "psi": {"cpu": [2426580, 0], "memory": [0, 0], "io": [259562, 120103]},
    },
    "newest-7.2-no-disks": {
        "cpu": [5, 0, 936, 3664, 0, 0, 30, 0],
        "cpus": [4],
        "tasks": [1, 0, 5006, 199],
        "mem": [983532, 830984],
        "net": {"eth0": [260, 504]},
        "vm": [0] * 9,
        "psi": {"cpu": [383464, 0], "memory": [0, 0], "io": [0, 0]},
    },
    "arm-5.15-emmc": {
        "cpu": [400, 0, 300, 40000, 200, 0, 10, 0],
        "cpus": [4],
        "tasks": [1, 0, 999, 1234],
        "mem": [3800000, 3000000],
        "disk": {
            "mmcblk0": [700, 70000, 2000, 300, 30000, 5000, 2500, 7000, 3, 9],
            "mmcblk0boot0": [3, 24, 1, 0, 0, 0, 1, 1, 0, 0],  # disks of their own, not partitions
            "mmcblk0boot1": [3, 24, 1, 0, 0, 0, 1, 1, 0, 0],
        },
        "net": {"end0": [111, 222], "wlan0": [333, 444]},
        "vm": [20, 24, 88, 0, None, None, None, None, None],
        "psi": {"cpu": [7000, 0], "memory": [0, 0], "io": [66000, 55000]},
    },
    "cgroup-6.8-no-disks": {
        "cpu": [800, 0, 400, 16000, 0, 0, 20, 900],
        "cpus": [2],
        "tasks": [1, 0, 999, 1234],
        "mem": [2097152, 1500000],
        "net": {"eth0": [5000, 6000]},
        "vm": [0, 0, 9, 1, None, None, None, None, None],
    },
    "refused-6.1": {"mem": [1000000, 900000], "net": {"eth0": [1, 2]}, "vm": [0, 0, 1, 0, *[None] * 5]},
    "cloud-6.18": {
        "cpu": [1244587, 68677, 204426, 1360612, 15443, 0, 5937, 8235],
        "cpus": [2],
        "tasks": [6, 0, 36102015, 522838],
        "mem": [24683656, 23852764],
        "disk": numbers_of("cloud-6.18", ["vda"]),
        "net": {"eth0": [3295934696, 5244418]},
        "vm": [0, 0, 16711, 0, 0, 0, 19280708, 0, 336288],
        "psi": {"cpu": [2186689813, 0], "memory": [0, 0], "io": [169039591, 100653503]},
    },
}


@pytest.fixture
def bare(tmp_path: Path) -> Bare:
    """The sh part, run by this machine's sh; beside it a /sys where br0 is a bridge."""
    folder = tmp_path / "bare"
    (folder / "sys/class/net/br0/bridge").mkdir(parents=True)
    return Bare(folder, ["sh"])


def by_sh(bare: Bare, proc: Path, event: str = "start") -> dict:
    """The counters that the sh part prints of a /proc."""
    done = bare.run(event, "x", "--proc", proc, "--sys", bare.folder / "sys")
    assert done.stderr == b""
    return counters_of(records(done.stdout), event)


def by_python(bare: Bare, proc: Path) -> dict:
    """The counters that the Python part reads of it; the root file system is this machine's."""
    read = agent.Kernel(str(proc), str(bare.folder / "sys")).counters()
    return {key: value for key, value in read.items() if key != "fs"}


@pytest.mark.parametrize("name", MACHINES)
def test_what_a_kernel_has_is_read_and_what_it_lacks_is_absent(bare, name):
    """Both parts read the golden counters; nothing that is missing is a 0."""
    assert by_python(bare, PROC / name) == MACHINES[name]
    assert by_sh(bare, PROC / name) == MACHINES[name]
    by_sh(bare, PROC / name, "end")


@pytest.mark.parametrize(
    ("name", "psi"),
    [("rhel7-3.10", False), ("rhel8-4.18-psi-off", False), ("debian13-6.12", False), ("newest-7.2", True)],
)
def test_hello_says_pressure_only_where_it_can_be_read(bare, name, psi):
    """A kernel that has the files and refuses to read them has no pressure figures."""
    assert agent.machine(agent.Kernel(str(PROC / name)))["psi"] is psi
    assert records(bare.run("mark", "x", "--proc", PROC / name).stdout)[0]["psi"] is psi


def test_every_machine_of_the_fixtures_is_in_the_table():
    """A fixture that no test looks at would be no fixture."""
    known = {"debian12-start", "debian12-end", *MACHINES}  # the two of the golden output
    assert {path.name for path in PROC.iterdir() if path.is_dir()} == known


KEYED = {"tasks": "stat", "vm": "vmstat"}  # groups whose numbers stand behind a key, and their files


@pytest.mark.parametrize("machine", ["several-3.x", "ubuntu2004-5.4", "cloud-6.18"])
@pytest.mark.parametrize("group", KEYED)
def test_a_line_that_is_missing_makes_its_own_number_null(bare, tmp_path, machine, group):
    """By whatever names a kernel knows it: no 0, and no other number."""
    shutil.copytree(PROC / machine, tmp_path / "proc")
    file, whole = tmp_path / "proc" / KEYED[group], by_python(bare, PROC / machine)
    lines = file.read_text().splitlines(keepends=True)
    for at, field in enumerate(agent.COUNTERS[group][3]):
        names = [field[3], *[name for names, _ in agent.OTHER_NAMES.get(field[3], ()) for name in names.split()]]
        file.write_text("".join(line for line in lines if line.split(" ")[0] not in names))
        wanted = {**whole, group: [None if place == at else number for place, number in enumerate(whole[group])]}
        assert by_python(bare, tmp_path / "proc") == wanted
        assert by_sh(bare, tmp_path / "proc") == wanted


def disk_names(count: int) -> list[tuple[str, list[str]]]:
    """`count` disks of all kinds, each with its partitions; and what lies over them, which is no disk."""
    kinds = [
        ("nvme{}n1", ["nvme{0}n1p1", "nvme{0}n1p2"]), ("xvd{a}", ["xvd{a}1"]), ("vd{a}", ["vd{a}1", "vd{a}15"]),
        ("sd{a}", ["sd{a}1"]), ("mmcblk{}", ["mmcblk{0}p1"]), ("xvd{a}1", []),
    ]  # fmt: skip
    made = []
    for number in range(count):
        disk, partitions = kinds[number % len(kinds)]
        # A lone xvdq1 without its xvdq, as old Xen shows it, must not meet the disk of that letter.
        letter = chr(97 + number // len(kinds) + (13 if disk.endswith("1") and "{a}" in disk else 0))
        made.append((disk.format(number, a=letter), [name.format(number, a=letter) for name in partitions]))
    return made


def make_machine(folder: Path, cpus: int, disks: int, later: int) -> Path:
    """A /proc of so many CPUs and disks; `later` is 0 at the start of a step and 1 at its end, ten seconds on."""
    shutil.copytree(PROC / ("debian12-end" if later else "debian12-start"), folder)
    ticks = [1000 * cpus, 0, 0, 9000 * cpus, 0, 0, 0, 0]
    ticks[0] += later * 250 * cpus
    ticks[3] += later * 750 * cpus
    one = " ".join(str(value // cpus) for value in ticks) + " 0 0"
    rows = [
        f"cpu  {' '.join(map(str, ticks))} 0 0",
        *[f"cpu{number} {one}" for number in range(cpus)],
        "btime 1769250000",
    ]
    (folder / "stat").write_text("\n".join(rows) + "\n")
    sectors, busy_ms, weighted_ms = 2048 + later * 2048, later * 1000, later * 2000
    counts = f"{100 + later * 10} 0 {sectors} 0 {50 + later * 5} 0 0 {later * 100} 0 {busy_ms} {weighted_ms}"
    names = [name for disk, partitions in disk_names(disks) for name in (disk, *partitions)]
    over = ["md0", "dm-0", "dm-1", "loop0", "sr0", "zram0"] if disks else []
    lines = [f" 8 {at} {name} {counts} 0 0 0 0 0 0" for at, name in enumerate([*names, *over])]
    (folder / "diskstats").write_text("\n".join(lines) + "\n" if lines else "")
    return folder


@pytest.mark.parametrize("cpus", [1, 2, 64])
@pytest.mark.parametrize("disks", [0, 1, 6, 40])
def test_figures_do_not_depend_on_how_many_there_are(bare, tmp_path, cpus, disks):
    """A quarter of all CPUs busy is 25 %; each disk's megabyte counts once, and not again in partitions and RAIDs."""
    start, end = (make_machine(tmp_path / str(later), cpus, disks, later) for later in (0, 1))
    python = agent.metrics(by_python(bare, start), by_python(bare, end), 10.0)
    sh = agent.metrics(by_sh(bare, start), by_sh(bare, end, "end"), 10.0)

    assert python == sh
    assert python["cpu_percent"] == 25.0
    assert python.get("disk_read_mb") == (disks * 1.0 or None)
    assert python.get("disk_util_percent") == (10.0 if disks else None)
    assert python.get("queue_depth") == (round(disks * 0.2, 2) or None)
    assert agent.machine(agent.Kernel(str(start)))["cpus"] == cpus
    (bare.folder / "by-sh").write_text("another boot\n")  # so that it says hello again
    assert records(bare.run("mark", "x", "--proc", start).stdout)[0]["cpus"] == cpus


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that every user can reach: pytest's own are for one, and each session that begins sees to that."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root, to become somebody else")
@pytest.mark.parametrize("marker", [True, False], ids=["by sh", "by python"])
@pytest.mark.parametrize("refused", ["stat", "meminfo", "diskstats", "net/dev", "vmstat", "pressure", "sys"])
def test_what_may_not_be_read_is_absent_and_nobody_complains(open_folder, marker, refused):
    """As SELinux, hidepid or a container's mask refuse: the rest is recorded, the step runs, stderr is the step's."""
    proc = open_folder / "proc"
    shutil.copytree(PROC / "debian12-start", proc)
    (proc / refused).chmod(0)
    shutil.copy(AGENT, open_folder / "buildtel_agent.py")
    if marker:
        (open_folder / "by-sh").touch()
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    done = subprocess.run(
        [*nobody, "sh", open_folder / "buildtel_agent.py", "run", "--proc", proc, "--", "sh", "-c", "echo out; exit 3"],
        capture_output=True, env={"PATH": "/usr/bin:/bin"}, cwd="/",
    )  # fmt: skip
    read = records(done.stdout)
    group = {"stat": "cpu", "meminfo": "mem", "diskstats": "disk", "net/dev": "net", "vmstat": "vm", "pressure": "psi"}

    assert (done.returncode, done.stderr) == (3, b"")
    events = ["hello", "start"] if marker else ["hello", "start", "end"]
    assert [record["ev"] for record in read] == events
    for event in events[1:]:
        assert {"cpu", "mem", "disk", "net", "vm", "psi"} - set(counters_of(read, event)) == {
            name for path, name in group.items() if path == refused
        }
    assert ("boot" in read[0]) is (refused != "sys")
