"""What a document says of a step whose cause is known."""

from __future__ import annotations

from collections import Counter

from buildtel.insight.cause_account import cause_accounts
from buildtel.insight.causes import CAUSE
from buildtel.insight.findings import findings
from buildtel.job import JobDocument

from .injected import Injected


def judged(document: JobDocument, injected: Injected) -> tuple[Counter[str], str | None]:
    """The seconds of each cause in the step of `injected`, and the cause of the step's first finding of a cause."""
    (step,) = [step for step in document.steps if step.name == injected.name]
    place = step.provisioner.index if step.provisioner is not None else None
    (account,) = cause_accounts(document)
    seconds: Counter[str] = Counter()
    for part in account.slices:
        if account.build.account[part.stretch].provisioner == place:
            seconds[part.cause] += part.seconds
    found = [finding.cause for finding in findings(document) if finding.provisioner == place and finding.cause in CAUSE]
    return seconds, found[0] if found else None
