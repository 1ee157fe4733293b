"""What a record may hold: each field kept or refused for itself."""

from __future__ import annotations

from typing import Any

import pytest

from buildtel.measure.field_checks import Refused
from buildtel.measure.record_fields import MAX_COLUMNS, apart, as_far_as_it_goes, read_body, read_record
from buildtel_agent import COUNTERS

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


def test_no_field_of_the_envelope_is_in_the_body() -> None:
    """All that docs/format.md has beside the event's own, each read where it is one of ours; `bare` is these alone."""
    every = {**GOOD, "boot": "b", "run": "r", "part": 2, "of": 3, "last": True, "mac": "00"}
    record = read_record(every)

    assert record.body == {"name": "x"}
    assert (record.boot, record.run, record.part, record.of, record.last) == ("b", "r", 2, 3, True)
    assert record.bare() == read_record({key: value for key, value in every.items() if key != "name"})


def test_a_record_without_parts_is_whole() -> None:
    """The first of one, and not known to be the last of its event unless it says so."""
    record = read_record(GOOD)

    assert (record.part, record.of, record.last, record.boot, record.run) == (1, 1, False, None, None)


APART: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}), ({"step": "a1.1", "exit": 0}, {"step": "~a1.1", "exit": 0}), ({"parent": "b"}, {"parent": "~b"}),
    ({"step": 5, "parent": None, "name": "n"}, {"step": 5, "parent": None, "name": "n"}),
]  # fmt: skip


@pytest.mark.parametrize(("body", "renamed"), APART, ids=lambda value: str(value)[:30])
def test_a_record_set_apart_has_names_of_its_own(body: dict[str, Any], renamed: dict[str, Any]) -> None:
    """Its process and its steps, as far as they have names; all else stands."""
    plain = {key: value for key, value in GOOD.items() if key != "name"}

    assert apart(read_record({**plain, **body})) == read_record({**plain, "sid": "~a1", **renamed})


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
    ("end", "own", {"cpu_ms": 5, "peak_kb": None, "else": 1}, {"cpu_ms": 5}),
    ("end", "own", {"cpu_ms": -5}, None),
    ("end", "own", [5], None),
    ("end", "cmds", {"from": "sampled", "own": [["a", 2, 1, None, 0.5, None]]},
     {"from": "sampled", "own": [("a", 2, 1.0, None, 0.5, None)]}),
    ("end", "cmds", {"from": "taskstats", "own": [["", 2, 1, 2, 0.5, 0, "more"]], "others": [], "lost": 7},
     {"from": "taskstats", "own": [("", 2, 1.0, 2.0, 0.5, 0.0)], "others": [], "lost": 7}),
    ("end", "cmds", {"from": "sampled", "own": [["a", 1, 1.0, None, 0.5, None]] * 30},
     {"from": "sampled", "own": [("a", 1, 1.0, None, 0.5, None)] * 20}),
    ("end", "cmds", {"from": "A sentence", "own": []}, None),
    ("end", "cmds", {"from": "taskstats"}, None),
    ("end", "cmds", {"from": "taskstats", "own": [["a", 1]]}, None),
    ("end", "cmds", {"from": "taskstats", "own": [["a", -1, 1, 1, 1, 1]]}, None),
    ("end", "cmds", {"from": "taskstats", "own": [["a", 1, float("nan"), 1, 1, 1]]}, None),
    ("end", "inside", [["sh", 1, 0.5, 1, 0, 3], ["", 4, None, None, 0.5, None]],
     [("sh", 1, 0.5, 1.0, 0.0, 3), ("", 4, None, None, 0.5, None)]),
    ("end", "inside", [["sh", 1, -0.5, 1, 0, 3]], None),
    ("end", "inside", [["sh", 1, 0.5, 1, 0]], None),
    ("end", "inside", "sh", None),
    ("end", "waits", [[0.5, 4.5, "lock", "apt-get", "dpkg"], [9, 1, "sleep", "sleep", "", "newer"]],
     [(0.5, 4.5, "lock", "apt-get", "dpkg"), (9.0, 1.0, "sleep", "sleep", "")]),
    ("end", "waits", [[0.5, 4.5, "lock", "apt-get"]], None),
    ("end", "waits", [["x", 4.5, "lock", "apt-get", ""]], None),
    ("samples", "cmds", [[5, 9, 0, ["a", 1, 1, None, 1, None]], [9, 9, 2]],
     [(5, 9, 0, (("a", 1, 1.0, None, 1.0, None),)), (9, 9, 2, ())]),
    ("samples", "cmds", [[9, 5, 0]], None),
    ("samples", "cmds", [[5, 9, 0, "a"]], None),
    ("samples", "cmds", {}, None),
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


def lengths(per_device: bool) -> list[tuple[str, int, int]]:
    """Of each group of the schema its name, and its least and its most numbers."""
    return [
        (name, least, len(fields)) for name, (per, _, least, fields) in COUNTERS.items() if bool(per) is per_device
    ]


