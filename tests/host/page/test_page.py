"""A page as text: whole, well-formed, without a request, whatever the names; and what it says of a document."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import warnings
from pathlib import Path
from typing import Any

import pytest

from buildtel.insight.causes import CAUSES
from buildtel.job import JobDocument, load_document
from buildtel.page.colours import OF_CAUSES, colour_of
from buildtel.page.form_html import html
from buildtel.page.job_page import job_page
from buildtel.page.rendering import as_json
from buildtel.report.job_view import JobView

from ..job.test_document import ORIGINAL
from ..job.test_fold import read
from ..report.test_formats import views
from ..report.test_hostile import HOSTILE, hostile_document
from ..samples import log, qemu_build
from .documents import document

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import html5lib

LONG = {"10 kB of emoji": "🙂" * 2500, "hebrew": "שלום", "end of a script": "</script><script>window.evil=1</script>",
        "end of a comment": "--><!--", "attribute": '" onload="evil()" x="', "template": "{{ 7 * 7 }}{% raw %}",
        "end of svg": "</text></svg></a><img src=x onerror=evil()>"}  # fmt: skip
names = pytest.mark.parametrize("name", [*HOSTILE.values(), *LONG.values()], ids=[*HOSTILE, *LONG])


def parsed(page: str) -> Any:
    """The page's tree; fails on any error of HTML."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)


def page_of(document: JobDocument) -> str:
    """The page of a document."""
    return html(JobView(document))


@pytest.mark.parametrize("name", views())
def test_each_view_is_a_page(name: str) -> None:
    """Well-formed, with a title."""
    tree = parsed(html(views()[name]))

    assert tree.find("head/title").text.strip()
    assert "".join(tree.find("body").itertext()).strip()


@names
def test_a_page_is_well_formed_whatever_the_names(name: str) -> None:
    """The names open no element, and no attribute of an event."""
    for made in (document(machines=1, provisioners=2, parts=4, name=name, fails=True), hostile_document(name)):
        tree = parsed(page_of(made))
        kinds = {element.tag for element in tree.iter() if isinstance(element.tag, str)}
        scripts = list(tree.iter("script"))

        assert not kinds & {"img", "iframe", "object", "embed", "link", "base", "form", "input"}
        assert len(scripts) == 3
        assert not [key for element in tree.iter() for key in element.attrib if key.startswith("on") or key == "style"]


@names
def test_a_page_makes_no_request(name: str) -> None:
    """No address of another place stands where a browser would ask for it."""
    tree = parsed(page_of(document(machines=1, provisioners=2, parts=2, name=name)))
    asked = [value for element in tree.iter() for key, value in element.attrib.items() if key in ("src", "href")]

    assert asked and all(re.fullmatch(r"#[bs][0-9-]+", value) for value in asked)
    assert "url(" not in "".join(element.text for element in tree.iter("style"))


def test_the_policy_allows_just_the_style_and_scripts_of_the_page() -> None:
    """Their hashes are in it, nothing else."""
    page = page_of(document(machines=1, provisioners=2, parts=2))
    tree = parsed(page)
    policy = tree.find("head/meta[@http-equiv]").attrib["content"]
    texts = [tree.find("head/style").text, *(one.text for one in tree.iter("script") if not one.attrib)]
    hashes = {base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts}

    assert set(re.findall(r"'sha256-([^']+)'", policy)) == hashes
    assert "unsafe" not in policy and policy.startswith("default-src 'none'")


@pytest.mark.parametrize("text", ["</script>", "<!--", "\u2028\u2029", "&lt;", "##[add-mask]x", "\ud800"])
def test_data_ends_no_element(text: str) -> None:
    """It is the same text to whoever reads it as JSON."""
    told = as_json({"name": text})

    assert json.loads(told)["name"] == text
    assert told.isascii() and not set(told) & set("<>&#")


def test_the_bars_of_a_build_are_its_account() -> None:
    """Each begins where the one before it ends, and all together are the build's wall time."""
    page = job_page(document(machines=2, provisioners=10, parts=0))
    runner, *builds = page.groups

    assert [bar.label for lane in runner.lanes for bar in lane.bars] == ["packer build"]
    for group, took_s in zip(builds, (10800, 10800 * 0.95), strict=True):
        bars = group.lanes[0].bars
        assert sum(bar.duration_s for bar in bars) == pytest.approx(took_s, abs=0.02)
        ends = [bar.start_s + bar.duration_s for bar in bars]
        assert ends[:-1] == pytest.approx([bar.start_s for bar in bars[1:]], abs=0.01)
    assert [group.critical for group in builds] == [True, False]


