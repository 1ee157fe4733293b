"""The account of the real VM's build, which ran under `buildtel-host packer`; and what level 1 alone tells of it."""

import json
from bisect import bisect_left, bisect_right
from collections import defaultdict
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from buildtel import parse
from buildtel.events import AgentRecord
from buildtel.job import JobDocument, Meta
from buildtel.job.fold import Fold
from buildtel.job.model import Step
from buildtel.measure.figures import figures
from buildtel.measure.record_fields import read_body
from buildtel.measure.series import Samples, unpack

from .conftest import Built

pytestmark = pytest.mark.vm

LEVEL_2 = ("start", "beat", "end")
LONG_S = 5.0


@pytest.fixture(scope="module")
def built(builds: dict[str, Future[Built]]) -> Built:
    """The build that ran all its steps, watched."""
    return builds["wired"].result()


@pytest.fixture(scope="module")
def document(built: Built) -> dict[str, Any]:
    """The document that the wrapper made at the build's end."""
    (path,) = built.log.parent.glob("*.json")
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


@pytest.fixture(scope="module")
def build(document: dict[str, Any]) -> dict[str, Any]:
    """The one build."""
    ((only,),) = [run["builds"] for run in document["packer"]["runs"]]
    found: dict[str, Any] = only
    return found


def test_every_second_is_accounted_for(build: dict[str, Any]) -> None:
    """Stretches touch from start to end; at least 97 % of the time has a name."""
    edge = round(build["started_at"] * 1000)
    for part in build["account"]:
        assert round(part["started_at"] * 1000) == edge
        edge = round(part["ended_at"] * 1000)
    assert edge == round(build["ended_at"] * 1000)
    nameless_s = sum(part["duration_s"] for part in build["account"] if part["name"] == "unattributed")
    assert nameless_s <= 0.03 * (build["ended_at"] - build["started_at"])
    assert {"start", "retrieve_image", "boot", "wait_ssh", "provisioner", "pause", "shutdown", "convert"} <= {
        part["name"] for part in build["account"]
    }


@pytest.mark.parametrize(("text", "lengths_s"), [("Waiting 1s for boot...", [1.0]), ("Pausing 5s before", [5.0] * 3)])
def test_known_sleeps_have_their_length(build: dict[str, Any], text: str, lengths_s: list[float]) -> None:
    """The wait for the boot and the pauses before provisioners, to 0.3 s."""
    found = [part["duration_s"] for part in build["account"] if part["text"].startswith(text)]
    assert found == pytest.approx(lengths_s, abs=0.3)


def test_the_hypervisor_is_apart_from_the_runner(document: dict[str, Any], build: dict[str, Any]) -> None:
    """Its process takes what it can get of a core while the guest burns one, little while that sleeps; its memory."""
    named = {step["name"]: step["provisioner"]["index"] for step in document["steps"] if step.get("provisioner")}
    within = {part["provisioner"]: part for part in build["account"] if part["provisioner"] is not None}
    burns, sleeps = (within[named[name]]["hypervisor"] for name in ("burn-20-s", "./scripts/sleep-20-s.sh"))
    assert burns["cpu_percent"] >= max(50, 2 * sleeps["cpu_percent"])
    assert sleeps["cpu_percent"] <= 40
    assert burns["memory_peak_mb"] >= 300
    writes = within[named["write-200-mib"]]
    assert writes["hypervisor"]["disk_write_mb"] >= 190
    assert writes["runner"]["cpu_percent"] > 0


def test_watching_costs_little(document: dict[str, Any]) -> None:
    """The wrapper itself took at most 2 % of one core over the build."""
    (watched,) = [step for step in document["steps"] if step["machine"] == "runner"]
    assert watched["agent_cpu_ms"] <= 0.02 * 1000 * watched["duration_s"]


@dataclass(frozen=True)
class Levels:
    """The documents with and without the steps' own records; samples by boot, and each step's boot and edges in ms."""

    whole: JobDocument
    level_1: JobDocument
    samples: dict[str, Samples]
    edges_ms: dict[str, dict[str, tuple[str, float]]]


@pytest.fixture(scope="module")
def levels(built: Built) -> Levels:
    """The same log read twice."""
    whole, level_1 = Fold(), Fold()
    samples: dict[str, Samples] = defaultdict(Samples)
    body: dict[str, dict[str, Any]] = {"cols": {}, "same": {}}  # of an event that may come in parts
    edges_ms: dict[str, dict[str, tuple[str, float]]] = defaultdict(dict)
    for event in parse.read([built.log.read_bytes()]):
        whole.add(event)
        guests = isinstance(event, AgentRecord) and event.target is not None
        if not guests or event.fields["ev"] not in LEVEL_2:
            level_1.add(event)
        if not guests:
            continue
        fields = event.fields
        if fields["ev"] == "samples":
            for name, found in body.items():
                found.update(fields.get(name, {}))
            if fields.get("part") == fields.get("of"):
                samples[fields["boot"]].add(unpack(read_body("samples", body)[0]["cols"]))
                body = {"cols": {}, "same": {}}
        elif fields["ev"] in LEVEL_2:
            edges_ms[fields["step"]][fields["ev"]] = fields["boot"], fields["m"] / 1e6
    meta = Meta(collected_at=datetime.fromisoformat("2026-01-24T12:00:00+00:00"))
    return Levels(whole.document(meta), level_1.document(meta), samples, edges_ms)


