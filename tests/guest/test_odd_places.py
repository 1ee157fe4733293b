"""The agent's parts where files, folders, clocks and readers are not as they should be."""

from __future__ import annotations

import os
import resource
import shutil
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

import buildtel_agent as agent

from .conftest import PROC, records

DEBIAN = PROC / "debian12-end"


@pytest.fixture
def piped() -> Any:
    """A pipe, closed at the end."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


@pytest.fixture
def spool(tmp_path: Path) -> Any:
    """A folder of ours for spools."""
    return agent.Spool("", str(tmp_path / "spool"))


def fill(pipe: int) -> None:
    """As much as a pipe holds, so that nothing more can be written."""
    os.set_blocking(pipe, False)
    with suppress(BlockingIOError):
        while True:
            os.write(pipe, b"x" * 4096)


def fails(*_: Any, **__: Any) -> Any:
    """A call that the kernel refuses."""
    raise OSError(5, "no")


ODD_FILES = [
    ("stat", "intr 5\n", "cpu"), ("stat", "cpu  x\n", "cpu"), ("vmstat", "pswpin x\n", "vm"),
    ("meminfo", "MemTotal:", "mem"), ("net/dev", "a\nb\neth0: 1 2\n", "net"),
    ("diskstats", "8 0 sda " + "x " * 11 + "\n", "disk"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "text", "group"), ODD_FILES, ids=lambda value: str(value)[:20])
def test_a_file_that_no_kernel_writes_costs_its_group(tmp_path: Path, file: str, text: str, group: str) -> None:
    """It is missing; the others stand."""
    shutil.copytree(DEBIAN, tmp_path / "proc")
    whole = agent.Kernel(str(tmp_path / "proc"), str(tmp_path)).counters()
    (tmp_path / "proc" / file).write_text(text)
    found = agent.Kernel(str(tmp_path / "proc"), str(tmp_path)).counters()

    assert set(whole) - set(found) - {"cpus", "tasks"} == {group}  # of the same file


def test_odd_pressure_costs_its_kind_and_a_root_that_is_none_the_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others stand here, too."""
    shutil.copytree(DEBIAN, tmp_path / "proc")
    (tmp_path / "proc" / "pressure" / "io").write_text("some avg10=0.00\n")
    monkeypatch.setattr(agent.posix, "statvfs", fails)
    found = agent.Kernel(str(tmp_path / "proc"), str(tmp_path)).counters()

    assert set(found["psi"]) == {"cpu", "memory"} and "fs" not in found and "cpu" in found


def test_of_a_file_no_more_is_read_than_asked_for(tmp_path: Path) -> None:
    """However large it is."""
    (tmp_path / "x").write_bytes(b"x" * 20_000)

    assert len(agent.read_file(str(tmp_path / "x"), 5_000)) == 5_000
    assert agent.read_file(str(tmp_path)) == b""


@pytest.mark.parametrize("known", [set(), {time.CLOCK_MONOTONIC}])
def test_where_a_clock_is_missing_the_next_one_is_read(monkeypatch: pytest.MonkeyPatch, known: set[int]) -> None:
    """CLOCK_BOOTTIME, then CLOCK_MONOTONIC, then Python's own."""
    real = time.clock_gettime_ns
    monkeypatch.setattr(time, "clock_gettime_ns", lambda clock: real(clock) if clock in known else fails())
    before = time.monotonic()

    assert int(before * 1e9) <= agent.boottime_ns() <= time.monotonic() * 1e9


def test_a_beat_that_nobody_is_ready_to_read_is_dropped_unnumbered(piped: tuple[int, int]) -> None:
    """A full pipe: nothing waits, and the next record leaves no gap."""
    fill(piped[1])
    recorder = agent.Recorder(piped[1], "")
    recorder.emit("beat", {}, may_wait=False)

    assert (recorder.sequence, recorder.bytes) == (0, 0)


def test_a_machine_without_a_boot_id_has_records_without_one(piped: tuple[int, int], tmp_path: Path) -> None:
    """The run stands where there is one; an event that is too large is told in parts, the last of which says so."""
    agent.Recorder(piped[1], "r1", str(tmp_path)).emit("mark", {"c": {str(n): "x" * 900 for n in range(5)}}, last=True)
    read = records(os.read(piped[0], 65536))

    assert [(one["part"], one["of"], one["run"], "boot" in one) for one in read] == [
        (1, 2, "r1", False), (2, 2, "r1", False),
    ]  # fmt: skip
    assert ["last" in one for one in read] == [False, True]


def test_a_spool_that_has_no_place_costs_the_log_nothing(piped: tuple[int, int], tmp_path: Path) -> None:
    """The record is in the log."""
    (tmp_path / "spool").mkdir(mode=0o777)
    (tmp_path / "spool").chmod(0o777)
    recorder = agent.Recorder(piped[1], "", str(DEBIAN), agent.Spool("", str(tmp_path / "spool")))
    recorder.emit("mark", {"name": "x"})

    assert [one["name"] for one in records(os.read(piped[0], 65536))] == ["x"]
    assert not list((tmp_path / "spool").iterdir())


