"""The texts of a document that may hold what others wrote, without secrets."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from buildtel.events import EVIDENCE
from buildtel.job.model import Command, InsideRow, JobDocument, Mark, Process, Step, StepProvisioner
from buildtel.redact import Redactor
from buildtel.timeline.packer_model import Build, InnerPart, PackerRun, Phase, Provisioner, Stretch

# Which fields of a part have words of Packer, of a plugin, a guest or a user.
_TEXTS: dict[type, tuple[str, ...]] = {
    JobDocument: ("notes",), Step: ("name",), StepProvisioner: ("detail",), Process: ("name",), Command: ("name",),
    InsideRow: ("name",), Mark: ("name",),
    PackerRun: ("error",), Build: ("error", "artifacts"), Phase: ("text",), Provisioner: ("detail", "output"),
    InnerPart: ("name",), Stretch: ("text",),
}  # fmt: skip
# Parts without words: figures, which are many.
_FIGURES = frozenset(("metrics", "series", "counters", "samples", "clock", "integrity", "system"))
Part = TypeVar("Part")


def redacted(part: Part, redactor: Redactor) -> Part:
    """A document, or a part of one, whose words have no secrets.

    Args:
        part: a dataclass of the document's model, or a list, tuple or dict of them; others stay as they are.
        redactor: knows the secrets.
    """
    if isinstance(part, (list, tuple)):
        return type(part)([redacted(one, redactor) for one in part])
    if isinstance(part, dict):
        return {key: redacted(one, redactor) for key, one in part.items()}  # type: ignore[return-value]
    if not is_dataclass(part) or isinstance(part, type):
        return part
    words = _TEXTS.get(type(part), ())
    changed: dict[str, Any] = {}
    for name in [field.name for field in fields(part) if field.name not in _FIGURES]:
        value = getattr(part, name)
        new = _shown(value, redactor) if name in words else redacted(value, redactor)
        if new != value:
            changed[name] = new
    if isinstance(part, Provisioner) and not redactor.keeps_output:
        parts = changed.get("parts", part.parts)
        changed |= {"output": (), "parts": tuple(inner for inner in parts if inner.kind != EVIDENCE)}
    return replace(part, **changed) if changed else part  # type: ignore[type-var]


def _shown(value: Any, redactor: Redactor) -> Any:
    if isinstance(value, str):
        return redactor.text(value)
    return value if value is None else type(value)([redactor.text(text) for text in value])
