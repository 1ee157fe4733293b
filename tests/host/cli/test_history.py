"""`list`, `history`, `compare`, `report` and `prune` on a store, with files of the original beside new documents."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ..samples import log, qemu_build
from .conftest import Home
from .test_upload_report import collected

ORIGINAL = sorted((Path(__file__).parents[3] / "fixtures" / "original").glob("*.json"))


@pytest.fixture
def store(home: Home) -> Home:
    """A home whose store has three files of the original system and two new builds of one version."""
    for run in ("1", "2"):
        words = ("collect", "-", "-q", "--version", "0.10.3")
        assert home.run(*words, stdin=log(qemu_build()), GITHUB_RUN_ID=run).returncode == 0
    assert home.run("upload", *map(str, ORIGINAL), *map(str, home.documents())).returncode == 0
    return home


def lines(home: Home, *words: str) -> list[str]:
    """What a command prints; it must succeed."""
    done = home.run(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().splitlines()


def test_list_shows_old_and_new(store: Home) -> None:
    """Every build by its name, newest first; fewer if asked; one job if asked."""
    head, *rows = lines(store, "list")
    names = [line.split()[0] for line in rows if "@" in line.split()[0]]

    assert sorted(names) == [
        "0.10.1@20260122_122000", "0.10.2@20260124_122000", "0.10.2@20260124_130640", "0.10.3@20260124_120000",
        "0.10.3@20260124_120000_2",
    ]  # fmt: skip
    assert names[0] == "0.10.2@20260124_130640"
    assert head.startswith("build ") and "took: from the first time" in " ".join(rows)
    assert len(lines(store, "list", "--limit", "2")) == 5
    assert len(lines(store, "list", "--job", "e2e")) == 4


def test_history_is_of_one_job(store: Home) -> None:
    """Number and job in any order; piped bars are plain."""
    assert len(lines(store, "history", "2", "--format", "csv")) == 3
    for words in (("e2e",), ("e2e", "5"), ("5", "e2e")):
        assert [row["version"] for row in json.loads(store.run("history", *words, "--format", "json").stdout)] == [
            "0.10.2"
        ]
    text = store.run("history").stdout.decode()
    assert text.isascii() and "##" in text and "against the median of the 3 before it" in text


def test_each_listed_name_is_a_build(store: Home) -> None:
    """What `list` calls a build, `report` and `compare` find."""
    for build in json.loads(store.run("list", "--format", "json").stdout):
        assert lines(store, "report", build["build"], build["job"])[0].startswith(f"{build['job']} {build['version']}")


def test_a_version_with_several_builds_says_so(store: Home) -> None:
    """The newest is shown, and how many there are goes to stderr."""
    done = store.run("report", "0.10.3")

    assert done.stdout.startswith(b"build 0.10.3") and b"2 builds of '0.10.3'" in done.stderr
    assert store.run("report", "0.10.1").stderr == b""


def test_compare_names_two_of_anything(store: Home) -> None:
    """Versions, files, the newest and those before it; exit status 0 whatever differs."""
    old, new = str(ORIGINAL[0]), str(store.documents()[0])
    for words in ([], ["0.10.1", "0.10.2"], ["^2", "latest"], [old, new], ["0.10.1", new],
                  ["0.10.3@20260124_120000", "0.10.3@20260124_120000_2"]):  # fmt: skip
        assert lines(store, "compare", *words)[1].startswith("build ")
    assert "cpu_percent" in " ".join(lines(store, "compare", old, new))
    assert "0.10.1@20260122_122000" in lines(store, "compare", "0.10.1", "latest")[1]


@pytest.mark.parametrize("form", ["json", "csv", "markdown"])
def test_each_form_of_each_command(store: Home, form: str) -> None:
    """Data parses, and Markdown has its tables."""
    for words in (["list"], ["history"], ["compare"]):
        text = store.run(*words, "--format", form).stdout.decode()
        assert json.loads(text) if form == "json" else ("," if form == "csv" else "|---") in text


def test_prune_says_and_does(store: Home) -> None:
    """A dry run removes nothing and says the same as the run after it; the newest stays."""
    dry = lines(store, "prune", "--keep", "1", "--dry-run")
    before = lines(store, "list")
    wet = lines(store, "prune", "--keep", "1")

    assert [line.removeprefix("would delete ") for line in dry] == [line.removeprefix("deleted ") for line in wet]
    assert len(before) - len(lines(store, "list")) == len(wet) > 0

    collected(store, "0.10.1")
    again = json.loads(store.documents()[-1].read_bytes())
    path = store.path / "old.json"
    path.write_text(json.dumps({**again, "version": "0.10.1", "timestamp": "2025-01-01T00:00:00+00:00"}))
    store.run("upload", str(path))
    assert lines(store, "prune", "--older-than", "30d", "--dry-run") == ["would delete build 0.10.1@20250101_000000"]
    assert lines(store, "prune", "--older-than", "30d") == ["deleted build 0.10.1@20250101_000000"]
    assert not (store.store / "0.10.1/20250101_000000/build_20250101_000000.json").exists()


MISTAKES = {
    "history of two jobs": (["history", "a", "b"], 2, "expected one number of builds and one job"),
    "history of none": (["history", "0"], 2, "not a number of builds"),
    "history backwards": (["history", "--", "-3"], 2, "not a number of builds"),
    "prune without a rule": (["prune"], 2, "--keep N, --older-than D, or both"),
    "compare with nothing": (["compare"], 1, "no document of job 'build'"),
    "compare with no file": (["compare", "x.json", "y.json"], 1, "can't read x.json"),
    "no such build": (["report", "^7"], 1, "no document of job 'build'"),
}


@pytest.mark.parametrize(("words", "status", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_one_clear_line(home: Home, words: list[str], status: int, said: str) -> None:
    """The status says whose mistake it is, one line on stderr says which."""
    done = home.run(*words)

    (line,) = done.stderr.decode().splitlines()
    assert (done.returncode, done.stdout) == (status, b"")
    assert said in line


@pytest.mark.parametrize("words", [["list"], ["history"], ["history", "e2e"], ["prune", "--keep", "3"]])
def test_an_empty_store_is_no_error(home: Home, words: list[str]) -> None:
    """Nothing is shown, and nothing failed."""
    done = home.run(*words)

    assert (done.returncode, done.stdout) == (0, b"")
    assert json.loads(home.run("list", "--format", "json").stdout) == []
