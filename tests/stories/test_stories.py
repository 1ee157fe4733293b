"""The examples of slow builds: what `diagnose` advises saves what it says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .story import STORIES, Story, told

pytestmark = [
    pytest.mark.packer,
    pytest.mark.vm,  # alone: others beside would use the CPUs that it judges
    pytest.mark.skipif(not shutil.which("packer"), reason="no packer here"),
]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_the_saving_lies_between_its_bounds(story: Story, tmp_path: Path) -> None:
    """A real build that is slow on purpose, and the same as advised; once more where somebody else slowed one down."""
    for attempt in ("first", "second"):
        (tmp_path / attempt).mkdir()
        found = told(story, tmp_path / attempt)
        if found.is_within:
            break

    assert found.is_within, (found.before_s, found.after_s, found.finding)
    assert found.saved_s > 1
