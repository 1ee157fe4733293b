"""What the account of causes says of the saved logs of real builds with guest agents of each version."""

from __future__ import annotations

from pathlib import Path

import pytest

from buildtel.cli import main
from buildtel.insight.cause_account import cause_accounts
from buildtel.insight.causes import UNKNOWN
from buildtel.job import JobDocument
from buildtel.job.load import load_document

FIXTURES = Path(__file__).parents[3] / "fixtures"
LOGS = sorted((*(FIXTURES / "agents").glob("*.log"), *(FIXTURES / "wired").glob("*.log")))
MOST_UNKNOWN_PERCENT = 25
# No sampler of the whole life ran in these: there is no Python in the guest, it was killed, or no guest at all.
WITHOUT_SAMPLES = {"0.1.0-55e7916-by-sh", "0.1.0-null-local", "0.2.0-ac362e9-by-sh", "killed-after-hello"}


def collected(log: Path, folder: Path) -> JobDocument:
    """The document of a log, by the command."""
    file = folder / "document.json"
    assert main(["collect", str(log), "--version", "1", "--force", "-q", "-o", str(file)]) == 0
    return load_document(file.read_bytes(), file.name)


@pytest.mark.parametrize("log", LOGS, ids=[log.stem for log in LOGS])
def test_causes_of_a_saved_build(log: Path, tmp_path: Path) -> None:
    """They add up to its wall time; where its guest was sampled, little of it is unknown."""
    document = collected(log, tmp_path)
    (account,) = cause_accounts(document)
    build = account.build
    assert build.started_at is not None and build.ended_at is not None
    told_ms = sum(round(row.seconds * 1000) for row in account.rows)
    assert told_ms == round(account.total_s * 1000) == round((build.ended_at - build.started_at) * 1000)

    sampled = account.machine is not None and bool(document.machines[account.machine].samples)
    unknown_s = sum(row.seconds for row in account.rows if row.cause == UNKNOWN)
    assert sampled is (log.stem not in WITHOUT_SAMPLES)
    assert not sampled or 100 * unknown_s <= MOST_UNKNOWN_PERCENT * account.total_s