def test_a_python_without_sha256_can_not_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    """And says so, rather than write records that look signed."""
    for name in ("_sha2", "_sha256", "hashlib"):
        monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(ImportError, match="SHA-256"):
        agent.with_mac(b"{}", b"key")


def test_a_process_that_may_have_no_files_waits_for_no_reader(piped: tuple[int, int]) -> None:
    """The kernel then refuses to poll: nobody is known to read."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert agent._writable(piped[1], 0)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        assert not agent._writable(piped[1], 0)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_a_file_of_the_spool_is_made_once(spool: Any) -> None:
    """A name that is taken is not opened: somebody else may have put it there."""
    os.close(spool.create("x"))

    assert spool.create("x") == -1


def test_a_key_counts_only_where_its_owner_can_be_told(spool: Any, tmp_path: Path) -> None:
    """The user's own or the installed agent's: for his eyes only."""
    os.close(spool.create("key", 0o600))
    Path(spool.path("key")).write_bytes(b"k")
    orphan = agent.Spool(str(tmp_path / "none"), str(tmp_path / "spool"))
    owned = agent.Spool(str(tmp_path), str(tmp_path / "spool"))

    assert (orphan.key(), owned.key()) == (b"", b"k")
    Path(spool.path("key")).chmod(0o644)
    assert owned.key() == b""


def test_a_spool_is_emptied_as_far_as_it_can_be(spool: Any, tmp_path: Path) -> None:
    """A folder in it stays, and so does what a link leads to."""
    os.close(spool.create("x"))
    (tmp_path / "spool" / "folder").mkdir()
    spool.clear()
    (tmp_path / "link").symlink_to(tmp_path / "spool")
    os.close(spool.create("y"))
    agent.Spool("", str(tmp_path / "link")).clear()

    assert sorted(path.name for path in (tmp_path / "spool").iterdir()) == ["folder", "y"]


def test_samples_that_never_began_are_let_go_of(spool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is neither a file nor a lock."""
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    agent.LifeFile(spool).remove()

    assert waited == [3]


