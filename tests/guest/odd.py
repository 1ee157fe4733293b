"""Odd `/proc` and `/sys` contents: those of fixtures/odd, and variations of each kind on the files of Debian 12."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .conftest import PROC, ROOT

ODD = ROOT / "fixtures" / "odd"
SECONDS = 10
Range = tuple[float, float] | None  # None: the figure must be absent
NET_HEAD = (PROC / "debian12-start" / "net" / "dev").read_text().splitlines()[:2]
PUBLISHED: dict[str, dict[str, list[Any]]] = json.loads((ODD / "expected.json").read_text())


@dataclass(frozen=True)
class Case:
    """A machine: files of its start and its end (name: text) that differ from the base, entries of /sys, and figures.

    `sys` are paths below /sys: one that ends in a slash is a folder, `a -> b` a link, `a = b` a file, others are empty.
    """

    figures: dict[str, Range]
    start: dict[str, str] = field(default_factory=dict)
    end: dict[str, str] = field(default_factory=dict)
    sys: tuple[str, ...] = ()

    def make(self, folder: Path) -> tuple[Path, Path, Path]:
        """The roots of /proc at the start and at the end, and of /sys."""
        for name, files in (("start", self.start), ("end", self.end)):
            shutil.copytree(PROC / f"debian12-{name}", folder / name)
            for path, text in files.items():
                (folder / name / path).write_text(text)
        for entry in self.sys:
            named, _, text = entry.partition(" = ")
            path, _, target = named.partition(" -> ")
            place = folder / "sys" / path
            (place if path.endswith("/") else place.parent).mkdir(parents=True, exist_ok=True)
            if target:
                place.symlink_to(target)
            elif not path.endswith("/"):
                place.write_text(text)
        return folder / "start", folder / "end", folder / "sys"


def net(**received: int) -> str:
    """A /proc/net/dev; `_` in a name stands for `-`."""
    numbers = {name.replace("_", "-"): f"{count} 1 0 0 0 0 0 0" for name, count in received.items()}
    rows = [f"{name:>6}: {received} {received}" for name, received in numbers.items()]
    return "\n".join([*NET_HEAD, *rows]) + "\n"


def disks(**written: int) -> str:
    """A /proc/diskstats of disks with so many sectors written."""
    rows = {name: f"1 0 8 1 {n // 8} 0 {n} {n // 80} 0 {n // 80} {n // 80}" for name, n in written.items()}
    return "".join(f" 8 0 {name} {numbers}\n" for name, numbers in rows.items())


def stat(*cpu_lines: str, cpus: int = 2) -> str:
    """A /proc/stat with these lines of ticks of all CPUs."""
    each = [f"cpu{number} 1 1 1 1 1 1 1 1 0 0" for number in range(cpus)]
    return "\n".join([*(f"cpu  {line}" for line in cpu_lines), *each, "btime 1769257200", "processes 1"]) + "\n"


MB = 1048576
BUSY = "1000 0 500 20000 300 0 40 60 0 0"  # as the base has it
HALF = {"stat": stat(BUSY)}, {"stat": stat("1800 0 600 20900 400 0 40 60 0 0")}  # 900 + 1,000 of 2,000 ticks

MADE = {
    # 15: an odd line costs one line
    "an interface that has no statistics": Case(
        {"net_rx_mb": (10, 10)},
        {"net/dev": net(eth0=0) + "  eth1: No statistics available.\n"},
        {"net/dev": net(eth0=10 * MB) + "  eth1: No statistics available.\n"},
    ),
    "aliases with names, and a line cut short": Case(
        {"net_rx_mb": (10, 10)},
        {"net/dev": net(eth0=0) + "eth0:web: 5 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0\n eth7: 1 2\nnonsense\n"},
        {"net/dev": net(eth0=10 * MB) + "eth0:web: 99999999 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0\n eth7: 1 2\nnonsense\n"},
    ),
    "a disk line with words": Case(
        {"disk_write_mb": (100, 100)},
        {"diskstats": disks(sda=0) + " 8 16 sdb a b c d e f g h i j k\n"},
        {"diskstats": disks(sda=204800) + " 8 16 sdb a b c d e f g h i j k\nnonsense\n"},
    ),
    "a disk line with a number that no counter has": Case(
        {"disk_write_mb": (100, 100)},
        {"diskstats": disks(sda=0) + " 8 16 sdb 18446744073709551615 0 1 1 1 1 1 1 1 1 1\n"},
        {"diskstats": disks(sda=204800) + " 8 16 sdb 18446744073709551615 0 1 1 1 1 1 1 1 1 1\n"},
    ),
    "three cpu lines, one cut short": Case(
        {"cpu_percent": (47, 48)},
        {"stat": stat("0 0", "0 0 0 0 0 0 0 0 0 0", BUSY)},
        {"stat": stat("0 0", "0 0 0 0 0 0 0 0 0 0", "1800 0 600 20900 400 0 40 60 0 0")},
    ),
    "a line before the cpu line": Case(
        {"cpu_percent": (47, 48)},
        {"stat": "nonsense\n" + HALF[0]["stat"]},
        {"stat": "nonsense\n" + HALF[1]["stat"]},
    ),
    "words in vmstat, meminfo and pressure": Case(
        {"major_faults": (30, 30), "memory_used_mb": (900, 900), "psi_io_some_percent": (60, 60), "swap_in_mb": None},
        {},
        {
            "vmstat": "pswpin many\npswpout 256\npgmajfault 130\noom_kill 1\n",
            "meminfo": "HugePages_Total\nMemTotal: 2048000 kB\nMemFree:\nMemAvailable: 1126400 kB\n",
            "pressure/io": "nonsense\nsome avg10=0.00 avg60=0.00 avg300=0.00 total=7000000\nfull\n",
        },
    ),
    "files that tell nothing": Case(
        {"major_faults": None, "psi_io_some_percent": None, "psi_memory_some_percent": (0, 0)},
        {"vmstat": "pswpin x\npgmajfault y\n", "pressure/io": "some avg10=0.00\n"},
        {"vmstat": "pswpin x\npgmajfault y\n", "pressure/io": "some avg10=0.00\n"},
    ),
    # 16: real interfaces
    "a machine of containers, /sys not readable": Case(
        {"net_rx_mb": (10, 10)},
        {"net/dev": net(ens5=0, eni1a2b3c4d5e6=0, cilium_net=0, azv12ab=0, ovs_system=0, br_int=0, genev_sys_6081=0)},
        {"net/dev": net(ens5=10 * MB, eni1a2b3c4d5e6=MB, cilium_net=MB, azv12ab=MB, ovs_system=MB, br_int=MB,
                        genev_sys_6081=MB)},
    ),
    "tunnels, VLANs and virtual switches, /sys not readable": Case(
        {"net_rx_mb": (10, 10)},
        {"net/dev": net(enp1s0=0, vlan100=0, macvlan0=0, ipvlan0=0, vmnet8=0, vboxnet0=0, gre0=0, gretap0=0, tunl0=0)},
        {"net/dev": net(enp1s0=10 * MB, vlan100=MB, macvlan0=MB, ipvlan0=MB, vmnet8=MB, vboxnet0=MB, gre0=MB,
                        gretap0=MB, tunl0=MB)},
    ),
    "names that only look virtual, /sys not readable": Case(
        {"net_rx_mb": (30, 30)},
        {"net/dev": net(lo=0, green0=0, lom0=0, site0=0)},
        {"net/dev": net(lo=90 * MB, green0=10 * MB, lom0=10 * MB, site0=10 * MB)},
    ),
    "names that look virtual and are hardware": Case(
        {"net_rx_mb": (30, 30)},
        {"net/dev": net(lo=0, veth0=0, br0=0, wan=0, blue=0)},
        {"net/dev": net(lo=90 * MB, veth0=10 * MB, br0=10 * MB, wan=10 * MB, blue=90 * MB)},
        ("class/net/lo/mtu", "class/net/blue/mtu",
         *(f"class/net/{name}/device/" for name in ("veth0", "br0", "wan"))),
    ),
    "a slave beside its master, both hardware (Azure)": Case(
        {"net_rx_mb": (10, 10)},
        {"net/dev": net(eth0=0, enP1s1=0)},
        {"net/dev": net(eth0=10 * MB, enP1s1=9 * MB)},
        ("class/net/eth0/device/", "class/net/enP1s1/device/", "class/net/enP1s1/master -> ../eth0"),
    ),
    "a slave beside its master, as a kernel's /sys has it": Case(
        {"net_rx_mb": (10, 10)},
        {"net/dev": net(eth0=0, enP1s1=0)},
        {"net/dev": net(eth0=10 * MB, enP1s1=9 * MB)},
        ("class/net/eth0/device/", "class/net/enP1s1/device/",
         "class/net/enP1s1/master/uevent = INTERFACE=eth0\nIFINDEX=2\n"),
    ),
    "a child interface of hardware that says that it is hardware": Case(
        {"net_rx_mb": (10, 10)},
        {"net/dev": net(ib0=0, **{"ib0.8001": 0})},
        {"net/dev": net(ib0=10 * MB, **{"ib0.8001": 9 * MB})},
        ("class/net/ib0/device/", "class/net/ib0.8001/device/"),
    ),
    "slaves of a bond and of a bridge": Case(
        {"net_rx_mb": (30, 30)},
        {"net/dev": net(bond0=0, eth0=0, eth1=0, virbr9=0, eth2=0)},
        {"net/dev": net(bond0=20 * MB, eth0=10 * MB, eth1=10 * MB, virbr9=10 * MB, eth2=10 * MB)},
        ("class/net/bond0/bonding/", "class/net/virbr9/bridge/", "class/net/eth0/master -> ../bond0",
         "class/net/eth1/master -> ../bond0", "class/net/eth2/master -> ../virbr9",
         *(f"class/net/eth{number}/device/" for number in range(3))),
    ),
    "inside a container: no interface is hardware": Case(
        {"net_rx_mb": (10, 10)},
        {"net/dev": net(lo=0, eth0=0, br0=0, tun7=0)},
        {"net/dev": net(lo=MB, eth0=10 * MB, br0=MB, tun7=MB)},
        ("class/net/lo/mtu", "class/net/eth0/mtu", "class/net/br0/bridge/", "class/net/tun7/tun_flags"),
    ),
    # 17: whole disks
    "cards, network disks and old Xen's, by name": Case(
        {"disk_write_mb": (40, 40)},
        {"diskstats": disks(mmcblk1=0, mmcblk10=0, mmcblk1p1=0, rbd1=0, rbd10=0, xvda1=0, xvda12=0, sda=0, sda12=0)},
        {"diskstats": disks(mmcblk1=0, mmcblk10=20480, mmcblk1p1=20480, rbd1=0, rbd10=20480, xvda1=20480, xvda12=0,
                            sda=20480, sda12=20480)},
    ),
    "disks whose names tell nothing, by /sys": Case(
        {"disk_write_mb": (20, 20)},
        {"diskstats": disks(sda=0, sda1=0, sdp1=0, sdp=0)},
        {"diskstats": disks(sda=0, sda1=20480, sdp1=20480, sdp=0)},
        ("block/sda/", "block/sda1/", "block/sdp/", "block/sdp1/", "class/block/sda/", "class/block/sda1/"),
    ),
    "a partition of any name, by /sys": Case(
        {"disk_write_mb": (10, 10)},
        {"diskstats": disks(sda=0, odd=0)},
        {"diskstats": disks(sda=20480, odd=20480)},
        ("block/sda/odd/", "class/block/sda/", "class/block/odd/"),
    ),
    "NVMe paths of a head that does not count": Case(
        {"disk_write_mb": (20, 20), "disk_write_ops": (5120, 5120)},
        {"diskstats": disks(nvme0n1=0, nvme0c0n1=0, nvme0c1n1=0)},
        {"diskstats": disks(nvme0n1=0, nvme0c0n1=20480, nvme0c1n1=20480)},
    ),
    "NVMe paths of a head that counts, and a disk with one path only": Case(
        {"disk_write_mb": (30, 30)},
        {"diskstats": disks(nvme0n1=0, nvme0c0n1=0, nvme0c1n1=0, nvme1n1=0, nvme2n1=0)},
        {"diskstats": disks(nvme0n1=20480, nvme0c0n1=10240, nvme0c1n1=10240, nvme1n1=20480, nvme2n1=20480)},
    ),
    "a machine whose only disks are nbd's": Case(
        {"disk_write_mb": (10, 10)},
        {"diskstats": disks(nbd0=0, nbd0p1=0, nbd1=0, loop0=0)},
        {"diskstats": disks(nbd0=20480, nbd0p1=20480, nbd1=0, loop0=20480)},
    ),
    # 18: figures that can't be
    "iowait that jumps": Case(
        {"cpu_percent": (45, 50), "cpu_iowait_percent": None, "cpu_user_percent": (40, 45)},
        HALF[0], {"stat": stat("1800 0 600 20900 900000000 0 40 60 0 0")},
    ),
    "iowait that falls": Case(
        {"cpu_percent": (45, 50), "cpu_iowait_percent": None, "cpu_user_percent": (40, 45)},
        HALF[0], {"stat": stat("1800 0 600 20900 0 0 40 60 0 0")},
    ),
    "steal that falls": Case(
        {"cpu_percent": (45, 50), "cpu_steal_percent": None, "cpu_system_percent": (5, 5.5)},
        HALF[0], {"stat": stat("1800 0 600 20900 400 0 40 0 0 0")},
    ),
    "steal and iowait that jump at once": Case(
        {"cpu_percent": (42, 50), "cpu_steal_percent": None, "cpu_iowait_percent": None},
        HALF[0], {"stat": stat("1800 0 600 20900 1844674407370 0 40 1844674407370 0 0")},
    ),
    "a number of 2**64, as what is below nothing is printed": Case(
        {"cpu_percent": (45, 50), "cpu_steal_percent": None},
        HALF[0], {"stat": stat("1800 0 600 20900 400 0 40 18446744073709551608 0 0")},
    ),
    "idle that stands still": Case(
        {"cpu_percent": (45, 45), "cpu_user_percent": (40, 40)},
        HALF[0], {"stat": stat("1800 0 600 20000 300 0 40 60 0 0")},
    ),
    "idle that stands still though nothing runs": Case(
        {"cpu_percent": (1, 1)},
        HALF[0], {"stat": stat("1015 0 505 20000 300 0 40 60 0 0")},
    ),
    "idle that jumps": Case(
        {"cpu_percent": (45, 50), "cpu_user_percent": (40, 45)},
        HALF[0], {"stat": stat("1800 0 600 990020900 400 0 40 60 0 0")},
    ),
    "idle that falls": Case(
        {"cpu_percent": (45, 50), "cpu_user_percent": (40, 45)},
        HALF[0], {"stat": stat("1800 0 600 19000 400 0 40 60 0 0")},
    ),
    "all CPUs busy, and idle at rest": Case(
        {"cpu_percent": (100, 100)},
        HALF[0], {"stat": stat("2800 0 700 20000 300 0 40 60 0 0")},
    ),
    "a cpu line of more CPUs than there are (a container)": Case(
        {"cpu_percent": (50, 50)},
        {"stat": stat("1000 0 500 20000 0 0 0 0 0 0", cpus=1)},
        {"stat": stat("9000 0 500 28000 0 0 0 0 0 0", cpus=1)},
    ),
    "more memory available than there is, at the end": Case(
        {"memory_used_mb": None, "memory_delta_mb": None, "cpu_percent": (57, 57.2)},
        {}, {"meminfo": "MemTotal: 2048000 kB\nMemFree: 1 kB\nMemAvailable: 2048001 kB\n"},
    ),
    "RHEL 6: no MemAvailable": Case(
        {"memory_used_mb": (900, 900), "memory_delta_mb": (100, 100)},
        {"meminfo": "MemTotal: 1024000 kB\nMemFree: 102400 kB\nBuffers: 51200 kB\nCached: 51200 kB\n"},
        {"meminfo": "MemTotal: 1024000 kB\nMemFree: 51200 kB\nBuffers: 25600 kB\nCached: 25600 kB\n"},
    ),
    "neither MemAvailable nor all that it is made of": Case(
        {"memory_used_mb": None},
        {}, {"meminfo": "MemTotal: 1024000 kB\nMemFree: 51200 kB\nCached: 25600 kB\n"},
    ),
    "one counter of 32 bits that wraps": Case(
        {"await_ms": (5.1, 5.1), "disk_util_percent": (10, 10), "queue_depth": (0.1, 0.2)},
        {"diskstats": " 8 0 sda 10 0 80 4294967290 10 0 80 100 0 100 100\n"},
        {"diskstats": " 8 0 sda 110 0 880 1004 110 0 880 110 0 1100 1100\n"},
    ),
    "a disk whose counters begin anew": Case(
        {"await_ms": None, "disk_write_mb": None, "disk_util_percent": None, "cpu_percent": (57, 57.2)},
        {"diskstats": " 8 0 sda 1000 0 8000 4294967290 1000 0 8000 4294967290 0 4294967290 4294967290\n"},
        {"diskstats": " 8 0 sda 110 0 880 1004 110 0 880 110 0 1100 1100\n"},
    ),
    "a busy time that is longer than the step": Case(
        {"disk_util_percent": None, "disk_write_mb": (0.39, 0.4), "psi_io_some_percent": None},
        {"diskstats": " 8 0 sda 10 0 80 10 10 0 80 100 0 100 100\n"},
        {"diskstats": " 8 0 sda 110 0 880 20 110 0 880 110 0 99100 1100\n",
         "pressure/io": "some avg10=0.00 total=900000000\nfull avg10=0 avg60=0 total=2000000\n"},
    ),
    "a busy time that is a little longer than the step": Case(
        {"disk_util_percent": (100, 100)},
        {"diskstats": " 8 0 sda 10 0 80 10 10 0 80 100 0 100 100\n"},
        {"diskstats": " 8 0 sda 110 0 880 20 110 0 880 110 0 10130 1100\n"},
    ),
    # 19: devices that come late
    "a disk and an interface that come during the step": Case(
        {"disk_write_mb": (10, 10), "net_rx_mb": (10, 10), "await_ms": (0.1, 0.2)},
        {"diskstats": disks(sda=0), "net/dev": net(eth0=0)},
        {"diskstats": disks(sda=20480, sdb=999999), "net/dev": net(eth0=10 * MB, eth1=99 * MB)},
    ),
    "a disk that goes during the step": Case(
        {"disk_write_mb": (10, 10)},
        {"diskstats": disks(sda=0, sdb=999999)}, {"diskstats": disks(sda=20480)},
    ),
}  # fmt: skip


def published(name: str) -> tuple[Path, Path, Path]:
    """The roots of a case of fixtures/odd."""
    return ODD / name / "start", ODD / name / "end", ODD / name / "sys"


def right(figure: float | None, wanted: Range | list[Any]) -> bool:
    """Whether a figure is what a case wants."""
    if figure is None:
        return wanted is None or "null" in wanted
    return wanted is not None and wanted[0] <= figure <= wanted[1]
