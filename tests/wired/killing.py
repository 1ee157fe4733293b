"""SIGKILL to any process of ours, at random moments of a real build."""

from __future__ import annotations

import random
import re
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..killer import Killer
from .bench import UPLOADED, Bench, Built, Form, collected
from .machine import Machine

STEPS = 8


def steps(seed: int) -> tuple[Form, ...]:
    """A build: steps of a random length and end, the last of which may fail it."""
    pick = random.Random(seed)
    forms = []
    for number in range(STEPS):
        status = pick.choice([0, 0, 1, 7])
        ends = status if number == STEPS - 1 or status == 7 else 0
        more = "valid_exit_codes = [7]" if status == 7 else ""
        inline = (f"echo out {number}", f"sleep {pick.uniform(0, 0.8):.3f}", "echo err >&2", f"exit {ends}")
        command = pick.choice((None, "chmod +x {{ .Path }}; sudo -n env {{ .Vars }} {{ .Path }}"))
        forms.append(Form(f"step {number}", inline, command, more, exit=ends))
    return tuple(forms)


@dataclass
class Outcome:
    """What came of a build whose agents were killed: `faults` is empty where it was the unwired build.

    `told` has how many steps have which `ended_from` and `exit_from` in the document.
    """

    killed: int
    faults: list[str] = field(default_factory=list)
    told: Counter[tuple[str, str]] = field(default_factory=Counter)


def attacked(folder: Path, seed: int, kills: int) -> Outcome:
    """A build with and without us, ours attacked."""
    forms = steps(seed)
    killer = Killer(seed, kills)
    with Bench(folder) as bench:
        plain = bench.build("root", forms, wired=False)
        wired = bench.build("root", forms, wired=True, finish=True, meanwhile=lambda there: killer.begin(there.pid()))
        killer.end()
        document = collected(wired.log)
        found = [step_of(document, index) for index in range(1, 1 + len(forms))]
        faults = differences(plain, wired)
        pairs = zip(forms, found, strict=True)
        faults += [f"{form.name} {fault}" for form, step in pairs for fault in wrong(form, step)]
        # What removes all can't do so when it is killed itself.
        there = [] if killer.killed["finish"] else left(plain.machine, wired.machine)
        faults += [f"left: {what}" for what in there]
    told = Counter((step.get("ended_from") or "nowhere", step.get("exit_from") or "nowhere") for step in found)
    return Outcome(killer.killed.total(), faults, told)


def differences(plain: Built, wired: Built) -> list[str]:
    """Status and lines; a login shell may say that a teller was killed."""
    found = [] if plain.status == wired.status else [f"status {plain.status} without, {wired.status} with"]
    more = [text for kind, text in (wired.lines - plain.lines).elements() if not is_word_on_killed(text)]
    less = list((plain.lines - wired.lines).elements())
    return found + [f"line {line!r} with" for line in more] + [f"line {line!r} without" for line in less]


def is_word_on_killed(text: str) -> bool:
    """What a shell says of a child that somebody killed."""
    return bool(re.search(r"^Killed$|\bKilled .*buildtel", text))


def step_of(document: dict[str, Any], index: int) -> dict[str, Any]:
    """The one step that is a provisioner; empty where the document has none, or more."""
    found = [step for step in document["steps"] if (step.get("provisioner") or {}).get("index") == index]
    return found[0] if len(found) == 1 else {}


def wrong(form: Form, step: dict[str, Any]) -> list[str]:
    """What a step lacks in the document, or has otherwise than it was: its end, its status, its exit status."""
    if not step:
        return ["is not in the document, or more than once"]
    faults = []
    if step.get("ended_from") not in ("agent", "packer"):
        faults.append(f"ended nowhere: {step.get('unfinished')}")
    allowed = not form.exit or form.more.startswith("valid_exit_codes")
    if step.get("status") != ("success" if allowed else "failure"):
        faults.append(f"has the status {step.get('status')}")
    if step.get("exit_code") not in (None, form.exit):
        faults.append(f"has the exit status {step.get('exit_code')}, {form.exit} is true")
    return faults


def left(plain: Machine, wired: Machine) -> list[str]:
    """What is there after `finish`, which a build that failed has not had."""
    subprocess.run(wired.enter("sh", "/var/tmp/buildtel/buildtel_agent.py", "finish"), capture_output=True,
                   timeout=60, cwd="/")  # fmt: skip
    files = [{UPLOADED.sub("SCRIPT", path) for path in machine.files()} for machine in (plain, wired)]
    return sorted(files[1] - files[0]) + wired.processes()
