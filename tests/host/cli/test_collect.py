"""`collect` as users and their CI run it, with what they feed it by mistake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..samples import Guest, log, qemu_build, record_line
from .conftest import PROGRAM, Home


def only_line(text: bytes) -> str:
    """The one line that an error is."""
    (line,) = text.decode().splitlines()
    return line


def test_a_log_becomes_a_document_and_a_report(home: Home) -> None:
    """The document is in $TELEMETRY_DIR, its place on stderr, the report on stdout, nobody else may read it."""
    (home.path / "packer.log").write_bytes(log(qemu_build()))
    done = home.run("collect", "packer.log", "--version", "1.2")

    (path,) = home.documents()
    assert (done.returncode, done.stderr.decode()) == (0, f"document: {path}\n")
    assert b"install-docker" in done.stdout and b"\x1b" not in done.stdout
    assert json.loads(path.read_text())["version"] == "1.2"
    assert home.telemetry.stat().st_mode & 0o777 == 0o700
    assert sorted(entry.name for entry in home.telemetry.iterdir()) == [f"{path.stem}.events.jsonl.gz", path.name]


def test_a_log_comes_by_pipe_too(home: Home) -> None:
    """`-` is standard input, and `-o -` standard output: a document alone, nothing else."""
    done = home.run("collect", "-", "-o", "-", stdin=log(qemu_build()))

    assert json.loads(done.stdout)["status"] == "success"
    assert (done.returncode, done.stderr) == (0, b"")


def test_collecting_twice_in_a_second_keeps_both(home: Home) -> None:
    """No document is overwritten: the name gets a number."""
    for _ in range(3):
        assert home.run("collect", "-", "-q", "--force").returncode == 0

    assert len(home.documents()) == 3


def nested(depth: int) -> bytes:
    """A line whose JSON is deep."""
    return f"==> a.b: BUILDTEL:{'[' * depth}\n".encode()


HALF = log(qemu_build())[:2500]
READABLE = {
    "empty": b"",
    "binary": bytes(range(256)) * 500,
    "zeros": b"\0" * 100_000,
    "half a record": HALF,
    "another program": b"Jan 24 12:00:00 host sshd[1]: Accepted publickey\n" * 100,
    "one character": b"B",
    "deep": nested(50_000),
    "huge numbers": f"==> a.b: {record_line({'v': 1, 'ev': 'end', 'sid': 'a', 'seq': 1, 't': 10**200, 'm': 1})}\n".encode(),  # noqa: E501
    "hostile name": log([(1, "==> a.b: Provisioning with shell script: \x1b[2J[bold]x\x07\u202e")]),
}  # fmt: skip


@pytest.mark.parametrize("data", READABLE.values(), ids=READABLE.keys())
def test_what_can_be_read_gives_a_document(home: Home, data: bytes) -> None:
    """Whatever the bytes, with --force: a document, a report without control characters, no traceback."""
    done = home.run("collect", "-", "--force", stdin=data)

    (path,) = home.documents()
    assert (done.returncode, done.stderr.decode()) == (0, f"document: {path}\n")
    assert json.loads(path.read_text())["notes"]
    assert all(char.isprintable() or char == "\n" for char in done.stdout.decode())


NOT_PACKERS = ("empty", "binary", "zeros", "another program", "one character")


@pytest.mark.parametrize("name", NOT_PACKERS)
def test_another_programs_log_is_no_document(home: Home, name: str) -> None:
    """Without a line of Packer's and without a record: exit status 1, one line, nothing written."""
    for words in (("-",), ("-", "-o", "job.json"), ("-", "-o", "-")):
        done = home.run("collect", *words, stdin=READABLE[name])
        assert (done.returncode, done.stdout) == (1, b"")
        assert "standard input is not a Packer log" in only_line(done.stderr)

    assert not home.telemetry.exists() or list(home.telemetry.iterdir()) == []
    assert not (home.path / "job.json").exists()


