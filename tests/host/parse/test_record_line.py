"""Which `BUILDTEL:` lines are records, which are damaged, and which are neither."""

import json
import zlib

import pytest

from buildtel import parse
from buildtel.events import AgentRecord, DamagedRecord
from buildtel.parse.record_line import MAX_RECORD_BYTES, read_record

BASE = '{"v":1,"ev":"start","sid":"9f3c01ab22cd","seq":1,"t":1769257200000000000,"m":41200000000'


def sealed(body):
    """The record with this body (from `{`, without its closing brace), its CRC computed."""
    return f'BUILDTEL:{body},"crc":"{zlib.crc32(body.encode()):08x}"}}'.encode()


def read(*lines):
    """The records and damages in a log of these lines."""
    events = [*parse.read([b"\n".join(lines) + b"\n"])]
    return [event for event in events if isinstance(event, (AgentRecord, DamagedRecord))]


RECORD = sealed(BASE)
FIRST = b"==> qemu.debian: Waiting for SSH to become available..."

SOUND = {
    "plain": BASE,
    "counters": BASE + ',"c":{"cpu":[1,2,null],"disk":{"vda":[1,2]},"psi":{"cpu":[1,2]}}',
    "floats where they belong": BASE + ',"procs":[["dpkg",12.3,null]],"cost":{"cpu_ms":31,"rss_kb":9100,"bytes":1}',
    "text": BASE + ',"name":"a, b: \\"c\\" \\n \\u00e9 {x}"',
    "unknown fields": BASE + ',"future":{"a":[1.5]}',
    "largest numbers": BASE + ',"x":18446744073709551615,"y":-9223372036854775808',
}
BAD = {
    "same key twice in the envelope": BASE + ',"seq":2',
    "very deep": BASE + ',"x":' + "[" * 600 + "]" * 600,
    "as deep as a line is long": BASE + ',"x":' + "[" * 20000 + "]" * 20000,
    "a float as seq": BASE.replace('"seq":1', '"seq":1.0'),
    "true as seq": BASE.replace('"seq":1', '"seq":true'),
    "NaN as seq": BASE.replace('"seq":1', '"seq":NaN'),
    "65 bits as t": BASE.replace("1769257200000000000", "18446744073709551616"),
    "text as part": BASE + ',"part":"1"',
    "text as of": BASE + ',"of":"1"',
    **{f"NaN as {name}": f'{BASE},"{name}":NaN' for name in ("boot", "run", "part", "of", "last", "mac")},
    "no seq": BASE.replace('"seq":1,', ""),
    "no sid": BASE.replace('"9f3c01ab22cd"', "null"),
    "no event": BASE.replace('"start"', '""'),
    "half a surrogate in sid": BASE.replace("9f3c01ab22cd", "\\ud800"),
    "half a surrogate in boot": BASE + ',"boot":"\\ud800"',
    "other protocol": BASE.replace('"v":1', '"v":2'),
    "trailing comma": BASE + ",",
    "no object": "[1",
    "too long": BASE + ',"name":"' + "x" * 70000 + '"',
}
REFUSED = {
    "NaN": "NaN",
    "Infinity": "-Infinity",
    "out of range": "1e999",
    "65 bits": "18446744073709551616",
    "below 64 bits": "-9223372036854775809",
    "5,000 digits": "9" * 5000,
    "same key twice below": '{"mem":[1],"mem":[2]}',
    "NaN below": '{"mem":[1,{"a":NaN}]}',
    "deep": "[" * 12 + "]" * 12,
    "deep objects": '{"a":' * 12 + "1" + "}" * 12,
    "half a surrogate": '"a\\ud800b"',
    "half a surrogate below": '{"a":["\\udfff"]}',
    "half a surrogate in a key": '{"\\ud800":1}',
}


@pytest.mark.parametrize("body", SOUND.values(), ids=SOUND)
def test_sound_records_come_with_their_fields(body):
    """A record whose CRC agrees comes with all that its JSON says."""
    (event,) = read(FIRST, b"    qemu.debian: " + sealed(body))
    assert isinstance(event, AgentRecord)
    assert (event.target, event.line) == ("qemu.debian", 2)
    assert event.fields == json.loads(sealed(body)[9:])


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED)
def test_a_field_that_no_agent_writes_is_left_out_for_itself(value):
    """The rest of its record stands, and the field is named."""
    (event,) = read(FIRST, b"    qemu.debian: " + sealed(f'{BASE},"x":{value},"name":"n"'))
    assert isinstance(event, AgentRecord)
    assert event.refused == ("x",)
    assert event.fields["name"] == "n" and "x" not in event.fields


def test_a_field_twice_is_left_out():
    """Nobody knows which of the two was meant; the others stand."""
    (event,) = read(FIRST, b"    qemu.debian: " + sealed(f'{BASE},"exit":0,"exit":1,"name":"n"'))
    assert event.refused == ("exit",) and event.fields["name"] == "n"


@pytest.mark.parametrize(("more", "read_it"), [(0, True), (1, False)])
def test_the_longest_record_that_is_read(more, read_it):
    """64 KiB, and not a byte more."""
    room = MAX_RECORD_BYTES - len(sealed(f'{BASE},"name":""')) + len("BUILDTEL:")
    record = sealed(f'{BASE},"name":"{"x" * (room + more)}"')
    assert isinstance(read_record(record), tuple) is read_it


@pytest.mark.parametrize("item", ["[]", "{}"])
@pytest.mark.parametrize(("amount", "read_it"), [(498, True), (499, False)])
def test_the_most_brackets_that_are_read(item, amount, read_it):
    """500 with the record's own; any more is nothing that an agent writes."""
    assert isinstance(read_record(sealed(f'{BASE},"x":[{",".join([item] * amount)}]')), tuple) is read_it


