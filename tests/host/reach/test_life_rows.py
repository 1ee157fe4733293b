"""The file of the whole-life sampler, read over SSH: accounts of commands between its rows."""

from __future__ import annotations

import json

import buildtel_agent as agent
from buildtel.measure.record_fields import read_body
from buildtel.reach.life_rows import LifeReader


def line(from_ms: int, to_ms: int, name: str) -> str:
    """A line of accounts as the agent writes it."""
    commands = agent.Commands()
    task = agent.Task(7, 1, name.encode(), 0.5, 1.0)
    task.run_ns, task.read, task.written, task.delay_ns = 250_000_000, 1 << 20, 0, 1_000_000
    commands.add(task)
    return agent.interval_to_text(from_ms, to_ms, 2, commands)


def read(text: str, size: int) -> list[dict]:
    """The records of a file that comes in pieces of `size` bytes, each checked as the host does."""
    reader = LifeReader("a-b", "boot", 0.0, 1e6)
    data = text.encode()
    found = [one for at in range(0, len(data), size) for one in reader.feed(data[at : at + size])]
    bodies = [json.loads(one[9:]) for one in [*found, *reader.close()]]
    assert all(not read_body("samples", body)[1] for body in bodies)
    return bodies


def test_accounts_come_with_the_rows_behind_them() -> None:
    """However the file is cut; what has no row behind it yet comes with the next."""
    rows = "".join(f"{line(at, at + 1000, 'c é')}\n{at + 1000}\n" for at in range(0, 40_000, 1000))
    text = f"77 m_ms\n{rows}{line(40_000, 41_000, 'late')}\n"
    told = [one for record in read(text, 1 << 20) for one in record.get("cmds", ())]

    assert told == [[at, at + 1000, 2, ["c é", 1, 0.25, 1, 0.5, 0.001]] for at in range(0, 40_000, 1000)]
    assert read(text, 7) == read(text, 1 << 20)


def test_lines_of_no_sense_are_no_accounts() -> None:
    """A file of a stranger's."""
    text = "77 m_ms\nc\nc\t1\nc\tx\ty\tz\nc\t1\t2\t3\tname\tx\t1\t1\t1\t1\n1000\n"

    assert [record.get("cmds") for record in read(text, 100)] == [None]
