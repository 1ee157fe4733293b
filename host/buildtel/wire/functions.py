"""The HCL2 functions that templates use for shared commands and lists of sources.

Each takes and gives values; `UNKNOWN` where the arguments do not say enough. Their meaning is Packer's
(https://developer.hashicorp.com/packer/docs/templates/hcl_templates/functions).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice

from buildtel.wire.value import MAX_ELEMENTS, MAX_TEXT, Symbol, Value, text

_FORMAT_VERB = re.compile(r"%(%|s|v)")

UNKNOWN = Symbol("")


def _format(pattern: Value, *arguments: Value) -> Value:
    verbs = _FORMAT_VERB.findall(text(pattern))
    if not isinstance(pattern, str) or pattern.count("%") != sum(1 + (verb == "%") for verb in verbs):
        return UNKNOWN
    rest = iter(arguments)
    made = _FORMAT_VERB.sub(lambda verb: "%" if verb[1] == "%" else text(next(rest, "")), pattern)
    return made if len(made) <= MAX_TEXT else UNKNOWN


def _join(separator: Value, *lists: Value) -> Value:
    parts = _concat(*lists)
    if not isinstance(parts, tuple):
        return UNKNOWN
    made = text(separator).join(map(text, parts))
    return made if len(made) <= MAX_TEXT else UNKNOWN


def _concat(*lists: Value) -> Value:
    if not all(isinstance(found, tuple) for found in lists):
        return UNKNOWN
    return tuple(islice(chain.from_iterable(found for found in lists if isinstance(found, tuple)), MAX_ELEMENTS))


def _flatten(value: Value) -> Value:
    def flat(found: Value) -> Iterator[Value]:
        for element in found if isinstance(found, tuple) else ():
            yield from flat(element) if isinstance(element, tuple) else (element,)

    return tuple(islice(flat(value), MAX_ELEMENTS)) if isinstance(value, tuple) else UNKNOWN


def _compact(value: Value) -> Value:
    return tuple(found for found in value if found not in ("", None)) if isinstance(value, tuple) else UNKNOWN


def _coalesce(*arguments: Value) -> Value:
    return next((found for found in arguments if found not in ("", None)), UNKNOWN)


def _merge(*maps: Value) -> Value:
    if not all(isinstance(found, Mapping) for found in maps):
        return UNKNOWN
    return {key: value for found in maps if isinstance(found, Mapping) for key, value in found.items()}


def _lookup(owner: Value, key: Value, default: Value = UNKNOWN) -> Value:
    known = isinstance(owner, Mapping) and "${" not in text(key)
    return owner.get(text(key), default) if known and isinstance(owner, Mapping) else UNKNOWN


def _strip(value: Value, *_: Value) -> Value:
    return value.strip() if isinstance(value, str) else value


def _same(value: Value, *_: Value) -> Value:
    return value


FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "format": _format,
    "join": _join,
    "concat": _concat,
    "setunion": _concat,
    "flatten": _flatten,
    "compact": _compact,
    "coalesce": _coalesce,
    "merge": _merge,
    "lookup": _lookup,
    "try": _same,
    "toset": _same,
    "tolist": _same,
    "tomap": _same,
    "tostring": _same,
    "chomp": _strip,
    "trimspace": _strip,
}
