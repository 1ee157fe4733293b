"""What commands used outside of steps: which of it is in a stretch of time."""

from __future__ import annotations

from buildtel.measure.intervals import MAX_INTERVALS, Intervals


def intervals(*rows: tuple[int, int, int, tuple]) -> Intervals:
    """Some intervals."""
    found = Intervals()
    found.add(rows)
    return found


def test_the_commands_of_a_stretch_are_added_up_by_name() -> None:
    """Busiest first, the rest without a name last; what was lost is counted."""
    life = intervals(
        (0, 1000, 0, (("cc", 5, 0.5, 1.0, 0.2, None),)),
        (1000, 2000, 2, (("cc", 1, 0.25, None, 0.9, 0.1), ("ld", 1, 0.8, 2.0, 0.1, 0.2), ("", 9, 2.0, 0.0, 0.1, 0.0))),
        (2000, 3000, 0, (("rm", 1, 0.1, 0.0, 0.1, 0.0),)),
    )

    assert life.between(0, 2100) == (
        [("ld", 1, 0.8, 2.0, 0.1, 0.2), ("cc", 6, 0.75, 1.0, 0.9, 0.1), ("", 9, 2.0, 0.0, 0.1, 0.0)], 2,
    )  # fmt: skip


def test_an_interval_is_of_one_stretch_only() -> None:
    """Of the one that more than half of it lies in."""
    life = intervals((1000, 2000, 0, (("cc", 1, 1.0, 0.0, 0.1, 0.0),)))

    assert [life.between(0, 1600) is None, life.between(1600, 3000) is None] == [False, True]
    assert [life.between(0, 1400) is None, life.between(1400, 3000) is None] == [True, False]


def test_a_long_command_is_of_the_stretch_in_which_it_ran() -> None:
    """It ended behind it: an upload whose process ends when the next provisioner begins."""
    life = intervals((9000, 10000, 0, (("scp", 1, 1.0, 300.0, 4.5, 0.0), ("rm", 1, 0.1, 0.0, 0.1, 0.0))))

    assert [row[0] for row in life.between(5000, 9300)[0]] == ["scp"]
    assert [row[0] for row in life.between(9300, 12000)[0]] == ["rm"]


def test_of_intervals_that_overlap_the_shorter_ones_count() -> None:
    """The log has neighbours joined that a spool has one by one."""
    joined = (0, 3000, 0, (("cc", 3, 3.0, 0.0, 1.0, 0.0),))
    single = [(at, at + 1000, 0, (("cc", 1, 1.0, 0.0, 1.0, 0.0),)) for at in (0, 1000, 2000)]
    for order in ([joined, *single], [*single, joined]):
        life = intervals(*order)
        other = Intervals()
        other.merge(life)

        assert life.between(0, 3000) == other.between(0, 3000) == ([("cc", 3, 3.0, 0.0, 1.0, 0.0)], 0)


def test_without_intervals_nothing_is_known() -> None:
    """Not even that there were none."""
    assert Intervals().between(0, 1000) is None


def test_there_is_a_bound() -> None:
    """The first ones stay."""
    life = intervals(*((at, at + 1, 0, ()) for at in range(MAX_INTERVALS + 10)))

    assert len(life) == MAX_INTERVALS
