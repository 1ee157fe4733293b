"""Reads the environment variables of known CI systems; tables only, because every `step` imports it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Field: the variables that hold it, of GitHub Actions, GitLab, Azure Pipelines, Buildkite, CircleCI and Jenkins.
CI_VARIABLES: dict[str, tuple[str, ...]] = {
    "runner": ("RUNNER_NAME", "CI_RUNNER_DESCRIPTION", "AGENT_NAME", "BUILDKITE_AGENT_NAME", "NODE_NAME"),
    "git_sha": (
        "GITHUB_SHA", "CI_COMMIT_SHA", "BUILD_SOURCEVERSION", "BUILDKITE_COMMIT", "CIRCLE_SHA1", "GIT_COMMIT",
    ),
    "git_ref": (
        "GITHUB_REF", "CI_COMMIT_REF_NAME", "BUILD_SOURCEBRANCH", "BUILDKITE_BRANCH", "CIRCLE_BRANCH", "GIT_BRANCH",
    ),
    "run_id": (
        "GITHUB_RUN_ID", "CI_PIPELINE_ID", "BUILD_BUILDID", "BUILDKITE_BUILD_ID", "CIRCLE_WORKFLOW_ID", "BUILD_TAG",
    ),
    "run_number": (
        "GITHUB_RUN_NUMBER", "CI_PIPELINE_IID", "BUILD_BUILDNUMBER", "BUILDKITE_BUILD_NUMBER", "CIRCLE_BUILD_NUM",
        "BUILD_NUMBER",
    ),
}  # fmt: skip
JOB_VARIABLES = ("GITHUB_JOB", "CI_JOB_NAME", "SYSTEM_JOBNAME", "BUILDKITE_STEP_KEY", "CIRCLE_JOB", "JOB_NAME")
TAG_VARIABLES = ("CI_COMMIT_TAG", "BUILDKITE_TAG", "CIRCLE_TAG", "TAG_NAME")
TAG_PREFIX = "refs/tags/"
# What tells one place for a job from another on the same machine: there one job is over when the next one begins.
SLOT_VARIABLES = (
    ("RUNNER_NAME",),
    ("CI_RUNNER_ID", "CI_CONCURRENT_ID"),
    ("AGENT_NAME",),
    ("BUILDKITE_AGENT_NAME",),
    ("NODE_NAME", "EXECUTOR_NUMBER"),
)


def first(environ: Mapping[str, str], names: Sequence[str]) -> str | None:
    """The first of these variables that holds anything.

    Args:
        environ: the environment.
        names: variables, the preferred one first.
    """
    return next((environ[name] for name in names if environ.get(name)), None)


def told(environ: Mapping[str, str]) -> dict[str, str | None]:
    """The fields of a job that the CI tells; None where it does not."""
    return {name: first(environ, variables) for name, variables in CI_VARIABLES.items()}


def job_name(environ: Mapping[str, str]) -> str:
    """What the CI calls the job; `build` outside of any."""
    return first(environ, JOB_VARIABLES) or "build"


def tag(environ: Mapping[str, str]) -> str | None:
    """The tag that is built, None if it is none."""
    if environ.get("GITHUB_REF_TYPE") == "tag":
        return environ.get("GITHUB_REF_NAME")
    branch = environ.get("BUILD_SOURCEBRANCH", "")
    if branch.startswith(TAG_PREFIX):
        return branch[len(TAG_PREFIX) :]
    return first(environ, TAG_VARIABLES)


def slot(environ: Mapping[str, str]) -> str:
    """Where on this machine the job runs; '' where nothing tells."""
    names = next((names for names in SLOT_VARIABLES if environ.get(names[0])), ())
    return " ".join(environ.get(name, "") for name in names)
