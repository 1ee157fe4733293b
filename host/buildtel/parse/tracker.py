"""Turns Packer's messages into events; its only state is the runs and builds in progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from buildtel.debug_lines import TELLS_OF_MACHINE
from buildtel.events import (
    AgentRecord,
    Artifact,
    BuildFinished,
    BuildResult,
    Event,
    Interrupted,
    LaterStamp,
    PackerRead,
    PackerVersion,
    PluginSeen,
    RunFailed,
    RunFinished,
    RunStarted,
    When,
)
from buildtel.parse.inside import Inside
from buildtel.parse.line_context import LineContext
from buildtel.parse.log_clock import LogClock
from buildtel.parse.longtext import LongText
from buildtel.parse.names import BuildNameCandidate, BuildNameCandidates, PassedNames, split_name
from buildtel.parse.packer_run import PackerRun
from buildtel.parse.prefix import LOG_UI, OUT
from buildtel.parse.reaching import Reaching
from buildtel.parse.record_line import MARK, read_record, record_event
from buildtel.parse.repeated_messages import First
from buildtel.parse.states import BEGINS, BuildState, Names, Stage
from buildtel.parse.units import Hears, Units, only_packer_says
from buildtel.parse.words import (
    duration_s,
    is_before,
    is_packers_error,
    plugin_of,
    post_processor_of,
    says_cancelled,
    split_joined,
    verdict,
)

_COLOUR_LINE = b" output will be in this color."
_LIST = b"Builds finished. The artifacts"
_OVER = (b"Builds finished", b"Some builds didn't complete successfully")
_MAX_PLUGINS = 100
_FIRST_WITHOUT_QUIET = (1, 13)  # since then what a guest prints has the form of packer's own words


class Tracker:
    """Takes messages in order and collects events in `events`, which the caller empties."""

    def __init__(self, clock: LogClock, key: bytes | None = None) -> None:
        self._clock = clock
        self._key = key
        self.events: list[Event] = []
        self.before_run: Callable[[int, bool], None] = lambda _line, _is_over: None
        self.units = Units(lambda: self.events, self._is_copy)
        self._inside = Inside(lambda: self.events, self._is_copy)
        self._reaching = Reaching(lambda: self.events)
        self._plugins: set[tuple[str, str]] = set()
        self.passed = PassedNames()
        self._run = PackerRun(self.passed, Stage.BEFORE)
        self._version_known = self._packer_is_old = False
        self._open: LongText | None = None

    # What the reader calls.

    @property
    def waits(self) -> bool:
        """Whether the next line may tell something, whatever it holds: the text of an event goes on, or a wait ends."""
        return self._open is not None or self._inside.waits

    def listens(self) -> bool:
        """Whether an unknown text of a build may tell something."""
        return self.units.listens(self._run.builds.values())

    def hears(self) -> Hears:
        """What unknown texts of builds may tell."""
        return self.units.hears(self._run.builds.values())

    def said(self, text: bytes, said: LineContext) -> None:
        """Take one line of Packer's output, or of a text that machine-readable output has in one line.

        Args:
            text: the line without prefixes and colours.
            said: its context.
        """
        if self._open is not None and self._open.event.line == said.line and isinstance(self._open.event, RunFailed):
            self._continued(text, said)
        elif text.startswith(b"==> "):
            rest = text[4:]
            if not self._run_level(rest, said):
                self._targeted(rest, said, is_say=True)
        elif text.startswith(b"    "):
            self._targeted(text.lstrip(b" "), said, is_say=False)
        elif text.startswith(b"--> "):
            self._listed(text[4:], said)
        elif text.startswith(b"Build '"):
            first, *others = split_joined(text)
            self._finished(first, said)
            for other in others:
                self.said(other, said)
        elif text.endswith(_COLOUR_LINE):
            self._declared(text[: -len(_COLOUR_LINE)].removesuffix(b":"), said)
        elif text.startswith(MARK):
            self._record(text, said)
        else:
            self._of_no_build(text, said)

    def _of_no_build(self, text: bytes, said: LineContext) -> None:
        """Take a line without any form that Packer's lines of a build have."""
        if text.startswith((b"Cleanly cancelled builds after", b"Cancelling build after receiving")):
            self._interrupted(text, said)
        elif text.startswith(b"Error: ") or is_packers_error(text):
            self._failed_before(text, said)
        elif text.startswith(b"Packer plugin installed: "):
            self._plugin(text, said)
        elif text.startswith(b"Packer was read from: "):
            self.events.append(PackerRead(line=said.line, at=said.at, source=text[22:62].decode("utf-8", "replace")))
        elif text.startswith(b"Packer v") and not said.packer_only_form:
            self._version(text[8:].split(b" ")[0], said, own_process=False)
        elif split_name(text, self._run.odd_names)[0] in self._run.builds:
            self._targeted(text, said, is_say=False)
        else:
            self._continued(text, said)

    def logged(self, text: bytes, said: LineContext) -> None:
        """Take one line of the debug log that is not a copy of the output.

        Args:
            text: the line without its prefix; empty if it tells nothing.
            said: its context.
        """
        self._flush()
        if not text:
            return
        if TELLS_OF_MACHINE.match(text):
            self._reaching.log(text, self._run.unjudged(), said)
        elif text.startswith(b"[INFO] (telemetry) "):
            self._telemetry(text[19:].decode("utf-8", "replace"), said)
        elif text.startswith(b"[INFO] Starting external plugin "):
            self._plugin(text, said)
        elif text.startswith(b"Starting build run: "):
            self._run.expect(text[20:])
        else:
            version = text.removeprefix(b"[INFO] ")[len(b"Packer version: ") :].split()
            self._version(version[0] if version else b"", said, own_process=not said.of_process)

    def close(self) -> None:
        """Take the end of the log."""
        self._flush()
        self._settle_strangers()

    # Runs.

    def _begin_run(self, line: int, at: When | None) -> None:
        if self._run.stage is not Stage.BEFORE:
            self._settle_strangers()
            self.before_run(line, self._run.is_over)
        self._run = PackerRun(self.passed, Stage.BUILDS)
        self._inside.clear()
        self._reaching.clear()
        self.units.is_old, self.units.has_telemetry = self._packer_is_old, False
        self.events.append(RunStarted(line=line, at=at))

    def _need(self, names: Names, line: int, at: When | None) -> None:
        """Begin a run if what a line names is of none that goes on."""
        if self._run.stage in BEGINS[names]:
            self._begin_run(line, at)

    def _version(self, version: bytes, said: LineContext, own_process: bool) -> None:
        if own_process and (self._run.builds or self._run.stage is not Stage.BUILDS):
            self._flush()
            self._begin_run(said.line, said.at)
        self._run.has_log = self._run.has_log or own_process
        if not self._version_known and version[:1].isdigit():
            self._version_known = True
            self._packer_is_old = is_before(version, _FIRST_WITHOUT_QUIET)
            self.units.is_old = self._packer_is_old
            self.events.append(PackerVersion(line=said.line, at=said.at, version=version.decode("utf-8", "replace")))

    def _run_level(self, rest: bytes, said: LineContext) -> bool:
        waited = rest.startswith(b"Wait completed after ")
        if not waited and not rest.startswith(_OVER):
            return False
        self._flush()
        self._need(Names.RUN, said.line, said.at)
        self._is_copy(b"==> " + rest, said)
        if waited and self._run.is_over and self._run.total not in (None, rest):
            self._begin_run(said.line, said.at)
        if not self._run.is_over:
            self._end_run(duration_s(rest[21:]) if waited else None, said)
        if waited:
            self._run.total = rest
        self._run.stage = Stage.LISTS if rest.startswith(_LIST) else Stage.OVER
        return True

    def _end_run(self, total_s: float | None, said: LineContext) -> None:
        self._settle_strangers()
        self._run.end()
        self.events.append(RunFinished(line=said.line, at=said.at, total_s=total_s))

    def _interrupted(self, text: bytes, said: LineContext) -> None:
        self._flush()
        self._need(Names.RUN, said.line, said.at)
        if self._is_copy(text, said):
            return
        self.events.append(Interrupted(line=said.line, at=said.at))
        if text.startswith(b"Cleanly") and not self._run.is_over:
            self._end_run(None, said)

    # Builds.

    def _declared(self, name: bytes, said: LineContext) -> None:
        self._flush()
        if not name or self._is_copy(name + _COLOUR_LINE, said):
            return
        build = self._run.builds.get(name)
        if self._run.stage in BEGINS[Names.BUILD] or (build and build.coloured):
            self._begin_run(said.line, said.at)
            self._is_copy(name + _COLOUR_LINE, said)
        build = self._known(name, said.line, said.at)
        if build is not None:
            build.coloured = True

    def _known(self, name: bytes, line: int, at: When | None) -> BuildState | None:
        return self._run.known(name, line, at, self.events)

    def _finished(self, text: bytes, said: LineContext) -> None:
        self._flush()
        words = verdict(text)
        if not words or self._is_copy(text, said):
            return
        self._need(Names.RUN, said.line, said.at)
        name, seconds, error = words
        build = self._run.builds.get(name)
        if build and build.verdict is not None and (self._run.is_over or build.verdict == text):
            if build.verdict == text:
                return
            self._begin_run(said.line, said.at)
        build = self._known(name, said.line, said.at)
        if build is None:
            return
        result: BuildResult = "success" if error is None else "failure"
        if error is not None and says_cancelled(error) and not build.last.timed_out:
            result = "cancelled"
        build.finish(result, said, self.events)
        self._inside.forget(build.target)
        build.verdict = text
        first = None if error is None else error.decode("utf-8", "replace")
        self._open = LongText(
            BuildFinished(
                line=said.line, at=said.at, target=build.target, result=result, duration_s=seconds, error=first
            )
        )

    # Messages of one build.

    def _targeted(self, rest: bytes, said: LineContext, is_say: bool) -> None:
        self._flush()
        name, message = split_name(rest, self._run.odd_names)
        if name is None:
            return
        build, within = self._run.of_name(name)
        late = self._run.is_over and build is not None and build.verdict is not None
        self._run.has_log = self._run.has_log or said.copy == LOG_UI
        if build is None or (late and b"BUILDTEL:" not in message):
            # A debug log states its version before a new run; without that, late lines are copies that lag behind.
            outer = post_processor_of(name) if build is None and is_say else None
            if outer is not None and self._meets(outer, said):
                return
            if not (late and (within or self._run.has_log)):
                self._candidate(name, rest, message, said, is_say)
            return
        if not build.seen:
            self._known(name, said.line, said.at)
        if not within:
            build.beginning.hear(build.target, message, said, self.events)
            self.passed.begin(name)
        self.units.is_old = self.units.is_old or (not is_say and not within)
        if b"BUILDTEL:" in message:
            self._record(message, said, build)
        elif not within:
            self._inside.hear(build, message, said)
            self._reaching.hear(build, message, said)
            self.units.message(build, message, said, is_say=is_say)

    def _telemetry(self, text: str, said: LineContext) -> None:
        self.units.telemetry(text, self._run.unjudged(), said)

    def _record(self, text: bytes, said: LineContext, build: BuildState | None = None) -> None:
        target, provisioner = (None, None) if build is None else (build.target, build.under_way)
        event = record_event(text, target, said.line, said.at, self._key)
        if isinstance(event, AgentRecord):
            event = replace(event, provisioner=provisioner)
        if event is not None:
            self.events.append(event)

    # Names that are not known yet.

    def _candidate(self, name: bytes, rest: bytes, message: bytes, said: LineContext, is_say: bool) -> None:
        candidate = self._run.candidates.meet(name, said.line, said.at, rest, said.packer_only_form)
        if candidate is None:
            return
        found: bytes | None = None
        if message.startswith(MARK):
            if isinstance(read_record(message), str):
                self._record(message, said)
                return
            found = name
        elif is_say and not said.error:
            late = name in self._run.builds
            found = candidate.proven(name, rest, lambda text: only_packer_says(text, late))
        if found is not None and self._acquaint(name, found, candidate):
            self._targeted(rest, said, is_say)

    def _acquaint(self, name: bytes, found: bytes, candidate: BuildNameCandidate) -> bool:
        self._need(Names.BUILD, candidate.line, candidate.at)
        self._run.candidates.forget(name)
        return self._known(found, candidate.line, candidate.at) is not None

    def _settle_strangers(self) -> None:
        """At a run's end, names that stood in lines that only packer writes are taken for builds."""
        for name, candidate in self._run.candidates.packer_only():
            if name not in self._run.builds and not self._run.is_over:
                self._acquaint(name, name, candidate)
        self._run.candidates = BuildNameCandidates(self.passed)

    def _meets(self, name: bytes, said: LineContext) -> bool:
        """Whether a post-processor's line tells of the build `name`, which nothing told of before."""
        self._need(Names.BUILD, said.line, said.at)
        return self._known(name, said.line, said.at) is not None

    # What goes wrong before any build, and what the debug log says of plugins.

    def _failed_before(self, text: bytes, said: LineContext) -> None:
        if self._run.builds or self._is_copy(text, said):
            self._continued(text, said)
            return
        self._flush()
        shown = text.removeprefix(b"Error: ").decode("utf-8", "replace")
        is_certain = self._run.stage is not Stage.BEFORE or is_packers_error(text)
        self._open = LongText(RunFailed(line=said.line, at=said.at, error=shown), is_certain)

    def _plugin(self, text: bytes, said: LineContext) -> None:
        found = plugin_of(text)
        if found is not None and found not in self._plugins and len(self._plugins) < _MAX_PLUGINS:
            self._plugins.add(found)
            self.events.append(PluginSeen(line=said.line, at=said.at, name=found[0], version=found[1]))

    def _listed(self, rest: bytes, said: LineContext) -> None:
        self._flush()
        name, text = split_name(rest, self._run.odd_names)
        build = self._run.builds.get(name) if name is not None else None
        if build is None or self._run.stage is not Stage.LISTS or self._is_copy(b"--> " + rest, said):
            return
        shown = text.decode("utf-8", "replace")
        self._open = LongText(Artifact(line=said.line, at=said.at, target=build.target, text=shown))

    def _continued(self, text: bytes, said: LineContext) -> None:
        if self._open is not None and not self._open.goes_on(text, said):
            self._flush()

    def _flush(self) -> None:
        """Emit the event whose text may have continued."""
        if self._open is None:
            return
        text, self._open = self._open, None
        if not text.is_packers:
            return
        if isinstance(text.event, RunFailed):
            self._need(Names.RUN, text.event.line, text.event.at)
        self.events += text.events()

    def _is_copy(self, text: bytes, said: LineContext) -> bool:
        """Whether `text` stood in the other stream (output, debug log) already, and has not been matched yet.

        The time of a message is that of whichever copy has one.
        """
        this = First(said.line, said.at)
        first = self._run.copies.match(text, this, said.copy, OUT if said.copy == LOG_UI else LOG_UI)
        if first is None:
            return False
        if first.at is None and this.at is not None:
            self.events.append(LaterStamp(line=first.line, at=this.at))
        self._clock.copies(first.at, this.at)
        return True
