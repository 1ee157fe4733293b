"""One abstract build in every form that a log can have: the same facts come out."""

import re
import zlib
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buildtel import parse
from buildtel.events import AgentRecord, DamagedRecord, Event

from ..samples import packer_report

NOON_S = 1769256000  # 2026-01-24T12:00:00Z
VERSIONS = {True: "1.6.6", False: "1.13.1"}
GREEN, PALE, RED, OFF = "\x1b[1;32m", "\x1b[0;32m", "\x1b[1;31m", "\x1b[0m"


@dataclass(frozen=True)
class Line:
    """One line of packer's: `kind` is say, out (guest's stdout), error or raw (no target before it)."""

    kind: str
    text: str


def record(seq):
    """A sound record."""
    body = f'{{"v":1,"ev":"beat","sid":"9f3c01ab22cd","seq":{seq},"t":1,"m":2,"name":"a, b\\n"'
    return f'BUILDTEL:{body},"crc":"{zlib.crc32(body.encode()):08x}"}}'


def story(target):
    """A build in packer's words: an upload, three scripts, records, a shutdown, an end."""
    return [
        Line("raw", f"{target}: output will be in this color."),
        Line("raw", ""),
        Line("say", "Creating required virtual machine disks"),
        Line("say", "Starting VM, booting from CD-ROM"),
        Line("say", "Waiting for SSH to become available..."),
        Line("say", "Connected to SSH!"),
        Line("say", "Uploading a b.txt => /tmp/a b.txt"),
        Line("say", "Provisioning with shell script: /tmp/x/buildtel_agent.py"),
        Line("out", record(1)),
        Line("say", "Pausing 10s before the next provisioner..."),
        Line("say", "Provisioning with shell script: scripts/it's 12:30.sh"),
        Line("out", "Get:1 http://deb.debian.org, and Provisioning with shell script: no.sh"),
        Line("error", "Provisioning with shell script: /from/stderr"),
        Line("out", "10: 20: BUILDTEL"),
        Line("out", ""),
        Line("out", record(2)),
        Line("error", "+ echo " + record(3)),
        Line("say", "Provisioning with Ansible..."),
        Line("out", "TASK [x: y] ***"),
        Line("say", "Gracefully halting virtual machine..."),
        Line("say", "Running post-processor:  (type shell-local)"),
        Line("raw", f"==> {target} (shell-local): Running local shell script: /tmp/packer-shell1"),
        Line("raw", f"Build '{target}' finished after 3 minutes 12 seconds."),
        Line("raw", "\n==> Wait completed after 3 minutes 13 seconds"),
        Line("raw", "\n==> Builds finished. The artifacts of successful builds are:"),
        Line("raw", f"--> {target}: VM files in directory: output"),
    ]


def prefixed(line, target, old):
    """The line as packer prints it without colours: before 1.13 stdout had four spaces."""
    if line.kind == "raw":
        return line.text
    start = "    " if old and line.kind == "out" else "==> "
    return f"{start}{target}: {line.text}".rstrip()


def coloured(line, text):
    """The same with packer's colours."""
    if line.kind == "raw" and not line.text.endswith("color."):
        return text
    return {"error": RED, "out": PALE}.get(line.kind, GREEN) + text + OFF


def stamp(seconds, zone="Z", digits=""):
    """An RFC 3339 time."""
    return f"2026-01-24T12:{seconds // 60:02d}:{seconds % 60:02d}{digits}{zone}"


def default(lines, target, old):
    """Colours, as packer prints by default."""
    return [coloured(line, prefixed(line, target, old)) for line in lines]


def no_colour(lines, target, old):
    """`-color=false`: nothing says in advance what the builds are."""
    return [prefixed(line, target, old) for line in lines if not line.text.endswith("color.")]


def timestamp_ui(lines, target, old):
    """`-timestamp-ui`: one time a message, colours outside of it, raw lines bare."""
    return [
        coloured(line, text if line.kind == "raw" else f"{stamp(n)}: {text}")
        for n, line in enumerate(lines)
        for text in [prefixed(line, target, old)]
    ]


def machine(lines, target, old, stamped=False):
    """`-machine-readable`, also with `-timestamp-ui`."""
    for n, line in enumerate(lines):
        kind = {"error": "error", "out": "message" if old else "say"}.get(line.kind, "say")
        text = prefixed(line, target, old).replace(",", "%!(PACKER_COMMA)").replace("\n", "\\n")
        shown = f"{stamp(n, '+01:00').replace('T12', 'T13')}: {text}" if stamped and line.kind != "raw" else text
        yield f"{NOON_S + n},,ui,{kind},{shown}"
    yield f"{NOON_S},{target},artifact,0,id,x"


def both(lines, target, old):
    """`-machine-readable -timestamp-ui`."""
    return machine(lines, target, old, stamped=True)


