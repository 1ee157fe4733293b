"""Starts and ends steps of this machine with the agent's code.

Nothing here may load what costs: a step's two calls take little more than two starts of Python.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import buildtel_agent as agent
from buildtel import ci
from buildtel.local.begun import note_facts
from buildtel.local.folders import FACTS, RECORDS, job_folder, make_job_folder


def options(environ: Mapping[str, str], name: str) -> dict[str, str]:
    """The agent's options for a step of the current job; without a job, the step starts one.

    Args:
        environ: the environment.
        name: the step's name.

    Raises:
        BuildtelError: there is no place for the job's records.
    """
    folder = make_job_folder(environ)
    if not os.path.exists(f"{folder}/{FACTS}"):
        named = {"job": ci.job_name(environ), "version": ci.tag(environ) or "0", **ci.told(environ)}
        note_facts(environ, folder, named, unasked=True)
    found = {"name": name, "step": agent.clean_name(name), "record": f"{folder}/{RECORDS}"}
    if not os.path.exists(f"{folder}/{RECORDS}"):
        hello(found)
    return found


def hello(found: dict[str, str]) -> None:
    """Records what this machine is."""
    recorder, _, kernel = agent.begin(found, 1)
    recorder.emit("hello", agent.machine(kernel), last=True, own_line=True)


def start(environ: Mapping[str, str], name: str) -> None:
    """Begins a step; GitHub Actions folds its output into a group.

    Args:
        environ: the environment.
        name: the step's name.
    """
    agent.start(options(environ, name))
    if environ.get("GITHUB_ACTIONS"):
        say(f"::group::{agent.clean_name(name)}\n")


def end(environ: Mapping[str, str], name: str, status: str) -> bool:
    """Ends the step that began last under a name; False if there is none.

    Args:
        environ: the environment.
        name: the step's name.
        status: its exit status, decimal.
    """
    spool = agent.Spool("", job_folder(environ))
    if not agent.begun_under(agent.clean_name(name), spool):
        return False
    if environ.get("GITHUB_ACTIONS"):
        say("::endgroup::\n")
    agent.end({**options(environ, name), "status": status})
    return True


def say(text: str) -> None:
    """Text to stdout, past all buffers: the agent writes there too."""
    os.write(1, text.encode("utf-8", "replace"))
