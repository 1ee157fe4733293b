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
PUBLISHED = {name: PUBLISHED[name] for name in ['alias-eth0-1', 'lxcfs-two-cpu-lines']}


@dataclass(frozen=True)
class Case:
    """A machine: files of its start and its end (name: text) that differ from the base, entries of /sys, and figures.

    `sys` are paths below /sys: one that ends in a slash is a folder, `a -> b` a link, others are empty files.
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
            path, _, target = entry.partition(" -> ")
            place = folder / "sys" / path
            (place if path.endswith("/") else place.parent).mkdir(parents=True, exist_ok=True)
            if target:
                place.symlink_to(target)
            elif not path.endswith("/"):
                place.touch()
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
}  # fmt: skip


def published(name: str) -> tuple[Path, Path, Path]:
    """The roots of a case of fixtures/odd."""
    return ODD / name / "start", ODD / name / "end", ODD / name / "sys"


def right(figure: float | None, wanted: Range | list[Any]) -> bool:
    """Whether a figure is what a case wants."""
    if figure is None:
        return wanted is None or "null" in wanted
    return wanted is not None and wanted[0] <= figure <= wanted[1]
