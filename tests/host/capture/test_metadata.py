"""A job's metadata, as each CI has it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from buildtel.local.current_job import read_meta
from buildtel.local.folders import job_key

SYSTEMS = {
    "GitHub Actions": (
        {"GITHUB_SHA": "c0ffee", "GITHUB_REF": "refs/heads/main", "GITHUB_RUN_ID": "7", "GITHUB_RUN_NUMBER": "42",
         "RUNNER_NAME": "r1", "GITHUB_RUN_ATTEMPT": "2", "GITHUB_JOB": "build"},
        ("r1", "c0ffee", "refs/heads/main", "7", "42"), "7-2-build-r1",
    ),
    "GitLab": (
        {"CI_COMMIT_SHA": "c0ffee", "CI_COMMIT_REF_NAME": "main", "CI_PIPELINE_ID": "7", "CI_PIPELINE_IID": "42",
         "CI_RUNNER_DESCRIPTION": "r1", "CI_JOB_ID": "99"},
        ("r1", "c0ffee", "main", "7", "42"), "99",
    ),
    "Jenkins": (
        {"GIT_COMMIT": "c0ffee", "GIT_BRANCH": "origin/main", "BUILD_TAG": "jenkins-x-42", "BUILD_NUMBER": "42",
         "NODE_NAME": "r1"},
        ("r1", "c0ffee", "origin/main", "jenkins-x-42", "42"), "jenkins-x-42",
    ),
    "Buildkite": (
        {"BUILDKITE_COMMIT": "c0ffee", "BUILDKITE_BRANCH": "main", "BUILDKITE_BUILD_ID": "7", "BUILDKITE_JOB_ID": "8",
         "BUILDKITE_BUILD_NUMBER": "42", "BUILDKITE_AGENT_NAME": "r1"},
        ("r1", "c0ffee", "main", "7", "42"), "8",
    ),
    "CircleCI": (
        {"CIRCLE_SHA1": "c0ffee", "CIRCLE_BRANCH": "main", "CIRCLE_WORKFLOW_ID": "7", "CIRCLE_BUILD_NUM": "42",
         "CIRCLE_WORKFLOW_JOB_ID": "8"},
        (None, "c0ffee", "main", "7", "42"), "8",
    ),
    "Azure Pipelines": (
        {"BUILD_SOURCEVERSION": "c0ffee", "BUILD_SOURCEBRANCH": "refs/heads/main", "BUILD_BUILDID": "7",
         "BUILD_BUILDNUMBER": "20260124.1", "AGENT_NAME": "r1", "SYSTEM_JOBID": "8"},
        ("r1", "c0ffee", "refs/heads/main", "7", "20260124.1"), "8",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("environ", "expected", "key"), SYSTEMS.values(), ids=SYSTEMS)
def test_metadata_is_read_where_each_ci_has_it(environ, expected, key):
    """Runner, commit, branch, run; and the key that keeps this job apart from another on the same machine."""
    meta = read_meta(environ, "build", "1")

    assert (meta.runner, meta.git_sha, meta.git_ref, meta.run_id, meta.run_number) == expected
    assert job_key(environ) == key


@pytest.mark.parametrize("environ", [
    {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1.2"}, {"CI_COMMIT_TAG": "v1.2"}, {"BUILDKITE_TAG": "v1.2"},
    {"CIRCLE_TAG": "v1.2"}, {"TAG_NAME": "v1.2"}, {"BUILD_SOURCEBRANCH": "refs/tags/v1.2"},
])  # fmt: skip
def test_a_tag_is_the_version(environ):
    """A release is built from a tag."""
    assert read_meta(environ, None, None).version == "v1.2"


def test_outside_of_ci_git_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Commit, branch and `git describe` of the checkout one stands in."""
    monkeypatch.chdir(tmp_path)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run([*git, "init", "-q", "-b", "trunk"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    subprocess.run([*git, "tag", "v3"], check=True)
    meta = read_meta({}, None, None)

    assert (meta.version, meta.git_ref, len(meta.git_sha or "")) == ("v3", "refs/heads/trunk", 40)


def test_a_hostile_key_stays_a_plain_name():
    """What a CI calls its job never becomes a path."""
    assert job_key({"BUILD_TAG": "../../etc/ü x"}) == "------etc---x"
