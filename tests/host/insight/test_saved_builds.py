"""What the account of causes says of the saved logs of real builds with guest agents of each version."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from buildtel.cli import main
from buildtel.insight.cause_account import cause_accounts
from buildtel.insight.causes import UNKNOWN
from buildtel.insight.findings import findings
from buildtel.job import JobDocument
from buildtel.job.load import load_document

FIXTURES = Path(__file__).parents[3] / "fixtures"
LOGS = sorted((*(FIXTURES / "agents").glob("*.log"), *(FIXTURES / "wired").glob("*.log")))
MOST_UNKNOWN_PERCENT = 25
WITHOUT_SAMPLES = {
    "0.1.0-55e7916-by-sh": "no Python in the guest, steps of three seconds, one that sleeps and is not wired",
    "0.1.0-null-local": "no guest at all",
    "0.2.0-ac362e9-by-sh": "no Python in the guest, a step that sleeps and is not wired",
    "0.2.0-e26fc69-by-sh": "the same, by this agent",
    "killed-after-hello": "the sampler was killed",
}
# More than that is unknown, since it is not measured at all or by an agent that did not tell what steps wait for.
UNKNOWN_BY_RIGHT = {*WITHOUT_SAMPLES, "held"}


def collected(log: Path, folder: Path) -> JobDocument:
    """The document of a log, by the command."""
    file = folder / "document.json"
    assert main(["collect", str(log), "--version", "1", "--force", "-q", "-o", str(file)]) == 0
    return load_document(file.read_bytes(), file.name)


@pytest.mark.parametrize("log", LOGS, ids=[log.stem for log in LOGS])
def test_causes_of_a_saved_build(log: Path, tmp_path: Path) -> None:
    """They add up to its wall time; where its guest was measured, little of it is unknown."""
    document = collected(log, tmp_path)
    for account in cause_accounts(document):
        build = account.build
        assert build.started_at is not None and build.ended_at is not None
        told_ms = sum(round(row.seconds * 1000) for row in account.rows)
        assert told_ms == round(account.total_s * 1000) == round((build.ended_at - build.started_at) * 1000)

        sampled = account.machine is not None and bool(document.machines[account.machine].samples)
        unknown_s = sum(row.seconds for row in account.rows if row.cause == UNKNOWN)
        assert sampled is (log.stem not in {*WITHOUT_SAMPLES, "by-sh"})
        assert log.stem in UNKNOWN_BY_RIGHT or 100 * unknown_s <= MOST_UNKNOWN_PERCENT * account.total_s


# By the names of their steps, what these were made to do (tests/wired/saved.py).
MADE = {
    "waits": {1: "sleep", 2: "computing_one", 3: "lock", 4: "computing_one"},
    "by-sh": {1: "computing_one", 2: "computing_one"},
    "parallel": {1: "sleep", 2: "computing_one"},
    "retried-and-paused": {1: "sleep", 2: "sleep"},
    "failed": {1: "sleep", 2: "sleep"},
}


@pytest.mark.parametrize("name", MADE)
def test_a_saved_build_did_what_it_was_made_to_do(name: str, tmp_path: Path) -> None:
    """Each provisioner's longest cause, in every build of the log."""
    document = collected(FIXTURES / "wired" / f"{name}.log", tmp_path)
    for account in cause_accounts(document):
        for place, cause in MADE[name].items():
            lengths_s: Counter[str] = Counter()
            for part in account.slices:
                if account.build.account[part.stretch].provisioner == place:
                    lengths_s[part.cause] += part.seconds
            assert lengths_s.most_common(1)[0][0] == cause, (place, lengths_s)


def test_a_script_that_left_a_process_is_a_finding(tmp_path: Path) -> None:
    """Packer waited eight seconds for a `sleep 8 &` that held the script's output."""
    found = findings(collected(FIXTURES / "wired" / "held.log", tmp_path))

    assert [(one.cause, one.provisioner, round(one.seconds)) for one in found if one.cause == "held_output"] == [
        ("held_output", 1, 8)
    ]
