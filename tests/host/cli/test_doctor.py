"""`doctor`: what it looks at, what it says of what is missing, and its exit status."""

from __future__ import annotations

import json
from pathlib import Path

from .conftest import Home

FIXTURES = Path(__file__).parents[3] / "fixtures" / "proc"


def states(home: Home, *words: str, **environ: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """Exit status, and what was found: state and fix by subject."""
    done = home.run("doctor", "--format", "json", *words, **environ)
    found = json.loads(done.stdout)
    return done.returncode, {row["about"]: (row["state"], row["fix"]) for row in found}


def test_a_sound_machine(home: Home) -> None:
    """Nothing fails, every subject is there, and nothing is left behind."""
    status, found = states(home)

    assert status == 0 and {state for state, _ in found.values()} <= {"ok", "warn"}
    assert list(found) == [
        "python", "packer", "git", "TELEMETRY_DIR", "job", "unfinished jobs", "/proc", "disks", "network",
        "pressure (PSI)", "upload queue", "store", "reachable", "write access", "concurrent uploads", "delete access",
    ]  # fmt: skip
    assert all(fix for state, fix in found.values() if state != "ok")
    assert [path for path in home.store.rglob("*") if path.is_file() and path.name != ".buildtel-lock"] == []
    assert not home.telemetry.exists()


def test_lines_for_people(home: Home) -> None:
    """Each line begins with its state; below what is missing stands how to fix it."""
    done = home.run("doctor", "--proc", str(FIXTURES / "rhel7-3.10"))
    text = done.stdout.decode()

    assert all(line[:5].strip() in ("ok", "warn", "fail", "") for line in text.splitlines())
    (psi, fix) = text[text.index("warn pressure") :].splitlines()[:2]
    assert "off" in psi and fix.strip().startswith("fix: boot a kernel 4.20 or newer with psi=1")


def test_without_the_kernels_files_nothing_can_be_measured(home: Home) -> None:
    """An unreadable /proc fails, and says what would help in a container."""
    status, found = states(home, "--proc", str(home.path))

    assert (status, found["/proc"][0], found["disks"][0], found["network"][0]) == (1, "fail", "warn", "warn")


def test_a_folder_that_is_no_folder(home: Home) -> None:
    """A file where the documents should go fails, and the finding says how to fix it."""
    (home.path / "telemetry").write_text("")
    status, found = states(home)

    assert status == 1 and found["TELEMETRY_DIR"][0] == "fail" and "set TELEMETRY_DIR" in found["TELEMETRY_DIR"][1]


def test_an_unusable_setting_is_a_finding(home: Home) -> None:
    """Not an end of the examination before anything was said."""
    status, found = states(home, "--endpoint", "nonsense")

    assert status == 1 and found["store"][0] == "fail" and found["python"][0] == "ok"


def test_a_server_that_is_away(home: Home) -> None:
    """One failure that says so; what depends on it is not tried, and no key is shown."""
    done = home.run("doctor", "--endpoint", "http://127.0.0.1:9", MINIO_ACCESS_KEY="abc", MINIO_SECRET_KEY="hushhush")

    assert done.returncode == 1 and done.stdout.count(b"fail ") == 1
    assert b"hushhush" not in done.stdout + done.stderr
