"""The fold's parts by themselves: what a record may hold, gaps, clocks, charts."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buildtel.events import When
from buildtel.job.clock import BootClock, Bounds
from buildtel.job.ledger import Full, Seen, union
from buildtel.job.records import Refused, as_far_as_it_goes, read_body, read_record
from buildtel.job.series import MAX_KEPT, Columns, Samples, chart, is_counter, unpack

GOOD = {"v": 1, "ev": "mark", "sid": "a1", "seq": 3, "t": 5, "m": 6, "name": "x", "crc": "00000000"}
BAD_ENVELOPES: list[dict[str, Any]] = [
    {"v": 2}, {"v": True}, {"v": "1"}, {"ev": "dance"}, {"ev": None}, {"ev": ["mark"]}, {"sid": ""}, {"sid": 7},
    {"seq": 0}, {"seq": -1}, {"seq": 1.0}, {"seq": 2**41}, {"t": None}, {"t": 2**64}, {"m": "6"}, {"m": True},
    {"boot": 3}, {"run": {}}, {"part": 0}, {"part": 2, "of": 1}, {"part": 1, "of": 65}, {"part": 4, "of": 5},
]  # fmt: skip


def test_an_envelope_is_read() -> None:
    """All fields stand, and the body is what is left."""
    record = read_record(GOOD)

    assert (record.ev, record.sid, record.seq, record.t_ns, record.m_ns, record.body) == (
        "mark",
        "a1",
        3,
        5,
        6,
        {"name": "x"},
    )


@pytest.mark.parametrize("ev", ["hello", "start", "beat", "end", "mark", "samples", "bye"])
def test_every_event_is_known(ev: str) -> None:
    """All that docs/format.md names, and a body of nothing known gives nothing."""
    assert read_record({**GOOD, "ev": ev}).ev == ev
    assert read_body(ev, {"unheard": 1}) == ({}, [])


GOOD_ENVELOPES: list[dict[str, Any]] = [
    {"seq": 2**40}, {"t": 0}, {"t": 2**63 - 1}, {"part": 1, "of": 1}, {"part": 3, "of": 64}, {"part": 3, "of": 3},
    {"boot": None}, {"run": "x"}, {"last": 1}, {"sid": "x" * 300},
]  # fmt: skip


@pytest.mark.parametrize("change", GOOD_ENVELOPES, ids=str)
def test_an_envelope_at_its_bounds_is_read(change: dict[str, Any]) -> None:
    """The largest and smallest that an agent may write."""
    record = read_record({**GOOD, **change})

    assert all(getattr(record, f"{name}_ns" if name == "t" else name) == (value if name != "last" else False)
               for name, value in change.items())  # fmt: skip


@pytest.mark.parametrize("change", BAD_ENVELOPES, ids=str)
def test_a_bad_envelope_is_refused(change: dict[str, Any]) -> None:
    """A record with an impossible envelope is not used."""
    with pytest.raises(Refused):
        read_record({**GOOD, **change})


CPU = [1, 2, 3, 4, 5, 6, 7, 8]
BODIES = [
    ("end", "c", {"cpu": CPU}, {"cpu": CPU}),
    ("end", "c", {"cpu": [*CPU, 9]}, {"cpu": CPU}),
    ("end", "c", {"cpu": [None, *CPU[1:]], "gpu": 1}, {"cpu": [None, *CPU[1:]]}),
    ("end", "c", [CPU], None),
    ("end", "c", {"disk": {"vda": CPU}, "psi": {"io": [1, None]}}, {"disk": {"vda": CPU}, "psi": {"io": [1, None]}}),
    ("end", "c", {"disk": {str(number): CPU for number in range(64)}}, {"disk": {str(n): CPU for n in range(64)}}),
    ("end", "exit", 2300218, 2300218),
    ("end", "exit", -1, None),
    ("end", "exit", "0", None),
    ("end", "procs", [["a", 1, None], ["b", 2.5, 3, "more"]], [("a", 1.0, None), ("b", 2.5, 3.0)]),
    ("end", "procs", [["a", float("inf"), None]], None),
    ("end", "procs", [["a", float("nan"), None]], None),
    ("end", "procs", [["a"]], None),
    ("end", "series", {"m_ms": [1, 2], "cpu_busy": [1, None]}, {"m_ms": [1, 2], "cpu_busy": [1, None]}),
    ("end", "series", {"m_ms": [1, 2], "cpu_busy": [1]}, None),
    ("end", "series", {"m_ms": [1, None]}, None),
    ("end", "series", {"cpu_busy": [1]}, None),
    ("end", "series", {"m_ms": []}, None),
    ("end", "cost", {"cpu_ms": 3, "bytes": None, "x": []}, {"cpu_ms": 3}),
    ("end", "name", "a\ud800b", "a?b"),
    ("end", "name", "x" * 500, "x" * 300),
    ("end", "name", 5, None),
    ("hello", "psi", 1, None),
]  # fmt: skip


@pytest.mark.parametrize(("ev", "name", "value", "kept"), BODIES, ids=lambda value: str(value)[:30])
def test_each_field_is_kept_or_refused_for_itself(ev: str, name: str, value: Any, kept: Any) -> None:
    """A field that does not hold is named and left out; the others stand."""
    body, refused = read_body(ev, {name: value})

    assert (body, refused) == (({}, [name]) if kept is None else ({name: kept}, []))


FIELDS: list[tuple[str, str, Any, Any]] = [
    *(("hello", name, "x", 5) for name in ("agent", "python", "kernel", "os", "arch")),
    *(("hello", name, 5, -1) for name in ("cpus", "memory_total_kb", "disk_total_kb", "hz")),
    ("hello", "psi", False, 0),
    *(("start", name, "x", 5) for name in ("step", "name", "parent")), ("start", "c", {"mem": [1, 2]}, 1),
    ("beat", "step", "x", ""), ("beat", "c", {"mem": [1, 2]}, 1), ("beat", "peak_kb", 0, 1.5),
    ("end", "step", "x", 5), ("end", "name", "", 5), ("end", "c", {"fs": [1, 2]}, 1), ("end", "exit", 2**32 - 1, 2**32),
    ("end", "signal", 15, -1), ("end", "peak_kb", 2**63 - 1, 2**63), ("end", "series", {"m_ms": [1]}, {"m_ms": 1}),
    ("end", "procs", [], {}), ("end", "cost", {"cpu_ms": 1, "rss_kb": 2, "bytes": 3}, []),
    ("mark", "name", "x", 5), ("mark", "parent", "x", ""),
    ("samples", "src", "x", ""), ("samples", "cols", {"m_ms": [1], "cpu.0": [-5]}, {"m_ms": [1], "cpu.0": [2**63]}),
    ("bye", "c", {"net": {"eth0": [1, 2]}}, "x"),
]  # fmt: skip


@pytest.mark.parametrize(("ev", "name", "good", "bad"), FIELDS, ids=lambda value: str(value)[:20])
def test_every_field_of_every_event_is_held_to_its_type(ev: str, name: str, good: Any, bad: Any) -> None:
    """One good value of each is kept as it is, one bad value refused."""
    assert read_body(ev, {name: good}) == ({name: good}, [])
    assert read_body(ev, {name: bad}) == ({}, [name])


@pytest.mark.parametrize(("group", "length"), [("cpu", 8), ("mem", 2), ("vm", 4), ("fs", 2)])
def test_each_flat_group_has_its_length(group: str, length: int) -> None:
    """As many numbers as docs/format.md says, not one fewer; of more the first."""
    row = list(range(length))
    assert read_body("bye", {"c": {group: row}})[0] == {"c": {group: row}}
    assert read_body("bye", {"c": {group: [*row, 7]}})[0] == {"c": {group: row}}
    assert read_body("bye", {"c": {group: row[:-1]}})[1] == [f"c.{group}"]


@pytest.mark.parametrize(("group", "length"), [("disk", 8), ("net", 2), ("psi", 2)])
def test_each_group_of_devices_has_its_length(group: str, length: int) -> None:
    """So has each device's row."""
    row = list(range(length))
    assert read_body("bye", {"c": {group: {"x": row}}})[0] == {"c": {group: {"x": row}}}
    assert read_body("bye", {"c": {group: {"x": row[:-1]}}})[1] == [f"c.{group}"]