@pytest.mark.parametrize(
    "words", [("collect", "-q"), ("collect", "-q", "-o", "job.json"), ("finalize", "-q")], ids=" ".join
)
@pytest.mark.parametrize("name", NOT_PACKERS)
def test_another_programs_log_is_no_part_of_a_job(home: Home, name: str, words: tuple[str, ...]) -> None:
    """With a job under way it is refused as well; the job goes on, and has its steps when it ends."""
    home.run("init", "two", "1")
    home.run("run", "lint", "--", "true")
    (home.path / "other.log").write_bytes(READABLE[name])
    done = home.run(*words, "other.log")
    ended = home.run("finalize", "-q")

    assert (done.returncode, done.stdout) == (1, b"")
    assert "other.log is not a Packer log" in only_line(done.stderr)
    assert not (home.path / "job.json").exists()
    assert ended.returncode == 0, ended.stderr
    (path,) = home.documents()
    assert [step["name"] for step in json.loads(path.read_text())["steps"]] == ["lint"]


BYE = record_line({"v": 1, "ev": "bye", "sid": "a", "seq": 1, "t": 1, "m": 1})
PACKERS_ALONE = {
    "an error": 'Error: Failed to initialize build "x"\n\n* bad thing\n',
    "a colour": "x: output will be in this color.\n",
    "the end": "==> Wait completed after 3 seconds\n",
    "a record": f"{BYE}\n",
    "a debug line": "2026/01/24 12:00:00 [INFO] Packer version: 1.9.1 [go1.20.4 linux amd64]\n",
}


@pytest.mark.parametrize("data", PACKERS_ALONE.values(), ids=PACKERS_ALONE)
def test_one_line_of_packers_is_enough(home: Home, data: str) -> None:
    """One line that only Packer or an agent writes makes a document."""
    assert home.run("collect", "-", "-q", stdin=data.encode()).returncode == 0


