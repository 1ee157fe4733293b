"""A real build in which programs make causes on purpose: the account of causes and the findings name them.

`make causes` plays all programs and writes the table of docs/causes.md; here is one of each cause.
"""

from __future__ import annotations

import os
import shutil

import pytest

from buildtel.insight.cause_account import cause_accounts
from buildtel.insight.findings import findings
from buildtel.job import JobDocument

from ..wired.machine import SSHD
from .build import built
from .injected import FIRST, Injected
from .judged import judged

pytestmark = [
    pytest.mark.packer,
    pytest.mark.vm,  # alone: others beside would use the CPUs that it judges
    pytest.mark.skipif(os.geteuid() != 0 or not SSHD or not shutil.which("packer"), reason="needs root, sshd, packer"),
]


KINDS = (
    "computing_all", "computing_one", "disk-flush", "lock", "memory", "network_line", "network_silent", "sleep", "user",
)  # fmt: skip
PLAYED = [injected for injected in FIRST if injected.kind in KINDS]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> JobDocument:
    """One build, a step for each cause."""
    return built(tmp_path_factory.mktemp("causes"), PLAYED)


@pytest.mark.parametrize("injected", PLAYED, ids=lambda injected: injected.name)
def test_the_cause_is_told(document: JobDocument, injected: Injected) -> None:
    """It has most of its step's time, and it is the step's first finding of a cause."""
    told, first = judged(document, PLAYED, injected)

    assert told.most_common(1)[0][0] == injected.cause, told
    assert first == injected.cause


def test_the_account_is_whole(document: JobDocument) -> None:
    """It adds up to the build's wall time, and little of it is unknown."""
    (account,) = cause_accounts(document)
    unknown_s = sum(row.seconds for row in account.rows if row.cause == "unknown")

    assert sum(row.seconds for row in account.rows) == pytest.approx(account.total_s, abs=1e-6)
    assert account.total_s == pytest.approx(account.build.ended_at - account.build.started_at, abs=2e-3)
    assert unknown_s <= 0.1 * account.total_s
    assert all(finding.evidence or finding.cause == "boot_ssh" for finding in findings(document))