def debug_log(lines, target, old):
    """A `PACKER_LOG_PATH` file: copies of the output between debug lines."""
    yield f"2026/01/24 12:00:00 [INFO] Packer version: {VERSIONS[old]} [go1.15 linux amd64]"
    for n, text in enumerate(default(lines, target, old)):
        said = "ui error" if lines[n].kind == "error" else "ui"
        yield f"2026/01/24 12:{n // 60:02d}:{n % 60:02d} {said}: {text}"
        yield f"2026/01/24 12:{n // 60:02d}:{n % 60:02d} packer-builder-qemu plugin: ==> {target}: echo '{record(9)}'"


def machine_log(lines, target, old):
    """The debug log of a `-machine-readable` run."""
    yield f"2026/01/24 13:00:00 [INFO] Packer version: {VERSIONS[old]}"
    for n, text in enumerate(machine(lines, target, old)):
        yield f"2026/01/24 13:{n // 60:02d}:{n % 60:02d} {text}"


def merged(lines, target, old):
    """Output and debug log of a `-machine-readable` run in one file: each line twice, either may be first."""
    yield f"2026/01/24 13:00:00 [INFO] Packer version: {VERSIONS[old]}"
    for n, text in enumerate(machine(lines, target, old)):
        pair = [text, f"2026/01/24 13:{n // 60:02d}:{n % 60:02d} {text}"]
        yield from pair if n % 3 else reversed(pair)


def merged_late(lines, target, old):
    """The same, the debug log's copies far behind."""
    texts = list(machine(lines, target, old))
    copies = [f"2026/01/24 13:{n // 60:02d}:{n % 60:02d} {text}" for n, text in enumerate(texts)]
    return [*texts[:5], *copies[:3], *texts[5:], *copies[3:]]


def every(put):
    """A form that puts something before or behind each line of the default form."""
    return lambda lines, target, old: [
        put(n, text) for n, text in enumerate("\n".join(default(lines, target, old)).split("\n"))
    ]


def gitlab(lines, target, old):
    """GitLab's stamps: long lines come in pieces, the second stream is the runner's."""
    for n, text in enumerate("\n".join(default(lines, target, old)).split("\n")):
        pieces = [text[start : start + 40] for start in range(0, len(text), 40)] or [""]
        for part, piece in enumerate(pieces):
            yield f"{stamp(n, digits='.000123')} 00O{'+' if part else ' '}{piece}"
        yield f"{stamp(n, digits='.000124')} 01E section"


FORMS = {
    "default": default,
    "no colour": no_colour,
    "timestamp-ui": timestamp_ui,
    "machine-readable": machine,
    "machine-readable and timestamp-ui": both,
    "debug log": debug_log,
    "debug log of machine-readable": machine_log,
    "merged": merged,
    "merged, copies late": merged_late,
    "github": every(lambda n, text: ("" if n else "\ufeff") + stamp(n, digits=".1234567") + " " + text),
    "gh run view": every(lambda n, text: f"build\tRun packer\t{stamp(n, digits='.1234567')} {text}"),
    "our wrapper": every(lambda n, text: stamp(n, digits=".250") + " " + text),
    "azure image builder": every(lambda n, text: f"[019d793b-66fc-480f-9b5f-6de798958520] PACKER OUT {text}"),
    "jenkins": every(lambda n, text: f"[{stamp(n, digits='.000')}] {text}"),
    "jenkins time only": every(lambda n, text: f"12:00:{n:02d}  {text}" if text else ""),
    "comment": every(lambda n, text: f"# {stamp(n, digits='.1234567')} {text}"),
    "comment without a time": every(lambda n, text: f"# {text}" if text else "#"),
    "indented": every(lambda n, text: f"    {text}"),
    "indentation lost": every(lambda n, text: re.sub(r"^(\x1b\[[0-9;]*m)? +", r"\1", text)),
    "crlf": every(lambda n, text: text + "\r"),
    "nul bytes": every(lambda n, text: text[:3] + "\0" + text[3:] + "\0"),
    "progress bar before": every(lambda n, text: "\r    x: 10%\r" + text),
    "gitlab": gitlab,
    "lost escapes": every(lambda n, text: text.replace("\x1b", "")),
    "other programs around": lambda lines, target, old: [
        "$ packer build .", '    "id": "x",', "==> default: Importing base box",
        *default(lines, target, old), "", "user@host:~$ make", "==> default: Machine booted and ready!",
    ],
}  # fmt: skip
TARGETS = ("qemu.debian", "my build.qemu.x y.z", "ubuntu (minimal)", "ubuntu-12:30:45", "it's 2026-01-24 12: 30 +01")
STAMPED = {
    "github": 1e-7, "gh run view": 1e-7, "comment": 1e-7, "gitlab": 1e-6, "our wrapper": 1e-3, "jenkins": 1e-3,
    "timestamp-ui": 1.0, "machine-readable": 1.0, "machine-readable and timestamp-ui": 1.0, "merged": 1.0,
}  # fmt: skip


