"""The agent's parts called by themselves: what takes minutes, an odd machine or a stranger in a real build."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

import buildtel_agent as agent

from .conftest import PROC, records


def process(proc: Path, pid: str, comm: str, ticks: int, started: int, io: tuple[int, int] | None) -> None:
    """A process as /proc shows it."""
    folder = proc / pid
    folder.mkdir(exist_ok=True, parents=True)
    fields = ["S", *["0"] * 10, str(ticks), "1", *["0"] * 6, str(started), "0 0"]
    (folder / "stat").write_text(f"{pid} ({comm}) {' '.join(fields)}\n")
    if io is not None:
        (folder / "io").write_text(f"rchar: 1\nread_bytes: {io[0]}\nwrite_bytes: {io[1]}\n")


def test_the_busiest_processes_are_told_by_name(tmp_path: Path) -> None:
    """Those of one name together; of one that ran before only what it did since; odd entries are passed over."""
    process(tmp_path, "10", "old) (one", 500, 5, (100, 0))
    process(tmp_path, "11", "idle", 7, 5, None)
    (tmp_path / "self").mkdir()
    (tmp_path / "12").mkdir()
    (tmp_path / "12" / "stat").write_text("12 (cut")
    found = agent.Processes(str(tmp_path), 100, 1000)
    found.scan()
    process(tmp_path, "10", "old) (one", 600, 5, (100 + 1048576, 1048576))
    process(tmp_path, "20", "worker", 300, 2000, None)
    process(tmp_path, "21", "worker", 99, 2000, None)
    found.scan()

    assert [row[:2] for row in found.busiest()] == [["worker", 4.01], ["old) (one", 1.0]]
    assert len(found.busiest(1)) == 1
    assert [row[2] for row in found.busiest()] == [None, 2.0]


@pytest.fixture
def piped() -> Any:
    """A pipe, closed at the end."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def watch(out: int) -> Any:
    """A step under way on a fixture's machine."""
    return agent.Watch(agent.Recorder(out, "", str(PROC / "debian12-end")), agent.Kernel(
        str(PROC / "debian12-end"), str(PROC / "no-sys")), "s.1", len)  # fmt: skip


