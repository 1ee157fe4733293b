"""What ran inside a step, on a page: with the step's details, its own figures apart from the machine's."""

from __future__ import annotations

import pytest

from ..job.test_accounts import TOLD, build
from ..report.test_hostile import HOSTILE
from .test_page import page_of, parsed


def words_of(page: str) -> str:
    """The page's text."""
    return " ".join("".join(parsed(page).find("body").itertext()).split())


def test_the_inside_stands_with_the_details_of_its_step() -> None:
    """Once, and the machine's figures are said to be the machine's."""
    words = words_of(page_of(build(TOLD)))

    assert words.count("its own own load") == 1
    for one in ("apt-get220.5100", "4 × true …", "not heard of3 commands", "on qemu.debian, the whole machine"):
        assert one in words, one
    assert "the step's own processes" in words


def test_what_is_sampled_says_so() -> None:
    """In the heading of the figures and below the commands."""
    told = {**TOLD, "cmds": {"from": "sampled", "own": [["apt-get", 2, 20.5, None, 30.5, None]]}}
    words = words_of(page_of(build(told)))

    assert "the step's own processes (sampled)" in words
    assert "looks at the step's processes (sampled)" in words


def test_without_accounts_there_is_no_word_of_them() -> None:
    """Documents of older agents."""
    words = words_of(page_of(build({})))

    assert "its own" not in words and "own processes" not in words


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_names_of_commands_are_no_markup(name: str) -> None:
    """Names are a stranger's."""
    told = {**TOLD, "inside": [[name, 1, 0.01, 60.5, 19.5, 0]]}
    told["cmds"] = {**TOLD["cmds"], "own": [[name, 2, 20.5, 100.0, 30.5, 0.25]]}
    tree = parsed(page_of(build(told)))

    assert not {one.tag for one in tree.iter() if isinstance(one.tag, str)} & {"img", "iframe", "b", "a.b"}
