"""Samples and series hold what the agent's schema of counters has."""

from __future__ import annotations

from buildtel.measure.series import MIB, OF_SAMPLES, RATES, SHARES, chart, is_counter
from buildtel_agent import COUNTERS, SERIES

FACTORS = {"512 bytes": 512 / MIB, "bytes": 1 / MIB, "us": 1e-4}  # to MB, and to percent of a second
ENDINGS = {"512 bytes": "_sectors", "bytes": "_bytes", "us": "_us"}


def test_columns_are_the_numbers_of_the_schema() -> None:
    """A column for each number, of each device where the group is of devices, and no other."""
    for group, (per, _, _, fields) in COUNTERS.items():
        device = ".x" if per else ""
        assert [is_counter(f"{group}{device}.{at}") for at in range(len(fields) + 1)] == [True] * len(fields) + [False]
        assert not is_counter(f"{group}{'' if per else '.x'}.0")
    assert not any(map(is_counter, ("cpu", "cpu.", "cpu.00", "cpu.-1", "cpu.\u0661", "x.0", "disk..0", "m_ms")))


def test_charts_are_made_of_columns_that_the_agent_sends() -> None:
    """Each by the factor of its counter's unit."""
    shares = {source for sources in SHARES.values() for source in sources}
    assert {source for source, _ in RATES.values()} | shares <= {*SERIES, *OF_SAMPLES}
    for source, factor in RATES.values():
        if source in OF_SAMPLES:
            assert is_counter(source)
            unit = COUNTERS[source.partition(".")[0]][3][int(source.rpartition(".")[2])][1]
        else:
            (unit,) = (unit for unit, ending in ENDINGS.items() if source.endswith(ending))
        assert factor == FACTORS[unit], source


def test_samples_tell_user_and_system_apart() -> None:
    """Shares of all CPU time, the user's with nice; a counter that fell gives None for that stretch."""
    columns = {"m_ms": [0, 1000, 2000, 3000], "cpu_total": [0, 100, 200, 300], "cpu.0": [0, 30, 60, 40],
               "cpu.1": [0, 20, 20, 20], "cpu.2": [0, 10, 30, None]}  # fmt: skip
    lists = chart(columns)

    assert lists["cpu_user_percent"] == [None, 50.0, 30.0, None]
    assert lists["cpu_system_percent"] == [None, 10.0, 20.0, None]
