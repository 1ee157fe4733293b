"""The outcomes that are kept: one compressed JSON file."""

from __future__ import annotations

import json
import lzma
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from .played import Outcome

KEPT = Path(__file__).parent / "kept.json.xz"


@dataclass(frozen=True)
class Kept:
    """The outcome of each input, by its name, and the commit that gave it."""

    commit: str
    outcomes: dict[str, Outcome]


def read_kept() -> Kept:
    """What was kept last."""
    read = json.loads(lzma.decompress(KEPT.read_bytes()))
    return Kept(read["commit"], {name: Outcome(**fields) for name, fields in read["outcomes"].items()})


def write_kept(outcomes: dict[str, Outcome]) -> None:
    """Keep these outcomes as the current commit's."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout
    fields = {name: asdict(outcome) for name, outcome in outcomes.items()}
    text = json.dumps({"commit": commit.strip(), "outcomes": fields}, sort_keys=True)
    KEPT.write_bytes(lzma.compress(text.encode()))
