"""The values of HCL2 expressions, and the value that only Packer knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import TypeAlias

MAX_ELEMENTS = 200
MAX_TEXT = 1 << 16


@dataclass(frozen=True, slots=True)
class Symbol:
    """An expression whose value only Packer knows, as it stands in the file."""

    text: str

    def __str__(self) -> str:
        return f"${{{self.text}}}"


Value: TypeAlias = "str | bool | int | float | Symbol | tuple[Value, ...] | Mapping[str, Value] | None"


def text(value: Value) -> str:
    """A value as it stands inside of a string."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, (tuple, Mapping)):
        return "${…}"
    return str(value)


def elements(value: Value) -> Iterator[tuple[Value, Value]]:
    """Key and value of each element of a `for_each`; one unknown element of what only Packer knows."""
    if isinstance(value, Mapping):
        yield from islice(value.items(), MAX_ELEMENTS)
    elif isinstance(value, tuple):
        yield from islice(enumerate(value), MAX_ELEMENTS)
    elif value is not None:
        yield value, value


def strings(value: Value) -> Iterator[str]:
    """All texts in a value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from chain.from_iterable(map(strings, value.values()))
    elif isinstance(value, tuple):
        yield from chain.from_iterable(map(strings, value))
