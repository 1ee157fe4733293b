"""`python -m tests.stories`: plays each story and writes docs/stories.md."""

from __future__ import annotations

import tempfile
from pathlib import Path

from .story import STORIES, Story, Told, told

TARGET = Path(__file__).parents[2] / "docs" / "stories.md"
HEAD = """# Three slow builds, and what mended them

Each is a real build of [packer/examples/slow](../packer/examples/slow) that is slow on purpose: what
`buildtel-host diagnose` said of it, what was changed as it advised, and what `buildtel-host compare` said of both. The
seconds that were saved lie between the bounds that `diagnose` gave. Written by `make stories`.
"""


def chapter(story: Story, found: Told) -> str:
    """A story in Markdown."""
    least_s, most_s = found.finding["saves_s"]
    return f"""
## {story.title}

    buildtel-host packer build packer/examples/slow/{story.name}.pkr.hcl
    buildtel-host diagnose latest

```text
{found.says("diagnose", "before.json").rstrip()}
```

{story.change[0].upper()}{story.change[1:]}:

    buildtel-host packer build -var advised=true packer/examples/slow/{story.name}.pkr.hcl
    buildtel-host compare ^1 latest

```text
{found.says("compare", "before.json", "after.json").rstrip()}
```

{found.before_s:.1f} s became {found.after_s:.1f} s: {found.saved_s:.1f} s less; `diagnose` said
at least {least_s:.1f} s and at most {most_s:.1f} s.
"""


def main() -> None:
    """As the module says."""
    chapters = []
    for story in STORIES:
        with tempfile.TemporaryDirectory() as folder:
            found = told(story, Path(folder))
            print(f"{story.name}: {found.saved_s:.1f} s, bounds {found.finding['saves_s']}")
            assert found.is_within, story.name
            chapters.append(chapter(story, found))
    TARGET.write_text(HEAD + "".join(chapters), encoding="utf-8")


if __name__ == "__main__":
    main()
