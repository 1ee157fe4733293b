"""What a document says of a step whose cause is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from buildtel.insight.cause_account import cause_accounts
from buildtel.insight.causes import CAUSE
from buildtel.insight.findings import findings
from buildtel.job import JobDocument
from buildtel.timeline.packer_model import Build

from .injected import Injected


def judged(document: JobDocument, chosen: Sequence[Injected], injected: Injected) -> tuple[Counter[str], str | None]:
    """The seconds of each cause in the provisioner of `injected`, and the cause of its first finding of a cause."""
    place = 1 + chosen.index(injected)  # the first installs the agent
    (account,) = accounts = cause_accounts(document)
    seconds: Counter[str] = Counter()
    places = _places(account.build)
    for part in account.slices:
        if places[part.stretch] == place:
            seconds[part.cause] += part.seconds
    pauses_s = round(seconds["pause"], 3)  # a pause is told of the build, not of the provisioner behind it
    found = [
        finding.cause
        for finding in findings(document, accounts)
        if finding.cause in CAUSE
        and (finding.provisioner == place or (finding.cause == "pause" and finding.seconds == pauses_s))
    ]
    return seconds, found[0] if found else None


def judged_boot(document: JobDocument) -> tuple[Counter[str], str | None]:
    """The seconds of each cause in a build without steps, and the cause of its first finding of one."""
    (account,) = accounts = cause_accounts(document)
    found = [finding.cause for finding in findings(document, accounts) if finding.cause in CAUSE]
    return Counter({row.cause: row.seconds for row in account.rows}), found[0] if found else None


def _places(build: Build) -> list[int | None]:
    """Of each part of a build's account the provisioner that it belongs to: a pause to the one behind it."""
    found: list[int | None] = []
    behind: int | None = None
    for part in reversed(build.account):
        behind = part.provisioner if part.name != "pause" else behind
        found.append(behind)
    return found[::-1]
