"""Packer's errors before any build: from real Packer to the document that `collect` makes of its output."""

import json
import shutil
import subprocess

import pytest

from .conftest import Home

HCL = {
    "two arguments on one line": (
        'source "null" "one" { communicator = "none" x = 1 }', "Invalid single-argument block definition",
    ),
    "no closing brace": ('source "null" "one" {\n  communicator = "none"\n', "Argument or block definition required"),
    "no block of Packer's": ("sources {\n}\n", "Unsupported block type"),
    "an unknown argument": (
        'source "null" "one" {\n  communicator = "none"\n  nonsense = 1\n}\n'
        'build {\n  sources = ["source.null.one"]\n}\n',
        "Unsupported argument",
    ),
    "an unknown function": ("locals {\n  x = nothing(1)\n}\n", "Call to unknown function"),
    "a variable without a value": (
        'variable "v" {\n}\nlocals {\n  x = var.v\n}\n'
        'source "null" "one" {\n  communicator = "none"\n}\nbuild {\n  sources = ["source.null.one"]\n}\n',
        "Unset variable",
    ),
    "an unknown builder": ('source "nothing" "one" {\n}\nbuild {\n  sources = ["source.nothing.one"]\n}\n', "Unknown"),
    "an unknown source": ('build {\n  sources = ["source.null.one"]\n}\n', "Unknown source"),
}  # fmt: skip
LEGACY = {
    "JSON that is cut off": ('{"builders": [{"type": "null"', "Failed to parse template: Error parsing JSON"),
    "an unknown builder": ('{"builders": [{"type": "nothing"}]}', 'Failed to initialize build "nothing"'),
}
FORMS = {
    "plain": ([], {}),
    "no colour": (["-color=false"], {}),
    "timestamp-ui": (["-timestamp-ui"], {}),
    "machine-readable": (["-machine-readable"], {}),
    "debug log": ([], {"PACKER_LOG": "1"}),
    "debug log, timestamp-ui": (["-timestamp-ui"], {"PACKER_LOG": "1"}),
}
TEMPLATES = {
    **{f"HCL, {name}": ("a.pkr.hcl", *case) for name, case in HCL.items()},
    **{f"JSON, {name}": ("a.json", *case) for name, case in LEGACY.items()},
}


@pytest.mark.packer
@pytest.mark.skipif(not shutil.which("packer"), reason="no packer here")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_that_packer_refuses_is_a_failure(home: Home, template: str, form: str) -> None:
    """The job failed, by the error's own words, in every form of Packer's output."""
    name, text, error = TEMPLATES[template]
    options, environ = FORMS[form]
    (home.path / name).write_text(text)
    refused = subprocess.run(
        ["packer", "build", *options, name], cwd=home.path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, env={**home.environ, **environ, "CHECKPOINT_DISABLE": "1"}, check=False,
    )  # fmt: skip
    assert refused.returncode == 1
    done = home.run("collect", "-", stdin=refused.stdout)

    assert done.returncode == 0, (done.stderr, refused.stdout)
    (path,) = home.documents()
    document = json.loads(path.read_text())
    assert document["status"] == "failure", refused.stdout
    assert document["packer"]["runs"][0]["error"].startswith(error)
    assert error.encode() in done.stdout


OTHERS = {
    "terraform": "Error: Unsupported argument\n\n  on main.tf line 3, in resource:\n   3:   x = 1\n\nAn argument\n",
    "make": "make: *** [all] Error 1\nError: Process completed with exit code 1.\n",
    "npm": "Error: Cannot find module 'x'\n\n    at Function (node:internal)\n",
}


@pytest.mark.parametrize("name", OTHERS)
def test_an_error_of_another_program_is_none_of_packers(home: Home, name: str) -> None:
    """Alone it is no Packer log; before a build it changes nothing."""
    build = "null.one: output will be in this color.\n\nBuild 'null.one' finished after 1 second.\n"
    alone = home.run("collect", "-", stdin=OTHERS[name].encode())
    assert (alone.returncode, home.documents()) == (1, [])
    assert home.run("collect", "-", "-q", stdin=f"{OTHERS[name]}\n{build}".encode()).returncode == 0

    (path,) = home.documents()
    document = json.loads(path.read_text())
    assert (document["status"], document["packer"]["runs"][0]["error"]) == ("success", None)
