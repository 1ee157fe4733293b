"""SIGKILL to any process of ours, at random moments of a real build."""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import subprocess
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .bench import UPLOADED, Bench, Built, Form, collected
from .machine import Machine

STEPS = 8


class Killer(threading.Thread):
    """Kills one process of ours after another, on one machine."""

    def __init__(self, seed: int, kills: int) -> None:
        super().__init__(daemon=True)
        self.random, self.kills = random.Random(seed), kills
        self.killed, self.finish_killed = 0, False
        self.over = threading.Event()
        self.machine: Machine | None = None

    def begin(self, machine: Machine) -> None:
        """From now on, on this machine."""
        self.machine = machine
        self.start()

    def run(self) -> None:
        """Until the build is over, or enough are killed."""
        assert self.machine
        while self.killed < self.kills and not self.over.wait(self.random.uniform(0.001, 0.15)):
            found = self.machine.ours()
            if found:
                self.kill(self.random.choice(found))

    def kill(self, pid: int) -> None:
        """One, if it is still there."""
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            finish = b"\0finish\0" in Path(f"/proc/{pid}/cmdline").read_bytes()
            os.kill(pid, signal.SIGKILL)
            self.killed += 1
            self.finish_killed |= finish

    def end(self) -> None:
        """No more."""
        self.over.set()
        self.join()


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
    """What came of a build whose agents were killed: `faults` is empty where it was the unwired build."""

    killed: int
    faults: list[str] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)


def attacked(folder: Path, seed: int, kills: int) -> Outcome:
    """A build with and without us, ours attacked."""
    forms = steps(seed)
    killer = Killer(seed, kills)
    with Bench(folder) as bench:
        plain = bench.build("root", forms, wired=False)
        wired = bench.build("root", forms, wired=True, finish=True, meanwhile=killer.begin)
        killer.end()
        outcome = Outcome(killer.killed, differences(plain, wired))
        document = collected(wired.log)
        outcome.told = Counter(whence(document, index) for index in range(1, 1 + len(forms)))
        outcome.faults += [f"{forms[index - 1].name} is not in the document" for index in missing(document, len(forms))]
        # What removes all can't do so when it is killed itself.
        there = [] if killer.finish_killed else left(plain.machine, wired.machine)
        outcome.faults += [f"left: {what}" for what in there]
    return outcome


def differences(plain: Built, wired: Built) -> list[str]:
    """Status and lines; a login shell may say that a teller was killed."""
    found = [] if plain.status == wired.status else [f"status {plain.status} without, {wired.status} with"]
    more = [text for kind, text in (wired.lines - plain.lines).elements() if not is_word_on_killed(text)]
    less = list((plain.lines - wired.lines).elements())
    return found + [f"line {line!r} with" for line in more] + [f"line {line!r} without" for line in less]


def is_word_on_killed(text: str) -> bool:
    """What a shell says of a child that somebody killed."""
    return bool(re.search(r"^Killed$|\bKilled .*buildtel", text))


def whence(document: dict[str, Any], index: int) -> str:
    """Where the end of a provisioner's step comes from."""
    for step in document["steps"]:
        if (step.get("provisioner") or {}).get("index") == index and step["measured"] == "exactly":
            return str(step.get("exit_from") or "nowhere")
    return "no record"


def missing(document: dict[str, Any], count: int) -> list[int]:
    """Provisioners that the document does not have as a step or, where nothing of ours was there, with their end."""
    (build,) = document["packer"]["runs"][0]["builds"]
    there = {index for index, item in enumerate(build["provisioners"]) if not item.get("own")}
    there |= {(step.get("provisioner") or {}).get("index") for step in document["steps"]}
    return [index for index in range(1, 1 + count) if index not in there]


def left(plain: Machine, wired: Machine) -> list[str]:
    """What is there after `finish`, which a build that failed has not had."""
    subprocess.run(wired.enter("sh", "/var/tmp/buildtel/buildtel_agent.py", "finish"), capture_output=True,
                   timeout=60, cwd="/")  # fmt: skip
    files = [{UPLOADED.sub("SCRIPT", path) for path in machine.files()} for machine in (plain, wired)]
    return sorted(files[1] - files[0]) + wired.processes()
