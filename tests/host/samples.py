"""Logs made to order: Packer's lines as its UI prints them, with records whose CRC is right."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any
from zlib import crc32

from buildtel.events import (
    AgentRecord,
    BuildFinished,
    Event,
    PhaseStarted,
    ProvisionerFinished,
    ProvisionerStarted,
    RunStarted,
    When,
)
from buildtel.timeline.builds import Timeline
from buildtel.timeline.packer_model import PackerReport
from buildtel.timeline.packer_report import report

START = datetime(2026, 1, 24, 12, 0, 0, tzinfo=timezone.utc)
BOOT = "1b2e0000-0000-4000-8000-000000000001"
RUN = "c0ffee00-0000-4000-8000-000000000001"
GUEST_AHEAD_S = 7.25
BOOTED_S = -20.0  # host seconds after START at which the guest's monotonic clock was zero
MIB_SECTORS = 2048


def record_line(fields: dict[str, Any]) -> str:
    """`BUILDTEL:` and `fields`, sealed as the agent seals them."""
    body = json.dumps(fields, separators=(",", ":"))[:-1]
    return f'BUILDTEL:{body},"crc":"{crc32(body.encode()):08x}"}}'


def counters(
    *, busy: int = 0, idle: int = 0, used_kb: int = 200_000, written_mb: float = 0, read_mb: float = 0, rx: int = 0
) -> dict[str, Any]:
    """A `c` object with the figures that matter to a test."""
    read, written = round(read_mb * MIB_SECTORS), round(written_mb * MIB_SECTORS)
    io_ms = round(2 * (read_mb + written_mb))
    return {
        "cpu": [1000 + busy, 0, 100, 5000 + idle, 10, 0, 0, 0],
        "mem": [1_000_000, 1_000_000 - used_kb],
        "disk": {
            "vda": [100 + read // 8, 1000 + read, 50, 200 + written // 64, 3000 + written, 60, 70 + io_ms, 80 + io_ms]
        },
        "net": {"eth0": [5000 + rx, 600 + rx // 50]},
        "psi": {"cpu": [10 + busy, 0], "memory": [0, 0], "io": [io_ms * 500, io_ms * 400]},
        "vm": [0, 0, 40, 0],
        "fs": [900_000 + round(written_mb * 1024), 1_000_000],
    }


@dataclass
class Guest:
    """An agent's view: makes records at host times, on the guest's two clocks."""

    boot: str = BOOT
    run: str | None = RUN
    ahead_s: float = GUEST_AHEAD_S
    booted_s: float = BOOTED_S
    seqs: dict[str, int] = field(default_factory=dict)

    def fields(self, ev: str, sid: str, at_s: float, **more: Any) -> dict[str, Any]:
        """The fields of a record made `at_s` seconds after START by the host's clock."""
        self.seqs[sid] = self.seqs.get(sid, 0) + 1
        wall = START.timestamp() + at_s + self.ahead_s
        known = {"v": 1, "ev": ev, "sid": sid, "seq": self.seqs[sid], "boot": self.boot}
        run = {"run": self.run} if self.run else {}
        return {**known, **run, "t": int(wall * 1e9), "m": int((at_s - self.booted_s) * 1e9), **more}

    def hello(self, sid: str, at_s: float) -> dict[str, Any]:
        """A `hello` of a small Debian VM."""
        facts = {
            "agent": "0.1.0", "python": "3.11.2", "cpus": 2, "memory_total_kb": 1_000_000, "disk_total_kb": 2_000_000,
            "kernel": "6.1.0", "os": "Debian GNU/Linux 12", "arch": "x86_64", "hz": 100, "psi": True,
        }  # fmt: skip
        return self.fields("hello", sid, at_s, **facts)

    def step(
        self, sid: str, name: str | None, start_s: float, end_s: float, *, exit_code: int = 0, **work: Any
    ) -> list[tuple[float, dict[str, Any]]]:
        """Start and end records of one step, each with the host time it was made at."""
        ticks = round((end_s - start_s) * 200)
        busy = min(work.pop("busy", ticks // 10), ticks)
        begin = self.fields("start", sid, start_s, step=f"{sid}.1", name=name, parent=None, c=counters())
        after = counters(busy=busy, idle=ticks - busy, **work)
        m_ms = int((start_s - self.booted_s) * 1000)
        series = {"m_ms": [m_ms, round((end_s - start_s) * 1000)], "cpu_busy": [1100, busy], "cpu_total": [6110, ticks],
                  "memory_used_kb": [200_000, after["mem"][0] - after["mem"][1] - 200_000]}  # fmt: skip
        done = self.fields(
            "end", sid, end_s, step=f"{sid}.1", name=name, c=after, exit=exit_code,
            signal=exit_code - 128 if exit_code > 128 else None, peak_kb=400_000, series=series,
            procs=[["dpkg", 12.5, 104.0]], cost={"cpu_ms": 31, "rss_kb": 9100, "bytes": 3120}, last=True,
        )  # fmt: skip
        return [(start_s, begin), (end_s, done)]


Line = tuple[float, str]


def say(at_s: float, text: str, target: str = "qemu.debian") -> Line:
    """A line of Packer's own."""
    return at_s, f"==> {target}: {text}"


def said(
    rows: Iterable[tuple[float, dict[str, Any]]], target: str = "qemu.debian", delay_s: float = 0.05
) -> list[Line]:
    """Records as they come through Packer, `delay_s` after they were made."""
    return [(at_s + delay_s, f"    {target}: {record_line(fields)}") for at_s, fields in rows]


def log(lines: Iterable[Line], *, stamps: bool = True) -> bytes:
    """The lines as `packer build -timestamp-ui` prints them, or without times."""
    return "".join(f"{_stamp(at_s) if stamps else ''}{text}\n" for at_s, text in lines).encode()


def _stamp(at_s: float) -> str:
    return (START + timedelta(seconds=int(at_s // 1))).strftime("%Y-%m-%dT%H:%M:%S+00:00: ")


def qemu_build(guest: Guest | None = None) -> list[Line]:
    """A whole build: agent, a quick step, a long writer, an upload, a failing step, shutdown."""
    guest = guest or Guest()
    rows = [
        say(0.2, "Retrieving ISO"),
        say(4.0, "Starting VM, booting disk image"),
        say(6.1, "Using SSH communicator to connect: 127.0.0.1"),
        say(6.2, "Waiting for SSH to become available..."),
        say(40.4, "Connected to SSH!"),
        say(40.5, "Provisioning with shell script: ./buildtel_agent.py"),
        *said([(42.3, guest.hello("aaaa00000001", 42.3))]),
        say(43.6, "Provisioning with shell script: scripts/install-docker.sh"),
        *said(guest.step("bbbb00000001", "install-docker", 44.8, 139.9, busy=17_000, written_mb=1500, rx=700_000_000)),
        say(141.0, "Uploading files/app.tar => /tmp/app.tar"),
        say(149.0, "Provisioning with shell script: /tmp/packer-shell123456"),
        *said(guest.step("cccc00000001", None, 150.1, 152.4, exit_code=3)),
        say(153.0, "Gracefully halting virtual machine..."),
        say(161.0, "Converting hard drive..."),
    ]
    return [
        *rows,
        (230.0, "Build 'qemu.debian' finished after 3 minutes 49 seconds."),
        (230.0, "\n==> Wait completed after 3 minutes 49 seconds"),
        (230.0, "\n==> Builds finished. The artifacts of successful builds are:"),
        (230.0, "--> qemu.debian: VM files in directory: output-debian"),
    ]


def arrived(
    fields: dict[str, Any], line: int, at_s: float | None = None, target: str | None = "qemu.debian"
) -> AgentRecord:
    """A record as the reader hands it on."""
    at = None if at_s is None else When(START.timestamp() + at_s, 1.0, True)
    return AgentRecord(line=line, at=at, target=target, fields=fields)


def packed(rows: list[dict[str, Any]], times_s: list[float], guest: Guest) -> dict[str, Any]:
    """The `cols` of whole-life samples taken at `times_s` host seconds after START."""
    from buildtel_agent import flatten, pack_columns

    flat = [dict(flatten(row)) for row in rows]
    names = ["m_ms", *flat[0]]
    lists = [[int((at_s - guest.booted_s) * 1000), *row.values()] for at_s, row in zip(times_s, flat, strict=True)]
    return pack_columns(names, lists)


def packer_report(events: Iterable[Event]) -> PackerReport:
    """What Packer did, by the events of a log."""
    timeline = Timeline()
    for event in events:
        timeline.add(event)
    return report(timeline)


def numbered(events: Iterable[Event]) -> Iterator[Event]:
    """Events made by hand, with those indexes of provisioners that the reader gives to events."""
    begun: Counter[str] = Counter()
    under_way: dict[str | None, int] = {}
    for event in events:
        told = event
        if isinstance(event, RunStarted):
            begun.clear()
            under_way.clear()
        elif isinstance(event, (PhaseStarted, BuildFinished)):
            under_way.pop(event.target, None)
        elif isinstance(event, ProvisionerStarted):
            under_way[event.target] = begun[event.target]
            begun[event.target] += 1
            told = replace(event, index=under_way[event.target])
        elif isinstance(event, ProvisionerFinished):
            told = replace(event, index=begun[event.target] - 1)
        elif isinstance(event, AgentRecord) and event.spool is None:
            told = replace(event, provisioner=under_way.get(event.target))
        yield told
