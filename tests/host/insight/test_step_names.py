"""Which steps of local scripts are told once."""

from __future__ import annotations

import pytest

from buildtel.insight.step_names import told_once
from buildtel.job.model import Step, StepProvisioner


def step(name: str, begun_s: float, ended_s: float, place: int | None = None) -> Step:
    """A recorded step of the runner; with the place of a local script the estimate of that."""
    unit = None if place is None else StepProvisioner(index=place, kind="shell-local", detail="")
    return Step(
        name=name, id=name if place is None else f"{name}/{place}", start_time=begun_s, end_time=ended_s,
        origin="runner", machine="runner", metrics={"duration_s": ended_s - begun_s}, provisioner=unit,
        measured="exactly" if place is None else "from samples",
    )  # fmt: skip


CASES = {
    "a step that is all of it": ([step("a", 10, 20, 0), step("x", 10.1, 19.9)], ["x"]),
    "stamps of a busy machine": ([step("a", 10, 20, 0), step("x", 9.8, 20.2)], ["x"]),
    "a short step of the next script": (
        [step("a", 10, 20, 0), step("x", 10, 20), step("y", 19.9, 20.2), step("b", 20, 30, 1)], ["x", "y", "b"]
    ),
    "a step that is little of it": ([step("a", 10, 20, 0), step("x", 11, 14)], ["a", "x"]),
    "two steps": ([step("a", 10, 20, 0), step("x", 10, 15), step("y", 15, 20)], ["a", "x", "y"]),
    "scripts of two builds side by side": (
        [step("a", 10, 20, 0), step("b", 10, 21, 0), step("x", 10.5, 19.5)], ["a", "b", "x"]
    ),
    "a step around it": ([step("around", 0, 90), step("a", 10, 20, 0)], ["around", "a"]),
}


@pytest.mark.parametrize("name", CASES)
def test_an_estimate_goes_where_a_recorded_step_is_most_of_it(name: str) -> None:
    """And where nothing else may be it."""
    steps, told = CASES[name]

    assert [one.name for one in told_once(steps)] == told
