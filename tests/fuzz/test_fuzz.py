"""Inputs made worse, by their numbers: no exception, no hang, never a figure that no intact record carries."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from buildtel.job.model import Process

from .mutate import CHANGES, mutated
from .properties import Broken, check_document, check_template, folded
from .runs import RUNS, reference, run_one

AMOUNTS = {"logs": 10_000, "forged": 1_500, "templates": 1_000, "documents": 3_000, "passed": 3_000}
ROOT = Path(__file__).parents[2]
KEPT: list[tuple[str, int]] = [
    (line.split()[0], int(line.split()[1]))
    for line in (Path(__file__).parent / "seeds.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


@pytest.mark.parametrize(("kind", "amount"), AMOUNTS.items())
def test_inputs_made_worse_do_no_harm(kind: str, amount: int) -> None:
    """So many of each; `make fuzz` runs a million logs."""
    command = [sys.executable, "-m", "tests.fuzz", f"--{kind}", str(amount)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "0 broken"), done.stdout + done.stderr
    assert f"{kind}: {amount} from 0 in " in done.stdout


def test_what_does_harm_is_told() -> None:
    """The runs can fail: a number that breaks a property is named, and the status is 1."""
    script = (
        "import sys; from tests.fuzz import runs, __main__ as fuzz\n"
        "runs.RUNS['logs'] = lambda number: 1 // (number - 3)\n"
        "sys.argv[1:] = ['--logs', '5', '--jobs', '2']; sys.exit(fuzz.main())"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout.splitlines()[0].startswith("logs 3: ZeroDivisionError")
    assert done.stdout.splitlines()[-1] == "1 broken"


@pytest.mark.parametrize(("kind", "number"), KEPT)
def test_what_was_found_once_stays_mended(kind: str, number: int) -> None:
    """Every number that ever failed."""
    run_one(kind, number)


def test_a_number_is_always_the_same_input() -> None:
    """What fails can be run again by its number."""
    corpus, _ = reference()
    assert mutated(corpus[0], corpus, Random("log 7")) == mutated(corpus[0], corpus, Random("log 7"))
    assert len({mutated(corpus[0], corpus, Random(f"log {number}")) for number in range(100)}) > 90


@pytest.mark.parametrize("change", CHANGES, ids=range(len(CHANGES)))
def test_every_change_takes_any_input(change: Any) -> None:
    """Empty ones, too."""
    for data in (b"", b"\n", b"x"):
        assert isinstance(change(data, [b""], Random(1)), bytes)


def test_the_corpus_holds_what_is_to_be_proven() -> None:
    """Whole and cut steps, steps from samples, series, processes, beats and parts are in it, and hold."""
    corpus, known = reference()
    documents = [folded(data) for data in corpus]
    steps = [step for document in documents for step in document.steps]
    for document in documents:
        known.check(document)

    exact = [step for step in steps if step.measured == "exactly"]
    assert {step.measured for step in steps} >= {"exactly", "from samples"}
    assert {step.ended_from for step in steps} >= {"agent", "packer"}
    assert any(step.processes for step in steps) and all(step.series for step in exact if step.ended_from == "agent")
    assert max(len(figures) for figures in known.figures.values()) > 20
    assert any(b'"part":2' in data for data in corpus) and any(b'"ev":"beat"' in data for data in corpus)


ALTERED: dict[str, dict[str, Any]] = {
    "a figure": {"metrics": {"cpu_percent": 12.34}},
    "a figure more": {"metrics": {"gpu_percent": 1.0}},
    "an exit status": {"exit_code": 42},
    "a step": {"id": "feed00000001.1"},
    "a process": {"processes": [Process(name="x", cpu_s=1.0)]},
    "a series": {"series": {"t_s": [0.0]}},
}


@pytest.mark.parametrize("change", ALTERED.values(), ids=ALTERED)
def test_a_figure_that_no_record_carries_is_found(change: dict[str, Any]) -> None:
    """The property can fail: of a document with something altered it does."""
    corpus, known = reference()
    for data in corpus:
        document = folded(data)
        value = json.loads(document.to_json())
        (step, *_) = [one for one in document.steps if one.measured == "exactly"]
        metrics = {**step.metrics, **change.get("metrics", {})}
        altered = replace(step, **{**change, "metrics": metrics})
        with pytest.raises(Broken):
            known.check(replace(document, steps=[altered]))
        assert value["steps"]


def test_a_sampled_figure_that_no_sample_carries_is_found() -> None:
    """So it does for what comes from the whole-life samples."""
    corpus, known = reference()
    found = [(folded(data), step) for data in corpus for step in folded(data).steps if step.measured == "from samples"]
    assert found
    for document, step in found:
        assert step.counters is not None and step.counters.end is not None
        lower = {**step.counters.end, "mem": [1, 1]}
        counters = replace(step.counters, end=lower)
        for altered in ({"counters": counters}, {"metrics": {**step.metrics, "cpu_percent": 12.34}}):
            with pytest.raises(Broken):
                known.check(replace(document, steps=[replace(step, **altered)]))


def test_every_kind_of_input_is_run() -> None:
    """None of the kinds is left out of the tests."""
    assert AMOUNTS.keys() == RUNS.keys()


def test_refusals_are_checked() -> None:
    """Of a template and a document that are none, the error's form is looked at."""
    check_template("build {")
    check_document(b"{")
