"""A step whose sampler was killed when it had said hello, and no more."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from buildtel import parse
from buildtel.job import Meta
from buildtel.job.fold import Fold

LOG = Path(__file__).parents[3] / "fixtures" / "wired" / "killed-after-hello.log"


def test_it_is_a_step_and_no_provisioner_of_ours():
    """Install is the first that says hello, finish says goodbye; a hello alone below is a user's step."""
    fold = Fold()
    for event in parse.read([LOG.read_bytes()]):
        fold.add(event)
    document = fold.document(Meta(collected_at=datetime.fromisoformat("2026-01-24T12:00:00+00:00")))
    (build,) = document.packer.runs[0].builds
    placed = {step.provisioner.index for step in document.steps if step.provisioner}

    assert [index for index, item in enumerate(build.provisioners) if item.own] == [0, 9]
    assert 8 in placed
