"""Every form of a shell provisioner, in a real packer over a real sshd: with buildtel and without, the same build."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .bench import UPLOADED, Bench, Built, Form, collected, statuses
from .machine import PASSWORD, SHELLS, SSHD

pytestmark = [
    pytest.mark.packer,
    pytest.mark.skipif(os.geteuid() != 0 or not SSHD or not shutil.which("packer"), reason="needs root, sshd, packer"),
]
DEFAULT = "chmod +x {{ .Path }}; {{ .Vars }} {{ .Path }}"
LOCAL = "{{ .Vars }} {{ .Script }}"
WHO = ('echo "out of $BUILDTEL_STEP, $(id -un), $WORDS"', "echo err >&2")
HEREDOC = "chmod +x {{ .Path }}; sudo -n env {{ .Vars }} sh -s <<'EOF'\n{{ .Path }}\nEOF\n"
FORMS = (
    Form("default", WHO),
    Form("sudo sh -c", WHO, "chmod +x {{ .Path }}; {{ .Vars }} sudo -n -E sh -c '{{ .Path }}'"),
    Form("password by a pipe", WHO, "echo 'vagrant' | {{ .Vars }} sudo -S -E bash '{{ .Path }}'"),
    Form("sudo bash -eux", WHO, "{{ .Vars }} sudo -E -S bash -eux '{{ .Path }}'"),
    Form("a here-document", WHO, HEREDOC),
    Form("sudo su", ("echo out of su", "id -un"), "chmod 755 {{ .Path }}; sudo su - plain -c {{ .Path }}", named=False),
    Form("true", ("true",)),
    Form("in the background", ("(sleep 1; echo late) &", "exit 0")),
    Form("status 7 is allowed", ("exit 7",), more="valid_exit_codes = [7]", exit=7),
    Form("the connection is lost", ("kill -9 $(ps -o ppid= -p $(ps -o ppid= -p $PPID))", "sleep 1"),
         "chmod +x {{ .Path }}; {{ .Vars }} sh -c '{{ .Path }}; :'; :", more="expect_disconnect = true"),
    Form("shell-local", WHO, LOCAL, kind="shell-local"),
    Form("an unfinished line", ("printf unfinished",)),
    Form("variables in a file", WHO, ". {{ .EnvVarFile }}; chmod +x {{ .Path }}; {{ .Path }}",
         more="use_env_var_file = true", named=False),
    Form("fails with 3", ("echo last", "exit 3"), exit=3),
)  # fmt: skip
PLAIN = (
    Form("env", WHO, "chmod +x {{ .Path }}; env {{ .Vars }} {{ .Path }}"),
    Form("sudo", WHO, "chmod +x {{ .Path }}; sudo -n env {{ .Vars }} {{ .Path }}"),
    Form("true", ("true",), "chmod +x {{ .Path }}; env {{ .Vars }} {{ .Path }}"),
    Form("fails with 3", ("echo last", "exit 3"), "chmod +x {{ .Path }}; env {{ .Vars }} {{ .Path }}", exit=3),
)
WITH_PASSWORD = (
    FORMS[0],
    Form("password by a pipe", WHO, f"echo '{PASSWORD}' | sudo -S env {{{{ .Vars }}}} {{{{ .Path }}}} 2>/dev/null"),
    Form("status 7 is allowed", ("exit 7",), more="valid_exit_codes = [7]", exit=7),
    FORMS[-1],
)
BUILDS = {
    "root": ("root", FORMS),
    "a user and a password": ("vagrant", WITH_PASSWORD),
    "fish": ("fish", PLAIN),
    "csh": ("csh", PLAIN),
}
Builder = Callable[..., Built]


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Builder]:
    """Builds forms as a user, each time on a machine of its own."""
    with Bench(tmp_path) as bench:
        yield bench.build


@pytest.mark.parametrize(("user", "forms"), BUILDS.values(), ids=BUILDS)
def test_every_form_is_the_same_build(build: Builder, user: str, forms: tuple[Form, ...]):
    """Exit status and lines are the same; each step is in the document with name and status; finish leaves nothing."""
    if user in SHELLS and not shutil.which(SHELLS[user]):
        pytest.skip(f"no {user} on this machine")
    plain = build(user, forms, wired=False)
    wired = build(user, forms, wired=True)
    document = collected(wired.log)
    exact = {step["provisioner"]["index"]: step for step in document["steps"] if step["measured"] == "exactly"}
    words = ("setpriv", "--reuid", user, "--regid", user, "--init-groups") if user != "root" else ()
    subprocess.run(wired.machine.enter(*words, "sh", "/var/tmp/buildtel/buildtel_agent.py", "finish"),
                   capture_output=True, timeout=60, cwd="/")  # fmt: skip

    assert (plain.status, wired.status) == (1, 1), wired.log.read_text()[-3000:]
    assert wired.lines == plain.lines
    assert sorted(exact) == list(range(1, len(forms) + 1))
    for form, step in zip(forms, (exact[index] for index in sorted(exact)), strict=True):
        assert (step["name"] == form.name) is form.named, (form.name, step)
        assert step.get("exit_code") in (form.exit, None), (form.name, step)
        assert step["status"] in statuses(form), (form.name, step)
    assert document["status"] == "failure"
    assert (wired.machine.processes_left(), plain.machine.processes_left()) == ([], [])
    paths = [[UPLOADED.sub("SCRIPT", path) for path in one.machine.files()] for one in (wired, plain)]
    assert paths[0] == paths[1]
