"""The account: a build's wall time in stretches that touch, overlap nowhere and leave nothing over."""

from datetime import datetime, timezone

from hypothesis import given
from hypothesis import strategies as st

from buildtel import parse
from buildtel.job import JobDocument, Meta
from buildtel.job.fold import Fold
from buildtel.timeline.account import stretches
from buildtel.timeline.packer_model import Build, Phase, Provisioner

ZERO_S = 1_769_256_000.0
TIMES = st.one_of(st.none(), st.floats(ZERO_S - 100, ZERO_S + 4000))


def read(*rows: tuple[float, str]) -> JobDocument:
    """The document of lines, each said so many seconds after the first."""
    text = "".join(
        f"{datetime.fromtimestamp(ZERO_S + at_s, timezone.utc).strftime('%Y-%m-%dT%H:%M:%S.%f')[:-3]}Z {line}\n"
        for at_s, line in rows
    )
    fold = Fold()
    for event in parse.read([text.encode()]):
        fold.add(event)
    return fold.document(Meta(collected_at=datetime.fromisoformat("2026-01-24T13:00:00+00:00")))


def account(document: JobDocument, build: int = 0) -> list[tuple[str, float]]:
    """Name and length of each stretch of a build."""
    return [(part.name, part.duration_s) for part in document.packer.runs[0].builds[build].account]


def said(text: str, target: str = "qemu.a") -> str:
    """A line of a build."""
    return f"==> {target}: {text}"


def test_every_second_has_a_name() -> None:
    """A build's phases, provisioners and pauses, in their order, with the silence that nothing explains apart."""
    document = read(
        (0, "\x1b[1;32mqemu.a: output will be in this color.\x1b[0m"),
        (1.5, said("Retrieving ISO")),
        (4, said("Starting VM, booting disk image")),
        (14, said("Waiting for SSH to become available...")),
        (34, said("Connected to SSH!")),
        (36.25, said("Provisioning with shell script: a.sh")),
        (40, said("Pausing 5s before the next provisioner...")),
        (45, said("Uploading a => b")),
        (46, said("Gracefully halting virtual machine...")),
        (50, said("Converting hard drive...")),
        (58, said("Running post-processor:  (type shell-local)")),
        (60, "Build 'qemu.a' finished after 1 minute."),
    )

    assert account(document) == [
        ("start", 1.5), ("retrieve_image", 2.5), ("boot", 10.0), ("wait_ssh", 20.0), ("unattributed", 2.25),
        ("provisioner", 3.75), ("pause", 5.0), ("provisioner", 1.0), ("shutdown", 4.0), ("convert", 8.0),
        ("post_processor", 2.0),
    ]  # fmt: skip
    build = document.packer.runs[0].builds[0]
    assert [part.provisioner for part in build.account if part.name == "provisioner"] == [0, 1]
    assert (build.ended_at or 0) - (build.started_at or 0) == sum(part.duration_s for part in build.account)


def test_retries_and_questions_are_told_apart() -> None:
    """A provisioner that failed and was tried again, then the wait for an answer to `-on-error=ask`."""
    document = read(
        (0, said("Running local shell script: a.sh", "null.a")),
        (2, said('Provisioner failed with "exit 1", retrying with 1 trie(s) left', "null.a")),
        (2.5, said("Running local shell script: a.sh", "null.a")),
        (4, said('Step "StepProvision" failed', "null.a")),
        (9, said("Running local shell script: a.sh", "null.a")),
        (10, "Build 'null.a' finished after 10 seconds."),
    )

    assert account(document) == [
        ("start", 0.0), ("provisioner", 2.0), ("retry", 0.5), ("provisioner", 1.5), ("wait_user", 5.0),
        ("provisioner", 1.0),
    ]  # fmt: skip


def test_a_provisioner_is_not_drawn_out_where_its_end_is_told() -> None:
    """After Packer's own word on its end nothing is known until the next words."""
    document = read(
        (0, "2026/01/24 12:00:00 [INFO] Packer version: 1.6.6"),
        (0, "null.a: output will be in this color."),
        (0, said("Running local shell script: a.sh", "null.a")),
        (3, "2026/01/24 12:00:03 [INFO] (telemetry) ending shell-local"),
        (8, said("Running local shell script: b.sh", "null.a")),
        (9, "Build 'null.a' finished after 9 seconds."),
    )

    assert account(document)[1:] == [("provisioner", 3.0), ("unattributed", 5.0), ("provisioner", 1.0)]


