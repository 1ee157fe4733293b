"""The table of Packer's texts that start a phase.

Sources: the `ui.Say` texts of hashicorp/packer 0.5 to 1.16 and of the plugins for amazon, azure, docker,
googlecompute, hyperv, proxmox, qemu, virtualbox, vmware, vsphere, digitalocean and others; words of single plugins
stand in `plugin_texts.py`, each with the version that was read.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from buildtel.parse.plugin_texts import PLUGIN_TEXTS

# phase: how its texts begin. Where two fit, the longer one wins.
_BEGINNINGS: dict[str, tuple[str, ...]] = {
    "prepare": (
        "Prevalidating ", "Inspecting the source AMI", "Validating ", "Checking image does not exist",
        "Running builder ...", "Creating Azure Resource Manager (ARM) client", "Creating Azure DevTestLab",
        "Getting source image id", "Checking the root device", "Gathering information about",
        "Creating a temporary directory for sharing data", "Creating build directory", "Preparing config",
        "Discovering ", "Querying source image id", "Force Deregister flag found", "Deleting previous ",
        "Deleting any current floppy disk", "Configuring output and export directories", "Calling Vagrant",
        "XAPI client session established", "Using existing resource group",
    ),
    "access": (
        "Creating temporary keypair", "Creating temporary RSA SSH key", "Creating temporary ECDSA SSH key",
        "Creating temporary ED25519 SSH key", "Creating temporary SSH key", "Creating temporary ssh key",
        "Creating temporary key", "Creating temporary security group", "Creating temporary Security Group",
        "Creating temporary role", "Creating temporary instance profile", "Creating temporary certificate",
        "Creating ephemeral key pair", "Created ephemeral SSH key pair", "Authorizing ",
        "Importing SSH public key", "Using existing SSH private key", "Using local SSH Agent",
        "Using SSH Agent", "Creating security group", "Creating windows user", "Setting the certificate",
        "Uploading SSH public key", "Creating a temporary ssh key",
    ),
    "retrieve_image": (
        "Retrieving ", "Trying http", "Downloading or copying", "Downloading ISO", "Pulling Docker image",
        "Using image:", "Using as source image", "Building base image", "Importing VM:",
        "Uploading ISO to remote machine", "Downloading VM",
    ),
    "create_media": (
        "Creating floppy disk", "Creating CD disk", "Uploading Floppy", "Uploading floppy image",
        "Uploading created floppy image", "Starting HTTP server", "Serving HTTP requests",
        "HTTP server is working",
    ),
    "create_disk": (
        "Creating required virtual machine disk", "Creating virtual machine disk", "Creating hard drive",
        "Creating disk", "Creating persistent disk", "Creating the root volume", "Creating Volume",
        "Creating volume", "Copying hard drive", "Resizing hard drive", "Resizing vhd",
        "Creating additional hard drives", "Attaching the root volume", "Mounting the root device",
        "Copying source volume",
    ),
    "create_machine": (
        "Creating virtual machine", "Creating VM", "Creating Virtual Machine", "Creating instance",
        "Creating Instance", "Creating droplet", "Creating server", "Creating Server", "Creating Linode",
        "Creating container", "Creating resource group", "Deploying deployment template", "Launching ",
        "Cloning ", "Starting docker container", "Waiting for instance (", "Waiting for the instance to become",
        "Waiting for server", "Waiting for droplet", "Building and writing VMX", "Generating the .vmx",
        "Registering remote VM", "Customizing ", "Applying hardware", "Creating source machine",
        "Creating builder instance", "Waiting for source machine to become", "Creating forwarded port mapping",
        "Executing custom ", "Setting boot order", "Set boot order", "Adding SATA", "Requesting spot",
        "Waiting for auto-generated password", "Getting the VM's IP address", "Step: Create Instance",
        "Adding configuration parameters", "Mounting ISO images", "Adding CD-ROM devices",
        "Finding virtual machine to clone",
    ),
    "boot": (
        "Starting VM", "Starting virtual machine", "Starting the virtual machine", "Powering on ",
        "Power on VM", "Starting instance", "Resuming VM", "Waiting for boot", "Connecting to VM via VNC",
        "Connecting to VNC", "Connecting to the VM over VNC", "Typing boot command", "Typing the boot command",
        "Typing boot commands", "Overriding default Qemu arguments", "Overriding defaults Qemu arguments",
        "Waiting for IP", "Waiting for any running startup script", "Waiting for the guest address",
        "Step: Start VM",
    ),
    "wait_ssh": (
        "Waiting for SSH to become available", "Waiting for WinRM to become available",
        "Using SSH communicator", "Using WinRM communicator", "Using ssh communicator",
        "Using winrm communicator", "Using docker communicator", "Pausing before connecting",
        "Step Launch IAP Tunnel", "Starting portForwarding session", "Waiting for ssh to become available",
    ),
    "pause": (
        "Pausing before the next provisioner...",
    ),
    "wait_user": (
        "Pausing after run of step", "Pausing before cleanup of step", "Pausing before the next provisioner .",
        "Press enter to continue",
    ),
    "retry": (
        "Provisioner failed with", "retry limit reached",
    ),
    "error_cleanup": (
        "Provisioning step had errors: Running the cleanup provisioner",
    ),
    "shutdown": (
        "Gracefully halting virtual machine", "Gracefully halting ", "Gracefully shutting down",
        "Halting the virtual machine", "Forcibly halting", "Forcefully shutting down", "Waiting for shutdown",
        "Running shutdown command", "Executing shutdown command", "Powering off machine",
        "Powering off virtual machine", "Powering off ", "Power off VM", "Shutting down VM",
        "Shutting down server", "Shutting down instance", "Shutting down Linode",
        "Shutting down the virtual machine", "Shutting down ", "Shuting down ", "Stopping the source",
        "Stopping VM", "Stopping virtual machine", "Stopping instance", "Stopping server",
        "Stopping source machine", "Stopping this instance", "Stopping container",
        "Waiting for the instance to stop", "Waiting for the vm to stop", "Waiting for vm to be powered down",
        "Generalizing machine", "Executing OS generalization", "Step: Shutting down VM",
        "Automatic shutdown disabled", "Deleting instance...", "Waiting instance stopped",
    ),
    "create_image": (
        "Creating AMI ", "Creating the AMI", "Creating OMI ", "Creating the OMI", "Creating image",
        "Creating the image", "Creating snapshot", "Creating Snapshot", "Creating a snapshot",
        "Creating virtual machine snapshot", "Creating template", "Creating ProfitBricks snapshot",
        "Registering the AMI", "Registering image", "Waiting for AMI", "Waiting for OMI", "Waiting for image",
        "Waiting for snapshot", "Waiting for Snapshots", "Waiting for fast launch", "Capturing image",
        "Capturing VHD", "Capturing ", "Publishing to Shared Image Gallery", "Publishing container",
        "Snapshotting ", "Committing the container", "Copying AMI", "Copying/Encrypting AMI",
        "Modifying attributes on", "Adding tags to AMI", "Tagging ", "Bundling the volume",
        "Querying the machine's", "Copying VHD to Storage Account", "transferring Snapshot",
        "Enabling fast boot for AMI", "Enabling deprecation on AMI", "Copying images from",
    ),
    "convert": (
        "Converting VM to template", "Converting ", "Convert VM into template", "Compacting ",
        "Collating build artifacts", "Marking as a template", "Registering virtual machine as a template",
    ),
    "export": (
        "Preparing to export", "Exporting the container", "Exporting container", "Exporting ",
        "Uploading the bundle", "Uploading image", "Importing VM template", "Importing VM OVF template",
        "Packaging box",
    ),
    "cleanup": (
        "Terminating the source", "Terminating ", "Cleaning up any extra volumes", "Cleaning up ",
        "Cleaning VMX", "Cleaning .vmx", "Cleanup ", "Clean up ", "Deleting output directory",
        "Deleting temporary keypair", "Deleting ", "Destroying VM", "Destroying droplet", "Destroying server",
        "Destroying ", "Deregistering and deleting", "Deregistering ", "Unregistering and deleting",
        "Unregistering ", "Killing the container", "Removing ", "Trying to remove ephemeral keys",
        "Unmounting the root device", "Unmounting ", "Unmount/delete", "Detaching ", "Disabling VNC",
        "Disconnecting from vmconnect", "Disabling vlan", "Ejecting CD-ROM", "Eject CD-ROM",
        "No volumes to clean up", "The resource group was not created by Packer", "Revoking access",
        "Clear boot order", "Clearing boot order",
    ),
    "post_processor": (
        "Running post-processor:",
    ),
}  # fmt: skip

# Phases that can follow a provisioner; the others, seen while one runs, are its own output. So are words that
# guests print too (`Removing libfoo ...`): beginnings that end in a space are not believed then.
AFTER_PROVISIONING = frozenset(
    (
        "pause", "wait_user", "retry", "error_cleanup", "shutdown", "create_image", "convert", "export", "cleanup",
        "post_processor",
    )
)  # fmt: skip
# Texts of one word and a duration between fixed parts.
_TIMED = (
    (b"Pausing ", b" before the next provisioner...", "pause"),
    (b"Pausing ", b" after this provisioner...", "pause"),
    (b'Step "', b'" failed', "wait_user"),
    (b"Pausing ", b" before connecting...", "wait_ssh"),
    (b"Waiting ", b" for boot...", "boot"),
    (b"Waiting ", b" for boot", "boot"),
    (b"Waiting ", b" before establishing the SSM session...", "wait_ssh"),
)


OTHER_PHASE = "other"  # what Packer says in words that are not here, where it is sure that Packer speaks
_KEY_BYTES = 6
_VERB = re.compile(r"%[a-zA-Z]")
_LEAST_SURE_BYTES = 14  # fixed text that a pattern with verbs must have to be believed while a provisioner runs


@dataclass(frozen=True, slots=True)
class _Text:
    """A text of Packer's in its fixed parts, which stand in this order, the first at the start; and its phase."""

    parts: tuple[bytes, ...]
    phase: str
    sure: bool

    def fits(self, text: bytes) -> bool:
        at = 0
        for part in self.parts:
            at = text.find(part, at)
            if at < 0:
                return False
            at += len(part)
        return True


