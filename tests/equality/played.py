"""The inputs, and what the commands `collect`, `report` and `upload` make of each."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from random import Random
from unittest.mock import patch

from buildtel.cli import main

from ..fuzz.mutate import mutated

ROOT = Path(__file__).parents[2]
REAL_LOGS = Path(os.environ.get("BUILDTEL_REAL_LOGS") or ROOT.parent / "shared" / "packer-logs")
FOLDERS = {
    "fixtures": ROOT / "fixtures",
    "corpus": ROOT / "tests/fuzz/corpus",
    "real": REAL_LOGS,
    "cases": REAL_LOGS.parent / "cases",
}
FUZZED = 100
FUZZED_FROM = ("debug", "long", "machine-readable", "parts", "ui")  # a further log would alter all of them
FORMS = ("table", "markdown", "csv")
COLLECTED = "2026-01-24T12:00:00Z"
ENVIRON = {"PATH": os.defpath, "LANG": "C.UTF-8", "COLUMNS": "100", "TZ": "UTC"}


@dataclass(frozen=True)
class Outcome:
    """What an input gives: its digest, its document, each form of the report, the keys of the store it was put into."""

    digest: str
    document: str
    reports: dict[str, str]
    keys: list[str]


def inputs() -> dict[str, bytes]:
    """Logs and documents by name: fixtures, the corpus, real logs where they are, and mutations of the corpus."""
    found = {
        f"{kind}/{path.relative_to(folder)}": path.read_bytes()
        for kind, folder in FOLDERS.items()
        for path in sorted(folder.rglob("*"))
        if path.suffix == ".log" or path.parent.name == "original"
    }
    corpus = [(FOLDERS["corpus"] / f"{name}.log").read_bytes() for name in FUZZED_FROM]
    for number in range(FUZZED):
        chance = Random(f"equality {number}")
        found[f"fuzzed/{number}.log"] = mutated(chance.choice(corpus), corpus, chance)
    return found


def outcomes(chosen: dict[str, bytes]) -> Iterator[tuple[str, Outcome]]:
    """The outcome of each input, one after the other, each in folders of its own."""
    before = Path.cwd()
    for name, data in chosen.items():
        with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, ENVIRON, clear=True):
            os.environ |= {"HOME": folder, "TELEMETRY_DIR": f"{folder}/telemetry"}
            os.chdir(folder)
            try:
                yield name, outcome(name, data)
            finally:
                os.chdir(before)


def outcome(name: str, data: bytes) -> Outcome:
    """What the commands make of one input, in the current folder."""
    digest = hashlib.sha256(data).hexdigest()
    document = Path("document.json")
    if name.endswith(".json"):
        document.write_bytes(data)
    else:
        Path("packer.log").write_bytes(data)
        if failed := said("collect", "packer.log", "--version", "1", "--force", "-q", "-o", str(document)):
            return Outcome(digest, failed, {}, [])
        document.write_text(with_fixed_time(document.read_text()))
    reports = {form: said("report", str(document), "--format", form) for form in FORMS}
    said("upload", "--store", "store", str(document))
    keys = sorted(str(path.relative_to("store")) for path in Path("store").rglob("*") if path.is_file())
    return Outcome(digest, document.read_text() if not name.endswith(".json") else "", reports, keys)


def said(*words: str) -> str:
    """What a command prints, with its error if it failed."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(words)
    return out.getvalue() + (err.getvalue() if status else "")


def with_fixed_time(text: str) -> str:
    """A document whose log has no date is dated when it was collected: just now."""
    document = json.loads(text)
    stamp = document.get("timestamp", "")
    if re.match(r"\d{4}-", stamp):
        made = datetime.fromisoformat(stamp.replace("Z", "+00:00"))
        if made.tzinfo and abs((datetime.now(timezone.utc) - made).total_seconds()) < 3600:
            text = text.replace(stamp, COLLECTED)
    return text
