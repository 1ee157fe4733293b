"""Which lines of Packer's debug log tell more than its output; imports little, because Packer's start waits for it."""

from __future__ import annotations

import re

# What begins a line of Packer's own, behind the time stamp.
OF_PACKER = (
    b"[INFO] (telemetry) ", b"[INFO] Packer version: ", b"Packer version: ", b"Packer Version: ",
    b"Starting build run: ", b"[INFO] Starting external plugin ",
)  # fmt: skip
# The process that wrote a line, and its own time stamp: `packer-builder-qemu plugin: `, `packer: 2016/11/13 22:31:04 `.
PROCESS = rb"(?:[^ :\n]+(?: plugin)?: )?(?:\d{4}/\d\d/\d\d \d\d:\d\d:\d\d )?(?:\[(?:DEBUG|INFO|ERROR)\] )?"
# What begins the lines on transfers and on tries to connect that `parse.debug_texts` reads, behind the process.
_TRANSFERS = (rb"Started SCP session, ", rb"SCP session complete, ", rb"scp: Uploading ", rb"sftp: uploading ")
_TRIES = (
    rb"Attempting SSH connection to ", rb"TCP connection to SSH ip/port failed: ", rb"SSH handshake err: ",
    rb"Error getting SSH address: ", rb"WinRM connection err: ",
)  # fmt: skip
# The bytes of a transfer, in Packer's own words: each of its processes says the same once more.
_SENT = rb"\[INFO\] \d+ bytes written for '(?:uploadData|downloadWriter)'"
OF_MACHINE = rb"(?:%s(?:%s)|%s)" % (PROCESS, b"|".join((*_TRANSFERS, *_TRIES)), _SENT)
# Each of these lines has one of these, or `Error`.
SIGNS_OF_MACHINE = (
    b"SCP session", b"scp: Upl", b"sftp: upl", b"SSH connection to", b"SSH ip/port", b"SSH handshake err",
    b"WinRM connection err", b"bytes written for '",
)  # fmt: skip
TELLS_OF_MACHINE = re.compile(OF_MACHINE)
TELLS_OF_TRY = re.compile(rb"%s(?:%s)" % (PROCESS, b"|".join(_TRIES)))