def test_a_watch_thins_its_points_and_slows_down(piped: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a step is, it keeps fewer than sixty points, and looks less often."""
    now = iter(range(10**9, 10**15, 10**9))
    monkeypatch.setattr(agent, "boottime_ns", lambda: next(now))
    step = watch(piped[1])
    waits = [step._sample(elapsed_s) for elapsed_s in (0.5, 100, 5000)]
    for elapsed_s in range(500):
        step._sample(elapsed_s)

    assert waits == [0.25, 1.0, 5.0]
    assert 10 < len(step.points) < agent.SERIES_POINTS
    assert step.stride_s > 0
    assert step.peak_kb == 921600
    assert (step._beat(10), step._beat(48_000)) == (30.0, 200.0)
    assert step._scan(10_000) == 100.0
    (first, _) = [one for one in records(os.read(piped[0], 65536)) if one["ev"] == "beat"]
    assert (first["step"], first["peak_kb"]) == ("s.1", 921600)


def test_a_watch_samples_until_its_step_is_over(piped: tuple[int, int]) -> None:
    """It takes samples meanwhile."""
    step = watch(piped[1])
    calls: list[str] = []
    step._sample = lambda elapsed_s: calls.append("sample") or 0.01
    step.until(lambda wait_s: time.sleep(wait_s) or len(calls) == 2)

    assert len(calls) == 2


def test_a_file_of_samples_begins_anew_when_the_devices_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One header a file; the older one stays until it is sent; at the end both go."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    spool = agent.Spool("", str(tmp_path / "spool"))
    life = agent.LifeFile(spool)

    assert life.add([("m_ms", 5), ("cpu.0", 1)]) and life.add([("m_ms", 6), ("cpu.0", 2)])
    assert life.add([("m_ms", 7), ("disk.vda.0", 1)])
    texts = sorted(path.read_text().splitlines() for path in (tmp_path / "spool").glob("life-*"))
    assert [len(lines) for lines in texts] == [3, 2] or [len(lines) for lines in texts] == [2, 3]
    assert agent.sampler_is_running(spool)
    life.remove()
    assert not list(tmp_path.glob("spool/life-*"))
    assert not agent.sampler_is_running(spool)


def test_samples_go_nowhere_where_there_is_no_place(tmp_path: Path) -> None:
    """A spool that others can write to is none."""
    folder = tmp_path / "spool"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    spool = agent.Spool("", str(folder))

    assert not agent.LifeFile(spool).add([("m_ms", 5)])
    assert spool.create("x") == -1
    assert spool.claim() == -1 and not spool.keep_key(b"k")


@pytest.mark.parametrize("kind", ["missing", "file", "link"])
def test_only_a_real_folder_of_ours_is_owned(tmp_path: Path, kind: str) -> None:
    """Neither what is not there, nor a file, nor a link to a folder."""
    place = tmp_path / "x"
    if kind == "file":
        place.write_text("")
    if kind == "link":
        place.symlink_to(tmp_path)

    assert not agent.owned_folder(str(place))
    assert not agent._is_folder_of(str(place), str(os.getuid()))
    assert agent._is_folder_of(str(tmp_path), str(os.getuid()))
    assert agent._listed(str(place / "y")) == []


def test_a_tmpfs_is_known_by_its_mount() -> None:
    """`/proc` is none; where the machine has `/dev/shm` on one, that is."""
    assert not agent.is_tmpfs("/proc/self")
    mounts = Path("/proc/self/mounts").read_text()
    assert agent.is_tmpfs("/dev/shm/x") is (" /dev/shm tmpfs " in mounts)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["dance"], "no such command: dance"), ([], "which command?"), (["start", "--dance"], "unknown option --dance"),
    ],
)  # fmt: skip
def test_wrong_usage_is_told_on_one_line_and_how_it_is_right(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2, and the usage below."""
    assert agent.main(words) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == f"buildtel: {said}" and len(lines) > 1


def test_a_telemetry_that_fails_is_no_failure(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What goes wrong inside is one line of ASCII on stderr, and status 0."""

    def broken(options: Any) -> None:
        raise OSError("no é")

    monkeypatch.setitem(agent.COMMANDS, "start", broken)

    assert agent.main(["start", "x"]) == 0
    assert capfd.readouterr().err == "buildtel: OSError: no ?\n"


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """By itself, on a line."""
    assert agent.main(["--version"]) == 0
    assert capsys.readouterr().out == f"{agent.__version__}\n"


def test_arguments_are_read_with_and_without_an_equals_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment fills what they leave out; a parent must look like one."""
    monkeypatch.setenv("BUILDTEL_STEP", "from outside")
    monkeypatch.setenv("BUILDTEL_RUN", "r1")
    monkeypatch.setenv("BUILDTEL_PARENT", "a.1;rm")
    known = agent.parse_arguments(["--step=", "--proc", "/p"])
    assert (known["step"], known["run"], known["proc"], "parent" in known) == ("from outside", "r1", "/p", False)

    monkeypatch.setenv("BUILDTEL_PARENT", "9f3c.1")
    known = agent.parse_arguments(["--step=mine", "--run", "r2"])
    assert (known["step"], known["run"], known["parent"]) == ("mine", "r2", "9f3c.1")


def test_nobody_reads_and_nothing_is_written() -> None:
    """A closed reader costs the agent nothing but the record."""
    reader, writer = os.pipe()
    os.close(reader)
    assert agent.write(writer, b"x") == 0
    os.close(writer)
    assert agent.write(writer, b"x") == 0
    assert not agent._writable(writer, 0)


def test_install_refuses_a_folder_that_others_can_write_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line says so, and nothing is written."""
    folder = tmp_path / "x"
    folder.mkdir()
    folder.chmod(0o777)
    agent.install({"dir": str(folder), "run": ""})

    assert capsys.readouterr().out.startswith(f"buildtel: {folder} belongs to somebody else")
    assert not list(folder.iterdir())


@pytest.mark.parametrize("sent", ["missing", "linked", "words"])
def test_samples_whose_account_is_odd_are_not_sent(tmp_path: Path, piped: tuple[int, int], sent: str) -> None:
    """Without its account of what was sent, or with one that has another name or holds words, a file stays."""
    spool = agent.Spool("", str(tmp_path / "spool"))
    life = agent.LifeFile(spool)
    assert life.add([("m_ms", 5), ("cpu.0", 1)])
    (account,) = (tmp_path / "spool").glob("sent-*")
    if sent == "missing":
        account.unlink()
    elif sent == "linked":
        (tmp_path / "other").hardlink_to(account)
    else:
        account.write_text("words")
    recorder = agent.Recorder(piped[1], "", str(PROC / "debian12-end"))
    agent.flush(recorder, spool)

    assert recorder.sequence == 0
    os.close(life.fd)