def _shared() -> Iterator[_Text]:
    for phase, beginnings in _BEGINNINGS.items():
        for beginning in beginnings:
            sure = phase in AFTER_PROVISIONING and not beginning.endswith(" ")
            yield _Text((beginning.encode(),), phase, sure)


def _of_plugins() -> Iterator[_Text]:
    for _, _, texts in PLUGIN_TEXTS:
        for phase, patterns in texts.items():
            for pattern in patterns:
                parts = tuple(part.encode() for part in _VERB.split(pattern))
                fixed = sum(map(len, parts))
                yield _Text(parts, phase, phase in AFTER_PROVISIONING and fixed >= _LEAST_SURE_BYTES)


def _by_start() -> dict[bytes, list[_Text]]:
    """By the first bytes, the texts with the longest beginning first; those that begin with a verb under b""."""
    table: dict[bytes, list[_Text]] = defaultdict(list)
    for text in (*_shared(), *_of_plugins()):
        start = text.parts[0]
        table[start[:_KEY_BYTES] if len(start) >= _KEY_BYTES else b""].append(text)
    for entries in table.values():
        entries.sort(key=lambda text: (-len(text.parts[0]), -sum(map(len, text.parts))))
    return dict(table)


_BY_START = _by_start()
_UNSTARTED = tuple(_BY_START.pop(b"", ()))
PHASE_STARTS = frozenset(_BY_START) | {start[:_KEY_BYTES] for start, _, _ in _TIMED}
# What the texts of phases begin with, whole.
PHASE_TEXTS = frozenset(text.parts[0] for texts in _BY_START.values() for text in texts) | {one[0] for one in _TIMED}
PHASE_SIGN = b": Trying to "  # in those texts that begin with a verb


def phase_of(text: bytes, while_provisioning: bool = False) -> str | None:
    """The phase that a message of Packer's begins; None for every other text.

    Args:
        text: the message, without the build's name.
        while_provisioning: a provisioner runs, whose output may look like Packer's; only texts that a guest hardly
            prints count.
    """
    entries: Iterable[_Text] = _BY_START.get(text[:_KEY_BYTES], ())
    if PHASE_SIGN in text:
        entries = (*entries, *_UNSTARTED)
    for entry in entries:
        start = entry.parts[0]
        if text.startswith(start) and entry.fits(text):
            return entry.phase if entry.sure or not while_provisioning else None
    for start, end, phase in _TIMED if text[:_KEY_BYTES] in PHASE_STARTS else ():
        if text.startswith(start) and text.endswith(end):
            return phase if phase in AFTER_PROVISIONING or not while_provisioning else None
    return None
