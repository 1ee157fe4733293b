"""One log as many tools print it: what stands before its lines is no part of any name, and its clock is used."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from .test_corpus import PLAIN, collected, report_of, story

ZERO = datetime(2024, 11, 25, 1, 2, 3, tzinfo=timezone.utc)
STEP = timedelta(seconds=61)
LINES = PLAIN.read_text(encoding="utf-8").splitlines()
Put = Callable[[int, str], str]


def at(number: int) -> datetime:
    """When a line was printed."""
    return ZERO + STEP * number


def clock(number: int, form: str) -> str:
    """That time in a form of `strftime`."""
    return at(number).strftime(form)


def seconds(number: int) -> float:
    """Seconds since the first line."""
    return 61.0 * number


def elapsed(number: int) -> str:
    """The same as HH:MM:SS."""
    return str(timedelta(seconds=61 * number)).rjust(8, "0")


CLOCKED: dict[str, Put] = {
    "jenkins elapsed": lambda n, text: f"{elapsed(n)}  {text}",
    "jenkins full": lambda n, text: f"[{clock(n, '%Y-%m-%dT%H:%M:%S.%fZ')}] {text}",
    "ts -s": lambda n, text: f"{elapsed(n)} {text}",
    "ts iso": lambda n, text: f"{clock(n, '%Y-%m-%d %H:%M:%S')} {text}",
    "ts -s %.s": lambda n, text: f"{seconds(n):.6f} {text}",
    "journald short": lambda n, text: f"{clock(n, '%b %d %H:%M:%S')} host1 packer[4711]: {text}",
    "journald short-precise": lambda n, text: f"{clock(n, '%b %d %H:%M:%S.%f')} host1 packer[4711]: {text}",
    "journald with-unit": lambda n, text: f"{clock(n, '%a %Y-%m-%d %H:%M:%S')} UTC host1 build.service[1]: {text}",
    "syslog 3164 with priority": lambda n, text: f"<14>{clock(n, '%b %e %H:%M:%S')} host1 packer: {text}",
    "appveyor": lambda n, text: f"[{elapsed(n)}] {text}",
    "buildkite": lambda n, text: f"\x1b_bk;t={int(at(n).timestamp() * 1000)}\x07{text}",
    "gitlab, no stream": lambda n, text: f"{clock(n, '%Y-%m-%dT%H:%M:%S.%fZ')} {text}",
    "gocd": lambda n, text: f"##|{clock(n, '%H:%M:%S.%f')[:12]} {text}",
    "codebuild": lambda n, text: f"[Container] {clock(n, '%Y/%m/%d %H:%M:%S')} {text}",
    "aws logs tail": lambda n, text: f"{clock(n, '%Y-%m-%dT%H:%M:%S+00:00')} build/7f3a {text}",
    "concourse": lambda n, text: f"{clock(n, '%H:%M:%S')}  {text}",
    "nomad": lambda n, text: f"{clock(n, '%Y-%m-%dT%H:%M:%S.%fZ')} [INFO] packer: {text}",
    "python logging": lambda n, text: f"{clock(n, '%Y-%m-%d %H:%M:%S')},123 - packer - INFO - {text}",
    "loguru": lambda n, text: f"{clock(n, '%Y-%m-%d %H:%M:%S.%f')[:23]} | INFO     | build:run:42 - {text}",
    "log4j": lambda n, text: f"{clock(n, '%H:%M:%S')}.123 [main] INFO  c.e.Packer - {text}",
    "spring": lambda n, text: f"{clock(n, '%Y-%m-%dT%H:%M:%S')}.123Z  INFO 77 --- [           main] Packer : {text}",
    "level changes": lambda n, text: f"{clock(n, '%H:%M:%S')} {'WARN ' if n % 5 == 4 else 'INFO '} packer {text}",
    "nginx style": lambda n, text: f"[{clock(n, '%d/%b/%Y:%H:%M:%S')} +0000] {text}",
    "ctime": lambda n, text: f"[{clock(n, '%a %b %e %H:%M:%S %Y')}] {text}",
    "svlogd": lambda n, text: f"{clock(n, '%Y-%m-%d_%H:%M:%S')}.00000 {text}",
    "tai64n": lambda n, text: f"@{(1 << 62) + 10 + int(at(n).timestamp()):016x}0000000a {text}",
    "supervisord": lambda n, text: f"{clock(n, '%Y-%m-%d %H:%M:%S')},001 DEBG 'packer' stdout: {text}",
    "foreman, names padded": lambda n, text: f"{clock(n, '%H:%M:%S')} packer.1   | {text}",
    "dmesg": lambda n, text: f"[{seconds(n):12.6f}] {text}",
    "buildkit, other step": lambda n, text: f"#9 {seconds(n):.3f} {text}",
    "docker logs -t": lambda n, text: f"{clock(n, '%Y-%m-%dT%H:%M:%S.%f')}000Z {text}",
    "docker compose -t": lambda n, text: f"packer-1  | {clock(n, '%Y-%m-%dT%H:%M:%S.%f')}000Z {text}",
    "cri": lambda n, text: f"{clock(n, '%Y-%m-%dT%H:%M:%S.%f')}000Z stdout F {text}",
    "stern": lambda n, text: f"build-x7 packer {clock(n, '%Y-%m-%dT%H:%M:%S.%f')}000Z {text}",
    "bunyan": lambda n, text: json.dumps({"level": 30, "msg": text, "time": clock(n, "%Y-%m-%dT%H:%M:%S.%fZ")}),
    "pino": lambda n, text: json.dumps({"level": 30, "time": int(at(n).timestamp() * 1000), "pid": 1, "msg": text}),
    "zap": lambda n, text: json.dumps({"level": "info", "ts": at(n).timestamp(), "msg": text}),
    "journald json": lambda n, text: json.dumps(
        {"__REALTIME_TIMESTAMP": str(int(at(n).timestamp() * 1e6)), "PRIORITY": "6", "MESSAGE": text}
    ),
    "gcp": lambda n, text: json.dumps({"textPayload": text, "timestamp": clock(n, "%Y-%m-%dT%H:%M:%SZ")}),
    "logrus": lambda n, text: f"time=\"{clock(n, '%Y-%m-%dT%H:%M:%SZ')}\" level=info msg={json.dumps(text)}",
}  # fmt: skip
BARE: dict[str, Put] = {
    "compose v1": lambda n, text: f"packer_1  | {text}",
    "compose v1 in colours": lambda n, text: f"\x1b[36mpacker_1  |\x1b[0m {text}",
    "kubectl --prefix": lambda n, text: f"[pod/build-x7/packer] {text}",
    "concourse fly": lambda n, text: f"packer> {text}",
    "woodpecker": lambda n, text: f"[packer:L{n}:{61 * n}s] {text}",
    "terraform": lambda n, text: f"module.image.null_resource.packer[0] (local-exec): {text}",
    "terragrunt": lambda n, text: f"[/srv/live/image] null_resource.packer (local-exec): {text}",
    "ansible": lambda n, text: f"builder1 | {text}",
    "vagrant": lambda n, text: f"    default: {text}",
    "npm": lambda n, text: f"> {text}",
    "lerna": lambda n, text: f"image: {text}",
    "turbo": lambda n, text: f"image:build: {text}",
    "nx": lambda n, text: f"image:build  {text}",
    "make -O": lambda n, text: f"[image] {text}",
    "bazel": lambda n, text: f"INFO: From Building image: {text}",
    "grep -n": lambda n, text: f"{n + 1}:{text}",
    "cat -n": lambda n, text: f"{n + 1:6d}\t{text}",
    "nl": lambda n, text: f"{n + 1:6d}  {text}",
    "quoted": lambda n, text: f"> {text}",
    "diff": lambda n, text: f"+{text}",
    "markdown list": lambda n, text: f"    {text}",
    "teamcity flow": lambda n, text: f"[Step 2/3] {text}",
    "invoke": lambda n, text: f"(image) {text}",
    "mprocs, no blank": lambda n, text: f"[packer]{text}",
    "pipe, no blank": lambda n, text: f"packer|{text}",
    "thread ids": lambda n, text: f"[thread-{n % 7}] {text}",
    "random ids": lambda n, text: f"[{(n * 7919) % 0xFFFF:04x}] {text}",
    "loki": lambda n, text: json.dumps({"line": text, "stream": {"app": "packer"}}),
}  # fmt: skip


def wrapped(put: Put) -> str:
    """The log as a tool prints it."""
    return "".join(f"{put(number, text)}\n" for number, text in enumerate(LINES))


@pytest.mark.parametrize("put", [*CLOCKED.values(), *BARE.values()], ids=[*CLOCKED, *BARE])
def test_a_tools_prefix_is_no_part_of_any_name(tmp_path: Path, put: Put) -> None:
    """The same build, result, duration, provisioner and artifact, whatever stands before each line."""
    path = tmp_path / "x.log"
    path.write_text(wrapped(put), encoding="utf-8")

    assert story(report_of(path)) == story(report_of(PLAIN))


@pytest.mark.parametrize("put", CLOCKED.values(), ids=CLOCKED)
def test_a_tools_clock_is_used(tmp_path: Path, put: Put) -> None:
    """The run lasts from its first line to its last, and the script begins and ends where its lines stand."""
    path = tmp_path / "x.log"
    path.write_text(wrapped(put), encoding="utf-8")
    (run,) = report_of(path).runs
    (unit,) = run.builds[0].provisioners

    assert run.started_at is not None and run.ended_at is not None
    assert unit.started_at is not None and unit.ended_at is not None
    assert run.ended_at - run.started_at == pytest.approx(61 * (len(LINES) - 1), abs=1)
    assert unit.started_at - run.started_at == pytest.approx(61 * 12, abs=1)
    assert unit.ended_at - unit.started_at == pytest.approx(61 * 3, abs=1)


def test_words_of_packers_behind_an_unknown_prefix_are_said(tmp_path: Path) -> None:
    """If the prefix can't be learned the notes say that, not that Packer was killed."""
    path = tmp_path / "x.log"
    lines = [f"{'x' * (n % 9)}{n * 'ab'}~{text}\n" for n, text in enumerate(LINES[:9])]
    path.write_text("".join(lines), encoding="utf-8")
    notes = " ".join(collected(path).notes)

    assert "could not recognise" in notes
    assert "killed" not in notes


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le", "utf-8-sig"])
def test_other_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    """PowerShell's files, with and without a mark, in either order of bytes."""
    mark = "\ufeff" if encoding.endswith("-be") else ""
    path = tmp_path / "x.log"
    path.write_bytes((mark + PLAIN.read_text(encoding="utf-8")).encode(encoding))

    assert story(report_of(path)) == story(report_of(PLAIN))


def test_a_terminals_recording_is_read(tmp_path: Path) -> None:
    """An asciicast has its lines in pieces, each with a time."""
    text = "\r\n".join(LINES) + "\r\n"
    pieces = [text[start : start + 37] for start in range(0, len(text), 37)]
    rows = [json.dumps([round(number * 1.5, 3), "o", piece]) for number, piece in enumerate(pieces)]
    path = tmp_path / "x.cast"
    header = {"version": 2, "width": 80, "height": 24, "timestamp": int(ZERO.timestamp())}
    path.write_text("\n".join([json.dumps(header), *rows]) + "\n", encoding="utf-8")
    report = report_of(path)

    assert story(report) == story(report_of(PLAIN))
    assert report.runs[0].started_at == pytest.approx(ZERO.timestamp(), abs=5)
