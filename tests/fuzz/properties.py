"""What must hold for every input, however it was made worse.

A log: no exception, no hang, and never a figure that no intact record carries. That is:

- each step measured exactly has the id of a step of the corpus, and its figures are those that the formulas give
  for its start and one of its beats or its end as they stand in the corpus, in whole or (an event in parts) as far
  as the parts that came tell; with the peak that one of these events states, and the cost of its end, or without;
- so are its exit status, its series, its processes;
- a step from samples has counters between the least and the largest of the corpus's samples, of each column (its times
  are those of Packer's own lines, which no checksum guards), and the figures that the formulas give for them;
- what a machine says of itself is what the `hello` of the corpus says.
"""

from __future__ import annotations

import json
import math
import re
import signal
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import cached_property
from itertools import combinations, product, zip_longest
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any
from unittest.mock import patch

from buildtel import parse
from buildtel.errors import BuildtelError
from buildtel.events import AgentRecord, Event, ZoneLearned
from buildtel.job import JobDocument, Meta, load_document
from buildtel.job.fold import Fold
from buildtel.job.model import Machine, Step
from buildtel.measure.charts import chart
from buildtel.measure.drafts import Point
from buildtel.measure.figures import cost_metrics, figures, own_metrics, step_metrics
from buildtel.measure.ledger import PartialEvent
from buildtel.measure.record_fields import Record, read_body, read_record
from buildtel.measure.series import unpack
from buildtel.page.form_html import html
from buildtel.parse import reader, runs
from buildtel.parse.runs import Block
from buildtel.report.formats import FORMATS, rendered
from buildtel.report.job_view import JobView
from buildtel.report.packer_steps import packer_steps
from buildtel.wire import check, template

CORPUS = Path(__file__).parent / "corpus"
META = Meta(job="build", version="1", collected_at=datetime(2026, 1, 24, tzinfo=timezone.utc))
HANG_S = 60

ASSETS = re.compile(r"<(script|style)[^>]*>.*?</\1>", re.S)
FOREIGN = re.compile(r"<(?:script|style|img|iframe|object|embed|link|form|input)\b|<[a-z]+ [^>]*\bon[a-z]+=", re.I)


class Broken(AssertionError):
    """A property that did not hold."""


