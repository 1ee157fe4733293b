"""The table of debug lines that tell of transfers to and from a machine, and of tries to connect to it.

Such a line does not name its build; some name the machine's address, which the build's own messages name, too.
Sources: packer-plugin-sdk 0.6.10, `sdk-internals/communicator/ssh`, `communicator/step_connect_ssh.go`,
`step_connect_winrm.go`, `rpc/communicator.go`; Packer 1.6.6 prints the same, and logs of Packer 0.11 to 1.16 have them.
The bar: Packer 1.6.6, cheggaaa/pb.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from buildtel.debug_lines import PROCESS
from buildtel.events import TransferWord

ANSWERS: Final = "the port answers"
_LONGEST_NAME = 200  # characters
_UNITS = {b"": 1, b"Ki": 1 << 10, b"Mi": 1 << 20, b"Gi": 1 << 30, b"Ti": 1 << 40}


class Told(NamedTuple):
    """What a line tells of a transfer: as in `TransferSeen`, `files` its count."""

    word: TransferWord
    name: str = ""
    size_bytes: int | None = None
    files: int | None = None


_TRANSFERS: tuple[tuple[TransferWord, re.Pattern[bytes]], ...] = (
    ("begins", re.compile(rb"Started SCP session, beginning transfers")),
    ("file", re.compile(rb"scp: Uploading (?P<name>.+): perms=C[0-7]+ size=(?P<bytes>\d{1,18})$")),
    ("file", re.compile(rb"sftp: uploading (?P<name>[^\"].*)$")),
    ("ends", re.compile(rb"SCP session complete, closing stdin pipe")),
    ("sent", re.compile(rb"(?P<bytes>\d{1,18}) bytes written for '(?:uploadData|downloadWriter)'$")),
)
_TRY = re.compile(rb"(?:TCP connection to SSH ip/port failed|(?P<login>SSH handshake err)|WinRM connection err): (.*)$")
# What a failed try says, in the words of Go's net and golang.org/x/crypto/ssh: the first that fits.
_REASONS = (
    (re.compile(rb"unable to authenticate(?:, attempted methods \[([a-z -]{0,80})\])?"), "login fails"),
    (re.compile(rb"connection refused|actively refused"), "port refuses"),
    (re.compile(rb"i/o timeout|connection timed out|deadline exceeded|did not properly respond"), "no answer"),
    (re.compile(rb"no route to host|network is unreachable|host is down"), "no route to the machine"),
    (re.compile(rb"no such host|server misbehaving"), "name of the machine is not known"),
    (re.compile(rb"[Tt]imeout during SSH handshake"), "port accepts, then nothing is said for a minute"),
    (re.compile(rb"connection reset|EOF|broken pipe|forcibly closed"), "connection closed before the login"),
    (re.compile(rb"http response error: 401|unauthorized"), "login fails"),
)
_OTHER, _OTHER_LOGIN = "no connection", "handshake fails"
_WITHOUT_TRY = ((b"Attempting SSH connection to ", ANSWERS), (b"Error getting SSH address: ", "no address yet"))
# The address in a try's line; where a build's messages name the host, and the port that its builder forwards
# (builder/qemu/step_port_forward.go, builder/virtualbox/common/step_port_forwarding.go).
_ADDRESS = re.compile(rb"(?:dial tcp |SSH connection to |->)\[?([^\]\s]{1,255}?)\]?:(\d{1,5})(?::|\.\.\.| |$)")
_HOST = re.compile(rb"Using \w+ communicator to connect: ([^\s\x1b]{1,255})")
_PORT = re.compile(rb"(?:Found port for|Creating forwarded port mapping for).{1,50}?(?:: |host port )(\d{1,5})\b")
MACHINE_SIGN: Final = b"communicator"
_PROCESS = re.compile(PROCESS)
_PLUGIN = re.compile(rb"[^ :]*packer-(?:builder|plugin)-([a-z0-9-]+)(?:_v[^ :]+)?(?:\.exe)? plugin: ")
_BAR = re.compile(
    rb"(?P<name>.+?) +(?P<done>\d+(?:\.\d+)?) (?P<of>[KMGT]i|)B / (?P<all>\d+(?:\.\d+)?) (?P<unit>[KMGT]i|)B +"
    rb"(?:\[.*\] +)?\d+\.\d\d%(?: \S+)?$"
)
BAR_SIGN: Final = b"B / "


def _behind_process(text: bytes) -> bytes:
    found = _PROCESS.match(text)
    return text[found.end() :] if found else text


def writing_plugin_of(text: bytes) -> bytes | None:
    """The plugin whose process wrote a debug line, such as `qemu` or `virtualbox-iso`; None where it names none.

    Args:
        text: the line behind its time stamp.
    """
    found = _PLUGIN.match(text)
    return found[1] if found else None


def transfer_of(text: bytes) -> Told | None:
    """What a debug line tells of a transfer; None for another line.

    Args:
        text: the line behind its time stamp.
    """
    text = _behind_process(text)
    for word, form in _TRANSFERS:
        found = form.match(text)
        if found is not None:
            groups = found.groupdict()
            size = groups.get("bytes")
            return Told(word, _shown(groups.get("name") or b""), None if size is None else int(size))
    return None


def connection_try_of(text: bytes) -> str | None:
    """What a debug line tells of a try to connect, in words; None for another line.

    Args:
        text: the line behind its time stamp.
    """
    text = _behind_process(text)
    found = _TRY.match(text)
    if found is None:
        return next((words for start, words in _WITHOUT_TRY if text.startswith(start)), None)
    for form, words in _REASONS:
        reason = form.search(found[2])
        if reason is not None:
            methods = reason[1] if form.groups else None
            return f"{words} (tried {methods.decode().replace(' ', ', ')})" if methods else words
    return _OTHER_LOGIN if found["login"] else _OTHER


def address_of(text: bytes) -> tuple[bytes, bytes] | None:
    """The host and the port that a debug line on a try to connect names; None where it names none.

    Args:
        text: the line behind its time stamp.
    """
    found = _ADDRESS.search(text)
    return (found[1], found[2]) if found else None


def host_of(text: bytes) -> bytes | None:
    """The host that a build's message says it will connect to; None of another message.

    Args:
        text: the message, without the build's name.
    """
    found = _HOST.search(text)
    return found[1] if found else None


def port_of(text: bytes) -> bytes | None:
    """The port of the host that a build's message says it forwards to its machine; None of another message.

    Args:
        text: the message, without the build's name.
    """
    found = _PORT.search(text)
    return found[1] if found else None


def bar_of(text: bytes) -> tuple[str, int, int] | None:
    """The name, the bytes so far and all bytes of a progress bar's line; None for another line.

    Args:
        text: the message of a build, without the build's name.
    """
    found = _BAR.match(text)
    if found is None:
        return None
    done, whole = (
        round(float(found[size]) * _UNITS[found[unit]]) for size, unit in (("done", "of"), ("all", "unit"))
    )
    return _shown(found["name"]), done, whole


def _shown(text: bytes) -> str:
    return text.decode("utf-8", "replace")[:_LONGEST_NAME]
