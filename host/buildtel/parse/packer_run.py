"""The state of one run of Packer while it is read: its builds and candidates for their names."""

from __future__ import annotations

from buildtel.events import BuildSeen, Event, UnreadableLine, When
from buildtel.parse.names import BuildNameCandidates, PassedNames
from buildtel.parse.repeated_messages import Copies
from buildtel.parse.states import BuildState, Stage

MAX_BUILDS = 1000
MAX_ODD_NAMES = 50
_OVER = frozenset((Stage.OVER, Stage.LISTS))


class PackerRun:
    """The state of one run.

    Attributes:
        stage: how far it is.
        builds: by name.
        odd_names: those that have a colon and a space in them.
        candidates: names that may be of builds.
        copies: what stood in one stream and may come once more in the other.
        has_log: Packer's debug log is among its output.
        total: its line on the time that all builds took.
    """

    def __init__(self, passed: PassedNames, stage: Stage) -> None:
        self.stage = stage
        self.builds: dict[bytes, BuildState] = {}
        self.odd_names: list[bytes] = []
        self.candidates = BuildNameCandidates(passed)
        self.copies = Copies()
        self.has_log = False
        self.total: bytes | None = None
        self._passed = passed
        passed.clear()

    @property
    def is_over(self) -> bool:
        """Whether all its builds are over."""
        return self.stage in _OVER

    def end(self) -> None:
        """Note that all builds are over."""
        self.stage = Stage.OVER
        self._passed.clear()

    def unjudged(self) -> list[BuildState]:
        """The builds whose end Packer has not reported."""
        return [build for build in self.builds.values() if build.verdict is None]

    def expect(self, name: bytes) -> None:
        """Add a build that the debug log announces."""
        if self.stage is Stage.BUILDS and name and name not in self.builds and self._room(name):
            self._add(name)

    def known(self, name: bytes, line: int, at: When | None, events: list[Event]) -> BuildState | None:
        """The build of that name, from now on surely one of this run's; None if there are too many.

        Args:
            name: the build's.
            line: where it stood first.
            at: the time of that line.
            events: where to tell of the build.
        """
        build = self.builds.get(name)
        if build is None:
            if not self._room(name):
                events.append(UnreadableLine(line=line, at=at, reason="of more builds than any run has"))
                return None
            build = self._add(name)
        if not build.seen:
            build.seen = True
            if not self.is_over:
                self._passed.know(name)
            events.append(BuildSeen(line=line, at=at, target=build.target))
        return build

    def of_name(self, name: bytes) -> tuple[BuildState | None, bool]:
        """The build of that name, and whether the name is that of something within it: `NAME (shell)`."""
        build = self.builds.get(name)
        if build is None and name.endswith(b")"):
            build = self.builds.get(name.rpartition(b" (")[0])
            return build, build is not None
        return build, False

    def _add(self, name: bytes) -> BuildState:
        build = self.builds[name] = BuildState(name.decode("utf-8", "replace"))
        self.candidates.forget(name)
        if b": " in name:
            self.odd_names.append(name)
        return build

    def _room(self, name: bytes) -> bool:
        return len(self.builds) < MAX_BUILDS and (b": " not in name or len(self.odd_names) < MAX_ODD_NAMES)
