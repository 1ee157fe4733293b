"""A build whose log is short on request: with the downloaded spool its document is the one of the default setting."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from buildtel.wire import lines_to_add

from .bench import FINISH, UPLOADED, Bench, Built, Form, collected
from .machine import SSHD, Machine
from .test_forms import FORMS, WHO

pytestmark = [
    pytest.mark.packer,
    pytest.mark.skipif(os.geteuid() != 0 or not SSHD or not shutil.which("packer"), reason="needs root, sshd, packer"),
]
QUICK = tuple(Form(f"quick {number}", ("true",)) for number in range(4))
NESTED = Form("steps within", ("sh /var/tmp/buildtel/buildtel_agent.py run --step inner -- true",))
# The step whose connection is lost ends a second later: the spool has what there is when it is printed.
LAST = Form("until all have ended", ("sleep 1.5",))
# The machine of a shell-local is the runner, which here is the guest as well.
FORMS_THAT_PASS = (*(form for form in FORMS[:-1] if form.kind == "shell"), *QUICK, NESTED, LAST)
FAILING = (*QUICK, FORMS[-1])
WRITE = Form("write", ("dd if=/dev/zero of=/tmp/x bs=1M count=8 2>/dev/null",))
EXAMPLE = (WRITE, Form("who", WHO), Form("sleep", ("sleep 3",)))
SETTINGS = {
    "default": "",
    "no block": "buildtel_block = false\n",
    "spool": 'buildtel_records = "spool"\n',
    "spool, no block": 'buildtel_block = false\nbuildtel_records = "spool"\n',
}
UPLOADED_BYTES = re.compile(UPLOADED.pattern.encode())
STAMP = re.compile(rb"^[-0-9T:Z]{20}: ", re.MULTILINE)
KEPT = (
    "name", "machine", "status", "exit_code", "ended_from", "signal", "unfinished", "measured",
    "provisioner",
)  # fmt: skip
Builder = Callable[..., Built]


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Builder]:
    """Builds forms with settings, each time on a machine of its own; the spool is downloaded."""
    with Bench(tmp_path) as bench:

        def built(forms: tuple[Form, ...], settings: str, *, spool: bool = True) -> Built:
            def set_up(machine: Machine) -> None:
                template = machine.folder / "t.pkr.hcl"
                text = template.read_text()
                template.write_text(text.replace(FINISH, (lines_to_add.SPOOL if spool else "") + FINISH))
                (machine.folder / "q.auto.pkrvars.hcl").write_text(settings)

            return bench.build("root", forms, wired=True, finish=True, meanwhile=set_up)

        yield built


def document(built: Built, *, timed: bool = True, spool: bool = True) -> dict[str, Any]:
    """The document of a build's log and of its spool."""
    log = built.log.with_name("log.timed" if timed else "log.untimed")
    lines = built.log.read_bytes().splitlines(keepends=True)
    text = b"".join(line if b"BUILDTEL:{" in line else UPLOADED_BYTES.sub(b"SCRIPT", line) for line in lines)
    log.write_bytes(text if timed else STAMP.sub(b"", text))
    return collected(log, *(["--spool", built.machine.folder / "buildtel-spool.jsonl"] if spool else []))


def told(found: dict[str, Any]) -> list[dict[str, Any]]:
    """What a document says of each step that does not depend on the run: no times, no ids, figures by their names."""
    names = {step["id"]: step["name"] for step in found["steps"]}
    return [
        {**{name: step.get(name) for name in KEPT}, "parent": names.get(step.get("parent")),
         "counters": {when: groups(step, when) for when in ("start", "end")}}
        for step in found["steps"]
    ]  # fmt: skip


def groups(step: dict[str, Any], when: str) -> dict[str, Any]:
    """Which counters are known of a step, by their groups and devices."""
    known = ((step.get("counters") or {}).get(when) or {}).items()
    return {name: sorted(value) if isinstance(value, dict) else len(value) for name, value in known}


@pytest.mark.vm  # alone: it compares two builds, and failed twice where others built beside it
def test_with_the_spool_the_document_is_that_of_the_default(build: Builder):
    """Every form that passes: names, order, results, counters and places; with stamps of a second, and without any."""
    default = build(FORMS_THAT_PASS, SETTINGS["default"])
    quiet = build(FORMS_THAT_PASS, SETTINGS["spool, no block"])
    log = quiet.log.read_bytes()
    in_log = [json.loads(line.partition(b"BUILDTEL:")[2]) for line in log.splitlines() if b"BUILDTEL:" in line]
    failed = {"status 7 is allowed", "the connection is lost"}

    assert (default.status, quiet.status) == (0, 0), quiet.log.read_text()[-3000:]
    assert {record["name"] for record in in_log if record["ev"] == "end"} <= failed
    assert "═" not in log.decode()
    for timed in (True, False):
        one, other = document(default, timed=timed), document(quiet, timed=timed)
        assert told(other) == told(one)
        assert [note for note in other["notes"] if "spool" in note] == []
        assert other["integrity"]["missing"] == 0
        assert other["integrity"]["recovered"] > 30


def test_a_failing_build_has_its_failing_step_in_the_log(build: Builder):
    """The others are told by Packer's words, one note says where their records are, and none are called missing."""
    default = document(build(FAILING, SETTINGS["default"]), spool=False)
    quiet = document(build(FAILING, SETTINGS["spool, no block"]), spool=False)
    last = quiet["steps"][-1]
    keys = ("status", "provisioner")

    assert (last["name"], last["exit_code"], last["measured"]) == ("fails with 3", 3, "exactly")
    assert [step.get("measured") for step in quiet["steps"][:-1]] == [None] * len(QUICK)
    assert [[step[key] for key in keys] for step in quiet["steps"]] == [
        [step[key] for key in keys] for step in default["steps"]
    ]
    assert len([note for note in quiet["notes"] if "the records of this build are in the spool" in note]) == 1
    assert quiet["integrity"]["missing"] == 0


def test_how_many_lines_of_ours_are_in_the_log(build: Builder, tmp_path: Path):
    """Three steps: each of the two settings takes lines away, both leave hello, goodbye and our own provisioners."""
    with Bench(tmp_path / "plain") as bench:
        (tmp_path / "plain").mkdir()
        plain = len(bench.build("root", EXAMPLE, wired=False).log.read_text().splitlines())
    counts = {
        name: len(build(EXAMPLE, text, spool="spool" in name).log.read_text().splitlines()) - plain
        for name, text in SETTINGS.items()
    }

    assert counts["default"] > 60, counts
    assert counts["no block"] < 20, counts
    assert counts["default"] > counts["spool"] > counts["spool, no block"], counts
    assert counts["spool, no block"] <= 7, counts
