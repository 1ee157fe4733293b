"""Tells of Packer's transfers and tries to connect: which build a debug line, which names none, or a bar is of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from buildtel.events import ConnectionTried, Event, TransferSeen
from buildtel.parse.addresses import Addresses
from buildtel.parse.debug_texts import BAR_SIGN, Told, bar_of, connection_try_of, transfer_of, writing_plugin_of
from buildtel.parse.line_context import LineContext
from buildtel.parse.states import IN_PHASE, BuildState

MOST_TRANSFERS = 20_000  # of a log
MOST_COUNTED = 1000  # files of a transfer whose end is not told
_WAITS = "wait_ssh"
_FETCHES = "retrieve_image"
_FILE_KINDS = frozenset(("file-upload", "file-download"))


@dataclass(slots=True)
class _Files:
    """The files of a transfer so far; `provisioner` is the place of the one that they are of."""

    provisioner: int
    count: int = 0
    size_bytes: int | None = None
    name: str = ""
    told_of: int = 0

    def add(self, told: Told) -> None:
        self.count, self.name = self.count + 1, told.name
        self.size_bytes = told.size_bytes if self.size_bytes is None else self.size_bytes + (told.size_bytes or 0)

    @property
    def is_behind(self) -> bool:
        """Whether not all of them were told of."""
        return self.told_of != self.count and self.size_bytes is not None

    @property
    def is_due(self) -> bool:
        """Whether to tell of them now: ever more rarely where an end comes, else of each that is counted."""
        if self.size_bytes is None:
            return self.count <= MOST_COUNTED + 1
        return self.count & (self.count - 1) == 0

    def told(self) -> Told:
        self.told_of = self.count
        is_counted = self.size_bytes is not None or self.count <= MOST_COUNTED
        return Told("file", self.name, self.size_bytes, self.count if is_counted else 0)


class Reaching:
    """Turns lines on transfers and connections into events.

    Args:
        events: gives the list that new events go to.
    """

    def __init__(self, events: Callable[[], list[Event]]) -> None:
        self._events = events
        self._told = 0
        self._files: dict[str, _Files] = {}  # by build
        self._drawn: dict[str, tuple[object, ...]] = {}  # by build: where its bar is, and the percent told of it
        self._addresses = Addresses()

    def clear(self) -> None:
        """Another run begins."""
        self._files.clear()
        self._drawn.clear()
        self._addresses.clear()

    def log(self, text: bytes, builds: Sequence[BuildState], said: LineContext) -> None:
        """Take a line of the debug log: one that may be of several builds tells nothing.

        Args:
            text: the line behind its time stamp.
            builds: the builds of the run that have not ended.
            said: its context.
        """
        result = connection_try_of(text)
        if result is not None:
            waiting = [build for build in builds if _is_waiting(build)]
            build = _only(text, waiting) or self._addresses.only(text, waiting)
            if build is not None:
                self._events().append(ConnectionTried(line=said.line, at=said.at, target=build.target, result=result))
            return
        build, told = _only(text, builds), transfer_of(text)
        if build is None or not build.seen or told is None:
            return
        if told.word == "file":
            self._add(build, told, said)
            return
        files = self._files.pop(build.target, None)
        if files is not None and files.is_behind:
            self._tell(build, files.told(), said)
        self._tell(build, told, said)

    def hear(self, build: BuildState, text: bytes, said: LineContext) -> None:
        """Take a message of a build: its machine's address, or a progress bar's line; each percent is told once.

        Args:
            build: the build.
            text: the message, without the build's name.
            said: its context.
        """
        self._addresses.hear(build, text)
        if BAR_SIGN not in text or not _may_draw(build):
            return
        bar = bar_of(text)
        if bar is None:
            return
        name, done, whole = bar
        place = build.last.index, build.phase, name, 100 * done // max(whole, 1)
        if self._drawn.get(build.target) != place:
            self._drawn[build.target] = place
            self._tell(build, Told("bar", name, done), said, whole)

    def _add(self, build: BuildState, told: Told, said: LineContext) -> None:
        """Count a file; its size tells whether an end of the transfer comes, by which all files are told of."""
        files = self._files.setdefault(build.target, _Files(build.last.index))
        if files.provisioner != build.last.index:
            files = self._files[build.target] = _Files(build.last.index)
        files.add(told)
        if files.is_due:
            self._tell(build, files.told(), said)

    def _tell(self, build: BuildState, told: Told, said: LineContext, whole_bytes: int | None = None) -> None:
        if self._told >= MOST_TRANSFERS:
            return
        self._told += 1
        self._events().append(
            TransferSeen(
                line=said.line, at=said.at, target=build.target, word=told.word, name=told.name, count=told.files,
                size_bytes=told.size_bytes, whole_bytes=whole_bytes,
            )
        )  # fmt: skip


def _only(text: bytes, builds: Sequence[BuildState]) -> BuildState | None:
    """The one build that a debug line can be of; of several, that one whose name has the type of the line's plugin.

    A name such as `qemu.debian` has the type of its builder; where others are among them, the plugin tells nothing.
    """
    if len(builds) <= 1:
        return builds[0] if builds else None
    plugin = writing_plugin_of(text)
    if plugin is None or not all("." in build.target for build in builds):
        return None
    name = plugin.decode()
    fitting = [build for build in builds if any(_is_type(word, name) for word in build.target.split("."))]
    return fitting[0] if len(fitting) == 1 else None


def _is_type(word: str, plugin: str) -> bool:
    """Whether a word may be a type of builder of a plugin: `amazon-ebs` is one of `amazon`."""
    return word == plugin or word.startswith(f"{plugin}-")


def _is_waiting(build: BuildState) -> bool:
    return build.state in IN_PHASE and build.phase is not None and build.phase[0] == _WAITS


def _may_draw(build: BuildState) -> bool:
    """Whether Packer may draw a bar now: a script's own may look like it."""
    fetches = build.state in IN_PHASE and build.phase is not None and build.phase[0] == _FETCHES
    return fetches or build.running in _FILE_KINDS
