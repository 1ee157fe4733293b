"""Writes docs/job.schema.json anew from the models: `python docs/job_schema.py`."""

import json
from pathlib import Path

from buildtel.job.schema import json_schema

TARGET = Path(__file__).with_name("job.schema.json")


def schema_text() -> str:
    """The file's text as it is to be."""
    return json.dumps(json_schema(), indent=2) + "\n"


if __name__ == "__main__":
    TARGET.write_text(schema_text(), encoding="utf-8")