def test_what_a_step_is_told_by_stands_with_its_provisioner() -> None:
    """A provisioner that is one step has that step's figures, and no bar or row a second time."""
    page = job_page(document(machines=1, provisioners=2, parts=4))
    rows = [row for row in page.grid.rows if row.entry.unit is not None]

    assert [row.entry.name for row in page.grid.rows].count("shell scripts/1.sh") == 1
    assert [cell.text for cell in rows[1].cells][:3] == ["provisioner", "qemu.vm0", "success"]
    assert "51" in [cell.text for cell in rows[1].cells]
    assert [lane.name for lane in page.groups[1].lanes] == ["Packer", "inside"]


def test_a_failure_stands_on_top_with_its_last_lines() -> None:
    """Verdict, reason and output come before everything else."""
    text = page_of(document(machines=1, provisioners=2, parts=0, fails=True))
    places = [text.index(words) for words in ("<strong>failure</strong>", "Why it failed", "ended with exit status 3",
                                              "last words", "Where the time went")]  # fmt: skip

    assert places == sorted(places)


@pytest.mark.parametrize("data", [b"", log(qemu_build(), stamps=False), log(qemu_build())[:3000], log(qemu_build())])
def test_a_page_of_any_log(data: bytes) -> None:
    """The time line needs times: those of the log, else those that the machine's own clock gave its steps."""
    made = read(data)
    page = page_of(made)
    parsed(page)

    assert ('<h2 id="timeline">' in page) == any(step.start_time is not None for step in made.steps)


def test_a_page_of_an_original_document() -> None:
    """A step of the original is a bar on the runner's lane."""
    page = job_page(load_document(json.dumps(ORIGINAL).encode(), "x"))

    assert [bar.label for bar in page.groups[0].lanes[0].bars] == ["packer_build"]
    assert page.strips == ()


def test_samples_of_two_boots_have_a_gap_between_them() -> None:
    """The line of a chart ends with the first boot and begins with the second."""
    whole = json.loads(document(machines=1, provisioners=1, parts=0).to_json())
    first = whole["machines"]["runner"]["samples"][0]
    whole["machines"]["runner"]["samples"] = [
        {**first, "columns": {"t_s": [0, 1, 2], "cpu_percent": [None, 5, 6]}},
        {**first, "start_time": first["start_time"] + 10, "columns": {"t_s": [0, 1], "cpu_percent": [None, 7]}},
    ]
    strips = job_page(load_document(json.dumps(whole).encode(), "x")).strips[0]

    assert strips.times_s == [0, 1, 2, 6, 10, 11]
    assert strips.charts[0].lines[0].values == [None, 5, 6, None, None, 7]
    assert strips.charts[0].about == "busy 6 % on average, at most 7 %"


def test_charts_of_rare_trouble_are_shown_where_there_is_some() -> None:
    """No packet lost and no quota met is no chart; tasks always have one."""
    whole = json.loads(document(machines=1, provisioners=1, parts=0).to_json())
    samples = whole["machines"]["runner"]["samples"][0]
    quiet = {"t_s": [0, 1, 2], "tasks_running": [1, 2, 4], "tasks_blocked": [0, 0, 1],
             "tcp_out_of_order_percent": [None, 0, None], "tcp_retransmitted_percent": [None, 0, 0],
             "cgroup_throttled_percent": [None, None, None], "beside_cpus": [None, 0, 0]}  # fmt: skip
    found = {}
    for name, columns in (("quiet", quiet), ("lost", {**quiet, "tcp_out_of_order_percent": [None, 0, 12]}),
                          ("quota", {**quiet, "cgroup_throttled_percent": [None, 90, 10]})):  # fmt: skip
        whole["machines"]["runner"]["samples"] = [{**samples, "columns": columns}]
        page = job_page(load_document(json.dumps(whole).encode(), "x"))
        found[name] = {chart.title: chart.about for chart in page.strips[0].charts}

    assert found["quiet"] == {"tasks": "running 3 on average, at most 4; waiting for disks 0.50 on average, at most 1"}
    assert list(found["lost"]) == ["tasks", "packets lost"]
    assert found["quota"]["quota of CPU time"] == "periods throttled 50 % on average, at most 90 %"


