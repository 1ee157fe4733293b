"""Which words of a Packer plugin begin no phase yet: what `ui.Say` prints in its Go source and our tables do not know.

    python docs/plugin_texts.py PLUGIN_SOURCE            all texts that begin no phase
    python docs/plugin_texts.py PLUGIN_SOURCE OLDER      of these, the ones that the older version does not print

The tables are `host/buildtel/parse/phases.py` and `plugin_texts.py` beside it; a text is added there under its plugin
and version. The source is a checkout of the plugin, as `git clone` gives it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from buildtel.parse.phases import phase_of
from buildtel.parse.provisioner_texts import provisioner_of

_SAY = re.compile(r'\b[uU]i\.Sayf?\(\s*(?:fmt\.Sprintf\(\s*)?"((?:[^"\\\n]|\\.)*)"')
_VERB = re.compile(r"%[-+ #0]*\d*(?:\.\d+)?[a-zA-Z]")


def texts(source: Path) -> dict[str, str]:
    """`{text: file:line}` of what a plugin says; `%s` and the like stand as they are in the source."""
    found: dict[str, str] = {}
    for path in sorted(source.rglob("*.go")):
        if path.name.endswith("_test.go") or "vendor" in path.parts:
            continue
        code = path.read_text(encoding="utf-8", errors="replace")
        for match in _SAY.finditer(code):
            line = code.count("\n", 0, match.start()) + 1
            text = match[1].replace('\\"', '"').split("\\n")[0]
            found.setdefault(text, f"{path.relative_to(source)}:{line}")
    return found


def is_known(text: str) -> bool:
    """Whether a text begins a phase or a provisioner, with a word in place of each verb."""
    shown = _VERB.sub("x1", text).encode()
    return phase_of(shown) is not None or provisioner_of(shown, None) is not None


def unknown(source: Path, older: Path | None = None) -> Iterator[str]:
    """The texts that begin nothing, each with its place; none that the older version has, too."""
    before = texts(older) if older is not None else {}
    for text, place in texts(source).items():
        if text not in before and not is_known(text):
            yield f"{place}: {text}"


if __name__ == "__main__":
    folders = [Path(word) for word in sys.argv[1:3]]
    if not folders or not all(folder.is_dir() for folder in folders):
        sys.exit(__doc__)
    for row in unknown(*folders):
        print(row)
