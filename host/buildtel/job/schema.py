"""The job document for pydantic: validates documents that are read, and gives their JSON Schema.

Only who reads a document imports this: pydantic costs more than all else that writing one needs.
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError

from buildtel.job.model import ORIGINAL_FIELDS, ORIGINAL_METRICS, SCHEMA, JobDocument, Step, System
from buildtel.metrics import COSTS, OWN
from buildtel_agent import COUNTERS, METRICS

_DOCUMENT = TypeAdapter(JobDocument)
_STEP_FIELDS = frozenset(Step.__dataclass_fields__)


class Invalid(ValueError):
    """A value that is no document: `place` says where it is wrong, the message how."""

    def __init__(self, place: tuple[int | str, ...], words: str) -> None:
        super().__init__(words)
        self.place = place


def validated(value: dict[str, Any]) -> JobDocument:
    """The document in JSON data; unknown fields are ignored.

    Raises:
        Invalid: a field is missing, or holds what it can't.
    """
    steps = value["steps"]
    if isinstance(steps, list):
        value = {**value, "steps": [_gathered(step) for step in steps]}
    try:
        return _DOCUMENT.validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise Invalid(first["loc"], first["msg"].removeprefix("Value error, ")) from None


def _gathered(step: Any) -> Any:
    """A step with its figures in `metrics`, as the model has them."""
    if not isinstance(step, dict) or "metrics" in step:
        return step
    fields = {name: item for name, item in step.items() if name in _STEP_FIELDS}
    others = {name: item for name, item in step.items() if name not in _STEP_FIELDS}
    figures = {name: item for name, item in others.items() if item is None or type(item) in (int, float)}
    return {**fields, "metrics": figures}


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the documents that are written."""
    schema = _DOCUMENT.json_schema(mode="serialization")
    parts = schema["$defs"]
    schema["required"] = ["schema", *ORIGINAL_FIELDS]
    parts["System"]["required"] = list(System.__dataclass_fields__)
    _flatten(parts["Step"])
    parts["Counters"] = {
        "type": "object", "description": "raw counters at one instant; unknown numbers are null",
        "properties": {name: _group_schema(*group) for name, group in COUNTERS.items()},
    }  # fmt: skip
    for side in parts["StepCounters"]["properties"].values():
        side["anyOf"][0] = {"$ref": "#/$defs/Counters"}
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = SCHEMA
    return schema


def _flatten(step: dict[str, Any]) -> None:
    """Put the metrics where they stand in JSON: beside the other fields."""
    for name in ("title", "description"):
        step.pop(name, None)  # of the class, which has the metrics in a field
    properties = step["properties"]
    del properties["metrics"]
    rows = {metric.name: (metric.unit, metric.source) for metric in METRICS}
    for name, (unit, said) in {**rows, **OWN, **COSTS}.items():
        about = f"{unit}; {said}" if unit else said
        properties[name] = {"description": about, "type": ["number", "null"]}
    step["required"] = ["name", "start_time", "end_time", *ORIGINAL_METRICS]


def _group_schema(per: str, source: str, least: int, fields: tuple[tuple[Any, ...], ...]) -> dict[str, Any]:
    row = {"type": "array", "items": {"type": ["integer", "null"]}, "minItems": least}
    told = {"description": f"{', '.join(field[0] for field in fields)}; {source}"}
    return {**({"type": "object", "additionalProperties": row} if per else row), **told}
