"""The colours of a page's bars and lines, given as presentation attributes, so that they show where no style may."""

from __future__ import annotations

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
# By cause (`insight/causes.py`); a cause without a row has the colour of the unknown.
CAUSES = {
    "computing_all": "#1a7f4b", "computing_some": "#3d9a63", "computing_one": "#74b88d", "disk": "#a23b72",
    "memory": "#b42318", "lock": "#d92d20", "starved_steal": "#c4320a", "starved_runner": "#c4320a",
    "starved_memory": "#c4320a", "emulated": "#93370d", "network_line": "#2563c9", "network_slow": "#0e7090",
    "network_out": "#53b1fd", "boot_ssh": "#7a3db8", "transfer": "#0086c9", "user": "#7d6212", "pause": "#b8891a",
    "packer": "#5f6b7e", "unknown": "#d0d5dd",
}  # fmt: skip
COLOURS = {kind: colour for kind, (colour, _) in _BARS.items()} | CAUSES
INKS = {kind: ink for kind, (_, ink) in _BARS.items()}
LINES = {"user": "#2e72d2", "system": "#7a3db8", "iowait": "#c2570c", "steal": "#b42318"}
_MORE = {"failed": "failed", "step": "step", "runner": "step of the runner", "inside": "inside a provisioner",
         "wait": "wait for a lock"}  # fmt: skip


def key(kinds: set[str]) -> list[tuple[str, str]]:
    """What the colours of these kinds of bars mean."""
    return [(kind, word) for kind, word in [*WORDS.items(), *_MORE.items()] if kind in kinds]
