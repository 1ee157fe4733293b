"""What the commands answer to near misses: the right word, the right place, the right file."""

from __future__ import annotations

from .conftest import Home

LOG = (
    b"2026-01-24T12:00:00Z: null.box: output will be in this color.\n"
    b"2026-01-24T12:00:02Z: Build 'null.box' finished.\n"
)
WRONG = (
    ("bucket = 5", "bucket = 5 is a number. Write a text in quotes"),
    ('timeout_s = "9"', "is a text. Write a number"),
)


def stored(home: Home) -> None:
    """A build of job `vm` in version 1.0, and one of `build` in 2.0."""
    home.run("collect", "-", "-q", "--job", "vm", "--version", "1.0", stdin=LOG)
    home.run("collect", "-", "-q", "--version", "2.0", stdin=LOG)
    assert home.run("upload").returncode == 0


def test_a_job_in_the_place_of_a_version_is_told(home: Home) -> None:
    """`report vm` says how the newest build of the job `vm` is asked for."""
    stored(home)
    done = home.run("report", "vm")

    assert done.returncode == 1
    assert "`latest vm`" in done.stderr.decode()


def test_a_version_that_only_another_job_has_names_that_job(home: Home) -> None:
    """`compare` and `report` say which job has the version."""
    stored(home)
    for words in (("compare", "1.0", "2.0"), ("report", "1.0")):
        done = home.run(*words)
        assert done.returncode == 1
        assert "Job 'vm' has that version" in done.stderr.decode()


def test_a_store_that_is_no_directory_is_told(home: Home) -> None:
    """`list --store` of a file or of nothing is a usage error, not an empty store."""
    (home.path / "file.json").write_text("{}")
    for command in ("list", "history", "report"):
        file = home.run(command, "--store", "file.json")
        missing = home.run(command, "--store", "nowhere")
        assert (file.returncode, missing.returncode) == (2, 2)
        assert "it is a file" in file.stderr.decode() and "no such directory" in missing.stderr.decode()


def test_a_setting_of_a_wrong_type_is_named(home: Home) -> None:
    """The file, the setting, its value and what is wanted are in the message."""
    folder = home.path / "config" / "buildtel"
    folder.mkdir(parents=True)
    for text, words in WRONG:
        (folder / "config.toml").write_text(f"[store]\n{text}\n")
        done = home.run("list", XDG_CONFIG_HOME=str(home.path / "config"))
        assert done.returncode == 2
        assert words in done.stderr.decode() and "config.toml" in done.stderr.decode()
