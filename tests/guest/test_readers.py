"""What is counted, and how it is packed into records."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import buildtel_agent as agent
from buildtel.measure.record_fields import read_body


@pytest.mark.parametrize(
    ("name", "whole"),
    [("sda", True), ("sda1", False), ("sdaa", True), ("nvme0n1", True), ("nvme0n1p2", False), ("mmcblk0", True),
     ("mmcblk0p1", False), ("vdb", True), ("vdb15", False), ("xvdc1", True), ("dm-0", False), ("md127", False),
     ("loop3", False), ("zram0", False), ("sr0", False), ("md127p1", False), ("dasda", True), ("dasda1", False)],
)  # fmt: skip
def test_whole_disks_are_told_from_their_partitions_by_name(name, whole):
    """A partition's name continues a disk's; a lone `xvdc1` is a disk."""
    names = "sda sda1 sdaa nvme0n1 nvme0n1p2 mmcblk0 mmcblk0p1 vdb vdb15 xvdc1 dm-0 md127 md127p1 loop3 dasda dasda1"
    assert agent.is_whole_disk(name, names.split()) is whole


def test_interfaces_that_only_hand_bytes_on_are_not_counted(tmp_path):
    """By name, and by what the kernel says of a bridge with any name."""
    (tmp_path / "class/net/lan0/bridge").mkdir(parents=True)
    real = [name for name in ("eth0", "ens3", "wlan0", "lan0", "lo", "veth12", "docker0", "br-1f", "tun0", "eth0.100")
            if agent.is_real_interface(name, str(tmp_path))]  # fmt: skip

    assert real == ["eth0", "ens3", "wlan0"]


NUMBERS = st.integers(0, 2**63)


@given(st.lists(st.lists(NUMBERS | st.none(), min_size=3, max_size=3), max_size=20))
def test_columns_come_back_as_they_were_packed(rows):
    """Difference coding loses nothing but columns that hold nothing."""
    packed = json.loads(agent.dumps(agent.pack_columns("abc", rows)))

    columns = {name: [row[at] for row in rows] for at, name in enumerate("abc")}
    held = {name: column for name, column in columns.items() if any(value is not None for value in column)}
    assert agent.unpack_columns(packed) == held


@given(st.lists(st.lists(st.integers(0, 2) | st.none(), min_size=3, max_size=3), min_size=1, max_size=5))
def test_columns_of_one_number_come_back_through_the_hosts_reader(rows):
    """Those that do not change are told by one number, the time and all others by their rows."""
    packed = agent.pack_columns(("m_ms", "cpu.0", "cpu.1", "cpu.2"), [[7, *row] for row in rows])
    columns, same = agent.constant_apart(packed)

    assert read_body("samples", {"cols": columns, "same": same})[0] == {"cols": packed}
    assert "m_ms" not in same
    assert not any(name != "m_ms" and None not in column and not any(column[1:]) for name, column in columns.items())


@given(st.text())
def test_any_text_becomes_valid_ascii_json(text):
    """Names are anything that a user's environment holds."""
    text = text.encode("utf-8", "replace").decode()
    assert json.loads(agent.dumps({"name": text}).encode("ascii")) == {"name": text}


@given(st.dictionaries(st.sampled_from(["disk", "net", "c", "x"]),
                       st.dictionaries(st.text("abc", min_size=1), st.lists(NUMBERS, min_size=8, max_size=8),
                                       min_size=1, max_size=64), max_size=3))  # fmt: skip
def test_parts_fit_their_room_and_their_union_is_the_whole(fields):
    """Whatever the number of disks, a record stays under its limit and nothing is lost."""
    room = 1200
    parts = agent.split_fields(fields, room)
    union: dict = {}
    for part in parts:
        assert len(agent.dumps(part)) <= room
        for key, value in part.items():
            union.setdefault(key, {}).update(value)

    assert union == fields
