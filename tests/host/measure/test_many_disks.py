"""Machines of many disks: their samples reach the document by log and by spool, whatever their number."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import buildtel_agent as agent
from buildtel.cli import main
from buildtel.reach.life_rows import LifeReader
from tests.host.samples import BOOT, Guest, counters, log, record_line, say

COUNTS = [1, 11, 12, 13, 24, 40, 64, 100, 128]
ROWS = 70
SECTORS = 2048  # 1 MB a second and disk


def pairs_at(disks: int, second: int) -> list[tuple[str, int | None]]:
    """A sample of a machine, with the names of its columns."""
    row = counters(busy=second * 100, idle=second * 100)
    row["disk"] = {f"sd{at:03}": [10, 8, 5, 10 + second, SECTORS * second, *[5] * 5] for at in range(disks)}
    return [("m_ms", 20_000 + second * 1000), *agent.flatten(row)]


def life_file(disks: int, folder: Path) -> tuple[agent.Spool, Path]:
    """A file of samples, as the whole-life sampler writes it."""
    spool = agent.Spool("", str(folder / "spool"))
    life = agent.LifeFile(spool)
    for second in range(ROWS):
        assert life.add(pairs_at(disks, second))
    os.close(life.fd)
    (path,) = (folder / "spool").glob("life-*")
    return spool, path


def flushed(spool: agent.Spool, folder: Path) -> list[str]:
    """The lines that the agent prints of it."""
    out = os.open(folder / "out", os.O_WRONLY | os.O_CREAT)
    recorder = agent.Recorder(out, "", "/nonexistent")
    recorder.boot = BOOT
    agent.flush(recorder, spool)
    os.close(out)
    return (folder / "out").read_text().splitlines()


def collected(folder: Path, *words: str) -> dict[str, Any]:
    """The document, by the command."""
    found = folder / "job.json"
    assert main(["collect", *words, "--job", "many", "--quiet", "-o", str(found)]) == 0
    document: dict[str, Any] = json.loads(found.read_text())
    return document


def packer_log(folder: Path, records: list[str]) -> str:
    """A log with a hello and these records, in a build."""
    hello = record_line(Guest().hello("a1", 1))
    lines = [say(0, "Provisioning with shell script: work.sh"), (1.0, f"    qemu.debian: {hello}")]
    path = folder / "packer.log"
    path.write_bytes(log([*lines, *((120.0, f"    qemu.debian: {record}") for record in records)]))
    return str(path)


def written_mb(document: dict[str, Any]) -> float:
    """What the machine's samples say was written in all."""
    (machine,) = [machine for machine in document["machines"].values() if machine["samples"]]
    columns = machine["samples"][0]["columns"]
    times = columns["t_s"]
    rates = columns["disk_write_mbs"]
    return sum(rate * (times[at] - times[at - 1]) for at, rate in enumerate(rates) if at and rate is not None)


@pytest.mark.parametrize("disks", COUNTS)
def test_samples_come_through_the_log(tmp_path: Path, disks: int) -> None:
    """What the agent prints of them is read, whole."""
    spool, _ = life_file(disks, tmp_path)
    document = collected(tmp_path, packer_log(tmp_path, flushed(spool, tmp_path)))

    assert (document["integrity"]["damaged"], document["integrity"]["missing"]) == (0, 0), document["notes"]
    assert written_mb(document) == pytest.approx(disks * (ROWS - 1), rel=0.01)


@pytest.mark.parametrize("disks", COUNTS)
def test_samples_come_through_a_spool_that_ssh_fetched(tmp_path: Path, disks: int) -> None:
    """The rows of a file in the machine, made records on this side; in one read or in pieces."""
    _, path = life_file(disks, tmp_path)
    data = path.read_bytes()
    reader = LifeReader("a-b", BOOT, 0.0, 1000.0)
    fetched = b"".join(record for at in range(0, len(data), 7000) for record in reader.feed(data[at : at + 7000]))
    (tmp_path / "spool.jsonl").write_bytes(fetched + b"".join(reader.close()))
    document = collected(tmp_path, packer_log(tmp_path, []), "--spool", str(tmp_path / "spool.jsonl"))

    assert document["integrity"]["damaged"] == 0, document["notes"]
    assert written_mb(document) == pytest.approx(disks * (ROWS - 1), rel=0.01)


def test_a_file_read_twice_longer_the_second_time_has_no_number_twice(tmp_path: Path) -> None:
    """Records of one number are the same record, also where a row takes several."""
    _, path = life_file(40, tmp_path)
    data = path.read_bytes()
    read = []
    for part in (data[: len(data) * 2 // 3], data):
        reader = LifeReader("a-b", BOOT, 0.0, 1000.0)
        read.append([*reader.feed(part), *reader.close()])
    numbered = [{json.loads(line[9:])["seq"]: line for line in lines} for lines in read]

    assert [len(lines) for lines in read] == [len(lines) for lines in numbered]
    assert all(numbered[1].get(seq, line) == line for seq, line in numbered[0].items())


def test_more_disks_than_any_machine_has_cost_only_the_disks_figures(tmp_path: Path) -> None:
    """The rest of the samples is there, and a note says what is not."""
    spool, path = life_file(200, tmp_path)
    document = collected(tmp_path, packer_log(tmp_path, flushed(spool, tmp_path)))
    (machine,) = document["machines"].values()

    assert "disk_write_mbs" not in machine["samples"][0]["columns"]
    assert set(machine["samples"][0]["columns"]["cpu_percent"][1:]) == {50.0}
    assert [note for note in document["notes"] if "`cols.disk` of `samples`" in note]

    reader = LifeReader("a-b", BOOT, 0.0, 1000.0)
    (tmp_path / "spool.jsonl").write_bytes(b"".join([*reader.feed(path.read_bytes()), *reader.close()]))
    document = collected(tmp_path, packer_log(tmp_path, []), "--spool", str(tmp_path / "spool.jsonl"))
    (machine,) = document["machines"].values()
    assert set(machine["samples"][0]["columns"]["cpu_percent"][1:]) == {50.0}