PROCS: list[tuple[Any, Any]] = [
    ([["a", 0, 1]], [("a", 0.0, 1.0)]), ([["a", 1, 2]] * 9, [("a", 1.0, 2.0)] * 8),
    ([["a", None, None]], [("a", None, None)]), ([["a", -1, 0]], None), ([["a", 2**63, 0]], None),
    ([["a", 1, 2], 5], None), ([[5, 1, 2]], None), ([["a", 1]], None), ([["a", True, 1]], None),
    ([["a", "1", 1]], None),
]  # fmt: skip


@pytest.mark.parametrize(("value", "kept"), PROCS, ids=lambda value: str(value)[:30])
def test_processes_are_names_and_two_figures(value: Any, kept: Any) -> None:
    """At most eight rows; one that no agent writes refuses the field."""
    assert read_body("end", {"procs": value}) == (({}, ["procs"]) if kept is None else ({"procs": kept}, []))


@pytest.mark.parametrize("name", ["cpu_ms", "rss_kb", "bytes"])
def test_a_cost_is_whole_numbers(name: str) -> None:
    """A fraction is cut off; what is no figure refuses the field."""
    assert read_body("end", {"cost": {name: 3.9}})[0] == {"cost": {name: 3}}
    assert read_body("end", {"cost": {name: "3"}})[1] == ["cost"]


