"""The colours of a page's bars and lines, given as presentation attributes, so that they show where no style may."""

from __future__ import annotations

from buildtel.insight.causes import CAUSES, UNKNOWN
from buildtel.insight.spent import WORDS

DARK, LIGHT = "#101828", "#ffffff"
# By kind of a bar: its colour, and that of the text in it (contrast at least 4.5).
_BARS = {
    "start": ("#5f6b7e", LIGHT), "images": ("#0f7355", LIGHT), "boot": ("#7a3db8", LIGHT),
    "provisioners": ("#2563c9", LIGHT), "pauses": ("#7d6212", LIGHT), "end": ("#475467", LIGHT),
    "artifacts": ("#a23b72", LIGHT), "other": ("#56657a", LIGHT), "buildtel": ("#a3adbd", DARK),
    "unattributed": ("#f2b53c", DARK), "failed": ("#b42318", LIGHT), "step": ("#2a6a8e", LIGHT),
    "runner": ("#3f5f96", LIGHT), "inside": ("#a9c3f0", DARK), "wait": ("#f2b53c", DARK),
}  # fmt: skip
# By cause: green computes, violet waits for disks, red starves, blue loads, brown waits for the machine or for people.
OF_CAUSES = {
    "computing_all": "#0f7355", "computing_some": "#2f9e78", "computing_one": "#84c5a8", "disk": "#7a3db8",
    "memory": "#b42318", "lock": "#d9480f", "starved_steal": "#e0445a", "starved_runner": "#f08a98",
    "starved_memory": "#9f2f45", "emulated": "#c2185b", "starved_throttled": "#d6336c", "network_loss": "#a61e4d",
    "starved_beside": "#f7b5be", "network_line": "#2563c9", "network_slow": "#6fa0ee", "network_silent": "#e8590c",
    "network_remote": "#f4a261", "daemon": "#8d6e63", "sleep": "#d4b2f0", "network_out": "#1d4e8f",
    "boot_ssh": "#a0762b", "transfer": "#2aa5c0", "user": "#c9a227", "pause": "#e3c567", "packer": "#667085",
    "unknown": "#c3cad5",
}  # fmt: skip
COLOURS = {kind: colour for kind, (colour, _) in _BARS.items()}
INKS = {kind: ink for kind, (_, ink) in _BARS.items()}
LINES = {"user": "#2e72d2", "system": "#7a3db8", "rest": "#667085", "iowait": "#c2570c", "steal": "#b42318"}
_MORE = {"failed": "failed", "step": "step", "runner": "step of the runner", "inside": "inside a step",
         "wait": "a command waits"}  # fmt: skip


def colour_of(cause: str) -> str:
    """The colour of a cause; one without a row has that of the unknown."""
    return OF_CAUSES.get(cause, OF_CAUSES[UNKNOWN])


def key_of_causes(found: set[str]) -> list[tuple[str, str]]:
    """What the colours of these causes mean: colour and words."""
    return [(colour_of(cause.id), cause.words) for cause in CAUSES if cause.id in found]


def key(kinds: set[str]) -> list[tuple[str, str]]:
    """What the colours of these kinds of bars mean."""
    return [(kind, word) for kind, word in [*WORDS.items(), *_MORE.items()] if kind in kinds]
