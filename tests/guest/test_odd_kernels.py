"""Odd kernels, containers and clouds: each right figure in the document, by the Python part and by the sh part."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import buildtel_agent as agent
from buildtel.cli import main

from .conftest import AGENT
from .odd import MADE, PUBLISHED, SECONDS, published, right
from .test_by_sh import MARKER, SHELLS

PARTS = {"python": ["sh"], **SHELLS}


def later(began: bytes, ended: bytes) -> bytes:
    """The records in `ended` as if they had been made ten seconds after the last one in `began`."""
    start = json.loads(began.rsplit(b"BUILDTEL:", 1)[1].split(b"\n")[0])
    read = [json.loads(line[9:]) for line in ended.split(b"\n") if line.startswith(b"BUILDTEL:")]
    times = {clock: start[clock] + SECONDS * 10**9 for clock in ("t", "m")}
    bare = [{key: value for key, value in {**record, **times}.items() if key != "crc"} for record in read]
    return b"".join(b"BUILDTEL:" + agent.with_crc(agent.dumps(record).encode()) + b"\n" for record in bare)


class Machine:
    """A machine of odd files, on which one part of the agent measures a step of ten seconds."""

    def __init__(self, folder: Path, part: str) -> None:
        self.folder, self.shell = folder, PARTS[part]
        self.agent = folder / "buildtel_agent.py"
        shutil.copy(AGENT, self.agent)
        if part != "python":
            (folder / MARKER).touch()

    def call(self, *words: str | Path) -> bytes:
        """What `SHELL buildtel_agent.py WORDS` prints."""
        environ = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        done = subprocess.run([*self.shell, self.agent, *words], env=environ, capture_output=True, check=True)
        assert done.stderr == b""
        return done.stdout

    def document(self, start: Path, end: Path, sys: Path) -> dict[str, Any]:
        """The job document of a log that holds the step's records."""
        began = self.call("start", "x", "--proc", start, "--sys", sys)
        ended = self.call("end", "x", "--proc", end, "--sys", sys, "--status", "0")
        log, found = self.folder / "records.log", self.folder / "job.json"
        log.write_bytes(began + later(began, ended))
        assert main(["collect", str(log), "--job", "odd", "--quiet", "-o", str(found)]) == 0
        document: dict[str, Any] = json.loads(found.read_text())
        assert document["integrity"]["damaged"] == 0, document["notes"]
        return document

    def step(self, start: Path, end: Path, sys: Path) -> dict[str, Any]:
        """The document's only step."""
        (step,) = self.document(start, end, sys)["steps"]
        assert step["duration_s"] == SECONDS
        return dict(step)


@pytest.fixture(params=PARTS)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
    """One for each part, and each shell."""
    if not os.access(shutil.which(PARTS[request.param][0]) or "", os.X_OK):
        pytest.skip(f"no {request.param} on this machine")
    return Machine(tmp_path, request.param)


def wrong(step: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """The figures that are not as they must be."""
    return {name: (step.get(name), range_) for name, range_ in wanted.items() if not right(step.get(name), range_)}


def impossible(step: dict[str, Any]) -> list[str]:
    """The figures that no machine has."""
    figures = {name: value for name, value in step.items() if isinstance(value, (int, float)) and name != "signal"}
    negative = [name for name, value in figures.items() if value < 0 and not name.endswith("_delta_mb")]
    return negative + [name for name, value in figures.items() if name.endswith("_percent") and value > 100]


@pytest.mark.parametrize("case", PUBLISHED)
def test_published_cases_give_the_right_figures(machine: Machine, case: str) -> None:
    """What public bug reports show is measured as what it was."""
    step = machine.step(*published(case))

    assert wrong(step, PUBLISHED[case]) == {}
    assert impossible(step) == []


@pytest.mark.parametrize("case", MADE)
def test_other_cases_of_each_kind_give_the_right_figures(machine: Machine, case: str, tmp_path: Path) -> None:
    """A kind of fault is mended, not an example."""
    step = machine.step(*MADE[case].make(tmp_path / "case"))

    assert wrong(step, MADE[case].figures) == {}
    assert impossible(step) == []


@pytest.mark.parametrize("case", [*PUBLISHED, *MADE])
def test_both_parts_read_the_same_counters(case: str, tmp_path: Path) -> None:
    """Whoever reads a file: the same numbers in the document."""
    roots = published(case) if case in PUBLISHED else MADE[case].make(tmp_path / "case")
    read = []
    for part in ("python", "dash"):
        (tmp_path / part).mkdir()
        (step,) = Machine(tmp_path / part, part).document(*roots)["steps"]
        read.append({when: {name: group for name, group in step["counters"][when].items() if name != "fs"}
                     for when in ("start", "end")})  # fmt: skip

    assert read[0] == read[1]


def test_memory_figures_without_mem_available_are_marked(machine: Machine, tmp_path: Path) -> None:
    """Of an old kernel a note says what they are made of; of others there is none."""
    marked, plain = (MADE[name].make(tmp_path / name[:4]) for name in ("RHEL 6: no MemAvailable", "iowait that falls"))

    assert [note for note in machine.document(*marked)["notes"] if "MemFree + Buffers + Cached" in note] == [
        "guest: its kernel does not tell MemAvailable: memory figures use MemFree + Buffers + Cached in its place."
    ]
    assert not [note for note in machine.document(*plain)["notes"] if "MemFree + Buffers + Cached" in note]