BAD_GROUPS: list[tuple[str, Any]] = [
    ("cpu", CPU[:7]), ("cpu", [*CPU[:7], -1]), ("cpu", [*CPU[:7], 1.5]), ("cpu", [*CPU[:7], True]), ("cpu", {}),
    ("cpu", [*CPU[:7], 2**63]), ("disk", {"": CPU}), ("disk", {str(number): CPU for number in range(65)}),
    ("disk", {"vda": CPU, "vdb": CPU[:3]}), ("disk", CPU), ("net", {"eth0": [1, "2"]}), ("fs", [1]), ("mem", 5),
]  # fmt: skip


@pytest.mark.parametrize(("group", "value"), BAD_GROUPS, ids=lambda value: str(value)[:30])
def test_each_group_of_counters_is_kept_or_refused_for_itself(group: str, value: Any) -> None:
    """One that no agent writes is named and left out; the others stand."""
    body, refused = read_body("end", {"c": {"vm": [1, 2, 3, 4], group: value}})

    assert (body, refused) == ({"c": {"vm": [1, 2, 3, 4]}}, [f"c.{group}"])


@pytest.mark.parametrize(
    ("columns", "points", "kept"), [(700, 1, True), (701, 1, False), (1, 5000, True), (1, 5001, False)]
)
def test_the_most_columns_and_points_that_are_kept(columns: int, points: int, kept: bool) -> None:
    """All that a machine of 64 disks has, for more than an hour; beyond that the whole field is refused."""
    cols = {"m_ms": [1] * points, **{f"x{number}": [1] * points for number in range(columns - 1)}}

    assert read_body("samples", {"cols": cols})[1] == ([] if kept else ["cols"])


PARTLY: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"c": {"cpu": CPU, "disk": {"vda": CPU}, "net": {"eth0": [1, 2]}}}, {"c": {"cpu": CPU}}),
    (
        {"cols": {"m_ms": [1], "cpu.0": [1], "disk.vda.0": [1], "net.eth0.1": [1]}},
        {"cols": {"m_ms": [1], "cpu.0": [1]}},
    ),
    ({"c": 5, "name": "x", "exit": 0}, {"c": 5, "name": "x", "exit": 0}),
    ({"cols": {"cpu.0": [1]}, "series": {"cpu_busy": [1]}, "exit": 0}, {"exit": 0}),
    ({"cols": 5, "series": 6}, {"cols": 5, "series": 6}),
    ({"series": {"m_ms": [1], "disk_read_sectors": [1]}}, {"series": {"m_ms": [1], "disk_read_sectors": [1]}}),
]


@pytest.mark.parametrize(("body", "kept"), PARTLY, ids=lambda value: str(value)[:40])
def test_of_an_event_that_lacks_parts_no_sum_over_devices_is_told(body: dict[str, Any], kept: dict[str, Any]) -> None:
    """Some of the disks are not all of them; what stands whole in the parts that came is kept."""
    assert as_far_as_it_goes(body) == kept


@given(st.lists(st.integers(1, 30)))
def test_gaps_are_what_was_not_seen(numbers: list[int]) -> None:
    """In any order: new exactly once, and missing is what lies below the highest and never came."""
    seen = Seen()
    new = [seen.add(number) for number in numbers]

    assert new.count(True) == len(set(numbers))
    assert seen.missing == max(numbers, default=0) - len(set(numbers))


def test_too_many_gaps_are_not_kept() -> None:
    """A process whose numbers are all apart ends in an error, not in memory."""
    seen = Seen()
    with pytest.raises(Full):
        for number in range(1, 100_000, 2):
            seen.add(number)


def test_union_goes_down() -> None:
    """Objects under one key are joined at every level; of other values the later stands."""
    assert union({"c": {"disk": {"a": 1}}, "x": 1}, {"c": {"disk": {"b": 2}, "cpu": []}, "x": 2}) == {
        "c": {"disk": {"a": 1, "b": 2}, "cpu": []},
        "x": 2,
    }


