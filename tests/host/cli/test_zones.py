"""Stamps with and without a zone, as logs of Packer and of CIs mix them, by the function that `collect` calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from buildtel.job import JobDocument

from .test_corpus import collected


def read(folder: Path, *lines: str) -> JobDocument:
    """The document of these lines."""
    path = folder / "packer.log"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return collected(path)


def rows(document: JobDocument) -> list[tuple[str, float]]:
    """The account of the only build: names and seconds."""
    assert document.packer is not None
    (build,) = document.packer.runs[0].builds
    return [(part.text or part.name, part.duration_s) for part in build.account]


def mixed(ahead_h: float, zone: str, offset_s: int = 0) -> list[str]:
    """Debug lines of a local clock `ahead_h` before UTC, and zoned output; `offset_s` sets the two apart."""

    def local(second: int) -> str:
        whole = round(12 * 3600 + ahead_h * 3600) + second + offset_s
        day, rest = divmod(whole, 86400)
        return f"2026/01/{24 + day:02d} {rest // 3600:02d}:{rest % 3600 // 60:02d}:{rest % 60:02d}"

    def zoned(second: int) -> str:
        if zone == "Z":
            return f"2026-01-24T12:{second // 60:02d}:{second % 60:02d}Z: "
        return local(second).replace("/", "-").replace(" ", "T") + zone + ": "

    return [
        f"{local(0)} [INFO] Packer version: 1.9.1 [go1.20.4 linux amd64]", "null.x: output will be in this color.", "",
        f"{local(1)} [INFO] (telemetry) Starting builder null.x",
        f"{zoned(2)}==> null.x: Using SSH communicator to connect: 192.0.2.1",
        f"{zoned(2)}==> null.x: Waiting for SSH to become available...", f"{zoned(32)}==> null.x: Connected to SSH!",
        f"{local(32)} [INFO] (telemetry) Starting provisioner shell",
        f"{zoned(32)}==> null.x: Provisioning with shell script: a.sh",
        f"{local(92)} [INFO] (telemetry) ending shell",
        f"{zoned(102)}Build 'null.x' finished after 1 minute 41 seconds.",
    ]


@pytest.mark.parametrize(
    ("ahead_h", "zone"), [(-5, "-05:00"), (5.5, "+05:30"), (0, "Z"), (-5, "Z"), (5.75, "Z"), (13, "Z")]
)
def test_debug_lines_get_the_zone_of_their_neighbours(tmp_path: Path, ahead_h: float, zone: str) -> None:
    """Whatever the local clock's zone: one axis, earlier lines too, and no hours before the start."""
    document = read(tmp_path, *mixed(ahead_h, zone))

    assert rows(document) == [
        ("Packer starts", 2.0), ("Using SSH communicator to connect: 192.0.2.1", 0.0),
        ("Waiting for SSH to become available...", 30.0), ("shell a.sh", 60.0), ("unattributed", 10.0),
    ]  # fmt: skip
    assert document.timestamp == "2026-01-24T12:00:00+00:00"
    assert (document.job_start, document.job_end) == (1769256000.0, 1769256102.0)


def test_stamps_that_fit_no_zone_are_not_used(tmp_path: Path) -> None:
    """Debug lines of another clock, seven minutes off: their times are left out, and a note says so."""
    document = read(tmp_path, *mixed(-5, "Z", offset_s=437))

    assert rows(document)[-1] == ("shell a.sh", 70.0)
    assert document.job_start == 1769256002.0
    assert any("fit none of the others" in note for note in document.notes)


def test_only_local_stamps_date_the_log(tmp_path: Path) -> None:
    """A log of 2018 is dated 2018; durations are known, start and end are not, and a note says why."""
    document = read(
        tmp_path, "2018/12/08 18:16:14 ui: ==> null.x: Waiting for SSH to become available...",
        "2018/12/08 18:16:44 ui: ==> null.x: Connected to SSH!",
        "2018/12/08 18:17:14 ui: Build 'null.x' finished.",
    )  # fmt: skip

    assert document.timestamp == "2018-12-08T18:16:14"
    assert (document.job_start, document.job_end, document.job_duration_s) == (None, None, 60.0)
    assert any("no time zone" in note for note in document.notes)


