"""One example of packer/examples/slow: built as it is, and as `diagnose` advises."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[2] / "packer" / "examples" / "slow"
HOST = Path(sys.executable).with_name("buildtel-host")


@dataclass(frozen=True)
class Story:
    """A template, and the cause that makes it slow."""

    name: str
    cause: str
    title: str
    change: str

    @property
    def template(self) -> Path:
        """The template."""
        return EXAMPLES / f"{self.name}.pkr.hcl"


STORIES = (
    Story("compress", "computing_one", "Files are compressed one after the other", "`xargs -P` runs one on each CPU"),
    Story("service", "sleep", "A fixed sleep waits for a service", "a loop asks for the service five times a second"),
    Story("lock", "lock", "An updater holds the lock", "the build ends the updater before it installs"),
)


@dataclass(frozen=True)
class Told:
    """Two builds of a story: their folder, and what `diagnose` said of the first one's cause (empty: nothing)."""

    folder: Path
    finding: dict[str, Any]
    before_s: float
    after_s: float

    @property
    def saved_s(self) -> float:
        """What the advice saved, in seconds."""
        return self.before_s - self.after_s

    @property
    def is_within(self) -> bool:
        """Whether the saving lies between the bounds that `diagnose` gave."""
        least_s, most_s = self.finding.get("saves_s", (0.0, 0.0))
        return bool(least_s <= self.saved_s <= most_s)

    def says(self, *words: str) -> str:
        """What `buildtel-host WORDS` prints, 80 columns wide."""
        return host(self.folder, *words)


def host(folder: Path, *words: str) -> str:
    """What `buildtel-host WORDS` prints; it keeps its documents in `folder`."""
    environ = {**os.environ, "PATH": f"{HOST.parent}:{os.environ['PATH']}", "TELEMETRY_DIR": str(folder / "telemetry"),
               "CHECKPOINT_DISABLE": "1", "COLUMNS": "80"}  # fmt: skip
    done = subprocess.run([HOST, *words], cwd=folder, env=environ, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=120)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def told(story: Story, folder: Path) -> Told:
    """Build a story's template twice, the second time as advised.

    Args:
        story: which.
        folder: an empty folder; the documents are `before.json` and `after.json`.
    """
    lengths = []
    for name, advised in (("before", "false"), ("after", "true")):
        document = folder / f"{name}.json"
        host(folder, "packer", "-q", "-o", str(document), "build", f"-var=advised={advised}", str(story.template))
        (run,) = json.loads(document.read_text())["packer"]["runs"]
        (build,) = run["builds"]
        lengths.append(build["ended_at"] - build["started_at"])
    found = json.loads(host(folder, "diagnose", "--format", "json", "before.json"))
    finding = next((one for one in found["findings"] if one["cause"] == story.cause), {})
    return Told(folder, finding, *lengths)
