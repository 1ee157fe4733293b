"""What packer says, message by message, to events: the only state is which runs and builds are under way."""

from __future__ import annotations

from buildtel.events import (
    AgentRecord,
    Artifact,
    BuildFinished,
    BuildSeen,
    DamagedRecord,
    Event,
    Interrupted,
    PackerVersion,
    RunFinished,
    RunStarted,
    SshWait,
    UnreadableLine,
    When,
)
from buildtel.parse.copies import Copies
from buildtel.parse.longtext import LongText
from buildtel.parse.names import Stranger, Strangers
from buildtel.parse.phases import AFTER_PROVISIONING, phase_of
from buildtel.parse.prefix import LOG_UI, OUT
from buildtel.parse.provisioners import KINDS_OF_TYPE, OTHER, provisioner_of, quiet_provisioner_of
from buildtel.parse.records import MARK, is_authentic, looks_damaged, read_record
from buildtel.parse.states import BuildState, Said
from buildtel.parse.words import duration_s, says_cancelled, verdict

_COLOUR_LINE = b" output will be in this color."
_OVER = (b"Builds finished", b"Some builds didn't complete successfully")
_MAX_NAME_BYTES = 300
MAX_BUILDS = 1000
MAX_ODD_NAMES = 50
_CONNECTED = (b"Connected to SSH!", b"Connected to WinRM!")
_WAITING = (b"Waiting for SSH to become available", b"Waiting for WinRM to become available")