def test_a_crc_that_stands_twice_is_damage():
    """Only the last one is the record's."""
    assert isinstance(read_record(sealed(f'{BASE},"crc":"00000000"')), str)


@pytest.mark.parametrize("value", ["[" * 11 + "]" * 11, '{"a":' * 11 + "1" + "}" * 11, '{"a":[' * 5 + "{}" + "]}" * 5])
def test_the_deepest_value_that_is_read(value):
    """Twelve levels with the record itself."""
    (event,) = read(FIRST, b"    qemu.debian: " + sealed(f'{BASE},"x":{value}'))
    assert event.refused == () and "x" in event.fields


@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
def test_records_that_are_no_strict_json_are_damaged(body):
    """A record may have the right CRC and still be nothing that the agent writes: counted, never raised."""
    (event,) = read(FIRST, b"==> qemu.debian: " + sealed(body))
    assert isinstance(event, DamagedRecord)
    assert event.reason


def test_bytes_that_are_no_text_are_damaged():
    """Invalid UTF-8 in a record is damage even where the CRC agrees."""
    body = BASE.encode() + b',"name":"\xff"'
    line = b"BUILDTEL:" + body + f',"crc":"{zlib.crc32(body):08x}"}}'.encode()
    assert isinstance(read(FIRST, b"==> qemu.debian: " + line)[0], DamagedRecord)


@pytest.mark.parametrize(
    ("message", "word"),
    [
        (b"foo " + RECORD, "before"),
        (b"+ echo '" + RECORD + b"'", "before"),
        (RECORD + b" foo", "glued"),
        (RECORD[:60], "cut"),
        (RECORD.replace(b'"seq":1', b'"s<sensitive>":1'), "scrubbed"),
        (RECORD.replace(b"{", b"<sensitive>").replace(b'"v":1', b'"v":2'), "scrubbed"),
        (RECORD.replace(b"9f3c", b"***"), "scrubbed"),
        (RECORD.replace(b'"seq":1', b'"seq":2'), "CRC"),
        (b"BUILDTEL:hello", "JSON"),
        (b"BUILDTEL:", "JSON"),
        (RECORD[9:] and b"x BUILDTEL:<sensitive>", "before"),
    ],
)
def test_damage_is_counted_with_a_reason(message, word):
    """Glued, traced, cut, scrubbed and altered records are damaged, each with words that say so."""
    (event,) = read(FIRST, b"==> qemu.debian: " + message)
    assert isinstance(event, DamagedRecord)
    assert word in event.reason


@pytest.mark.parametrize(
    "line",
    [
        b"2026/01/24 12:00:00 packer-plugin-qemu_v1.1.4_x5.0_linux_amd64 plugin: 2026/01/24 12:00:00 "
        b"[DEBUG] starting remote command: echo '" + RECORD + b"'",
        b"2026/01/24 12:00:00 [INFO] (shell-local): starting local command: sh -c " + RECORD,
        b"==> qemu.debian: MARK = 'BUILDTEL:'",
        b"==> qemu.debian: buildtel: nothing",
        b"printf '%s' '" + RECORD + b"'",
    ],
)
def test_mentions_are_neither_record_nor_damage(line):
    """Debug lines that echo a command, source text and other programs' lines are not messages of ours."""
    assert read(FIRST, line) == []


def test_a_line_outside_of_packer_is_a_record_without_a_target():
    """A spool file's lines carry no build's name."""
    (event,) = read(RECORD)
    assert isinstance(event, AgentRecord)
    assert event.target is None


def test_copies_of_a_record_are_all_told():
    """A log that was merged from two streams holds a record twice; which one counts is the fold's to say."""
    merged = b"1769257200,,ui,message,    qemu.debian: " + RECORD.replace(b",", b"%!(PACKER_COMMA)")
    assert len(read(FIRST, merged, b"2026/01/24 12:00:00 " + merged)) == 2


def test_a_post_processors_record_belongs_to_its_build():
    """`T (shell-local): ` is the build T."""
    (event,) = read(FIRST, b"    qemu.debian (shell-local): " + RECORD)
    assert event.target == "qemu.debian"


def test_reading_by_itself_says_what_is_wrong():
    """`read_record` gives fields or words."""
    assert read_record(RECORD) == (json.loads(RECORD[9:]), ())
    assert isinstance(read_record(RECORD[:-1]), str)


SECRETS = {
    "a digit": [b"1"], "another digit": [b"4"], "a letter": [b"e"], "both braces": [b"{", b"}"],
    "an open brace": [b"{"],
    "braces and a digit": [b"{", b"}", b"2"],
}  # fmt: skip
NESTED = sealed(BASE + ',"c":{"cpu":[12,0,421],"disk":{"vda":[1,2,4]}},"cost":{"cpu_ms":12,"bytes":31}')


@pytest.mark.parametrize("secrets", SECRETS.values(), ids=SECRETS)
def test_what_a_scrubber_took_is_put_back_where_the_crc_proves_it(secrets):
    """Braces and values of one character come back; the record is as its agent wrote it."""
    body = NESTED.removeprefix(b"BUILDTEL:")
    for secret in secrets:
        body = body.replace(secret, b"***" if secret == b"e" else b"<sensitive>")
    scrubbed = b"BUILDTEL:" + body
    (whole,) = read(FIRST, b"==> qemu.debian: " + NESTED)
    (event,) = read(FIRST, b"==> qemu.debian: " + scrubbed)

    assert scrubbed != NESTED
    assert event.fields == whole.fields