@given(
    seed=st.integers(0, 10_000), ahead_s=st.floats(-1e6, 1e6), resolution_s=st.sampled_from([1.0, 0.001]),
    longest_s=st.floats(0, 5), announced=st.booleans(),
)  # fmt: skip
def test_the_offset_is_within_its_error(
    seed: int, ahead_s: float, resolution_s: float, longest_s: float, announced: bool
) -> None:
    """Whatever the delays, with an announcement the error holds; without one it does if one record was quick."""
    chance = random.Random(seed)
    clock, zero_s = BootClock("b"), 1e9
    for number in range(8):
        made_s = zero_s + 10 + number * 7 + chance.random()
        delay_s = longest_s * chance.random() if announced or number else 0.0
        grain = resolution_s
        arrived = When((made_s + delay_s) // grain * grain, grain, True)
        began = When((made_s - 2 * chance.random()) // grain * grain, grain, True) if announced else None
        m_ns = int((made_s - zero_s) * 1e9)
        clock.add(int((made_s + ahead_s) * 1e9), m_ns, number, arrived, began)

    zero = clock.known.zero()
    assert zero is not None
    found, error_s = zero
    assert abs(found - zero_s) <= error_s + 1e-5


def test_contradicting_stamps_widen_the_error() -> None:
    """A stamp that says a record came before its provisioner makes the error larger, not the answer wrong."""
    bounds = Bounds()
    bounds.add(10.0, When(100.0, 1.0, True), When(105.0, 1.0, True))

    zero = bounds.zero()
    assert zero is not None and zero[1] >= 4


def test_a_stepped_wall_clock_is_noticed() -> None:
    """NTP that sets the guest's clock by minutes changes neither the axis nor the durations."""
    clock = BootClock("b")
    clock.add(1_000_000_000_000, 10_000_000_000, 1, When(1000.0, 1.0, True), None)
    clock.add(1_310_000_000_000, 20_000_000_000, 2, When(1010.0, 1.0, True), None)

    assert clock.stepped_s == 300
    assert clock.host_s(20_000_000_000, 1_310_000_000_000) == pytest.approx(1010.5, abs=0.5)


def test_a_chart_has_shares_rates_and_levels() -> None:
    """CPU as a share of all ticks, bytes as MiB a second, memory as it was; the first point has no stretch before it."""  # noqa: E501
    columns = unpack({"m_ms": [5000, 1000, 2000], "cpu_busy": [100, 50, 0], "cpu_total": [900, 200, 400],
                      "memory_used_kb": [2048, 1024, -1024], "disk_write_sectors": [10, 4096, None]})  # fmt: skip

    assert chart(columns) == {
        "t_s": [0.0, 1.0, 3.0],
        "cpu_percent": [None, 25.0, 0.0],
        "memory_used_mb": [2.0, 3.0, 2.0],
        "disk_write_mbs": [None, 2.0, None],
    }


def test_a_counter_that_fell_gives_no_figure() -> None:
    """A device that was reset gives None at that point, never a negative or a huge figure."""
    columns: Columns = {"m_ms": [0, 1000, 2000], "net_rx_bytes": [5_000_000, 10, 1_048_586]}

    assert chart(columns)["net_rx_mbs"] == [None, None, 1.0]


@pytest.mark.parametrize(
    ("name", "known"),
    [("cpu.3", True), ("disk.vda.7", True), ("disk.nvme0.n1.7", True), ("psi.io.1", True), ("cpu", False),
     ("cpu.8", False), ("cpu.x.0", False), ("disk.0", False), ("m_ms", False), ("gpu.0", False), ("cpu.²", False)],
)  # fmt: skip
def test_columns_of_counters_are_known_by_name(name: str, known: bool) -> None:
    """Only names that stand for a number of `c` are columns of samples."""
    assert is_counter(name) == known


def test_samples_stay_bounded_and_keep_their_span() -> None:
    """However many points come, few are kept, from the first to nearly the last, in order."""
    samples = Samples()
    for start in range(0, 100_000, 500):
        times = list(range(start, start + 500, 5))
        samples.add({"m_ms": times, "cpu.0": list(times)})

    assert MAX_KEPT // 2 <= len(samples) <= MAX_KEPT
    assert samples.times_ms == sorted(set(samples.times_ms)) and samples.times_ms[0] == 0
    assert samples.times_ms[-1] > 99_000
    assert samples.columns["cpu.0"] == samples.times_ms


def test_counters_between_samples_are_in_proportion() -> None:
    """Half way between two samples the counters are half way; outside of them they are not known."""
    samples = Samples()
    samples.add({"m_ms": [1000, 3000], "vm.2": [10, 20], "net.eth0.0": [0, 100]})

    assert samples.counters_at(2000) == {"vm": [None, None, 15, None], "net": {"eth0": [50, None]}}
    assert samples.counters_at(999) is None and samples.counters_at(3001) is None
    assert samples.counters_at(1000) is not None


def test_a_column_that_begins_later_is_empty_before() -> None:
    """A disk that appears has no figures for the time before it was there."""
    samples = Samples()
    samples.add({"m_ms": [1, 2]})
    samples.add({"m_ms": [3, 4], "disk.vdb.4": [100, 2148]})

    columns = samples.chart_columns()
    assert columns["disk_write_sectors"] == [None, None, 0, 2048]
