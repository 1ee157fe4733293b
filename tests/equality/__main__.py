"""`python -m tests.equality [--write]`: compares what the commands give with what is kept; exit status 1 if it differs.

`--write` keeps what they give now, with the commit; it is for the beginning of a change that must alter nothing.
"""

from __future__ import annotations

import sys

from .compared import differences
from .kept import KEPT, read_kept, write_kept
from .played import inputs, outcomes


def main(words: list[str]) -> int:
    """Compare or keep, and print what differs."""
    if words == ["--write"]:
        found = dict(outcomes(inputs()))
        write_kept(found)
        print(f"{len(found)} inputs kept in {KEPT.name}")
        return 0
    if words:
        print(__doc__, file=sys.stderr)
        return 2
    kept = read_kept()
    known = {name: data for name, data in inputs().items() if name in kept.outcomes}
    wrong = [words for name, outcome in outcomes(known) for words in differences(name, kept.outcomes[name], outcome)]
    print("\n".join(wrong[:200]))
    print(f"{len(known)} of {len(kept.outcomes)} inputs compared with commit {kept.commit}: {len(wrong)} differences")
    return int(bool(wrong) or not known)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
