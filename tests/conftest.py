"""What every test may count on, whoever started pytest."""

from __future__ import annotations

import signal

# What a shell ignores for its children: `nohup` the first, `&` in a script the two after it.
INHERITED = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)


def pytest_configure() -> None:
    """Let the programs under test begin with default signals: one that is ignored stays so in every child.

    A handler does that, and pytest itself still outlives the signal: a new program starts with the default instead.
    """
    for number in INHERITED:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, INHERITED)
