"""Runs of lines that a log driver has wrapped are unpacked at once, with the events of line by line."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from buildtel import parse
from buildtel.events import Event
from buildtel.parse import reader
from buildtel.parse.containers import Unpacker
from buildtel.parse.wrapped_runs import unpack_run

TIME = "2026-01-24T12:00:00.5Z"
MANY = 20_000
FORMS: dict[str, Callable[[str], str]] = {
    "Docker": lambda text: f'{{"log":{_json(text + LINE_END)},"stream":"stdout","time":"{TIME}"}}',
    "CRI": lambda text: f"{TIME} stdout F {text}",
    "logfmt": lambda text: f'time="{TIME}" level=info msg={json.dumps(text)}',
}
LINE_END = "\n"


def _json(text: str) -> str:
    """As Docker writes it."""
    return json.dumps(text, ensure_ascii=False).replace(">", "\\u003e")


def log(form: Callable[[str], str]) -> bytes:
    """A build with much output, quotes and a backslash in it."""
    texts = [
        "==> qemu.a: Connected to SSH!",
        "==> qemu.a: Provisioning with shell script: a.sh",
        *(f'    qemu.a: "line" {number} of é \\ many' for number in range(MANY)),
        "Build 'qemu.a' finished after 3 seconds.",
    ]
    return "".join(f"{form(text)}\n" for text in texts).encode()


def events(data: bytes) -> list[Event]:
    """All events, of chunks as files are read."""
    return list(parse.read([data[at : at + (256 << 10)] for at in range(0, len(data), 256 << 10)]))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_a_run_is_unpacked_at_once(form: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Few lines go through the slow way, and the events are those of the slow way."""
    data, slow = log(form), []
    unpack = Unpacker.unpack
    monkeypatch.setattr(Unpacker, "unpack", lambda self, *line: (slow.append(line), unpack(self, *line))[1])
    at_once, looked = events(data), len(slow)
    monkeypatch.setattr(reader, "unpack_run", lambda *_: None)

    assert at_once == events(data)
    assert looked < 100


@pytest.mark.parametrize(
    "line",
    [
        b'{"log":"a","stream":"stdout","time":"2026-01-24T12:00:00Z"}',
        b'{"log":"a\\nb\\n","stream":"stdout","time":"2026-01-24T12:00:00Z"}',
        b'{"log":"a\\u000ab\\n","stream":"stdout","time":"2026-01-24T12:00:00Z"}',
        b'{"log":"\xff\\n","stream":"stdout","time":"2026-01-24T12:00:00Z"}',
        b"2026-01-24T12:00:00Z stdout P a",
        b'time="yesterday" level=info msg="a"',
        b"==> a: text",
    ],
)
def test_what_is_no_simple_line_begins_no_run(line: bytes) -> None:
    """A piece of a line, two lines in one, a text that is no UTF-8: the slow way knows them."""
    assert unpack_run(b"\n" + line + b"\n", 1) is None