class Tracker:
    """Takes messages in order and collects events in `events`, which the caller empties."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key
        self.events: list[Event] = []
        self.quiet_names: set[bytes] = set()
        self._in_run = False
        self._version_known = False
        self._open: LongText | None = None
        self._new_run_state()

    def _new_run_state(self) -> None:
        self._builds: dict[bytes, BuildState] = {}
        self._odd_names: list[bytes] = []
        self._strangers = Strangers()
        self._copies = Copies()
        self._has_log = False
        self._over = False
        self.quiet_names.clear()
        self._total: bytes | None = None
        self._listing = False

    # What the reader calls.

    @property
    def waits(self) -> bool:
        """Whether the text of an event may go on in the next line, whatever that holds."""
        return self._open is not None

    def said(self, text: bytes, said: Said) -> None:
        """Take one line of packer's output."""
        if text.startswith(b"==> "):
            rest = text[4:]
            if not self._run_level(rest, said):
                self._targeted(rest, said, loud=True)
        elif text.startswith(b"    "):
            self._targeted(text.lstrip(b" "), said, loud=False)
        elif text.startswith(b"--> "):
            self._listed(text[4:], said)
        elif text.startswith(b"Build '"):
            self._finished(text, said)
        elif text.endswith(_COLOUR_LINE):
            self._declared(text[: -len(_COLOUR_LINE)].removesuffix(b":"), said)
        elif text.startswith((b"Cleanly cancelled builds after", b"Cancelling build after receiving")):
            self._interrupted(text, said)
        elif text.startswith(MARK):
            self._record(text, None, said)
        elif text.startswith(b"Packer v") and not said.sure:
            self._version(text[8:].partition(b" ")[0], said, own_process=False)
        elif self._split(text)[0] in self._builds:
            self._targeted(text, said, loud=False)
        else:
            self._continued(text)

    def logged(self, text: bytes, said: Said) -> None:
        """Take one line of the debug log that is not a copy of the output, empty if it says nothing to us."""
        self._flush()
        if not text:
            return
        if text.startswith(b"[INFO] (telemetry) "):
            self._telemetry(text[19:].decode("utf-8", "replace"), said)
        elif text.startswith(b"Starting build run: "):
            self._expect(text[20:])
        else:
            version = text.removeprefix(b"[INFO] ")[len(b"Packer version: ") :].split()
            self._version(version[0] if version else b"", said, own_process=True)

    def close(self) -> None:
        """Take the end of the log."""
        self._flush()
        self._settle_strangers()

    # Runs.

    def _begin_run(self, line: int, at: When | None) -> None:
        if self._in_run:
            self._settle_strangers()
        self._in_run = True
        self._new_run_state()
        self.events.append(RunStarted(line=line, at=at))

    def _need_run(self, said: Said) -> None:
        if not self._in_run:
            self._begin_run(said.line, said.at)

    def _version(self, version: bytes, said: Said, own_process: bool) -> None:
        if own_process and (not self._in_run or self._builds or self._over):
            self._flush()
            self._begin_run(said.line, said.at)
        self._has_log = self._has_log or own_process
        if not self._version_known and version[:1].isdigit():
            self._version_known = True
            self.events.append(PackerVersion(line=said.line, at=said.at, version=version.decode("utf-8", "replace")))

    def _run_level(self, rest: bytes, said: Said) -> bool:
        waited = rest.startswith(b"Wait completed after ")
        if not waited and not rest.startswith(_OVER):
            return False
        self._flush()
        self._need_run(said)
        if waited and self._over and self._total is not None and self._total != rest:
            self._begin_run(said.line, said.at)
        if not self._over:
            total_s = duration_s(rest[21:]) if waited else None
            self._end_run(total_s, said)
        if waited:
            self._total = rest
        self._listing = rest.startswith(b"Builds finished. The artifacts")
        return True

    def _end_run(self, total_s: float | None, said: Said) -> None:
        self._settle_strangers()
        self._over = True
        self.quiet_names.clear()
        self.events.append(RunFinished(line=said.line, at=said.at, total_s=total_s))

    def _interrupted(self, text: bytes, said: Said) -> None:
        self._flush()
        self._need_run(said)
        if self._is_copy(text, said):
            return
        self.events.append(Interrupted(line=said.line, at=said.at))
        if text.startswith(b"Cleanly") and not self._over:
            self._end_run(None, said)

    # Builds.

    def _declared(self, name: bytes, said: Said) -> None:
        self._flush()
        if not name or self._is_copy(name + _COLOUR_LINE, said):
            return
        build = self._builds.get(name)
        if not self._in_run or self._over or (build and build.coloured):
            self._begin_run(said.line, said.at)
            self._is_copy(name + _COLOUR_LINE, said)
        build = self._known(name, said.line, said.at)
        if build is not None:
            build.coloured = True

    def _expect(self, name: bytes) -> None:
        if self._in_run and not self._over and name and name not in self._builds and self._room(name):
            self._add(name, BuildState(name.decode("utf-8", "replace"), seen=False))

    def _add(self, name: bytes, build: BuildState) -> BuildState:
        self._builds[name] = build
        self._strangers.forget(name)
        if b": " in name:
            self._odd_names.append(name)
        return build

    def _room(self, name: bytes) -> bool:
        return len(self._builds) < MAX_BUILDS and (b": " not in name or len(self._odd_names) < MAX_ODD_NAMES)

    def _known(self, name: bytes, line: int, at: When | None) -> BuildState | None:
        """The build of that name, from now on surely one of this run's; None if there are too many."""
        build = self._builds.get(name)
        if build is None:
            if not self._room(name):
                self.events.append(UnreadableLine(line=line, at=at, reason="of more builds than any run has"))
                return None
            build = self._add(name, BuildState(name.decode("utf-8", "replace"), seen=False))
        if not build.seen:
            build.seen = True
            if not self._over:
                self.quiet_names.add(name)
            self.events.append(BuildSeen(line=line, at=at, target=build.target))
        return build

    def _finished(self, text: bytes, said: Said) -> None:
        self._flush()
        words = verdict(text)
        if not words or self._is_copy(text, said):
            return
        self._need_run(said)
        name, seconds, error = words
        build = self._builds.get(name)
        if build and build.verdict is not None and (self._over or build.verdict == text):
            if build.verdict == text:
                return
            self._begin_run(said.line, said.at)
        build = self._known(name, said.line, said.at)
        if build is None:
            return
        build.stop(said, self.events)
        build.verdict = text
        result = "success" if error is None else "failure"
        if error is not None and says_cancelled(error) and not build.timed_out:
            result = "cancelled"
        first = None if error is None else error.decode("utf-8", "replace")
        self._open = LongText(
            BuildFinished(
                line=said.line, at=said.at, target=build.target, result=result, duration_s=seconds, error=first
            )
        )

    # Messages of one build.

    def _targeted(self, rest: bytes, said: Said, loud: bool) -> None:
        self._flush()
        name, message = self._split(rest)
        if name is None:
            return
        build = self._builds.get(name)
        within = False
        if build is None and name.endswith(b")"):
            build = self._builds.get(name.rpartition(b" (")[0])
            within = build is not None
        late = self._over and build is not None and build.verdict is not None
        self._has_log = self._has_log or said.copy == LOG_UI
        if build is None or (late and b"BUILDTEL:" not in message):
            # A debug log states its version before a new run; without that, late lines are copies that lag behind.
            if not (late and (within or self._has_log)):
                self._stranger(name, rest, message, said, loud)
            return
        if not build.seen:
            self._known(name, said.line, said.at)
        build.begin(said, self.events)
        if b"BUILDTEL:" in message:
            self._record(message, build.target, said)
        elif not within:
            self._message(build, message, said, loud)

    def _split(self, rest: bytes) -> tuple[bytes | None, bytes]:
        for odd in self._odd_names:
            if rest.startswith(odd + b":"):
                return odd, rest[len(odd) + 2 :]
            if rest.startswith(odd + b" (") and (end := rest.find(b"): ", len(odd))) > 0:
                return rest[: end + 1], rest[end + 3 :]
        end = rest.find(b": ", 0, _MAX_NAME_BYTES)
        if end >= 0:
            return rest[:end], rest[end + 2 :]
        return (rest[:-1], b"") if rest.endswith(b":") and len(rest) <= _MAX_NAME_BYTES else (None, b"")

    def _message(self, build: BuildState, text: bytes, said: Said, loud: bool) -> None:
        if said.error:
            build.timed_out = build.timed_out or text.startswith(b"Cancelling provisioner after a timeout")
            return
        if not loud:
            unit = quiet_provisioner_of(text, build.running)
        else:
            unit = provisioner_of(text, build.running)
            if not unit and self._other_message(build, text, said):
                return
        if unit and not self._is_copy(build.target.encode() + text, said):
            silent = build.silent_type is not None and unit[0] == OTHER
            if not silent:
                build.start(unit, said, self.events)

    def _other_message(self, build: BuildState, text: bytes, said: Said) -> bool:
        phase = phase_of(text, while_provisioning=build.running is not None)
        connected = text.startswith(_CONNECTED)
        if text.startswith(b"Setting a ") and text.endswith(b" timeout for the next provisioner..."):
            build.stop(said, self.events)
        elif text.startswith(b"Cancelling provisioner after a timeout"):
            build.timed_out = True
        elif (phase or connected) and not self._is_copy(build.target.encode() + text, said):
            if phase:
                build.begin_phase(phase, text, said, self.events)
            if (connected or text.startswith(_WAITING)) and build.running is None:
                build.phase = None if connected else build.phase
                self.events.append(SshWait(line=said.line, at=said.at, target=build.target, connected=connected))
        return True

    def _telemetry(self, text: str, said: Said) -> None:
        under_way = [build for build in self._builds.values() if build.verdict is None]
        only = under_way[0] if len(under_way) == 1 else None
        if text.startswith("Starting provisioner "):
            kind = text[21:].strip()
            if only and only.seen and kind and kind not in KINDS_OF_TYPE:
                only.silent_type = kind
                only.start((OTHER, b""), said, self.events)
        elif text.startswith("ending "):
            kind = text[7:].strip()
            kinds = KINDS_OF_TYPE.get(kind, ())
            ended = [build for build in under_way if build.running in kinds or kind == build.silent_type]
            if len(ended) == 1:
                ended[0].silent_type = None
                ended[0].stop(said, self.events)

    # Records.

    def _record(self, text: bytes, target: str | None, said: Said) -> None:
        if text.startswith(MARK):
            read = read_record(text)
            if not isinstance(read, str):
                authentic = None if self._key is None else is_authentic(text, self._key)
                self.events.append(
                    AgentRecord(
                        line=said.line, at=said.at, target=target, fields=read[0], refused=read[1], authentic=authentic
                    )
                )
                return
            reason = read
        elif looks_damaged(text):
            reason = "other output stands before it in the same line"
        else:
            return
        self.events.append(DamagedRecord(line=said.line, at=said.at, target=target, reason=reason))

    # Names that are not known yet.

    def _stranger(self, name: bytes, rest: bytes, message: bytes, said: Said, loud: bool) -> None:
        stranger = self._strangers.get(name, said.line, said.at, rest)
        if stranger is None:
            return
        stranger.meet(rest, said.sure)
        found: bytes | None = None
        if message.startswith(MARK):
            if isinstance(read_record(message), str):
                self._record(message, None, said)
                return
            found = name
        elif loud and not said.error:
            late = name in self._builds
            found = stranger.proven(name, rest, lambda text: _only_packer_says(text, late))
        if found is not None and self._acquaint(name, found, stranger):
            self._targeted(rest, said, loud)

    def _acquaint(self, name: bytes, found: bytes, stranger: Stranger) -> bool:
        if self._over or not self._in_run:
            self._begin_run(stranger.line, stranger.at)
        self._strangers.forget(name)
        return self._known(found, stranger.line, stranger.at) is not None

    def _settle_strangers(self) -> None:
        """At a run's end, names that stood in lines that only packer writes are taken for builds."""
        for name, stranger in self._strangers.sure():
            if name not in self._builds and not self._over:
                self._acquaint(name, name, stranger)
        self._strangers = Strangers()

    # Texts of several lines.

    def _listed(self, rest: bytes, said: Said) -> None:
        self._flush()
        name, text = self._split(rest)
        build = self._builds.get(name) if name is not None else None
        if build is None or not self._listing or self._is_copy(b"--> " + rest, said):
            return
        shown = text.decode("utf-8", "replace")
        self._open = LongText(Artifact(line=said.line, at=said.at, target=build.target, text=shown))

    def _continued(self, text: bytes) -> None:
        if self._open is not None and not self._open.goes_on(text):
            self._flush()

    def _flush(self) -> None:
        """Let go of the event whose text might have gone on."""
        if self._open is not None:
            self.events.append(self._open.whole())
            self._open = None

    # Copies: a debug log holds the output once more.

    def _is_copy(self, text: bytes, said: Said) -> bool:
        """Whether `text` stood in the other stream (output, debug log) already, and has not been matched yet."""
        return self._copies.matches(text, said.copy, OUT if said.copy == LOG_UI else LOG_UI)


def _only_packer_says(message: bytes, finished_before: bool) -> bool:
    """Whether the message proves a build; of one that ended already, only words from a build's beginning do."""
    phase = phase_of(message)
    if phase:
        return not (finished_before and phase in AFTER_PROVISIONING)
    return provisioner_of(message, None) is not None or message.startswith(_CONNECTED)
