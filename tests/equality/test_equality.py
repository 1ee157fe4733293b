"""Documents, reports and keys are those of the commit whose outcomes are kept."""

from __future__ import annotations

import pytest

from .compared import differences
from .kept import read_kept
from .played import inputs, outcomes

PARTS = ("fixtures", "corpus", "real", "cases", "fuzzed")


@pytest.mark.parametrize("part", PARTS)
def test_outcomes_are_those_that_are_kept(part):
    """Each document, key, row and figure is as before; faults of before are listed in faults.json."""
    kept = read_kept().outcomes
    known = {name: data for name, data in inputs().items() if name in kept and name.startswith(f"{part}/")}
    if not known and part in ("real", "cases"):
        pytest.skip("no folder of real logs")

    assert known
    assert not [words for name, now in outcomes(known) for words in differences(name, kept[name], now)]


def test_a_difference_is_told():
    """A figure that changes in a document, a row of a report or a key is found."""
    name, before = next(item for item in read_kept().outcomes.items() if item[1].document.startswith("{"))
    changed = {
        "document": before.document.replace('"version":"', '"version":"x', 1),
        "keys": [*before.keys, "more"],
        "reports": {form: text + "\nmore 1\n" for form, text in before.reports.items()},
    }

    assert not list(differences(name, before, before))
    for field, value in changed.items():
        fields = {key: getattr(before, key) for key in ("digest", "document", "reports", "keys")}
        assert list(differences(name, before, type(before)(**{**fields, field: value}))), field