@contextmanager
def no_hang() -> Iterator[None]:
    """Fails what does not come back in a minute; all of it takes milliseconds."""

    def over(number: int, frame: FrameType | None) -> None:
        raise Broken(f"no answer after {HANG_S} s")

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(HANG_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def logs() -> list[bytes]:
    """The corpus: small logs of real builds, in several forms."""
    return [path.read_bytes() for path in sorted(CORPUS.glob("*.log"))]


def folded(data: bytes) -> JobDocument:
    """The document of a log."""
    fold = Fold()
    for event in parse.read([data]):
        fold.add(event)
    return fold.document(META)


def check_passed(data: bytes, chance: Random) -> None:
    """Passing over runs of lines changes no event, however the log is cut; but for the zone of one that has two clocks.

    Which lines tell the zone of such a log depends on which are looked at.

    Raises:
        Broken: it does.
    """
    cuts = sorted(chance.randrange(len(data) + 1) for _ in range(chance.choice([0, 1, 5])))
    chunks = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    with patch.object(runs, "LEAST_BYTES", 1):
        at_once = _without_zone(chunks)
    with patch.object(Block, "run", lambda *_, **__: None), patch.object(reader, "unpack_run", lambda *_: None):
        by_line = _without_zone(chunks)
    if at_once != by_line:
        one, other = next(pair for pair in zip_longest(at_once, by_line) if pair[0] != pair[1])
        raise Broken(f"at once {one}, line by line {other}, in {data!r}")


def _without_zone(chunks: list[bytes]) -> list[Event]:
    return [event for event in parse.read(chunks) if not isinstance(event, ZoneLearned)]


def text_of(value: Any) -> str:
    """A value as one text, whatever the order of its keys."""
    return json.dumps(value, sort_keys=True)


class Reference:
    """All that the intact records of the corpus can tell."""

    def __init__(self, corpus: list[bytes]) -> None:
        self.figures: dict[str, set[str]] = defaultdict(set)
        self.ends: dict[str, set[str]] = defaultdict(set)
        self.facts: dict[str, set[Any]] = defaultdict(lambda: {None})
        self.ranges: dict[str, tuple[int, int]] = {}
        events: dict[tuple[str, int], PartialEvent] = {}
        for data in corpus:
            for event in parse.read([data]):
                if isinstance(event, AgentRecord):
                    record = read_record(event.fields)
                    pending = events.setdefault((record.sid, record.seq - record.part + 1), PartialEvent(record, event))
                    pending.parts[record.part] = record.body
        views = [(pending.first, body) for pending in events.values() for body in _views(pending)]
        self._learn(views)

    def _learn(self, views: list[tuple[Record, dict[str, Any]]]) -> None:
        starts: dict[str, list[Point]] = defaultdict(list)
        lasts: dict[str, list[Point]] = defaultdict(list)
        peaks: dict[str, set[int | None]] = defaultdict(lambda: {None})
        loads: dict[str, list[list[float] | None]] = defaultdict(lambda: [None])
        costs: dict[str, list[dict[str, int]]] = defaultdict(lambda: [{}])
        owns: dict[str, list[dict[str, int]]] = defaultdict(lambda: [{}])
        for record, body in views:
            step = body.get("step") or f"{record.sid}#{record.seq}"
            point = Point(record.t_ns, record.m_ns, record.boot, 0, body.get("c"))
            if record.ev == "start":
                starts[step].append(point)
            elif record.ev in ("beat", "end"):
                lasts[step].append(point)
                peaks[step].add(body.get("peak_kb"))
            if record.ev == "end":
                costs[step].append(body.get("cost", {}))
                owns[step].append(body.get("own", {}))
                loads[step].append(body.get("tasks"))
                self.ends[step].add(text_of(_told(body)))
            self._learn_machine(record, body)
        for step in {*starts, *lasts}:
            self.ends[step].add(text_of(_told({})))
            for start in [None, *starts[step]]:
                for last in [None, *lasts[step]]:
                    for peak_kb, load, own in product(peaks[step], loads[step], owns[step]):
                        known = {**step_metrics(start, last, peak_kb, load), **own_metrics(own, start, last)}
                        self.figures[step].update(text_of({**known, **cost_metrics(cost)}) for cost in costs[step])

    def _learn_machine(self, record: Record, body: dict[str, Any]) -> None:
        if record.ev == "hello":
            for name, value in body.items():
                self.facts[name].add(value)
        for name, column in (unpack(body["cols"]) if "cols" in body else {}).items():
            for value in column:
                if value is not None:
                    low, high = self.ranges.get(name, (value, value))
                    self.ranges[name] = (min(low, value), max(high, value))

    @cached_property
    def memory_mb(self) -> tuple[float, float]:
        """The least and most memory that the samples can tell, roundings allowed."""
        (total, _), (low, high) = self.ranges["mem.0"], self.ranges["mem.1"]
        return (total - high) / 1024 - 0.1, (total - low) / 1024 + 0.1

    def check(self, document: JobDocument) -> None:
        """Nothing.

        Raises:
            Broken: a figure in the document that no intact record carries.
        """
        for step in document.steps:
            if step.measured == "exactly" and step.ended_from == "packer":
                self._check_ended_by_packer(step)
            elif step.measured == "exactly":
                self._check_step(step)
            elif step.measured is None:
                self._check_untold(step)
            else:
                self._check_sampled(step, document)
        for machine in document.machines.values():
            self._check_machine(machine)

    def _check_step(self, step: Step) -> None:
        if text_of(step.metrics) not in self.figures[step.id or ""]:
            raise Broken(f"figures of {step.id} that no record carries: {step.metrics}")
        told = {"exit": step.exit_code, "signal": step.signal, "series": step.series, "procs": _processes(step)}
        told |= {"cmds": _accounts(step), "inside": _rows(step.inside)}
        if text_of(told) not in self.ends[step.id or ""]:
            raise Broken(f"an end of {step.id} that no record carries: {told}")

    def _check_ended_by_packer(self, step: Step) -> None:
        """Packer's words give length and exit status; all other figures are a record's."""
        rest = {name: value for name, value in step.metrics.items() if name != "duration_s"}
        known = [json.loads(text) for text in self.figures[step.id or ""]]
        if rest and rest not in [{name: of[name] for name in of if name != "duration_s"} for of in known]:
            raise Broken(f"figures of {step.id} that no record carries: {rest}")

    def _check_untold(self, step: Step) -> None:
        """A step that only Packer tells of has no figures but its length."""
        if step.metrics.keys() - {"duration_s"} or step.series or step.processes:
            raise Broken(f"figures of {step.name} without a record: {step.metrics}")

    def _check_sampled(self, step: Step, document: JobDocument) -> None:
        assert step.counters is not None
        for counters in (step.counters.start or {}, step.counters.end or {}):
            for name, value in _flat(counters, ""):
                low, high = self.ranges.get(name, (math.inf, -math.inf))
                if value is not None and not low <= value <= high:
                    raise Broken(f"{name} of {step.id} is {value}, which no samples carry")
        lengths = [
            provisioner.ended_at - provisioner.started_at
            for run in (document.packer.runs if document.packer else ())
            for build in run.builds
            for provisioner in build.provisioners
            if provisioner.started_at is not None and provisioner.ended_at is not None
        ]
        by_packer = {"duration_s": step.metrics["duration_s"]} if step.ended_from == "packer" else {}
        # The length that its figures were computed of is not rounded.
        lengths += [length + part * 1e-4 for length in by_packer.values() if length for part in range(-5, 6)]
        start, end = step.counters.start or {}, step.counters.end or {}
        told = {name: value for name, value in step.metrics.items() if name != "memory_peak_mb"}
        if told not in [{**figures(start, end, length_s, None), **by_packer} for length_s in lengths]:
            raise Broken(f"figures of {step.id} that its counters do not give: {told}")

    def _check_machine(self, machine: Machine) -> None:
        kb, disk = self.facts["memory_total_kb"], self.facts["disk_total_kb"]
        known = {
            "memory_total_mb": {None, *(round(value / 1024) for value in kb if value is not None)},
            "disk_total_gb": {None, *(round(value / 1024**2, 1) for value in disk if value is not None)},
            **{name: self.facts[name] for name in ("agent", "python", "cpus", "kernel", "os", "arch", "hz", "psi")},
        }
        for name, values in known.items():
            if getattr(machine, name) not in values:
                raise Broken(f"{name} of a machine is {getattr(machine, name)!r}, which no record carries")
        for samples in machine.samples:
            for value in samples.columns.get("memory_used_mb", ()):
                if value is not None and not self.memory_mb[0] <= value <= self.memory_mb[1]:
                    raise Broken(f"a sample of {value} MB, which no record carries")


def _views(pending: PartialEvent) -> Iterator[dict[str, Any]]:
    """An event's body as it is and, if it came in parts, as it would be without some of them."""
    for amount in range(1, len(pending.parts) + 1):
        for parts in combinations(sorted(pending.parts), amount):
            seen = {part: pending.parts[part] for part in parts}
            yield read_body(pending.first.ev, PartialEvent(pending.first, pending.event, parts=seen).body())[0]


def _told(body: dict[str, Any]) -> dict[str, Any]:
    series = chart(unpack(body["series"])) if "series" in body else None
    known = {name: body.get(name) for name in ("exit", "signal", "procs")}
    inside = body.get("inside") if "cmds" in body else None  # what it was measured by is not known without
    return {**known, "series": series, "cmds": body.get("cmds"), "inside": inside}


def _accounts(step: Step) -> dict[str, Any] | None:
    if step.accounts_from is None:
        return None
    told = {"own": _rows(step.commands), "others": _rows(step.other_commands), "lost": step.commands_lost}
    return {"from": step.accounts_from, **{name: value for name, value in told.items() if value is not None}}


def _rows(rows: list[Any] | None) -> list[tuple[Any, ...]] | None:
    return None if rows is None else [tuple(vars(row).values()) for row in rows]


def _processes(step: Step) -> list[tuple[str, Any, Any]] | None:
    return None if step.processes is None else [(one.name, one.cpu_s, one.io_mb) for one in step.processes]


def _flat(counters: Any, name: str) -> Iterator[tuple[str, Any]]:
    items = counters.items() if isinstance(counters, dict) else enumerate(counters)
    for key, value in items:
        place = f"{name}.{key}".lstrip(".")
        if isinstance(value, (dict, list)):
            yield from _flat(value, place)
        else:
            yield place, value


def check_shown(document: JobDocument) -> None:
    """The document is stored, read back and drawn in every form.

    Raises:
        Broken: what is read back is not what was stored, or a control character is left.
    """
    text = document.to_json()
    if load_document(text.encode(), "x").to_json() != text:
        raise Broken("what is read back differs")
    shown = "".join(rendered(JobView(document), form) for form in FORMATS)
    shown += packer_steps(document).replace("\t", "")
    if not all(char.isprintable() or char in "\n\ufe0f" for char in shown):
        raise Broken("a control character is shown")


def check_template(text: str) -> None:
    """Any text is a template that is judged, or refused in one line."""
    try:
        blocks = template.parse(text, Path("a.pkr.hcl"))
        for finding in check.check(template.Template(CORPUS, blocks)):
            if "\n" in finding.text:
                raise Broken(f"a finding of two lines: {finding.text!r}")
    except BuildtelError as error:
        if "\n" in str(error):
            raise Broken(f"an error of two lines: {error}") from error


def check_document(data: bytes) -> None:
    """Any bytes are a document that can be shown, or refused in one line."""
    try:
        document = load_document(data, "x")
    except BuildtelError as error:
        if not str(error).isprintable():
            raise Broken(f"an error of two lines: {error!r}") from error
        return
    check_shown(document)
    check_page(document)


def check_page(document: JobDocument) -> None:
    """A document is a page in which only our own elements run.

    Raises:
        Broken: a name opens an element, or a control character is left.
    """
    page = ASSETS.sub("", html(JobView(document)))
    if not all(char.isprintable() or char in "\n\ufe0f" for char in page):
        raise Broken("a control character is on the page")
    if FOREIGN.search(page):
        raise Broken("a name opens an element of the page")
