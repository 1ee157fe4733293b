"""Logs put together line by line: lines of every form, names known early, late or never, all kinds of texts."""

from __future__ import annotations

import json
from random import Random

from buildtel.parse.phases import PHASE_TEXTS
from buildtel.parse.provisioner_texts import PROVISIONER_TEXTS

_NAMES = (b"qemu.debian", b"null.a", b"a: odd", b"10.0", b"x (vagrant)", b"null", b"", b"T")
_TAGS = (b"==> ", b"    ", b"--> ", b"", b"   ", b"  ==> ")
_COLOURS = (b"", b"", b"\x1b[1;32m", b"\x1b[0;32m", b"\x1b[1;31m", b"\x1b[1;36m")
_STAMPS = (
    b"",
    b"",
    b"",
    b"2026-01-24T12:%02d:%02dZ: ",
    b"2026/01/24 12:%02d:%02d ui: ",
    b"2026/01/24 12:%02d:%02d ui error: ",
    b"2026/01/24 12:%02d:%02d packer-plugin-qemu: ",
    b"17692%02d%02d0,,ui,say,",
    b"17692%02d%02d0,,ui,message,",
    b"[2026-01-24 12:%02d:%02d] ",
    b"2026-01-24T12:%02d:%02d.123Z ",
    b"2026-01-24 12:%02d:%02d+01:00 ",
    b"2026-01-24T12:00:00.1234567Z 2026-01-24T12:%02d:%02dZ: ",
    b"2026-01-24T12:00:00Z 2026/01/24 12:%02d:%02d ui: ",
    b"2026/01/24 12:%02d:%02d [INFO] (telemetry) ",
    b"2026/01/24 12:%02d:%02d packer-builder-qemu plugin: ",
    b"2026/01/24 12:%02d:%02d [INFO] 123 bytes written for 'uploadData'",
)
_TEXTS = (
    b"Unpacking libc6",
    b"Setting up libc6 (2.36)",
    b"Setting a 5m timeout for the next provisioner...",
    b"",
    b"text: more",
    b"10% \r20% \r30%",
    b"done\r",
    b"odd: x",
    b"odd: Connected to SSH!",
    b"a\\nb",
    b"\x00",
    b"one: Trying to connect",
    b'time="2026-01-24T12:00:00Z" level=info msg="ready"',
    b"Cancelling provisioner after a timeout of 2s",
    b'Warning: Provisioner failed with "x", but continue_on_error is set',
    b"BUILDTEL:{",
    b"output will be in this color.",
    b"Provisioning with shell script: a.sh",
    b"Uploading a => b",
    b"Provisioning with Ansible...",
    b"Connected to SSH!",
    b"Waiting for SSH to become available...",
    b"Gracefully halting virtual machine...",
    b"Sleeping",
    b"Deregistering the machine: Trying to do so",
    b"Script exited with non-zero exit status: 3",
    b"Starting provisioner shell",
    b"ending shell",
    b"Packer v1.9.1",
    b"TASK [a : b] ******",
    b"\x1b[0;33mPLAY RECAP ****\x1b[0m",
    b"Waiting for cache lock: Could not get lock /l. It is held by process 16 (apt)...",
    b"x\rWaiting for cache lock: Could not get lock /l. It is held by process 17 (apt) \r",
    b"Another app is currently holding the yum lock; waiting for it to exit...",
    b"  The other application is: yum",
    b"Killed",
    b"[DEBUG] Started SCP session, beginning transfers...",
    b"[DEBUG] scp: Uploading a.sh: perms=C0644 size=123",
    b"[DEBUG] SCP session complete, closing stdin pipe.",
    b"[DEBUG] sftp: uploading /tmp/a",
    b"[DEBUG] TCP connection to SSH ip/port failed: dial tcp 1.2.3.4:22: i/o timeout",
    b"[DEBUG] SSH handshake err: EOF",
    b"[INFO] Attempting SSH connection to 1.2.3.4:22...",
    b"a.iso 12.84 MiB / 60.00 MiB  21.41%",
    b"a.sh: line 3:  1234 Killed    a",
    b"OSError: [Errno 28] No space left on device",
)
_WHOLE = (
    b"Build 'qemu.debian' finished after 3 seconds.",
    b"Build 'null.a' errored after 1 second: exit status 2",
    b"==> Wait completed after 4 seconds",
    b"==> Builds finished. The artifacts of successful builds are:",
    b"qemu.debian: output will be in this color.",
    b"null.a: output will be in this color.",
    b"noise",
    b"Packer v1.12.0",
    b"2026/01/24 12:00:00 [INFO] Packer version: 1.12.0 [go1.21 linux amd64]",
    b'{"log":"==> null.a: x\\n","stream":"stdout"}',
    b"2026/01/24 12:00:00 Starting build run: qemu.debian",
    b"Press enter to continue. ==> null.a: Sleeping",
    b"Error: Failed to prepare build",
    b"Cleanly cancelled builds after being interrupted.",
)


def _docker(line: bytes) -> bytes:
    text = json.dumps(line.decode("latin-1") + "\n", ensure_ascii=len(line) % 2 == 0).replace(">", "\\u003e")
    return b'{"log":%b,"stream":"stdout","time":"2026-01-24T12:00:%02d.5Z"}' % (text.encode(), len(line) % 60)


def _cri(line: bytes) -> bytes:
    return b"2026-01-24T12:00:%02d.5Z stdout %b %b" % (len(line) % 60, b"P" if len(line) % 23 == 0 else b"F", line)


def _logfmt(line: bytes) -> bytes:
    text = json.dumps(line.decode("latin-1"))
    return b'time="2026-01-24T12:00:%02dZ" level=info msg=%b' % (len(line) % 60, text.encode())


_WRAPPERS = (_docker, _cri, _logfmt)


def put_together(chance: Random) -> bytes:
    """A log of 5 to 120 lines; some forms come more often in it, as they do in real ones."""
    names = chance.sample(_NAMES, chance.randint(1, 4))
    stamps = chance.sample(_STAMPS, chance.choice([1, 1, 2, 4]))
    colours = chance.sample(_COLOURS, chance.choice([1, 2, 3]))
    tags = chance.choice([_TAGS, _TAGS[:2], _TAGS[:1], _TAGS[1:2]])
    texts = [*_TEXTS, *chance.sample(sorted(PHASE_TEXTS), 8), *PROVISIONER_TEXTS]
    often = chance.sample(texts, 4)
    ending = chance.choice([b"\n", b"\n", b"\r\n"])
    lines = []
    for second in range(chance.randint(5, 120)):
        if chance.random() < 0.08:
            lines.append(chance.choice(_WHOLE))
            continue
        stamp = chance.choice(stamps)
        stamp = stamp % (second // 60, second % 60) if b"%" in stamp else stamp
        tag = chance.choice(tags)
        text = chance.choice(often if chance.random() < 0.7 else texts)
        colour = chance.choice(colours)
        named = tag + chance.choice(names) + b": " + text if chance.random() < 0.95 else text
        head = colour + stamp if chance.random() < 0.5 else stamp + colour
        lines.append(head + named + (b"\x1b[0m" if colour else b""))
    if chance.random() < 0.3:
        lines = list(map(chance.choice(_WRAPPERS), lines))
    return ending.join([*lines, b""])
