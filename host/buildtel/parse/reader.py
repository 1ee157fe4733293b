"""`LogReader`: reads a log of Packer's in any form and any chunks, and gives events."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from buildtel.events import (
    ASIDE,
    Artifact,
    BuildFinished,
    Event,
    LastLines,
    LastStamp,
    PhaseStarted,
    PrefixUnknown,
    ProvisionerFinished,
    ProvisionerStarted,
    RunFinished,
    UnreadableLine,
    When,
    ZoneLearned,
)
from buildtel.parse.containers import Unpacker
from buildtel.parse.gitlab import LineJoiner
from buildtel.parse.last_output import LastOutput
from buildtel.parse.learned import PrefixLearner
from buildtel.parse.line_context import LineContext
from buildtel.parse.lines import LineCutter, ToUtf8
from buildtel.parse.log_clock import LogClock
from buildtel.parse.output_signs import MAY_TELL
from buildtel.parse.phases import OTHER_PHASE
from buildtel.parse.prefix import LOG_ONLY, MACHINE_ONLY, UnprefixedLine, split_prompts, strip_ansi, strip_prefixes
from buildtel.parse.runs import Block, Patterns, Run
from buildtel.parse.skip import NAMED_LINE, LineFilter
from buildtel.parse.tracker import Tracker
from buildtel.parse.wrapped_runs import unpack_run

Numbered = tuple[int, bytes | None]

_MAX_TEXT_BYTES = 256 << 10
_STAMPED_KEPT = 32
_STAMP_STARTS = frozenset(bytes([char]) for char in b"0123456789[#;|>*/-\xef")
_TAGS = (b"==> ", b"    ")
_AFTER_COLOUR = 7  # `\x1b[1;32m`


class LogReader:
    """Reads a log piece by piece; how it is cut into pieces changes nothing.

    `feed` and `close` return the events that became certain by then, in the order of the log, with
    these exceptions: `BuildSeen` comes when a name is known to be a build's, with the line where it
    first stood; `LaterStamp` and `ZoneLearned` tell more of the times of earlier events. Nothing raises:
    what can't be read is an event (`DamagedRecord`, `UnreadableLine`) or is no line of packer's.
    Memory is bounded whatever the length of a line.

    With a `key` (the secret that the agents have as BUILDTEL_KEY; empty is none) each record is said to be
    authentic or not.
    """

    def __init__(self, key: str | None = None) -> None:
        self._to_utf8 = ToUtf8()
        self._cutter = LineCutter()
        self._joiner = LineJoiner()
        self._unpacker = Unpacker()
        self._learner = PrefixLearner()
        self._clock = LogClock()
        self._tracker = Tracker(self._clock, key.encode("utf-8", "surrogateescape") if key else None)
        self._tracker.before_run = self._tell_last
        self._last_output = LastOutput(self._tracker.passed.known)
        self._filter = LineFilter(self._tracker.passed.known, self._tracker.listens, self._tracker.units.hear_quiet)
        self._patterns = Patterns(self._tracker.passed, self._tracker.hears)
        self._stamped: deque[tuple[int, bytes, tuple[float, float] | None]] = deque(maxlen=_STAMPED_KEPT)
        self._axes: set[bool] = set()
        self._is_contained = False
        self._is_bare = False  # no prefix was learned
        self._is_plain = False  # from now on every line begins with what packer printed

    def feed(self, data: bytes) -> list[Event]:
        """The events of the lines that `data` completes."""
        self._cut(self._to_utf8.feed(data))
        return self._taken()

    def close(self) -> list[Event]:
        """The events of what is left: a last line without a newline, a text that might have gone on."""
        self._cut(self._to_utf8.close())
        cut = None
        for cut, line in self._cutter.close():
            self._joined(cut, line)
        for whole in self._joiner.close():
            self._contained(*whole)
        for whole in self._unpacker.close():
            self._learned(*whole)
        for whole in self._learner.close():
            self._bare(*whole)
        self._tell_last()
        self._tracker.close()
        self._axes.update(event.at.zone_known for event in self._tracker.events if event.at is not None)
        ahead_s = self._clock.zone_s()
        if len(self._axes) > 1 or ahead_s is not None:
            self._tracker.events.append(ZoneLearned(line=self._cutter.number, ahead_s=ahead_s))
        if self._learner.failed:
            self._tracker.events.append(PrefixUnknown(line=self._cutter.number))
        told = [_certain(event) if event.line == cut else event for event in self._taken()]
        return [event for event in told if event is not None]

    def _taken(self) -> list[Event]:
        events, self._tracker.events = self._tracker.events, []
        self._axes.update(event.at.zone_known for event in events if event.at is not None)
        return events

    # From bytes to bare lines of packer's.

    def _cut(self, data: bytes) -> None:
        for number, block in self._cutter.blocks(data):
            if block is None:
                self._joined(number, None)
            else:
                self._whole_lines(number, Block(block))

    def _whole_lines(self, number: int, block: Block, *, is_unpacked: bool = False) -> None:
        """Take the lines of a block, whole runs of them at once; `is_unpacked` if they are out of their containers."""
        wrapped, data, at = self._is_contained and not is_unpacked, block.data, 1
        while at < len(data):
            may_pass = self._is_bare and not (self._tracker.waits or self._joiner.holds or self._unpacker.holds)
            if may_pass and wrapped and (unpacked := unpack_run(data, at)) is not None:
                lines, end = unpacked
                self._whole_lines(number, Block(lines), is_unpacked=True)
            elif may_pass and (run := block.run(at, self._patterns, tagged_only=wrapped)) is not None:
                self._keep_stamped(number, data, at, run)
                self._last_output.add_run(data, at, run.end)
                end = run.end
            else:
                end = data.index(b"\n", at) + 1
                (self._learned if is_unpacked else self._one)(number, data[at : end - 1])
                wrapped = self._is_contained and not is_unpacked
            number, at = number + data.count(b"\n", at, end), end

    def _one(self, number: int, line: bytes) -> None:
        if self._is_plain and not self._joiner.concerns(line):
            self._line(number, line, None)
        else:
            self._joined(number, line)

    def _keep_stamped(self, number: int, data: bytes, at: int, run: Run) -> None:
        """Keep the last lines with a time of a run that is passed over."""
        if run.stamped is False:
            return
        if run.stamped:
            first = run.end
            for _ in range(_STAMPED_KEPT + 1):
                first = data.rfind(b"\n", at - 1, first)
                if first < at:
                    break
            first = max(first + 1, at)
            number, at = number + data.count(b"\n", at, first), first
        for count, line in enumerate(data[at : run.end].split(b"\n")[:-1], number):
            if _may_be_stamped(line):
                self._stamped.append((count, line, None))

    def _joined(self, number: int, line: bytes | None) -> None:
        if self._joiner.concerns(line):
            for whole in self._joiner.join(number, line):
                self._contained(*whole)
        else:
            self._contained(number, line)

    def _contained(self, number: int, line: bytes | None) -> None:
        if line is not None and self._unpacker.concerns(line):
            unpacked = list(self._unpacker.unpack(number, line))
            self._is_contained = self._is_contained or unpacked != [(number, line)]
            for whole in unpacked:
                self._learned(*whole)
        else:
            self._learned(number, line)

    def _learned(self, number: int, line: bytes | None) -> None:
        if self._learner.is_decided:
            self._bare(number, line)
        else:
            for held in self._learner.hold(number, line):
                self._bare(*held)
            self._is_bare = self._learner.is_decided and not self._learner.is_prefixed
            self._is_plain = self._is_bare and not self._is_contained

    def _bare(self, number: int, line: bytes | None) -> None:
        counted: tuple[float, float] | None = None
        if line is not None and self._learner.is_prefixed:
            line, seconds, grain_s = self._learner.strip(line)
            counted = None if seconds is None else (seconds, grain_s)
        self._line(number, line, counted)

    # From lines to what packer says.

    def _line(self, number: int, line: bytes | None, counted: tuple[float, float] | None) -> None:
        if line is None:
            self._tracker.events.append(UnreadableLine(line=number, reason="longer than 4 MiB"))
            return
        found = NAMED_LINE.match(line)
        is_output = self._last_output.add(line, found)
        if self._tracker.waits or not self._filter.can_skip(line, found):
            known = len(self._tracker.events)
            self._told(number, line, counted)
            self._tell_output(known, is_output)
        elif counted is not None or _may_be_stamped(line):
            self._stamped.append((number, line, counted))

    def _tell_output(self, known: int, is_output: bool) -> None:
        """Tell what provisioners that failed printed last.

        Args:
            known: how many events there were before this line.
            is_output: whether this line was taken for output of a build.
        """
        for event in self._tracker.events[known:]:
            if isinstance(event, ProvisionerStarted):
                self._last_output.begin(event.target)
            elif isinstance(event, ProvisionerFinished) and event.status != "success":
                texts = self._last_output.of_provisioner(event.target, but_last=is_output)
                if texts:
                    self._tracker.events.append(
                        LastLines(line=event.line, target=event.target, provisioner=event.index, texts=texts)
                    )

    def _told(self, number: int, line: bytes, counted: tuple[float, float] | None) -> None:
        if counted is not None or not _is_untimed(line):
            self._stamped.append((number, line, counted))
        may_tell = MAY_TELL.search(line) is not None
        line, red, coloured = strip_ansi(line)
        line = _as_rewritten(line) if may_tell else line
        outer: UnprefixedLine | None = None
        for part in split_prompts(line):
            unprefixed = strip_prefixes(part)
            unprefixed.counted, unprefixed.may_tell = counted, may_tell
            unprefixed.text = unprefixed.text[:_MAX_TEXT_BYTES]
            if outer is not None:
                unprefixed.inherit(outer)
            outer = unprefixed
            self._clock.notice(unprefixed)
            self._message(unprefixed, LineContext(number, unprefixed, self._clock, red=red, coloured=coloured))

    def _message(self, unprefixed: UnprefixedLine, said: LineContext) -> None:
        if unprefixed.form == LOG_ONLY:
            self._tracker.logged(unprefixed.text if unprefixed.is_packers_log else b"", said)
        elif unprefixed.form == MACHINE_ONLY:
            self._tracker.logged(b"", said)
        else:
            self._output(unprefixed, said)

    def _output(self, unprefixed: UnprefixedLine, said: LineContext) -> None:
        text = unprefixed.text
        if unprefixed.epoch is None or b"\\" not in text or b"BUILDTEL:" in text:
            self._tracker.said(text, said)
            return
        for part in text.replace(b"\\r", b"").split(b"\\n"):
            self._tracker.said(part, said)

    # The end of a log, or of a run in it.

    def _tell_last(self, before_line: int | None = None, is_over: bool = False) -> None:
        """Events for the last lines of builds and, unless they are over, for the last line with a time.

        Args:
            before_line: the line where another run begins; None at the end of the log.
            is_over: whether the run before it has ended by Packer's words.
        """
        line = self._cutter.number if before_line is None else before_line
        self._tracker.events += [
            LastLines(line=line, target=target, texts=texts) for target, texts in self._last_output.take()
        ]
        for number, stamped, counted in reversed(() if is_over else self._stamped):
            if before_line is None or number < before_line:
                when = self._time_of(stamped, counted)
                if when is not None:
                    self._tracker.events.append(LastStamp(line=number, at=when))
                    return

    def _time_of(self, line: bytes, counted: tuple[float, float] | None) -> When | None:
        unprefixed = strip_prefixes(strip_ansi(line[:400])[0])
        unprefixed.counted = counted
        return self._clock.when(unprefixed)


def _may_be_stamped(line: bytes) -> bool:
    """Whether a line may have a time: looks only at its start, behind Packer's colour."""
    first = line[:1]
    return first in _STAMP_STARTS or (first == b"\x1b" and line[_AFTER_COLOUR : _AFTER_COLOUR + 1] in _STAMP_STARTS)


