"""What every test may count on, whoever started pytest; which tests need a calm machine, or are not in `make quick`."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
# Files and folders whose tests measure time or load, or wait for real programs: two at a time, no others beside.
CALM = (
    "guest/test_accounts.py",
    "guest/test_agent.py",
    "guest/test_by_sh.py",
    "guest/test_killed.py",
    "guest/test_life.py",
    "guest/test_quiet.py",
    "guest/test_signed.py",
    "guest/test_load.py",
    "host/capture",
    "host/cli/test_load.py",
    "host/live",
    "host/reach",
    "host/store/test_crowd.py",
    "host/store/test_many.py",
    "wired",
)
# Those that take longer than a few seconds; `make quick` leaves them out.
SLOW = (
    "equality",
    "fuzz",
    "guest/test_odd_kernels.py",
    "guest/test_odd_paths.py",
    "guest/test_unharmed.py",
    "host/cli/test_collect.py",
    "host/cli/test_corpus.py",
    "host/cli/test_cut_logs.py",
    "host/cli/test_doctor.py",
    "host/cli/test_hints.py",
    "host/cli/test_history.py",
    "host/cli/test_html.py",
    "host/cli/test_inside.py",
    "host/cli/test_prefixes.py",
    "host/cli/test_reaching.py",
    "host/cli/test_upload_report.py",
    "host/cli/test_views.py",
    "host/measure/test_many_disks.py",
    "host/page/test_axe.py",
    "host/page/test_in_browser.py",
    "host/page/test_several.py",
    "host/measure/test_recovery_prefixes.py",
    "host/store",
    "house",
)
# What a shell ignores for its children: `nohup` the first, `&` in a script the two after it.
INHERITED = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)


def pytest_configure() -> None:
    """Let the programs under test begin with default signals: one that is ignored stays so in every child.

    A handler does that, and pytest itself still outlives the signal: a new program starts with the default instead.
    The folder of the tests' own Python leaves PATH: a test that needs a program of it passes with an activated
    environment only, and fails in CI.
    """
    own = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if part != own)
    for number in INHERITED:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, INHERITED)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of the lists above."""
    marked = {name: [TESTS / place for place in places] for name, places in (("calm", CALM), ("slow", SLOW))}
    for item in items:
        for name, places in marked.items():
            if any(item.path.is_relative_to(place) for place in places):
                item.add_marker(name)
