"""Follows the spools of a machine and gives each new event as a line of text."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from buildtel.events import AgentRecord, Event
from buildtel.measure.field_checks import Refused
from buildtel.measure.figures import figures
from buildtel.measure.ledger import PartialEvent
from buildtel.measure.record_fields import Record, read_body, read_record
from buildtel.parse import Inbox, spool_batches
from buildtel.reach.guest import Guest

POLL_S = 2.0
MAX_NEWS_BYTES = 8 << 20  # of one file at a time
MAX_OPEN = 5_000
SHOWN = (("cpu_percent", "CPU {:.0f}%"), ("disk_write_mb", "written {:.0f} MB"), ("net_rx_mb", "received {:.0f} MB"))


@dataclass(slots=True)
class Follower:
    """The events of a machine's spools, each once, from the first record on."""

    guest: Guest
    key: str | None = None
    _offsets: dict[str, int] = field(default_factory=dict)
    _inboxes: dict[str, Inbox] = field(default_factory=dict)

    def news(self) -> Iterator[Event]:
        """The events since the last call; an unfinished line waits for its end."""
        for file in self.guest.spools().files:
            offset = self._offsets.get(file.path, 0)
            if file.is_life or file.size <= offset:
                continue
            inbox = self._inboxes.get(file.path) or Inbox(lambda chunks: spool_batches(chunks, 0, self.key))
            self._inboxes[file.path] = inbox
            for block in self.guest.link.read(file.path, offset, min(file.size, offset + MAX_NEWS_BYTES), file.as_root):
                self._offsets[file.path] = self._offsets.get(file.path, 0) + len(block)
                yield from inbox.put(block)

    def until_gone(self) -> Iterator[Event | None]:
        """All events until the agent is gone; None after each look."""
        while True:
            yield from self.news()
            yield None
            if self.guest.agent() is None:
                for inbox in self._inboxes.values():
                    yield from inbox.end()
                return
            time.sleep(POLL_S)


@dataclass(frozen=True, slots=True)
class Line:
    """An event for people: Unix time by the machine's clock, what it is, the step's name, and figures."""

    time_s: float
    word: str
    name: str
    words: list[str]


@dataclass(slots=True)
class Narrator:
    """Puts parts together and ends to their starts, so that an end can tell what its step took."""

    _pending: dict[tuple[str, int], PartialEvent] = field(default_factory=dict)
    _open: dict[str, tuple[Record, dict[str, object]]] = field(default_factory=dict)

    def tell(self, event: Event) -> Line | None:
        """The line of an event, None if it is of no news to people."""
        if not isinstance(event, AgentRecord):
            return None
        try:
            record = read_record(event.fields)
        except Refused:
            return None
        first = (record.sid, record.seq - record.part + 1)
        pending = self._pending.setdefault(first, PartialEvent(record, event))
        pending.parts[record.part] = record.body
        if not pending.whole:
            _forget(self._pending)
            return None
        del self._pending[first]
        return self._line(pending.first, read_body(record.ev, pending.body())[0])

    def _line(self, record: Record, body: dict[str, object]) -> Line | None:
        words: list[str] = []
        step = str(body.get("step") or "")
        if record.ev == "start":
            self._open[step] = (record, body)
            _forget(self._open)
        elif record.ev in ("end", "beat"):
            words = self._figures(record, body, step)
        elif record.ev == "samples":
            return None
        begun = self._open.get(step)
        name = body.get("name") or (begun[1].get("name") if begun else None) or body.get("os") or ""
        if record.ev == "end":
            self._open.pop(step, None)
        return Line(record.t_ns / 1e9, record.ev, str(name), words)

    def _figures(self, record: Record, body: dict[str, object], step: str) -> list[str]:
        begun, status = self._open.get(step), body.get("exit")
        words = [] if status is None else [f"exit {status}"]
        if begun is None or begun[0].boot != record.boot or record.m_ns < begun[0].m_ns:
            return words
        seconds = (record.m_ns - begun[0].m_ns) / 1e9
        before, after = begun[1].get("c"), body.get("c")
        found = figures(before, after, seconds, None) if isinstance(before, dict) and isinstance(after, dict) else {}
        known = [(found.get(name), form) for name, form in SHOWN]
        return [f"{seconds:.1f} s", *words, *(form.format(value) for value, form in known if value is not None)]


def _forget(held: dict[Any, Any]) -> None:
    if len(held) > MAX_OPEN:
        del held[next(iter(held))]
