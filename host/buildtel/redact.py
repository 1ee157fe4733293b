"""Hides secrets in text that leaves this machine: one rule for errors, output lines, and names of steps and commands.

Hidden are the values of environment variables with a telling name (`*TOKEN*`, `*SECRET*`, `*PASSW*`, `*_KEY`), of
such variables that Packer's debug log shows for a provisioner (`environment_vars`), what `::add-mask::` names (GitHub
Actions), the user part of a URL, and what the user's own expressions match. Packer's `<sensitive>` stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from buildtel.errors import UsageError

HIDDEN = "<redacted>"
LEAST_CHARS = 4  # a shorter value stands in many words
MOST_VALUES = 1000
LONGEST_CHARS = 4096
_NO_SECRETS = frozenset(("true", "false", "null", "none", "<sensitive>", HIDDEN))
_TELLING = r"[A-Za-z0-9_]*(?:TOKEN|SECRET|PASSW)[A-Za-z0-9_]*|[A-Za-z0-9_]*_KEY"
_NAME = re.compile(_TELLING, re.I)
_QUOTE = """'"'"'"""  # how Packer writes a quote within quotes
_ASSIGNED = re.compile(rf"""(?<![A-Za-z0-9_])({_TELLING})=('(?:[^']|{_QUOTE})*'|"[^"]*"|[^\s'"]+)""", re.I)
_URL_USER = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{1,20}://)[^\s/@'\"<>]+@")
_MASK = b"::add-mask::"
_VARIABLES = b"PACKER_BUILDER_TYPE="  # in the command line of every script, beside `environment_vars`
_HELD_BYTES = 1 << 16


class Redactor:
    """Hides secrets in texts; learns more of them from a log.

    Args:
        environ: the environment, whose variables with a telling name hold secrets.
        expressions: regular expressions of the user; what they match is hidden.
        secrets: further values.
        keeps_output: whether the document may have the last lines of a failed provisioner's output.

    Raises:
        UsageError: an expression is no regular expression.
    """

    def __init__(
        self, environ: Mapping[str, str], expressions: Sequence[str] = (), secrets: Iterable[str] = (),
        *, keeps_output: bool = True,
    ) -> None:  # fmt: skip
        self.keeps_output = keeps_output
        self._expressions = [_compiled(text) for text in expressions]
        self._values: set[str] = set()
        self._found: re.Pattern[str] | None = None
        self.add(secrets)
        self.add(value for name, value in environ.items() if _NAME.fullmatch(name))

    def add(self, secrets: Iterable[str]) -> None:
        """Learn values; each line of one is a secret. Values of less than 4 characters, `true` and so on are none."""
        for secret in secrets:
            for line in secret[:LONGEST_CHARS].splitlines():
                value = line.strip()
                if len(value) >= LEAST_CHARS and value.lower() not in _NO_SECRETS and len(self._values) < MOST_VALUES:
                    self._values.add(value)
                    self._found = None

    def reading(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same bytes of a log; the secrets that its lines tell are learned before each part is given."""
        rest = b""  # of a line that is not whole yet
        for chunk in chunks:
            if any(needle in chunk or needle in rest + chunk[: len(needle)] for needle in (_MASK, _VARIABLES)):
                begun = rest + chunk
                self.add(told(begun[: begun.rfind(b"\n") + 1]))
            end = chunk.rfind(b"\n") + 1
            rest = (chunk[end:] if end else rest + chunk)[-_HELD_BYTES:]
            yield chunk
        self.add(told(rest))

    def text(self, text: str) -> str:
        """A text without secrets."""
        if self._values and self._found is None:
            longest_first = sorted(self._values, key=len, reverse=True)
            self._found = re.compile("|".join(map(re.escape, longest_first)))
        shown = self._found.sub(HIDDEN, text) if self._found is not None else text
        for expression in self._expressions:
            shown = expression.sub(HIDDEN, shown)
        if "://" in shown:
            shown = _URL_USER.sub(rf"\1{HIDDEN}@", shown)
        return _ASSIGNED.sub(_hidden_value, shown) if "=" in shown else shown


def told(data: bytes) -> list[str]:
    """The secrets in lines of a log: variables of a provisioner's command, and what `::add-mask::` names."""
    found = [line.partition(_MASK)[2].decode("utf-8", "replace") for line in _lines_with(data, _MASK)]
    for line in _lines_with(data, _VARIABLES):
        found += assigned(line.decode("utf-8", "replace"))
    return found


def assigned(text: str) -> list[str]:
    """The values of variables with a telling name in a shell's command line, unquoted."""
    return [_unquoted(found[2]) for found in _ASSIGNED.finditer(text)]


def _lines_with(data: bytes, needle: bytes) -> Iterator[bytes]:
    at = data.find(needle)
    while at >= 0:
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end
        yield data[data.rfind(b"\n", 0, at) + 1 : end]
        at = data.find(needle, end)


def _hidden_value(found: re.Match[str]) -> str:
    value = _unquoted(found[2])
    return found[0] if not value or value in _NO_SECRETS else f"{found[1]}={HIDDEN}"


def _unquoted(word: str) -> str:
    return word[1:-1].replace(_QUOTE, "'") if word[:1] in ("'", '"') else word


def _compiled(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise UsageError(f"--redact {text!r} is no regular expression: {error}. See docs/security.md") from None
