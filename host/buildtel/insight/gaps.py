"""Finds the parts of a document that were not measured."""

from __future__ import annotations

from collections.abc import Iterator

from buildtel.insight.stretches import provisioner_label
from buildtel.job import JobDocument
from buildtel.timeline.provisioner_run import SHELL_LOCAL


def unmeasured_provisioners(document: JobDocument) -> Iterator[str]:
    """The user's provisioners, of builds whose machine reported, that no step covers."""
    measured = (step for step in document.steps if step.measured is not None)
    covered = {(step.machine, step.provisioner.index) for step in measured if step.provisioner is not None}
    runs = document.packer.runs if document.packer else ()
    targets = {(machine.run, machine.target): key for key, machine in document.machines.items()}
    for number, run in enumerate(runs, 1):
        for build in run.builds:
            key = targets.get((number, build.name))
            for index, provisioner in enumerate(build.provisioners if key is not None else ()):
                on_runner = provisioner.kind == SHELL_LOCAL
                if not provisioner.own and not on_runner and (key, index) not in covered:
                    yield provisioner_label(provisioner.kind, provisioner.detail)
