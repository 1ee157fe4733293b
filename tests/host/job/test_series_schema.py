"""Samples and series hold what the agent's schema of counters has."""

from __future__ import annotations

from buildtel.measure.charts import (
    GAUGES,
    MIB,
    OF_DEVICES,
    OF_SAMPLES,
    PARTS,
    RATES,
    SHARES,
    WITH_REQUESTS,
    chart,
    without_requests,
)
from buildtel.measure.series import is_counter
from buildtel_agent import COUNTERS, SERIES

# To MB, to percent of a second, a number a second, or CPUs.
FACTORS = {
    "512 bytes": 512 / MIB, "bytes": 1 / MIB, "us": 1e-4, "ms": 0.1, "kB": 1 / 1024, "": 1.0, "CPU ms": 1e-3,
}  # fmt: skip
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
    parts = {source for pair in PARTS.values() for source in pair}
    gauges = {source for source, _ in GAUGES.values()}
    made = {*WITH_REQUESTS, *OF_DEVICES}
    assert {source for source, _ in RATES.values()} | shares | parts | gauges <= {*SERIES, *OF_SAMPLES, *made}
    for name, (source, factor) in RATES.items():
        if source in WITH_REQUESTS:
            assert WITH_REQUESTS[source] in OF_SAMPLES
            unit = ""
        elif source in OF_DEVICES:
            group, number = OF_DEVICES[source]
            unit = COUNTERS[group][3][number][1]
        elif source in OF_SAMPLES:
            assert is_counter(source)
            group = source.partition(".")[0]
            unit = COUNTERS[group][3][int(source.rpartition(".")[2])][1] if group in COUNTERS else "ms"
            unit = f"CPU {unit}" if name.endswith("_cpus") else unit
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


def test_samples_tell_what_was_sent_again_without_what_opens_connections() -> None:
    """A server that does not listen is no loss; the task that took the sample did not run for the build."""
    columns = {"m_ms": [0, 1000, 2000], "tcp.1": [100, 200, 200], "tcp.2": [7, 15, 16], "tcp.4": [1, 5, 6],
               "tcp.5": [0, 3, 4], "tasks.0": [1, 3, 0]}  # fmt: skip
    lists = chart(without_requests(columns))

    assert lists["tcp_timeouts_per_s"] == [None, 1.0, 0.0]
    assert lists["tcp_retransmitted_percent"] == [None, 5.0, None]
    assert lists["tasks_running"] == [0.0, 2.0, 0.0]
