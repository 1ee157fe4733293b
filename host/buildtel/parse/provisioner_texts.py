"""The table of Packer's texts that start a provisioner, and the kind of each.

Sources: the provisioners of hashicorp/packer 0.5 to 1.16, packer-plugin-ansible, -chef and windows-update.
"""

from __future__ import annotations

SHELL_LOCAL = "shell-local"
CHEF = "chef"
WINDOWS_UPDATE = "windows-update"
OTHER = "other"

# (how the text begins, kind); what follows is the detail.
_WITH_DETAIL = (
    (b"Provisioning with shell script: ", "shell"),
    (b"Provisioning with powershell script: ", "powershell"),
    (b"Running local shell script: ", SHELL_LOCAL),
    (b"Executing local command: ", SHELL_LOCAL),
)
_TRANSFERS = ((b"Uploading ", "file-upload"), (b"Downloading ", "file-download"))
_WITHOUT_DETAIL = (
    (b"Provisioning with Ansible", "ansible"),
    (b"Provisioning with chef", CHEF),
    (b"Restarting Machine", "windows-restart"),
    (b"Uploading the Windows update elevated script", WINDOWS_UPDATE),
    (b"Pausing at breakpoint provisioner", OTHER),
    (b"Automatic SBOM generation enabled", OTHER),
)
# They announce units that follow, and are none.
_HEADINGS = (b"Provisioning with Powershell", b"Provisioning with windows-shell", b"Provisioning with shell script")
# Only a sign of a unit where none of the kind is running: the unit's first text was missed, or there is none.
_WITHIN = ((b"Running Windows update", WINDOWS_UPDATE), (b"Executing Chef: ", CHEF))
_QUIET_WITHIN = (
    (b"Executing Chef: ", CHEF),
    (b"Creating configuration file 'client.rb'", CHEF),
    (b"Creating directory: /tmp/packer-chef-client", CHEF),
)
_KEY_BYTES = 6
_ALL = (*_WITH_DETAIL, *_TRANSFERS, *_WITHOUT_DETAIL, *_WITHIN, *_QUIET_WITHIN)
PROVISIONER_STARTS = frozenset(text[:_KEY_BYTES] for text, _ in _ALL)
PROVISIONER_TEXTS = frozenset(text for text, _ in _ALL) | {b"Provisioning with "}  # what they begin with, whole

# While these run, packer itself says nothing but what is above: another word of its own ends them.
SILENT_KINDS = frozenset(("shell", "powershell", SHELL_LOCAL, "file-upload", "file-download"))
_TYPES_OF_OTHER = ((b"Pausing at breakpoint", "breakpoint"), (b"Automatic SBOM generation", "hcp-sbom"))

# Types of the `(telemetry)` lines whose provisioners say themselves when they begin, and their kinds.
KINDS_OF_TYPE: dict[str, tuple[str, ...]] = {
    "shell": ("shell",),
    "windows-shell": ("shell",),
    "powershell": ("powershell",),
    "shell-local": (SHELL_LOCAL,),
    "file": ("file-upload", "file-download"),
    "ansible": ("ansible",),
    "ansible-local": ("ansible",),
    "chef-solo": (CHEF,),
    "chef-client": (CHEF,),
    "windows-restart": ("windows-restart",),
    "windows-update": (WINDOWS_UPDATE,),
    "puppet-masterless": (OTHER,),
    "puppet-server": (OTHER,),
    "salt-masterless": (OTHER,),
    "converge": (OTHER,),
    "inspec": (OTHER,),
    "breakpoint": (OTHER,),
}


def provisioner_of(text: bytes, running: str | None) -> tuple[str, bytes] | None:
    """(kind, detail) of the provisioner unit that a message of Packer's begins; None for another message.

    Args:
        text: the message, without the build's name.
        running: the kind of the provisioner that runs now; some kinds repeat their text within one run.
    """
    if text[:_KEY_BYTES] not in PROVISIONER_STARTS or (text.startswith(_HEADINGS) and b": " not in text):
        return None
    for beginning, kind in _WITH_DETAIL:
        if text.startswith(beginning):
            return kind, text[len(beginning) :]
    for beginning, kind in _WITHOUT_DETAIL:
        if text.startswith(beginning):
            return kind, b""
    for beginning, kind in _TRANSFERS:
        if text.startswith(beginning) and b" => " in text:
            return kind, text[len(beginning) :]
    for beginning, kind in _WITHIN:
        if text.startswith(beginning):
            return None if running == kind else (kind, b"")
    return (OTHER, b"") if text.startswith(b"Provisioning with ") else None


def type_of_other(text: bytes) -> str | None:
    """What to call a unit of kind `other`: its type, or what it says that it provisions with."""
    known = next((name for beginning, name in _TYPES_OF_OTHER if text.startswith(beginning)), None)
    named = text.removeprefix(b"Provisioning with ").rstrip(b". ") if text.startswith(b"Provisioning with ") else b""
    return known or named[:60].decode("utf-8", "replace") or None


def quiet_provisioner_of(text: bytes, running: str | None) -> tuple[str, bytes] | None:
    """(kind, detail) of a unit that begins with a text that Packer before 1.13 prints with four spaces.

    Args:
        text: the message, without the build's name.
        running: the kind of the provisioner that runs now; one of the same kind does not begin anew.
    """
    for beginning, kind in _QUIET_WITHIN:
        if text.startswith(beginning) and running != kind:
            return kind, b""
    return None