def test_of_parallel_builds_the_last_is_critical() -> None:
    """Builds stand side by side on the axis of their run; the one that ended last made it as long as it is."""
    document = read(
        (0, said("Retrieving ISO", "qemu.a")),
        (1, said("Retrieving ISO", "qemu.b")),
        (8, "Build 'qemu.b' finished after 7 seconds."),
        (20, "Build 'qemu.a' finished after 20 seconds."),
    )
    builds = document.packer.runs[0].builds

    assert [(build.name, build.critical) for build in builds] == [("qemu.a", True), ("qemu.b", False)]
    assert {build.started_at for build in builds} == {ZERO_S}
    assert account(document, 1) == [("start", 1.0), ("retrieve_image", 7.0)]


def test_a_log_that_breaks_off_is_accounted_for_up_to_its_end() -> None:
    """What was under way lasts to the last that was heard."""
    document = read((0, said("Retrieving ISO")), (3, said("Starting VM, booting disk image")), (8, said("strange")))

    assert account(document) == [("start", 0.0), ("retrieve_image", 3.0), ("boot", 0.0)] or account(document) == [
        ("start", 0.0), ("retrieve_image", 3.0), ("boot", 5.0),
    ]  # fmt: skip


def test_a_log_without_times_has_no_account() -> None:
    """Order, names and Packer's own durations are known; the rest is said to be unknown."""
    fold = Fold()
    lines = ("==> qemu.a: Retrieving ISO", "==> qemu.a: Converting hard drive...",
             "Build 'qemu.a' finished after 2 minutes.", "")  # fmt: skip
    for event in parse.read(["\n".join(lines).encode()]):
        fold.add(event)
    document = fold.document(Meta(collected_at=datetime.fromisoformat("2026-01-24T13:00:00+00:00")))
    build = document.packer.runs[0].builds[0]

    assert (build.account, build.duration_s) == ((), 120.0)
    assert [phase.name for phase in build.phases] == ["retrieve_image", "convert"]
    assert any("no times" in note for note in document.notes)


def test_output_between_debug_lines_has_no_account() -> None:
    """`PACKER_LOG=1 packer build . 2>&1`: debug lines have times, the output between them has none."""
    fold = Fold()
    lines = ("2026/01/24 12:00:00 [INFO] Packer version: 1.15.0", "\x1b[1;32m==> qemu.a: Retrieving ISO\x1b[0m",
             "2026/01/24 12:07:00 [INFO] (telemetry) ending qemu",
             "\x1b[1;32m==> qemu.a: Converting hard drive...\x1b[0m",
             "Build 'qemu.a' finished after 7 minutes.", "")  # fmt: skip
    for event in parse.read(["\n".join(lines).encode()]):
        fold.add(event)
    document = fold.document(Meta(collected_at=datetime.fromisoformat("2026-01-24T13:00:00+00:00")))
    (build,) = document.packer.runs[0].builds

    assert (build.account, build.started_at, build.duration_s) == ((), None, 420.0)
    assert [phase.name for phase in build.phases] == ["retrieve_image", "convert"]
    assert any("Packer's output has no times here" in note for note in document.notes)


@given(
    phases=st.lists(st.tuples(TIMES, TIMES), max_size=6),
    units=st.lists(st.tuples(TIMES, TIMES), max_size=6),
    began=TIMES,
    length_s=st.floats(-10, 5000),
)
def test_whatever_the_times_the_stretches_touch_and_add_up(
    phases: list[tuple[float | None, float | None]],
    units: list[tuple[float | None, float | None]],
    began: float | None,
    length_s: float,
) -> None:
    """Times that contradict each other, lie outside of the build or are missing: still nothing twice, nothing lost."""
    build = Build(
        name="a",
        began_at=began,
        phases=tuple(Phase(name="boot", text="", started_at=one, ended_at=two) for one, two in phases),
        provisioners=tuple(Provisioner(kind="shell", detail="", started_at=one, ended_at=two) for one, two in units),
    )
    parts = list(stretches(build, ZERO_S, ZERO_S + length_s))
    edges = [round(ZERO_S * 1000)]
    for part in parts:
        assert round(part.started_at * 1000) == edges[-1]
        assert part.duration_s >= 0
        edges.append(round(part.ended_at * 1000))
    assert edges[-1] == max(round((ZERO_S + length_s) * 1000), edges[0])
    assert sum(round(part.duration_s * 1000) for part in parts) == edges[-1] - edges[0]


def test_what_comes_in_one_millisecond_stays_in_its_order() -> None:
    """A provisioner and the phase behind it, announced in the same moment, stand as the log has them."""
    document = read(
        (0, said("Running local shell script: a.sh", "null.a")),
        (1, said("Running local shell script: b.sh", "null.a")),
        (1, said("Provisioning step had errors: Running the cleanup provisioner, if present...", "null.a")),
        (1, "Build 'null.a' errored after 1 second: exit 1"),
    )

    assert [name for name, _ in account(document)] == ["start", "provisioner", "provisioner", "error_cleanup"]
