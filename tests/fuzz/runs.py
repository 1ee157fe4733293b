"""One run of each kind of fuzzing, by its number."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

from .lines import put_together
from .mutate import distort, forged, mutated
from .properties import Reference, check_document, check_passed, check_shown, check_template, folded, logs, no_hang

ROOT = Path(__file__).parents[2]


@cache
def reference() -> tuple[list[bytes], Reference]:
    """The corpus, and what its intact records can tell."""
    corpus = logs()
    return corpus, Reference(corpus)


@cache
def templates() -> list[bytes]:
    """The library, the examples, and the shapes that the check is tried on."""
    shapes = (ROOT / "tests/host/wire/shapes").glob("*.hcl")
    return [path.read_bytes() for path in sorted([*(ROOT / "packer").rglob("*.pkr.hcl"), *shapes])]


@cache
def documents() -> list[bytes]:
    """Documents of the original system, and those of the corpus."""
    originals = [path.read_bytes() for path in sorted((ROOT / "fixtures/original").glob("*.json"))]
    return originals + [folded(log).to_json().encode() for log in reference()[0]]


def run_log(number: int) -> None:
    """A log of the corpus with bytes and lines changed."""
    chance = Random(f"log {number}")
    corpus, known = reference()
    document = folded(mutated(chance.choice(corpus), corpus, chance))
    known.check(document)
    if number % 20 == 0:
        check_shown(document)


def run_forged(number: int) -> None:
    """A log with records of a stranger who knows the format, their CRC right."""
    chance = Random(f"forged {number}")
    check_shown(folded(forged(chance.choice(reference()[0]), chance)))


def run_template(number: int) -> None:
    """A template with bytes and lines changed."""
    chance = Random(f"template {number}")
    check_template(mutated(chance.choice(templates()), templates(), chance).decode("utf-8", "replace"))


def run_document(number: int) -> None:
    """A document with its bytes changed, or its values."""
    chance = Random(f"document {number}")
    data = chance.choice(documents())
    if number % 2:
        value = json.loads(data)
        for _ in range(chance.randint(1, 4)):
            distort(value, chance)
        check_document(json.dumps(value).encode())
    else:
        check_document(mutated(data, documents(), chance))


def run_passed(number: int) -> None:
    """A log whose runs of lines are passed over at once gives the events that it gives line by line."""
    chance = Random(f"passed {number}")
    corpus = reference()[0]
    data = put_together(chance) if number % 4 else mutated(chance.choice(corpus), corpus, chance)
    check_passed(data, chance)


RUNS: dict[str, Callable[[int], None]] = {
    "logs": run_log,
    "forged": run_forged,
    "templates": run_template,
    "documents": run_document,
    "passed": run_passed,
}


def run_one(name: str, number: int) -> None:
    """Run number `number` of a kind; it fails if it does not come back.

    Raises:
        Broken: a property did not hold.
    """
    with no_hang():
        RUNS[name](number)


def failure_of(name: str, number: int) -> str | None:
    """What went wrong in a run, None if nothing did."""
    try:
        run_one(name, number)
    except Exception as error:  # whatever it is, it is what we look for
        return f"{name} {number}: {type(error).__name__}: {str(error)[:500]}"
    return None