def test_cpu_is_divided_as_far_as_samples_tell() -> None:
    """User, system, interrupts, waiting and stolen add up; older documents have what is in use as one."""
    charts = job_page(document(machines=1, provisioners=1, parts=0)).strips[0].charts
    lines = {line.label: line.values[99] or 0.0 for line in charts[0].lines}

    assert list(lines) == ["user", "system", "interrupts", "iowait", "steal"]
    assert lines["user"] / lines["steal"] == pytest.approx(10, rel=0.01)
    assert lines["interrupts"] / lines["steal"] == pytest.approx(1, rel=0.05)


def test_each_cause_has_a_colour_of_its_own() -> None:
    """A cause that is added needs a row; until then it has that of the unknown."""
    assert {cause.id for cause in CAUSES} == OF_CAUSES.keys()
    assert len(set(OF_CAUSES.values())) == len(OF_CAUSES)
    assert colour_of("another") == OF_CAUSES["unknown"]


def test_what_a_moment_was_spent_on_stands_below_it() -> None:
    """The slices of a build are all of its time, each with its words, in order."""
    group = job_page(document(machines=1, provisioners=4, parts=0)).groups[1]

    assert sum(one.duration_s for one in group.slices) == pytest.approx(10800, abs=0.1)
    assert group.slices[0].start_s == 0
    assert any("booting and waiting for SSH: 4:30" in one.about for one in group.slices)


def test_findings_and_commands_stand_with_their_step() -> None:
    """In the details of the provisioner that they are of, and in no other."""
    whole = json.loads(document(machines=1, provisioners=2, parts=0).to_json())
    step = whole["steps"][1]
    step["commands"] = [{"name": "dpkg", "count": 3, "cpu_s": 12.5, "io_mb": 104}, {"name": "", "count": 9, "cpu_s": 1}]
    step["inside"] = [{"name": "apt-get", "count": 1, "start_s": 5, "duration_s": 60, "exit_code": 100}]
    lock = {"kind": "lock", "command": "apt-get", "holder": "unattended-upgr"}
    step["waits"] = [{"start_s": 9, "duration_s": 20, **lock}]
    page = job_page(load_document(json.dumps(whole).encode(), "x"))
    first, second = (detail for detail in page.details if detail.entry.unit is not None)

    assert [item.where for item in first.findings] == ["shell scripts/0.sh"] * len(first.findings) and first.findings
    assert ("waited", "apt-get 20.0 s for a lock held by unattended-upgr") in first.ran
    assert first.busiest[0].rows == (("dpkg", "3", "12.5", "104"), ("others", "9", "1", "-"))
    assert [row.heading for row in second.busiest] == ["busiest processes"]
    assert first.inner[-1].label == "apt-get (exit status 100)"
    lanes = page.groups[1].lanes
    bar, wait = [bar for lane in lanes for bar in lane.bars if "apt-get" in bar.label]
    assert (wait.kind, wait.label) == ("wait", "apt-get for a lock held by unattended-upgr")
    assert (bar.kind, bar.duration_s, bar.target) == ("failed", 60, first.entry.anchor)


def test_what_has_no_place_is_counted() -> None:
    """Bars beyond what one can look at: the longest stay, the group says how many are missing."""
    whole = json.loads(document(machines=1, provisioners=1, parts=0).to_json())
    whole["steps"][1]["inside"] = [
        {"name": "x", "count": 1, "start_s": at, "duration_s": 0.5 + (at == 1400)} for at in range(1500)
    ]
    group = job_page(load_document(json.dumps(whole).encode(), "x")).groups[1]
    bars = [bar for lane in group.lanes if lane.name == "inside" for bar in lane.bars]

    assert group.cut == 501 and max(bar.duration_s for bar in bars) > 1.4


def test_a_large_build_is_a_small_page() -> None:
    """Three hours, two machines, 40 provisioners, 300 commands: at most 1.5 MB."""
    assert len(page_of(document()).encode()) < 1_500_000


def test_the_assets_are_short(tmp_path: Path) -> None:
    """No script or style sheet of ours is longer than 400 lines, no function than 35."""
    room = Path(html.__code__.co_filename).parent
    for path in [*room.glob("assets/*"), *room.glob("templates/*")]:
        assert path.read_text(encoding="utf-8").count("\n") <= 400, path
    for path in room.glob("assets/*.js"):
        for function in re.findall(r"^function .*?^}", path.read_text(encoding="utf-8"), re.M | re.S):
            assert function.count("\n") < 35, function
