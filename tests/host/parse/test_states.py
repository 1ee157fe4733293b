"""The table of a build's states: whole, and each provisioner's end is told once."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from buildtel.events import ProvisionerFinished
from buildtel.parse.states import NEXT, TELLS, BuildState, Outcome, Says, State

SAID = SimpleNamespace(line=1, at=None)


def test_each_state_knows_what_each_line_leads_to() -> None:
    """No line leaves the table."""
    assert set(NEXT) == set(TELLS) == set(State)
    assert all(set(row) == set(Says) for row in NEXT.values())


def test_each_state_is_reached() -> None:
    """No row is there for nothing."""
    reached = {State.IDLE}
    while more := {after for state in reached for after in NEXT[state].values()} - reached:
        reached |= more

    assert reached == set(State)


@given(st.lists(st.sampled_from([says for says in Says if says not in (Says.UNIT, Says.PHASE, Says.QUESTION)] + [
    ("shell", b"x.sh"), "boot", "wait_user",
]), max_size=20))  # fmt: skip
def test_how_a_provisioner_went_is_told_once(lines: list[Says | str | tuple[str, bytes]]) -> None:
    """Whatever comes in which order: each has one known outcome at most, and only the last may have none."""
    build, events = BuildState("qemu.a"), []
    for number, line in enumerate(lines):
        if isinstance(line, tuple):
            build.start(line, SAID, events)
        elif isinstance(line, str):
            build.begin_phase(line, b"text %d" % number, SAID, events)
        else:
            build.move(line, SAID, events, Outcome("failure") if line is Says.OUTCOME else Outcome())
    ended = [event for event in events if isinstance(event, ProvisionerFinished)]
    told = Counter(event.index for event in ended if event.status != "unknown")

    assert all(number == 1 for number in told.values())
    assert set(range(build.last.index)) <= set(told)
    assert build.running is None or build.last.index not in told