def events_of(data, cuts=()):
    """All events of `data`, cut at these places."""
    return [*parse.read(data[start:end] for start, end in pairwise([0, *sorted(cuts), len(data)]))]


def rendered(form, target, old=False):
    """The story of `target` in that form, as bytes."""
    return ("\n".join(FORMS[form](story(target), target, old)) + "\n").encode()


def told_apart(form, old, unit):
    """Without colours nothing tells the guest's lines from packer's own: what the guest says counts there."""
    return form != "no colour" or unit.detail != "/from/stderr"


@pytest.mark.parametrize("old", [False, True], ids=["since 1.13", "before 1.13"])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_tells_the_same_build(form, target, old):
    """Name, result, durations, provisioners, phases, artifacts and records do not depend on the form."""
    events = events_of(rendered(form, target, old))
    (run,) = packer_report(events).runs
    (build,) = run.builds
    assert (build.name, build.result, build.duration_s, build.ssh_wait) == (target, "success", 192.0, True)
    assert run.total_s == 193.0
    units = [(unit.kind, unit.detail, unit.own) for unit in build.provisioners if told_apart(form, old, unit)]
    assert units == [
        ("file-upload", "a b.txt => /tmp/a b.txt", False),
        ("shell", "/tmp/x/buildtel_agent.py", True),
        ("shell", "scripts/it's 12:30.sh", False),
        ("ansible", "", False),
    ]
    names = [phase.name for phase in build.phases]
    assert names == ["create_disk", "boot", "wait_ssh", "pause", "shutdown", "post_processor"]
    assert build.artifacts == ("VM files in directory: output",)
    records = [(event.target, event.fields["seq"]) for event in events if isinstance(event, AgentRecord)]
    assert sorted(set(records)) == [(target, 1), (target, 2)]
    assert {event.target for event in events if isinstance(event, DamagedRecord)} == {target}


@pytest.mark.parametrize("form", STAMPED)
def test_times_come_from_the_best_stamp(form):
    """Where a line carries times, the event has the one that is finest and knows its zone."""
    events = events_of(rendered(form, "qemu.debian"))
    timed = [event.at for event in events if isinstance(event, AgentRecord)]
    assert all(at and at.zone_known and at.resolution_s == pytest.approx(STAMPED[form]) for at in timed)
    assert all(NOON_S <= at.unix_s < NOON_S + 120 for at in timed)
    build = packer_report(events).runs[0].builds[0]
    assert all(unit.started_at <= unit.ended_at for unit in build.provisioners)


@pytest.mark.parametrize("form", ["default", "machine-readable"])
def test_utf_16_is_read_as_the_text_it_is(form):
    """Windows PowerShell's `>` writes UTF-16; umlauts survive, in any cutting."""
    text = rendered(form, "qemu.größer").decode()
    log = b"\xff\xfe" + text.replace("\n", "\r\n").encode("utf-16-le")
    events = events_of(log, [1, 2, 3, 200, 555])
    assert events == events_of(log)
    assert events == events_of(text.replace("\n", "\r\n").encode())


def test_a_debug_log_alone_has_times_without_a_zone():
    """`PACKER_LOG` stamps are local: differences are right, the absolute is not."""
    (first, *_) = [event.at for event in events_of(rendered("debug log", "a.b")) if isinstance(event, AgentRecord)]
    assert not first.zone_known


def test_lines_without_stamps_have_no_time():
    """Absent is None, never 0."""
    assert {event.at for event in events_of(rendered("default", "a.b"))} == {None}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_cutting_gives_the_same_events(data):
    """However a log is cut into pieces, the events are equal."""
    form = data.draw(st.sampled_from(sorted(FORMS)))
    log = rendered(form, data.draw(st.sampled_from(TARGETS)))
    cuts = data.draw(st.lists(st.integers(0, len(log)), max_size=12))
    assert events_of(log, cuts) == events_of(log)


def fragments():
    """Pieces that look like packer's, and pieces that do not."""
    log = b"\n".join(rendered(form, "a.b") for form in sorted(FORMS))
    pieces = sorted(set(re.split(rb"(?<=[ :\n,\x1b])", log)))
    return st.one_of(st.sampled_from(pieces), st.binary(max_size=12))


@settings(max_examples=200, deadline=None)
@given(st.lists(fragments(), max_size=80), st.integers(0, 400))
def test_garbage_is_read_without_an_exception(pieces, cut):
    """Any bytes give events, the same ones in any cutting, and the fold takes them."""
    log = b"".join(pieces)
    events = events_of(log)
    assert all(isinstance(event, Event) for event in events)
    assert events_of(log, [min(cut, len(log))]) == events
    packer_report(events)
