"""Checks a template with all rules, and counts the measured steps.

A rule is a generator of findings; the tables of `build_rules` and `template_rules` say which rules there are.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

from buildtel.wire import build_block
from buildtel.wire.build_rules import BUILD_RULES
from buildtel.wire.execute_command import MEASURED, measured
from buildtel.wire.finding import Finding
from buildtel.wire.template import Template
from buildtel.wire.template_rules import TEMPLATE_RULES, refused


def check(template: Template) -> tuple[Finding, ...]:
    """All findings, the template's first, then each build's in the order of its provisioners.

    Of a folder that Packer refuses nothing else is said.

    Raises:
        BuildtelError: a file that the judgement needs can't be read.
    """
    refusals = tuple(refused(template))
    if refusals:
        return tuple(map(_on_one_line, refusals))
    found = build_block.of_template(template)
    of_template = (rule(template, found) for rule in TEMPLATE_RULES)
    of_builds = (rule(build) for build in found for rule in BUILD_RULES)
    return tuple(dict.fromkeys(map(_on_one_line, chain.from_iterable(chain(of_template, of_builds)))))


def _on_one_line(finding: Finding) -> Finding:
    """A finding whose text has no line ends, whatever a name in the template holds."""
    return replace(finding, text=" ".join(finding.text.split()))


def measured_steps(template: Template) -> tuple[int, int]:
    """How many of the user's shell provisioners are measured at level 2, and how many run in Linux guests."""
    shells = [
        all(measured(command.alternatives) in MEASURED for command in shell.commands_for(sources))
        for build in build_block.of_template(template)
        for shell in build.provisioners
        if shell.is_step and (sources := build.measured_for(shell))
    ]
    return sum(shells), len(shells)
