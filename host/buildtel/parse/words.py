"""Parses Packer's texts for durations and results of builds."""

from __future__ import annotations

import re

from buildtel.parse.scrubbed import is_scrubbed

_UNIT_S = {
    b"year": 31_536_000.0,
    b"week": 604_800.0,
    b"day": 86_400.0,
    b"hour": 3_600.0,
    b"minute": 60.0,
    b"second": 1.0,
    b"millisecond": 1e-3,
    b"microsecond": 1e-6,
}
_AMOUNT = re.compile(rb"(\d{1,12}) (year|week|day|hour|minute|second|millisecond|microsecond)s?\b")
_VERDICT = re.compile(
    rb"Build '(.+?)' (?:(finished)(?: after ([^.:]+))?\.?\s*$|(errored)(?: after ([^:]+))?: ?(.*))", re.S
)
_JOINED = re.compile(rb"(?===> (?:Wait completed after |Builds finished|Some builds didn't complete))")
_PLUGIN = re.compile(rb"packer-plugin-([a-z0-9-]+)_v(\d+\.\d+[^_\s]*)_x")
# Post-processors of hashicorp/packer 0.5 to 1.16 and of its own plugins.
_POST_PROCESSOR = re.compile(
    rb"(.+) \((?:shell-local|compress|manifest|checksum|artifice|vagrant|vagrant-cloud|vagrant-registry|atlas"
    rb"|docker-(?:import|push|save|tag)|amazon-import|googlecompute-(?:export|import)|vsphere|vsphere-template"
    rb"|exoscale-import|ucloud-import|yandex-(?:export|import)|digitalocean-import|alicloud-import|provenance)\)"
)
# Sources: command/, hcl2template/ and packer/ of hashicorp/packer 0.5 to 1.16. What HCL itself says ("Unsupported
# argument") is not here: other programs print the same, so the file that it names has to be a template of Packer's.
_ERRORS = (
    b"Failed to prepare build", b"Failed to initialize build", b"Missing plugins", b"Failed to read HCL",
    b"Failed preparing ", b"Failed to load source", b"Build was halted", b"Could not find plugin",
    b"Datasource.Execute failed", b"Unset variable", b"Undefined variable", b"Undefined -var variable",
    b"Invalid argument value for -var variable", b"Invalid -only pattern", b"Invalid -except pattern",
    b"Unknown source ", b"Unknown builder", b"Unknown provisioner", b"Unknown post-processor", b"Unknown datasource",
    b"Incompatible plugin", b"Failed to retrieve the ", b"HCP authentication ", b"HCP: ", b"Invalid HCP datasources",
    b"Could not find any config file in ", b"Could not guess format of ", b"Cannot read hcl directory",
    b"Failed to discover installed plugins", b"Unsupported Packer Core version", b"Version initialization failed",
    b"Preparing packer core build ", b"Missing build block", b"No builds to run", b"Failed to start enforced ",
    b"Failed to prepare enforced ", b"Failed to parse enforced ", b"Packer plugins currently only works with HCL2",
    b"Max local recursion depth", b"Max datasource recursion depth", b"Fixable configuration found",
)  # fmt: skip
# Without `Error: ` before them: of a JSON template, and of Packer before 1.5.
_BARE_ERRORS = (
    b"Failed to parse template: ", b"Failed to parse file as legacy JSON template", b"Failed to initialize core: ",
    b"Error initializing core: ", b"Error parsing template: ", b"Template validation failed", b"Build was halted",
)  # fmt: skip
_IN_TEMPLATE = re.compile(
    rb"^  on (?:[^\n]*\.(?:pkr\.hcl|pkr\.json|pkrvars\.hcl|pkrvars\.json)|<value for var\.[^\n]*>) line \d", re.M
)
# Sources: the provisioners of hashicorp/packer 0.5 to 1.16, packer-plugin-ansible, -chef, -puppet, -salt.
_EXIT_STATUS = re.compile(
    rb"(?:[Ee]xited with a? ?non-zero exit status|Non-zero exit status|Bad exit status|Erroneous exit code)"
    rb"[: ] ?(?:exit status )?(\d{1,10})(?=[\s.,;\"'\\]|$)"
)
_DISCONNECTED = 2_300_218  # what Packer calls the exit status of a command whose connection was lost
_POST_PROCESSOR_FAILED = b"ost-processor failed"
_CANCEL_WORDS = (b"context canceled", b"was cancelled", b"was canceled", b"interrupted", b"build cancelled")


def duration_s(text: bytes) -> float | None:
    """Seconds of a duration as packer prints it (`3 minutes 12 seconds`); None without one, or of a scrubbed one."""
    if is_scrubbed(text):
        return None
    amounts = _AMOUNT.findall(text)
    if not amounts:
        return None
    return round(sum(int(number) * _UNIT_S[unit] for number, unit in amounts), 6)


def verdict(text: bytes) -> tuple[bytes, float | None, bytes | None] | None:
    """(target, duration in seconds, error) of a `Build '…' finished` or `errored` line; error None if it finished."""
    found = _VERDICT.match(text)
    if not found:
        return None
    name, finished, finished_after, _errored, errored_after, error = found.groups()
    if finished:
        return name, duration_s(finished_after or b""), None
    return name, duration_s(errored_after or b""), error


def split_joined(text: bytes) -> list[bytes]:
    """A build's last line and the lines that a converter joined behind it: `… 15 minutes.==> Wait completed after`."""
    parts = _JOINED.split(text)
    return [part for part in parts if part] if len(parts) > 1 else [text]


def post_processor_of(name: bytes) -> bytes | None:
    """The build in `BUILD (shell-local)`, which stands before a post-processor's words; None for another name."""
    found = _POST_PROCESSOR.fullmatch(name)
    return found[1] if found else None


def plugin_of(text: bytes) -> tuple[str, str] | None:
    """(name, version) of an external plugin's program that a debug line names, None where it has no version."""
    found = _PLUGIN.search(text)
    return (found[1].decode("utf-8", "replace"), found[2].decode("utf-8", "replace")) if found else None


def is_packers_error(text: bytes) -> bool:
    """Whether a line is an error that only Packer prints, before any build."""
    return text.startswith(_BARE_ERRORS) or (text.startswith(b"Error: ") and text.startswith(_ERRORS, 7))


def is_of_template(error: bytes) -> bool:
    """Whether the text of an error names a line of a Packer template (`  on a.pkr.hcl line 3, in build:`)."""
    return _IN_TEMPLATE.search(error) is not None


def exit_status(error: bytes) -> int | None:
    """The exit status in Packer's text on a provisioner's failure; None without one.

    A lost connection is not an exit status, and that of a post-processor is not the provisioner's.
    """
    found = None if _POST_PROCESSOR_FAILED in error else _EXIT_STATUS.search(error)
    if found is None or int(found[1]) == _DISCONNECTED or int(found[1]) >= 2**32:
        return None
    return int(found[1])


def says_cancelled(error: bytes) -> bool:
    """Whether an error text is that of a cancelled build."""
    lowered = error.lower()
    return any(word in lowered for word in _CANCEL_WORDS)


def is_before(version: bytes, other: tuple[int, int]) -> bool:
    """Whether a version is lower than another; the first two numbers are compared.

    Args:
        version: as Packer prints it, `1.13.0`; a part that is no number counts as 0.
        other: major and minor.
    """
    return tuple(int(part) if part.isdigit() else 0 for part in version.split(b".")[:2]) < other
