"""Finds out which operating system a source builds.

buildtel measures Linux guests. A source that says nothing about its guest is taken for Linux over SSH, Packer's own
default. What the template says outright (`guest_os_type`, `communicator`, …) comes before what it only hints at (the
kind of its provisioners, the name of its ISO, its own name).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from buildtel.wire.template import Block, Template
from buildtel.wire.value import strings, text

LINUX = "Linux"
NO_GUEST = "no guest"
WINDOWS = "Windows"
MACOS = "macOS"

Hint = tuple[str, Block, str]

WINDOWS_KINDS = ("powershell", "windows-shell", "windows-restart", "windows-update")

_UNIXES = (
    *((re.compile(name, re.IGNORECASE), name) for name in ("FreeBSD", "OpenBSD", "NetBSD", "DragonFly", "Solaris")),
    (re.compile("opnsense|pfsense", re.IGNORECASE), "FreeBSD"),
    (re.compile("illumos|omnios|openindiana|smartos", re.IGNORECASE), "illumos"),
)
_LINUX = (
    re.compile(
        r"linux|l2[46]|ubuntu|debian|centos|rhel|red-?hat|fedora|suse|sles|rocky|alma|oracle|gentoo|photon|mandriva|"
        r"turbo|alpine|nixos|flatcar|coreos|kali|arch|cloud-init",
        re.IGNORECASE,
    ),
    LINUX,
)

_COMMUNICATOR = ("communicator",)
_COMMUNICATORS = ((re.compile("^winrm$"), WINDOWS), (re.compile("^none$"), NO_GUEST))

# Values of attributes whose only meaning is the operating system: VMware's, VirtualBox's and vSphere's guest_os_type
# (windows2019srv-64, darwin20-64, MacOS_64, winNetStandardGuest), Proxmox's os (win10, w2k8, l26), Azure's os_type.
_OS = ("guest_os_type", "os", "os_type", "guest_os", "template_os")
_OS_VALUES = (
    (re.compile("^(?:win|w2k|wxp|wvista|longhorn|microsoft)", re.IGNORECASE), WINDOWS),
    (re.compile("^(?:darwin|mac|os-?x)", re.IGNORECASE), MACOS),
    *_UNIXES,
    _LINUX,
)

_USERS = ((re.compile("^Administrator$"), WINDOWS),)
_DATA = re.compile(r"\bdata\.([\w-]+)\.([\w-]+)")

# Names of images. The Linux words stand last, so that `windows-on-debian` is not taken for Linux.
_IMAGE = (
    "iso_url", "iso_urls", "iso_file", "iso_path", "iso_paths", "source_path", "source_image", "source_image_family",
    "source_image_name", "image_offer", "image_publisher", "image", "image_name", "base_image", "vm_base_name",
    "box_name", "template", "clone_vm", "source_vm_name", "instance_type", "from_ipsw", "from_iso", "run_extra_args",
    "filters",
)  # fmt: skip
_IMAGE_NAMES = (
    (re.compile(r"windows|\bwin-?(?:7|8|10|11|20[0-9][0-9])(?![0-9])", re.IGNORECASE), WINDOWS),
    (
        re.compile(
            r"mac-?os|\bdarwin|\bos-?x\b|\.ipsw\b|^mac\d\S*\.metal|monterey|ventura|sonoma|sequoia|\btahoe",
            re.IGNORECASE,
        ),
        MACOS,
    ),
    *_UNIXES,
    _LINUX,
)
# What provisioners for any system are told where the guest is Windows: of Chef and Puppet, of Ansible, of shell.
_TOLD_WINDOWS = (
    ("guest_os_type", re.compile("^win", re.IGNORECASE)),
    ("extra_arguments", re.compile(r"ansible_(?:shell_type|connection)=\W*(?:powershell|cmd|winrm|psrp)")),
    ("execute_command", re.compile(r"\bpowershell(?:\.exe)?\b|\bcmd(?:\.exe)? /c\b", re.IGNORECASE)),
)
_MACOS_BUILDERS = ("tart-cli", "veertu-anka", "veertu-anka-vm-clone", "veertu-anka-vm-create", "anka")


@dataclass(frozen=True, slots=True)
class Guest:
    """What a source builds: `system` is Linux, Windows, macOS, a Unix's name, or no guest; `why` names the evidence.

    `why` is empty where nothing in the template says what the guest is.
    """

    system: str
    why: str = ""

    @property
    def is_none(self) -> bool:
        """Whether there is no guest at all."""
        return self.system == NO_GUEST


def of_source(kind: str, name: str, blocks: tuple[Block, ...], hints: Iterable[Hint], template: Template) -> Guest:
    """The guest of one source of a build.

    Args:
        kind: the builder, such as qemu.
        name: the source's name.
        blocks: the source block, and the block of the same source inside of the build.
        hints: kind, body and place of each provisioner that runs for this source.
        template: where its names are found.
    """
    if kind == "file":
        return Guest(NO_GUEST, 'a "file" source starts no machine')
    found = (
        *_by_attribute(blocks, _COMMUNICATOR, _COMMUNICATORS, template),
        *_by_attribute(blocks, _OS, _OS_VALUES, template),
        *_by_windows_container(blocks, template),
        *_by_provisioner(hints, template),
        *_by_attribute(blocks, ("ssh_username",), _USERS, template),
        *_by_attribute((*blocks, *_data(blocks, template)), _IMAGE, _IMAGE_NAMES, template),
        *((Guest(MACOS, f'the builder "{kind}"'),) if kind in _MACOS_BUILDERS else ()),
        *_by_name(name),
    )
    return next(iter(found), Guest(LINUX))


def _by_attribute(
    blocks: tuple[Block, ...],
    attributes: Iterable[str],
    table: Iterable[tuple[re.Pattern[str], str]],
    template: Template,
) -> Iterator[Guest]:
    """The guest that the first attribute with a known value names; a condition with several systems names none."""
    for block in chain.from_iterable((block, *block.blocks) for block in reversed(blocks)):
        for name in (name for name in attributes if name in block.attributes):
            given = [word for value in template.values(block.text(name)) for word in strings(value)]
            systems = {_system(word, table) for word in given} - {None}
            if len(systems) == 1 and given:
                (system,) = systems
                where = f"{block.path.name}:{block.line_of(name)}"
                yield Guest(str(system), f"{name} = {given[0]!r} at {where}".replace("'", '"'))


def _system(word: str, table: Iterable[tuple[re.Pattern[str], str]]) -> str | None:
    return next((system for regex, system in table if regex.search(word)), None)


def _data(blocks: tuple[Block, ...], template: Template) -> Iterator[Block]:
    """The data sources that find the image of a source, as `data.amazon-ami.NAME`."""
    named = {found for block in blocks for found in _DATA.findall(block.text("source_ami") or "")}
    yield from (block for block in template.of_kind("data") if block.labels in named)


def _by_windows_container(blocks: tuple[Block, ...], template: Template) -> Iterator[Guest]:
    for block in blocks:
        if "true" in map(text, template.values(block.text("windows_container"))):
            yield Guest(WINDOWS, f"windows_container at {block.path.name}:{block.line_of('windows_container')}")


def _by_provisioner(hints: Iterable[Hint], template: Template) -> Iterator[Guest]:
    """The guest that a provisioner for Windows proves, or one whose settings are for Windows."""
    for kind, body, place in hints:
        if kind in WINDOWS_KINDS:
            yield Guest(WINDOWS, f'provisioner "{kind}" at {place}')
        for name, regex in _TOLD_WINDOWS:
            given = (word for value in template.values(body.text(name)) for word in strings(value))
            if any(map(regex.search, given)):
                yield Guest(WINDOWS, f'{name} of provisioner "{kind}" at {body.path.name}:{body.line_of(name)}')


def _by_name(name: str) -> Iterator[Guest]:
    system = _system(name, _IMAGE_NAMES[:-1])
    if system is not None:
        yield Guest(system, f'the name "{name}"')
