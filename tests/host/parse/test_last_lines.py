"""The last lines of output that the reader tells of each build."""

from __future__ import annotations

import pytest

from buildtel.events import LastLines
from buildtel.parse import read

HEAD = (
    "==> qemu.a: Retrieving ISO\n==> null.b: Provisioning with shell script: x.sh\n==> qemu.a: Connected to SSH!\n"
    "==> qemu.a: Provisioning with shell script: y.sh\n"
)
FORMS = {
    "plain": "    {name}: {text}",
    "colour": "\x1b[0;32m    {name}: {text}\x1b[0m",
    "all is_say": "==> {name}: {text}",
    "timestamp-ui": "2026-01-24T12:00:00Z:     {name}: {text}",
    "debug": "2026/01/24 12:00:00 ui:     {name}: {text}",
    "machine-readable": "1769256000,,ui,message,    {name}: {text}",
}


def log_of(form: str, count: int, tail: str) -> bytes:
    """Two builds of which one prints all the time and the other only at the start."""
    lines = [FORMS[form].format(name="null.b", text=f"early {number}") for number in range(30)]
    lines += [FORMS[form].format(name="qemu.a", text=f"line {number}") for number in range(count)]
    return (HEAD + "\n".join(lines) + "\n" + tail).encode()


@pytest.mark.parametrize("count", [30, 30_000], ids=["line by line", "at once"])
@pytest.mark.parametrize("form", FORMS)
def test_the_last_twenty_lines_of_each_build_are_told(form: str, count: int) -> None:
    """By name, without colours, also of a build that has been silent for long; records of agents are no output."""
    log = log_of(form, count, FORMS[form].format(name="qemu.a", text='BUILDTEL:{"v":1}') + "\n")
    told = {event.target: event.texts for event in read([log]) if isinstance(event, LastLines)}

    assert told == {
        "null.b": tuple(f"early {number}" for number in range(10, 30)),
        "qemu.a": tuple(f"line {number}" for number in range(count - 20, count)),
    }


def test_each_run_of_a_log_has_its_own() -> None:
    """What the first run said last is told before the second begins."""
    run = "2026/01/24 12:00:00 [INFO] Packer version: 1.9.4\n" + HEAD + "    qemu.a: of run {}\n"
    log = (run.format(1) + "==> Wait completed after 1 second\n" + run.format(2)).encode()
    told = [event.texts[-1] for event in read([log]) if isinstance(event, LastLines) and event.target == "qemu.a"]

    assert told == ["of run 1", "of run 2"]


def output_of(log: str) -> dict[tuple[str, int], tuple[str, ...]]:
    """What provisioners that failed, or may have, printed last: by build and place."""
    events = read([log.encode()])
    return {
        (event.target, event.provisioner): event.texts
        for event in events
        if isinstance(event, LastLines) and event.provisioner is not None
    }


FAILED = "==> qemu.a: Provisioning step had errors: Running the cleanup provisioner, if present...\n"


@pytest.mark.parametrize("count", [3, 30, 30_000], ids=["few", "line by line", "at once"])
def test_a_failed_provisioner_has_its_own_last_lines(count: int) -> None:
    """Those since it began, of its build alone, without Packer's words on its end; at most twenty."""
    before = "    qemu.a: of another\n" * 5 + "==> qemu.a: Provisioning with shell script: z.sh\n"
    own = "".join(f"    qemu.a: line {number}\n    null.b: other\n" for number in range(count))

    assert output_of(HEAD + before + own + FAILED) == {
        ("qemu.a", 1): tuple(f"line {number}" for number in range(max(count - 20, 0), count)),
    }


def test_a_block_of_the_agents_is_no_output() -> None:
    """The lines of the script that failed are told, not the block of figures that stands around them."""
    head = ["\u2550" * 71, "\u23f1\ufe0f  [s] START: 2026-01-24T12:00:00+00:00", "\u2500" * 71]
    tail = ["\u2500" * 71, "\u23f1\ufe0f  [s] END: 2026-01-24T12:00:00+00:00", "", "  Duration: 1s", "\u2550" * 71]
    own = [*(f"line {number}" for number in range(30)), "\u2550" * 71]
    log = "".join(f"    qemu.a: {line}\n" for line in [*head, *own, *tail])

    assert output_of(HEAD + log + FAILED)["qemu.a", 0] == tuple(own[-20:])


def test_output_of_a_provisioner_is_bounded() -> None:
    """Four thousand characters at most, the last ones; of one longer line its end."""
    log = "".join(f"    qemu.a: {number} {'x' * 900}\n" for number in range(9))
    (texts,) = output_of(HEAD + log + FAILED).values()
    (long,) = output_of(HEAD + f"    qemu.a: {'y' * 1990}z\n" + FAILED).values()

    assert [text[:2] for text in texts] == ["5 ", "6 ", "7 ", "8 "]
    assert long == ("y" * 1990 + "z",)