@pytest.mark.parametrize(
    "metric", ["cpu_percent", "disk_read_mb", "disk_write_mb", "net_rx_mb", "net_tx_mb", "memory_used_mb"]
)
def test_level_1_agrees_with_level_2(levels: Levels, metric: str) -> None:
    """Each step of 5 s and longer: the samples between its ends give its figures within 5 % or an interval's worth.

    An interval's worth is what the machine did in the two intervals that hold the step's ends.
    """
    compared = 0
    for step in levels.whole.steps:
        edges = levels.edges_ms.get(step.id or "", {})
        if "end" not in edges or (step.metrics.get("duration_s") or 0.0) < LONG_S:
            continue
        (boot, start_ms), (_, end_ms) = edges["start"], edges["end"]
        samples, length_s = levels.samples[boot], (end_ms - start_ms) / 1000
        before, after = samples.counters_at(start_ms), samples.counters_at(end_ms)
        assert before is not None
        assert after is not None
        compared += 1
        exact = step.metrics.get(metric) or 0.0
        sampled = figures(before, after, length_s, None).get(metric) or 0.0
        worth = _interval_worth(samples, (start_ms, end_ms), metric, length_s)
        assert abs(sampled - exact) <= max(0.05 * exact, worth) + 0.02, (step.name, exact, sampled, worth)
    assert compared >= 3


def _interval_worth(samples: Samples, edges_ms: tuple[float, float], metric: str, length_s: float) -> float:
    times = samples.times_ms
    worth = 0.0
    for edge_ms in edges_ms:
        after = next(at for at, time in enumerate(times) if time >= edge_ms)
        pair = [samples.counters_at(times[at]) or {} for at in (after - 1, after)]
        seconds = (times[after] - times[after - 1]) / 1000
        found = figures(pair[0], pair[1], seconds, None).get(metric) or 0.0
        worth += found * seconds / length_s if metric == "cpu_percent" else found
    return worth


def test_what_was_sampled_before_each_reboot_is_there(levels: Levels) -> None:
    """Up to where the machine went down, though the step that did it ended with no word."""
    rebooted = [step for step in levels.whole.steps if (step.name or "").startswith("reboot")]
    assert len(rebooted) == 3
    for step in rebooted:
        boot, start_ms = levels.edges_ms[step.id or ""]["start"]
        assert levels.samples[boot].times_ms[-1] > start_ms


def test_level_1_alone_gives_every_provisioner_figures(levels: Levels) -> None:
    """Without a single record of a step each provisioner of 5 s and longer has the guest's figures, by its times.

    They are the step's within 5 %, or what the machine did between the provisioner's ends and the step's, in whole
    sampling intervals: a provisioner also uploads its script, and its ends lie between two samples.
    """
    whole, level_1 = levels.whole, levels.level_1
    exact = {step.provisioner.index: step for step in whole.steps if step.measured == "exactly" and step.provisioner}
    sampled = {step.provisioner.index: step for step in level_1.steps if step.provisioner}
    long = {index for index, step in exact.items() if (step.metrics.get("duration_s") or 0.0) >= LONG_S}

    assert {step.measured for step in sampled.values()} == {"from samples"}
    assert long <= set(sampled)
    for index in long:
        one, other = exact[index], sampled[index]
        assert (other.metrics["duration_s"] or 0.0) >= (one.metrics["duration_s"] or 0.0)
        for metric in ("disk_write_mb", "net_rx_mb"):
            step_mb, provisioner_mb = one.metrics[metric] or 0.0, other.metrics[metric] or 0.0
            worth_mb = _beside(levels, one, other, metric)
            assert abs(step_mb - provisioner_mb) <= max(0.05 * step_mb, worth_mb) + 0.02, (one.name, metric, worth_mb)


def _beside(levels: Levels, step: Step, provisioner: Step, metric: str) -> float:
    """What the machine moved around a step in its provisioner, up to the samples before and after.

    That is from the provisioner's start to the step's, and from the step's end to the provisioner's, as far as the
    clocks of both documents can be off.
    """
    (boot, start_ms), (_, end_ms) = (levels.edges_ms[step.id or ""][edge] for edge in ("start", "end"))
    lead_ms = ((step.start_time or 0.0) - (provisioner.start_time or 0.0)) * 1000
    tail_ms = ((provisioner.end_time or 0.0) - (step.end_time or 0.0)) * 1000
    samples = levels.samples[boot]
    times = samples.times_ms
    off_ms = sum(found.clock[step.machine or ""].error_s or 0.0 for found in (levels.whole, levels.level_1)) * 1000
    moved = 0.0
    for from_ms, to_ms in ((start_ms - lead_ms, start_ms), (end_ms, end_ms + tail_ms)):
        first, last = bisect_right(times, from_ms - off_ms) - 1, bisect_left(times, to_ms + off_ms)
        before, after = samples.counters_at(times[max(first, 0)]), samples.counters_at(times[min(last, len(times) - 1)])
        moved += figures(before or {}, after or {}, 1.0, None).get(metric) or 0.0
    return moved