def test_copies_of_one_message_tell_the_zone(tmp_path: Path) -> None:
    """Output and debug log one behind the other in one file: the copies of a message are of one moment."""
    words = [
        "==> null.x: Waiting for SSH to become available...", "==> null.x: Connected to SSH!",
        "==> null.x: Provisioning with shell script: a.sh", "==> null.x: Gracefully halting virtual machine...",
    ]  # fmt: skip
    out = [f"2026-01-24T12:0{n}:00Z: {text}" for n, text in enumerate(words)]
    log = [f"2026/01/24 07:0{n}:00 ui: {text}" for n, text in enumerate(words)]
    document = read(tmp_path, "2026/01/24 07:00:00 [INFO] Packer version: 1.9.1", *log, *out)

    assert document.job_start == 1769256000.0
    assert [name for name, _ in rows(document)][-1] == "Gracefully halting virtual machine..."


def test_a_clock_without_a_date_counts_on_over_midnight(tmp_path: Path) -> None:
    """`HH:MM:SS` before each line: the day goes on behind 23:59:59."""
    document = read(
        tmp_path, "23:59:30  null.x: output will be in this color.",
        "23:59:40  ==> null.x: Waiting for SSH to become available...", "00:00:40  ==> null.x: Connected to SSH!",
        "00:00:40  ==> null.x: Provisioning with shell script: a.sh",
        "01:30:40  Build 'null.x' finished after 91 minutes.",
    )  # fmt: skip

    assert rows(document)[-2:] == [("Waiting for SSH to become available...", 60.0), ("shell a.sh", 5400.0)]
    assert document.job_start is None and any("no date" in note for note in document.notes)


def test_a_version_behind_the_programs_name_is_known(tmp_path: Path) -> None:
    """`packer: 2018/12/08 18:16:14 [INFO] Packer version: 1.3.2` states the version."""
    for stated in ("2018/12/08 18:16:14 packer: 2018/12/08 18:16:14 ", "packer: 2018/12/08 18:16:14 ",
                   "2018/12/08 18:16:14 packer.exe: "):  # fmt: skip
        version = f"{stated}[INFO] Packer version: 1.3.2"
        document = read(
            tmp_path, version, "2018/12/08 18:16:15 ui: ==> null.x: Connected to SSH!", version,
            "2018/12/08 18:16:16 ui: ==> null.x: Halting the virtual machine...",
        )  # fmt: skip

        assert document.packer is not None and document.packer.version == "1.3.2"
        assert len(document.packer.runs) == 1


@pytest.mark.parametrize("lines", [3, 3000], ids=["line by line", "at once"])
@pytest.mark.parametrize("stamp", ["2026-01-24T12:{m:02d}:{s:02d}.123Z ", "2026-01-24T12:{m:02d}:{s:02d}Z "])
def test_a_guests_logger_behind_a_stamp_is_output(tmp_path: Path, stamp: str, lines: int) -> None:
    """A line of a build in logfmt, behind the stamp of a CI or of the wrapper, keeps its name and the log its clock."""
    said = '    qemu.a: time="2020-01-01T00:00:00Z" level=info msg="ready"'
    log = [said, said, "==> qemu.a: Connected to SSH!", "==> qemu.a: Provisioning with shell script: x.sh",
           *[said] * lines,
           "==> qemu.a: Provisioning step had errors: Running the cleanup provisioner, if present...",
           "Build 'qemu.a' errored after 10 seconds: Script exited with non-zero exit status: 3"]  # fmt: skip
    times = [number * 20 // len(log) for number in range(len(log))]
    made = read(tmp_path, *(stamp.format(m=s // 60, s=s % 60) + line for s, line in zip(times, log, strict=True)))

    assert made.packer is not None
    (build,) = made.packer.runs[0].builds
    assert (made.timestamp or "")[:13] == "2026-01-24T12"
    assert build.provisioners[0].output == (said[12:],) * min(lines, 20)