def test_every_cut_of_a_log_gives_a_document(home: Home) -> None:
    """A log cut off anywhere is a build whose end is not known, not an error."""
    whole = log(qemu_build())
    for place in range(len(whole) // 8, len(whole), len(whole) // 8):
        done = home.run("collect", "-", "-o", "-", stdin=whole[:place])
        status = "success" if b"finished after" in whole[:place] else "unknown"
        assert (done.returncode, done.stderr, json.loads(done.stdout)["status"]) == (0, b"", status)


def test_what_can_not_be_read_is_one_clear_line(home: Home) -> None:
    """A directory or a missing file ends with 1 and says which and why."""
    for name, words in ((".", "it is a directory"), ("missing.log", "No such file"), ("a\nb", "No such file")):
        done = home.run("collect", name)
        assert done.returncode == 1
        assert words in only_line(done.stderr)
    assert home.documents() == []


OUTPUTS = {
    "directory": ("there", "it is a directory"),
    "no such directory": ("no/where.json", "there is no directory"),
    "full disk": ("/dev/full", "No space left"),
    "other file": ("notes.txt", "is not a job document"),
    "other job": ("e2e.json", "a document of job 'e2e'"),
}


@pytest.mark.parametrize(("output", "words"), OUTPUTS.values(), ids=OUTPUTS.keys())
def test_what_can_not_be_written_is_one_clear_line(home: Home, output: str, words: str) -> None:
    """An output that can't be, or must not be written ends with 1; what stood there still stands."""
    (home.path / "there").mkdir()
    (home.path / "notes.txt").write_text("mine")
    (home.path / "e2e.json").write_text('{"job": "e2e", "version": "1", "steps": []}')
    before = {path.name: path.read_text() for path in home.path.glob("*.*")}
    done = home.run("collect", "-", "--force", "-o", output)

    assert done.returncode == 1
    assert words in only_line(done.stderr)
    assert {path.name: path.read_text() for path in home.path.glob("*.*")} == before


def test_the_same_jobs_document_is_replaced(home: Home) -> None:
    """`-o` to the last document of the same job writes the new one in its place."""
    home.run("collect", "-", "--force", "-o", "job.json", "--version", "1")
    done = home.run("collect", "-", "--force", "-o", "job.json", "--version", "2")

    assert done.returncode == 0
    assert json.loads((home.path / "job.json").read_text())["version"] == "2"


@pytest.mark.parametrize("kind", ["file", "dangling link"])
def test_a_telemetry_dir_that_is_none_is_refused(home: Home, kind: str) -> None:
    """A file or a link to nothing where the directory should be: 1, one line, the mend."""
    if kind == "file":
        home.telemetry.write_text("")
    else:
        home.telemetry.symlink_to(home.path / "nothing")
    done = home.run("collect", "-", "--force")

    assert done.returncode == 1
    assert "Set TELEMETRY_DIR" in only_line(done.stderr)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a directory of somebody else's")
@pytest.mark.parametrize("through_a_link", [False, True])
def test_a_telemetry_dir_of_somebody_else_is_refused(home: Home, through_a_link: bool) -> None:
    """Nothing is written where another user could read or plant: the directory, or what a link leads to."""
    theirs = home.path / "theirs" if through_a_link else home.telemetry
    theirs.mkdir()
    os.chown(theirs, 12345, 12345)
    if through_a_link:
        home.telemetry.symlink_to(theirs)
    done = home.run("collect", "-", "--force")

    assert done.returncode == 1
    assert "belongs to another user" in only_line(done.stderr)
    assert list(theirs.iterdir()) == []


def test_a_job_of_any_name_stays_in_the_directory(home: Home) -> None:
    """A job named like a path is a file's name, not a path."""
    assert home.run("collect", "-", "--force", "--job", "../../etc/x").returncode == 0

    (path,) = home.documents()
    assert json.loads(path.read_text())["job"] == "../../etc/x"


CI = {
    "github": ({"GITHUB_SHA": "s", "GITHUB_REF": "refs/heads/m", "GITHUB_RUN_ID": "7", "GITHUB_RUN_NUMBER": "8",
                "RUNNER_NAME": "r", "GITHUB_REF_TYPE": "branch"}, "0"),
    "github tag": ({"GITHUB_SHA": "s", "GITHUB_REF": "refs/heads/m", "GITHUB_RUN_ID": "7", "GITHUB_RUN_NUMBER": "8",
                    "RUNNER_NAME": "r", "GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1"}, "v1"),
    "gitlab": ({"CI_COMMIT_SHA": "s", "CI_COMMIT_REF_NAME": "refs/heads/m", "CI_PIPELINE_ID": "7",
                "CI_PIPELINE_IID": "8", "CI_RUNNER_DESCRIPTION": "r", "CI_COMMIT_TAG": "v2"}, "v2"),
}  # fmt: skip


@pytest.mark.parametrize(("environ", "version"), CI.values(), ids=CI.keys())
def test_the_ci_says_which_job_it_was(home: Home, environ: dict[str, str], version: str) -> None:
    """Commit, ref, run and runner come from the CI's environment, the version from its tag."""
    document = json.loads(home.run("collect", "-", "--force", "-o", "-", **environ).stdout)

    named = [document[name] for name in ("git_sha", "git_ref", "run_id", "run_number", "runner", "version")]
    assert named == ["s", "refs/heads/m", "7", "8", "r", version]


def test_without_ci_and_checkout_nothing_is_invented(home: Home) -> None:
    """Outside of everything all of it is null, and the version `0`."""
    document = json.loads(home.run("collect", "-", "--force", "-o", "-").stdout)

    named = [document[name] for name in ("git_sha", "git_ref", "run_id", "run_number", "runner", "version")]
    assert named == [None, None, None, None, None, "0"]


def test_a_checkout_tells_commit_and_version(home: Home) -> None:
    """In a git checkout the commit, the branch and `git describe` are taken."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "x"], ["tag", "v3.1"]):
        subprocess.run([*git, *words], cwd=home.path, check=True)
    document = json.loads(home.run("collect", "-", "--force", "-o", "-").stdout)

    assert (document["version"], document["git_ref"], len(document["git_sha"])) == ("v3.1", "refs/heads/main", 40)


def test_a_reader_that_leaves_is_no_error(home: Home) -> None:
    """`| head -1` ends the command with 0 and without a word."""
    many = [qemu_build(Guest())[-1]] + [(1, f"==> a.b: Provisioning with shell script: {n}") for n in range(20_000)]
    (home.path / "big.log").write_bytes(log(many))
    shell = '"$@" 2>err | head -c 10 >/dev/null; echo "${PIPESTATUS[0]}"'
    words = ["bash", "-c", shell, "bash", *PROGRAM, "collect", "big.log", "--format", "markdown"]
    done = subprocess.run(words, cwd=home.path, env=home.environ, capture_output=True, check=True)

    assert (done.stdout, (home.path / "err").read_text().count("\n")) == (b"0\n", 1)


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["collect", "--help"]])
def test_help_and_version_import_nothing_heavy(home: Home, words: list[str]) -> None:
    """They answer without pydantic or rich."""
    script = "import sys; from buildtel.cli import main\ntry: main(sys.argv[1:])\nexcept SystemExit: pass\n"
    script += "print(sorted({'pydantic', 'rich', 'hcl2'} & set(sys.modules)), file=sys.stderr)"
    done = subprocess.run([PROGRAM[0], "-c", script, *words], capture_output=True, env=home.environ, check=True)

    assert (done.stderr, done.stdout[:13]) in (
        (b"[]\n", b"buildtel-host"),
        (b"[]\n", b"usage: python"),
        (b"[]\n", b"usage: buildt"),
    )


# Of a process of its own, so that what the test runner holds when it forks does not count.
PEAK_KB = (
    "import resource, subprocess, sys; status = subprocess.run(sys.argv[1:]).returncode; "
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr); sys.exit(status)"
)
GROWING = {
    "line": (b"x" * 65536, 256),
    "record": (b"BUILDTEL:{" + b"9" * 65526, 64),
    "damaged records": (b'==> a.b: BUILDTEL:{"v":1}\n' * 2000, 16),
    "provisioners": (b"==> a.b: Provisioning with shell script: x\n" * 1000, 16),
}


@pytest.mark.parametrize(("unit", "size_mb"), GROWING.values(), ids=GROWING.keys())
def test_memory_does_not_grow_with_the_log(home: Home, unit: bytes, size_mb: int) -> None:
    """A line or a log of any length is read in less than 200 MB."""
    command = [sys.executable, "-c", PEAK_KB, *PROGRAM, "collect", "-", "-q", "--force"]
    with (home.path / "err").open("wb") as errors:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=errors, env=home.environ, cwd=home.path)
    assert process.stdin is not None
    for _ in range(size_mb * 1024 * 1024 // len(unit)):
        process.stdin.write(unit)
    process.stdin.close()

    assert process.wait() == 0
    assert int((home.path / "err").read_text()) < 200 * 1024


def test_usage_errors_end_with_2(home: Home) -> None:
    """A missing argument or an unknown command is wrong usage."""
    assert [home.run(*words).returncode for words in (["collect"], ["dance"], ["collect", "a", "b"])] == [2, 2, 2]
    assert home.run().returncode == 0


def test_a_log_named_as_output_is_not_overwritten(home: Home) -> None:
    """`collect x.log -o x.log` by mistake leaves the log as it was."""
    path: Path = home.path / "x.log"
    path.write_bytes(log(qemu_build()))
    done = home.run("collect", "x.log", "-o", "x.log")

    assert done.returncode == 1
    assert path.read_bytes() == log(qemu_build())