@pytest.mark.parametrize(("group", "least", "most"), lengths(False))
def test_each_flat_group_has_its_length(group: str, least: int, most: int) -> None:
    """As many numbers as docs/format.md says, not one fewer than every agent gives; of more the first."""
    row = list(range(most))
    for length in range(least, most + 1):
        assert read_body("bye", {"c": {group: row[:length]}})[0] == {"c": {group: row[:length]}}
    assert read_body("bye", {"c": {group: [*row, 7]}})[0] == {"c": {group: row}}
    assert read_body("bye", {"c": {group: row[: least - 1]}})[1] == [f"c.{group}"]


@pytest.mark.parametrize(("group", "least", "most"), lengths(True))
def test_each_group_of_devices_has_its_length(group: str, least: int, most: int) -> None:
    """So has each device's row."""
    row = list(range(most))
    assert read_body("bye", {"c": {group: {"x": row}}})[0] == {"c": {group: {"x": row}}}
    assert read_body("bye", {"c": {group: {"x": row[: least - 1]}}})[1] == [f"c.{group}"]


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
    ("cpu", [*CPU[:7], 2**63]), ("disk", {"": CPU}), ("disk", {str(number): CPU for number in range(129)}),
    ("disk", {"vda": CPU, "vdb": CPU[:3]}), ("disk", CPU), ("net", {"eth0": [1, "2"]}), ("fs", [1]), ("mem", 5),
]  # fmt: skip


@pytest.mark.parametrize(("group", "value"), BAD_GROUPS, ids=lambda value: str(value)[:30])
def test_each_group_of_counters_is_kept_or_refused_for_itself(group: str, value: Any) -> None:
    """One that no agent writes is named and left out; the others stand."""
    body, refused = read_body("end", {"c": {"vm": [1, 2, 3, 4], group: value}})

    assert (body, refused) == ({"c": {"vm": [1, 2, 3, 4]}}, [f"c.{group}"])


@pytest.mark.parametrize(
    ("columns", "points", "kept"),
    [(MAX_COLUMNS, 1, True), (MAX_COLUMNS + 1, 1, False), (1, 5000, True), (1, 5001, False)],
)
def test_the_most_columns_and_points_that_are_kept(columns: int, points: int, kept: bool) -> None:
    """All that a machine of 128 disks has, for more than an hour; beyond that the whole field is refused."""
    cols = {"m_ms": [1] * points, **{f"x{number}": [1] * points for number in range(columns - 1)}}

    assert read_body("samples", {"cols": cols})[1] == ([] if kept else ["cols"])


COLUMNS: list[tuple[Any, Any]] = [
    ({"m_ms": [1 - 2**63, 2**63 - 1]}, {"m_ms": [1 - 2**63, 2**63 - 1]}), ({"m_ms": [-(2**63)]}, None),
    ({"m_ms": [1], "x" * 301: [2]}, {"m_ms": [1], "x" * 300: [2]}), ({"m_ms": [1], "cpu.0": [True]}, None),
    ({"m_ms": [1], "cpu.0": [1.0]}, None), ({"m_ms": [1], "cpu.0": [None]}, {"m_ms": [1], "cpu.0": [None]}),
    ({"m_ms": [1], "cpu.0": "1"}, None), ({"m_ms": "1"}, None), ([1], None), ({}, None),
]  # fmt: skip


@pytest.mark.parametrize(("value", "kept"), COLUMNS, ids=lambda value: str(value)[:30])
def test_columns_are_lists_of_differences(value: Any, kept: Any) -> None:
    """Of 64 bits, either sign, or null; names cut like any text."""
    assert read_body("samples", {"cols": value}) == (({}, ["cols"]) if kept is None else ({"cols": kept}, []))


PARTLY: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"c": {"cpu": CPU, "disk": {"vda": CPU}, "net": {"eth0": [1, 2]}}}, {"c": {"cpu": CPU}}),
    (
        {"cols": {"m_ms": [1], "cpu.0": [1], "disk.vda.0": [1], "net.eth0.1": [1]}},
        {"cols": {"m_ms": [1], "cpu.0": [1]}},
    ),
    (
        {"cols": {"m_ms": [1]}, "same": {"cpu.0": 1, "disk.vda.0": 1, "net.eth0.1": 1}},
        {"cols": {"m_ms": [1]}, "same": {"cpu.0": 1}},
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


TIMES = {"m_ms": [5, 1, 1]}


@pytest.mark.parametrize(
    ("same", "cols"),
    [
        ({"cpu.0": 7}, {**TIMES, "cpu.0": [7, 0, 0]}),
        ({"cpu.0": 7, "m_ms": 9}, {**TIMES, "cpu.0": [7, 0, 0]}),
        ({"cpu.0": "7", "cpu.1": None, "cpu.2": True, "cpu.3": 1.0}, TIMES),
        ([], TIMES),
        (None, TIMES),
    ],
)
def test_a_column_of_one_number_is_that_number_in_each_row(same: Any, cols: dict[str, Any]) -> None:
    """What is no number is left out for itself; a column of its own goes before."""
    assert read_body("samples", {"cols": TIMES, "same": same}) == ({"cols": cols}, [])
    assert read_body("samples", {"same": same}) == ({}, [])


def test_columns_of_one_number_do_not_grow_without_bound() -> None:
    """A short record does not stand for hundreds of millions of numbers."""
    body = {"cols": {"m_ms": [1] * 5000}, "same": {f"disk.d{at}.0": 1 for at in range(1500)}}

    assert read_body("samples", body) == ({"cols": body["cols"]}, [])
