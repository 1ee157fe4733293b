"""Do the tests notice mistakes? `python -m tests.mutation [--every N] [formulas|records|fields ...]`.

Makes each small mistake of `operators.py` in the metric formulas (agent) and in the record reader, runs the tests
that are there for them in a process of its own, and prints what survived. Exit status 1 below `LEAST_PERCENT`.
"""

from __future__ import annotations

import argparse
import ast
import importlib.abc
import importlib.util
import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from itertools import islice
from pathlib import Path
from types import CodeType, ModuleType

import hypothesis  # noqa: F401  # loaded once, before the processes part
import pydantic  # noqa: F401
import pytest

from .operators import Mutant, mutants

ROOT = Path(__file__).parents[2]
LEAST_PERCENT = 90
LONGEST_S = 120
LONGEST_CPU_S = 30
MOST_BYTES = 2**30
OPTIONS = (
    "-x", "-q", "-p", "no:cacheprovider", "-k", "not schema_file",
    "-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning",
)  # fmt: skip


@dataclass(frozen=True)
class Target:
    """A module, which of its definitions, and the tests that must notice, those first that notice most."""

    module: str
    file: str
    names: frozenset[str] | None
    tests: tuple[str, ...]


TARGETS = {
    "formulas": Target(
        "buildtel_agent",
        "guest/buildtel_agent.py",
        frozenset((
            "Delta", "cpu_ticks", "nvme_head", "_moved", "used_kb", "_change", "_at", "_grown", "_grown_ms", "_ratio",
            "Metric", "METRICS", "metrics",
        )),
        ("tests/guest/test_formulas.py", "tests/guest/test_odd_kernels.py"),
    ),
    "records": Target(
        "buildtel.parse.record_line",
        "host/buildtel/parse/record_line.py",
        None,
        ("tests/host/parse/test_record_line.py", "tests/host/parse/test_authentic.py"),
    ),
    "fields": Target(
        "buildtel.measure.record_fields",
        "host/buildtel/measure/record_fields.py",
        None,
        ("tests/host/measure/test_fields.py", "tests/host/parse/test_authentic.py", "tests/host/job/test_document.py"),
    ),
}


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module's place to changed code."""

    def __init__(self, module: str, file: Path, code: CodeType) -> None:
        self._module, self._file, self._code = module, file, code

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The changed module's."""
        return importlib.util.spec_from_file_location(name, self._file, loader=self) if name == self._module else None

    def create_module(self, spec: ModuleSpec) -> None:
        """As usual."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the changed code."""
        exec(self._code, module.__dict__)


def bounded() -> None:
    """A mistake may cost this process neither the day nor the machine's memory, and prints nothing."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    signal.alarm(LONGEST_S)
    resource.setrlimit(resource.RLIMIT_CPU, (LONGEST_CPU_S, LONGEST_CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))


def survives(target: Target, tree: ast.Module) -> bool:
    """Whether the tests pass with this mistake; a test that hangs, or takes all memory, has noticed."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            bounded()
            file = ROOT / target.file
            sys.meta_path.insert(0, Changed(target.module, file, compile(tree, str(file), "exec")))
            status = any(pytest.main([*OPTIONS, str(ROOT / test)]) for test in target.tests)
        finally:
            os._exit(int(status))
    return os.waitpid(child, 0)[1] == 0


def run(name: str, every: int) -> bool:
    """All mistakes in one target, or every n-th of them; True if enough of them were noticed."""
    target = TARGETS[name]
    source = (ROOT / target.file).read_text(encoding="utf-8")
    if not survives(target, ast.parse(source)):
        print(f"{name}: the tests fail without any mistake")
        return False
    begun = time.monotonic()
    left = [_told(mutant, target) for mutant in islice(mutants(source, target.names), 0, None, every)]
    noticed, took_s = left.count(False), time.monotonic() - begun
    percent = 100 * noticed / len(left)
    print(f"{name}: {noticed} of {len(left)} mistakes noticed ({percent:.1f} %) in {took_s:.0f} s", flush=True)
    return percent >= LEAST_PERCENT


def _told(mutant: Mutant, target: Target) -> bool:
    left = survives(target, mutant.tree)
    if left:
        print(f"survived: {target.file}:{mutant.line}: {mutant.what}", flush=True)
    return left


def main() -> int:
    """The targets that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every N-th mistake")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    args = parser.parse_args()
    results = [run(name, args.every) for name in args.targets or TARGETS]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
