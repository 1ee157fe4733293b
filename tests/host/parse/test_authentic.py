"""With a shared secret the reader tells whose records they are, and no stranger's takes the place of an agent's."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any
from zlib import crc32

import pytest

from buildtel import parse
from buildtel.events import AgentRecord
from buildtel.job import JobDocument, Meta
from buildtel.job.fold import document as fold

from ..samples import Guest, counters, log, packed, say

KEY = "correct horse \u00fcber battery"
META = Meta(job="build", version="1", collected_at=datetime(2026, 1, 24, tzinfo=timezone.utc))
Row = tuple[float, dict[str, Any]]


def sealed(fields: dict[str, Any], key: str | None = KEY) -> str:
    """A record as an agent with this key writes it."""
    body = json.dumps(fields, separators=(",", ":"))[:-1]
    if key is not None:
        body += f',"mac":"{hmac.new(key.encode(), body.encode(), hashlib.sha256).hexdigest()[:32]}"'
    return f'BUILDTEL:{body},"crc":"{crc32(body.encode()):08x}"}}'


def lines(rows: Iterable[Row], key: str | None = KEY) -> list[tuple[float, str]]:
    """Records as they come through Packer."""
    return [(at_s, f"    qemu.debian: {sealed(fields, key)}") for at_s, fields in rows]


def read(*parts: tuple[float, str], key: str | None = KEY) -> JobDocument:
    """The document of a log, its lines in the order given."""
    head = [say(0, "Connected to SSH!"), say(1, "Provisioning with shell script: x.sh")]
    return fold([*parse.read([log([*head, *parts])], key)], META)


def authentic(text: str, key: str | None = KEY) -> bool | None:
    """What the reader says of one record."""
    (event,) = parse.read([f"{text}\n".encode()], key)
    assert isinstance(event, AgentRecord)
    return event.authentic


FIELDS = Guest().fields("mark", "aaaa00000001", 3, name="x")
SIGNED = sealed(FIELDS)


def resealed(text: str) -> str:
    """A forger's record: changed, with a CRC that is right."""
    body = text[len("BUILDTEL:") :].partition(',"crc"')[0]
    return f'BUILDTEL:{body},"crc":"{crc32(body.encode()):08x}"}}'


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        (SIGNED, KEY, True),
        (SIGNED, None, None),
        (SIGNED, "", None),
        (SIGNED, "another", False),
        (sealed(FIELDS, None), KEY, False),
        (sealed(FIELDS, None), None, None),
        (resealed(SIGNED.replace('"seq":1', '"seq":2')), KEY, False),
        (resealed(SIGNED.replace('"name":"x"', '"name":"y"')), KEY, False),
        (resealed(SIGNED.replace(',"crc"', ',"z":1,"crc"')), KEY, False),
        (resealed(SIGNED.replace('"mac":"', '"mac":"0')), KEY, False),
        (resealed(SIGNED[: SIGNED.index('"mac":"') + 20] + '","crc":""}'), KEY, False),
    ],
)
def test_only_the_key_makes_a_record_authentic(text: str, key: str | None, said: bool | None) -> None:
    """A record of another key, without a mac, or changed after it was signed is not; without a key nobody tells."""
    assert authentic(text, key) is said


def test_the_mac_stands_under_the_crc() -> None:
    """A mac that was damaged on the way is damage, not forgery."""
    (event,) = parse.read([SIGNED.replace('"mac":"', '"mac":"f', 1).encode() + b"\n"], KEY)
    assert not isinstance(event, AgentRecord)


def test_an_authentic_log_is_said_to_be() -> None:
    """Each step says so; nothing is counted or noted."""
    document = read(*lines(Guest().step("bbbb00000001", "one", 2, 9)))

    assert [step.authentic for step in document.steps] == [True]
    assert document.integrity is not None and document.integrity.unauthentic == 0
    assert not any("authentic" in note for note in document.notes)


def test_without_a_key_nothing_is_said_of_it() -> None:
    """No step has the field, whatever the log's records carry."""
    document = read(*lines(Guest().step("bbbb00000001", "one", 2, 9)), key=None)

    assert [step.authentic for step in document.steps] == [None]
    assert "authentic" not in json.loads(document.to_json())["steps"][0]


@pytest.mark.parametrize("key", [None, "another"])
def test_records_that_are_not_authentic_are_used_and_marked(key: str | None) -> None:
    """The whole log may come from agents without the key: its figures are there as ever, each step marked."""
    rows = Guest().step("bbbb00000001", "one", 2, 9)
    plain, document = (read(*lines(rows, key), key=reader) for reader in (None, KEY))

    (step,), (expected,) = document.steps, plain.steps
    assert step.authentic is False and step.metrics == expected.metrics and step.start_time == expected.start_time
    assert document.integrity is not None
    assert (document.integrity.records, document.integrity.unauthentic) == (2, 2)
    assert [note for note in document.notes if "authentic" in note] == [
        "2 record(s) not authentic (`mac` missing, or made with another key), of these steps: one."
    ]


@pytest.mark.parametrize("first", [True, False], ids=["forged first", "forged last"])
def test_a_forged_record_takes_no_authentic_ones_place(first: bool) -> None:
    """A step that knows the agent's ids and prints records in its name leaves the agent's own as they are."""
    rows = Guest().step("bbbb00000001", "one", 2, 9, busy=700)
    false = [(at_s, {**fields, "c": counters(busy=7, idle=7), "exit": 0}) for at_s, fields in rows]
    hello = Guest().hello("aaaa00000001", 1.5)
    fake_hello = {**hello, "cpus": 96, "t": 5, "m": 10**17}
    true_lines, false_lines = lines([(1.5, hello), *rows]), lines([(1.5, fake_hello), *false], None)
    alone = read(*true_lines)
    document = read(*(false_lines + true_lines if first else true_lines + false_lines))

    own = [step for step in document.steps if step.authentic]
    assert own == alone.steps
    assert {step.id for step in document.steps} == {"bbbb00000001.1", "~bbbb00000001.1"}
    assert document.machines["qemu.debian"].cpus == 2
    assert document.clock == alone.clock
    assert document.integrity is not None and document.integrity.unauthentic == 3
    assert document.integrity.duplicate == 0


@pytest.mark.parametrize("first", [True, False], ids=["forged first", "forged last"])
def test_forged_samples_do_not_mix_with_authentic_ones(first: bool) -> None:
    """The machine's life is drawn from authentic samples where there are any."""
    guest = Guest()
    true = guest.fields("samples", "aaaa00000001", 9, cols=packed([counters()] * 2, [2, 8], guest))
    false = guest.fields("samples", "aaaa00000002", 9, cols=packed([counters()] * 2, [1, 7000], guest))
    true_lines, false_lines = lines([(9, true)]), lines([(9, false)], None)
    document = read(*(false_lines + true_lines if first else true_lines + false_lines))

    assert document.machines["qemu.debian"].samples[0].columns["t_s"] == [0, 6]


def test_steps_from_samples_are_marked_too() -> None:
    """A provisioner whose figures come from samples that are not authentic says so."""
    guest = Guest()
    times = [float(second) for second in range(1, 20)]
    rows = [(20.0, guest.fields("samples", "a1", 20, cols=packed([counters(busy=n) for n in range(19)], times, guest)))]
    wait = (10.0, "==> qemu.debian: Provisioning with shell script: y.sh")
    for key, said in ((KEY, True), (None, False)):
        end = (18.0, "==> qemu.debian: Uploading a => b")
        steps = read(wait, end, *lines(rows, key)).steps
        assert [step.authentic for step in steps if step.measured == "from samples"][:1] == [said]