def _as_rewritten(line: bytes) -> bytes:
    """A line of a build without what carriage returns have rewritten behind the build's name."""
    named, at = NAMED_LINE.match(line), line.rstrip(b"\r").rfind(b"\r")
    if named is None or at < named.end() or NAMED_LINE.match(line, at + 1):
        return line
    return line[: named.end()] + line[at + 1 :]


def _is_untimed(line: bytes) -> bool:
    """Whether a line certainly has no time: it begins with the tag of a build, or with Packer's colour and that."""
    return line.startswith(_TAGS) or (line.startswith(b"\x1b") and line.startswith(_TAGS, _AFTER_COLOUR))


def _certain(event: Event) -> Event | None:
    """The certain part of an event of a last line without its newline, which may be cut: `7 seconds` may have gone on.

    None for a phase in words that are not known: with its end, the line may begin something that is. None for a
    transfer or a try to connect, too: its bytes, or what came of it, may be cut.
    """
    if isinstance(event, ASIDE) or (isinstance(event, PhaseStarted) and event.name == OTHER_PHASE):
        return None
    if isinstance(event, BuildFinished) and event.error is None:
        return replace(event, duration_s=None)
    if isinstance(event, Artifact):
        return replace(event, cut=True)
    return replace(event, total_s=None) if isinstance(event, RunFinished) else event
