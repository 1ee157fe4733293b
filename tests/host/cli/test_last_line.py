"""What only the end of a log makes certain, by the commands that read logs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import Home

HEAD = b"null.box: output will be in this color.\n\n==> null.box: Provisioning with shell script: a.sh\n"
FINISHED = b"Build 'null.box' finished after 2 seconds.\n\n==> Wait completed after 2 seconds\n\n"
LISTED = b"==> Builds finished. The artifacts of successful builds are:\n--> null.box: Did not export anything."
LAST_LINES = {
    "artifact": (HEAD + FINISHED + LISTED + b"\n", "success", ["Did not export anything."]),
    "errored": (HEAD + b"Build 'null.box' errored after 2 seconds: exit status 3\n", "failure", []),
    "errored, no newline": (HEAD + b"Build 'null.box' errored after 2 seconds: exit status 3", "failure", []),
    "finished, no newline": (HEAD + FINISHED.split(b"\n")[0], "success", []),
}  # fmt: skip


def build(document: dict[str, Any]) -> dict[str, Any]:
    """The only build."""
    (run,) = document["packer"]["runs"]
    (found,) = run["builds"]
    return dict(found)


@pytest.mark.parametrize(("log", "result", "artifacts"), LAST_LINES.values(), ids=LAST_LINES.keys())
@pytest.mark.parametrize("command", ["collect", "finalize"])
def test_the_last_line_of_a_log_counts(
    home: Home, command: str, log: bytes, result: str, artifacts: list[str]
) -> None:
    """The build's result and its last artifact are known, whatever line is the last, by both commands."""
    (home.path / "packer.log").write_bytes(log)
    if command == "finalize":
        home.run("init", "build", "1")
    done = home.run(command, "packer.log", "-q")

    (path,) = home.documents()
    found = build(json.loads(path.read_text()))
    assert (done.returncode, found["result"], found["artifacts"]) == (0, result, artifacts), done.stderr