def test_of_two_samplers_of_a_life_the_second_goes(spool: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two calls after a reboot may each begin one: the lock of the folder says who is first."""
    assert spool.claim()
    monkeypatch.setattr(agent, "Spool", lambda owner: agent_spool)
    agent_spool = type(spool)("", str(tmp_path / "spool"))
    agent.life({})

    assert not list((tmp_path / "spool").glob("life-*"))


def test_nobody_waits_for_the_end_that_a_killed_sampler_owes(
    spool: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its mark of a step stays, but there is no process that could write."""
    spool.leave("at-999999999", b"bbbb00000001.1 1")
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    agent.wait_for_ends(spool, str(tmp_path / "installed"))

    assert waited == []


@pytest.mark.parametrize("content", [b"1 m_ms\n", b"words", b"", b"999999999 m_ms\n"])
def test_a_file_that_only_looks_like_a_sampler_s_ends_nobody(spool: Any, tmp_path: Path, content: bytes) -> None:
    """Its process is asked for its name first; a link is not followed."""
    os.close(spool.create("life-1"))
    Path(spool.path("life-1")).write_bytes(content)
    (tmp_path / "spool" / "life-2").symlink_to(spool.path("life-1"))
    agent.stop_life(spool)

    assert not agent.sampler_is_running(spool)


def test_of_many_samples_that_were_not_sent_the_last_is_among_the_few_that_are(
    spool: Any, piped: tuple[int, int]
) -> None:
    """As many as a call may send, evenly, and what follows is sent the next time."""
    life = agent.LifeFile(spool)
    for second in range(300):
        life.add([("m_ms", second * 1000), ("cpu.0", second)])
    recorder = agent.Recorder(piped[1], "", str(DEBIAN))
    agent.flush(recorder, spool)
    life.add([("m_ms", 300_000), ("cpu.0", 300)])
    agent.flush(recorder, spool)
    os.close(life.fd)
    sets = [agent.unpack_columns(one["cols"])["m_ms"] for one in records(os.read(piped[0], 65536))]

    assert [moment for one in sets[:-1] for moment in one] == list(range(2000, 300_000, 3000))
    assert sets[-1] == [300_000]


@pytest.mark.parametrize(("parent", "said"), [({}, ["hello"]), ({"parent": "a.1"}, [])])
def test_hello_is_said_once_where_nothing_is_installed(
    piped: tuple[int, int], monkeypatch: pytest.MonkeyPatch, parent: dict[str, str], said: list[str]
) -> None:
    """By the outermost step."""
    monkeypatch.setattr(sys, "argv", ["buildtel_agent.py"])
    monkeypatch.setattr(agent, "home", lambda: "")
    agent.begin({"run": "not a; run", "proc": str(DEBIAN), **parent}, piped[1])
    os.write(piped[1], b"\n")
    found = records(os.read(piped[0], 65536))

    assert [one["ev"] for one in found] == said
    assert not any("run" in one for one in found)


def test_a_machine_that_tells_no_memory_has_no_peak(piped: tuple[int, int], tmp_path: Path) -> None:
    """And a figure of none."""
    step = agent.Watch(agent.Recorder(piped[1], "", str(tmp_path)), agent.Kernel(str(tmp_path)), "s.1", len)
    step._sample(0.5)
    step.finish("x", "x", step.start_ns + 10**9, {}, (0, None, "pidfd"))
    (end,) = records(os.read(piped[0], 65536))

    assert end["peak_kb"] is None


def test_what_nobody_reads_is_owed_and_comes_once(piped: tuple[int, int], tmp_path: Path) -> None:
    """A full pipe holds nothing up: what waits goes into a file, and the next call writes it, in order."""
    fill(piped[1])
    outlet, spool = agent.Outlet(piped[1]), agent.Spool("", str(tmp_path / "spool"))
    outlet.is_held = False
    for number in range(3):
        outlet.say(b"line %d\n" % number)
    paid = outlet.pay(0)
    agent.keep_owed(outlet, spool, "x")
    reader, writer = os.pipe()
    later = agent.Recorder(writer, "")
    agent.bring_owed(later, spool.find("owed-"))
    agent.bring_owed(later, spool.find("owed-"))
    os.close(writer)

    assert (paid, os.read(reader, 65536)) == (False, b"line 0\nline 1\nline 2\n")
    os.close(reader)


def test_what_is_not_known_has_no_line_for_people() -> None:
    """No pressure and no status: nothing is said of them."""
    assert list(agent.further_lines({}, None)) == []
    assert list(agent.further_lines({"psi_io_some_percent": 2.0}, 0)) == [("Pressure", "io=2%"), ("Exit", "0")]


def ended(folder: Path, capfd: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The end record of the step `x`, whose records go to a file in the folder."""
    agent.end({"name": "x", "record": str(folder / "r.jsonl"), "proc": str(DEBIAN), "status": "3"})
    assert "Exit:          3" in capfd.readouterr().out
    return records((folder / "r.jsonl").read_bytes())[-1]


def test_an_end_passes_over_what_is_no_step(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Rubbish under its name is removed; the step begun before it is the one; after that there is none."""
    agent.start({"name": "x", "record": str(tmp_path / "r.jsonl"), "proc": str(DEBIAN)})
    begun = records((tmp_path / "r.jsonl").read_bytes())[0]["step"]
    rubbish = tmp_path / f"step-{crc32(b'x'):08x}-{9 * 10**18:020d}"
    rubbish.write_text("one\ntwo\nthree")

    assert ended(tmp_path, capfd)["step"] == begun and not rubbish.exists()
    assert ended(tmp_path, capfd)["step"] is None
    rubbish.write_text("one\ntwo\nthree")
    assert ended(tmp_path, capfd)["step"] is None


def test_a_step_that_the_sh_part_began_has_an_end_without_figures(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Two lines are all that it leaves."""
    (tmp_path / f"step-{crc32(b'x'):08x}-{5:020d}").write_text("a1.1\n5")

    assert ended(tmp_path, capfd)["step"] == "a1.1"


def test_a_start_that_can_leave_no_note_is_recorded_all_the_same(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its end will not be told, and the step is there."""
    tmp_path.chmod(0o777)
    agent.start({"name": "x", "record": str(tmp_path / "r.jsonl"), "proc": str(DEBIAN)})
    tmp_path.chmod(0o755)

    assert "[x] START" in capfd.readouterr().out
    assert [one["ev"] for one in records((tmp_path / "r.jsonl").read_bytes())] == ["start"]
    assert not list(tmp_path.glob("step-*"))


def test_nothing_is_finished_where_nothing_is_installed(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not a word, and no record."""
    monkeypatch.setattr(agent, "home", lambda: "")
    agent.finish({})

    assert capfd.readouterr() == ("", "")


def test_the_agent_is_the_last_file_that_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where `finish` is killed on the way, the agent is there for a second one."""
    removed: list[str] = []
    for name in agent.OUR_NAMES[:-1]:
        (tmp_path / name).touch()
    monkeypatch.setattr(agent.posix, "unlink", lambda path: (removed.append(path), Path(path).unlink()))
    assert agent.remove_agent(str(tmp_path)) == []

    assert removed[-1] == f"{tmp_path}/buildtel_agent.py"
    assert len(removed) == len(agent.OUR_NAMES) - 1
    assert not tmp_path.exists()


def test_what_is_gone_is_neither_copied_nor_removed(tmp_path: Path, piped: tuple[int, int]) -> None:
    """Another call may have been quicker."""
    agent._copy(str(tmp_path / "gone"), piped[1])
    agent.remove_own(str(tmp_path / "gone"))
    agent.remove_own(str(tmp_path))
    os.set_blocking(piped[0], False)

    assert tmp_path.exists()
    with pytest.raises(BlockingIOError):
        os.read(piped[0], 1)


def test_a_stream_that_is_closed_holds_no_exit_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python has None for it, or one that can't be flushed."""
    statuses: list[int] = []
    monkeypatch.setattr(agent.posix, "_exit", statuses.append)
    monkeypatch.setattr(sys, "stdout", None)
    agent._exit_now(2)

    assert statuses == [2]
