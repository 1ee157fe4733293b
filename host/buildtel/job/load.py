"""A stored document read back, of this version or of the original system."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from buildtel.errors import BuildtelError
from buildtel.job.model import SCHEMA, JobDocument

FAMILY = SCHEMA.rpartition("/")[0]


def load_document(data: bytes, where: str) -> JobDocument:
    """The document in `data`; `where` names it in errors.

    Raises:
        BuildtelError: it is not JSON, not a job document, or one of a version to come.
    """
    try:
        value = from_json(data)
    except ValueError as error:
        raise BuildtelError(f"{where}: not a job document: not JSON ({_line(error)})") from None
    if not isinstance(value, dict) or not {"job", "steps"} <= value.keys():
        raise BuildtelError(f"{where}: not a job document: it has no `job` and `steps`")
    _refuse_newer(value, where)
    try:
        return JobDocument.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BuildtelError(f"{where}: not a job document: `{place}`: {first['msg']}") from None


def _refuse_newer(value: dict[str, Any], where: str) -> None:
    schema = value.get("schema")
    if schema is not None and schema != SCHEMA:
        words = "a newer buildtel is needed" if str(schema).startswith(FAMILY) else "not one of buildtel's"
        raise BuildtelError(f"{where}: its schema is {str(schema)[:60]!r}, this program reads {SCHEMA!r}: {words}")


def _line(error: ValueError) -> str:
    return str(error).splitlines()[0][:120]
