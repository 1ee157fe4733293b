"""The check names what is not measured and what is wired wrongly, and is silent about what is right."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buildtel.wire import check, copies, lines_to_add, template_rules
from buildtel.wire.template import read_folder, shipped_names

OURS = "execute_command = local.buildtel_execute_command"
NAME = 'environment_vars = ["A=b", "BUILDTEL_STEP=x"]'
DYNAMIC = """
  dynamic "provisioner" {{
    for_each = local.buildtel_{0}
    labels   = ["shell"]
    content {{
      script          = provisioner.value.script
      execute_command = provisioner.value.execute_command
    }}
  }}
"""


def shell(*attributes: str, kind: str = "shell") -> str:
    """A provisioner block."""
    body = "\n".join(('inline = ["true"]', *attributes))
    return f'provisioner "{kind}" {{\n{body}\n}}\n'


def command(words: str) -> str:
    """A command of the user's behind our piece."""
    return f'execute_command = "${{local.buildtel_pre}}{words}"'


def write(folder: Path, *provisioners: str, source: str = "", extra: str = "") -> None:
    """A wired folder with one build of these provisioners."""
    copies.put(folder)
    body = "".join(provisioners)
    (folder / "main.pkr.hcl").write_text(
        f'source "null" "a" {{\n{source}\n}}\n{extra}\nbuild {{\nsources = ["source.null.a"]\n{body}}}\n'
    )


def found(folder: Path) -> list[str]:
    """The findings, `LEVEL TEXT` each."""
    return [f"{finding.level} {finding.text}" for finding in check.check(read_folder(folder))]


def wired(*provisioners: str) -> tuple[str, ...]:
    """These provisioners between our first and our last."""
    return (lines_to_add.FIRST, *provisioners, lines_to_add.LAST)


RIGHT = {
    "step": wired(shell(OURS)),
    "sudo": wired(shell(OURS + "_sudo")),
    "by a local of the user": wired(shell("execute_command = local.mine")),
    "wrapped": wired(
        shell("execute_command = \"${local.buildtel_pre}sudo sh -c '{{ .Path }}'${local.buildtel_post}\"")
    ),
    "wrapped in a heredoc": wired(
        shell("execute_command = <<EOT\n${local.buildtel_pre}sh {{.Path}}${local.buildtel_post}\nEOT")
    ),
    "variables between two quoted words": wired(
        shell(
            "execute_command = \"${local.buildtel_pre}echo 'pw' | sudo -S env {{ .Vars }} sh -c '{{ .Path }}'"
            '${local.buildtel_post}"'
        )
    ),
    "pre alone": wired(shell("execute_command = \"${local.buildtel_pre}sudo sh -c '{{ .Path }}'\"")),
    "pre alone, before a user's local": wired(shell('execute_command = "${local.buildtel_pre}${local.theirs}"')),
    "pre in a list of commands": wired(
        shell('execute_command = ". {{ .EnvVarFile }} && { ${local.buildtel_pre}{{ .Path }}; }"'),
        shell('execute_command = "cd \'/a b\'; ${local.buildtel_pre}{{ .Vars }} {{ .Path }}"'),
        shell('execute_command = "( ${local.buildtel_pre}{{ .Vars }} {{ .Path }} )"'),
    ),
    "a name that the sampler sees": wired(
        shell(NAME, OURS), shell(NAME, OURS + "_sudo"),
        shell(NAME, command("echo pw | sudo -S env {{ .Vars }} {{ .Path }}")), shell(NAME, command("${local.unknown}")),
        shell(NAME, command("BUILDTEL_STEP=b su - -c '{{ .Path }}'")),
        shell(NAME, "use_env_var_file = true",
              'execute_command = ". {{ .EnvVarFile }} && { ${local.buildtel_pre}{{ .Path }}; }"'),
    ),
    "no name to see": wired(shell(command("su - -c '{{ .Path }}'"))),
    "inline_shebang": wired(shell(OURS, 'inline_shebang = "/bin/bash -e"')),
    "dynamic": (DYNAMIC.format("first"), shell(OURS), DYNAMIC.format("last")),
    "nothing between": wired(),
    "with sudo": tuple(piece.replace("_command\n", "_command_sudo\n") for piece in wired()),
    "removed with sudo": (lines_to_add.FIRST, lines_to_add.LAST.replace("_command\n", "_command_sudo\n")),
}


@pytest.mark.parametrize("provisioners", RIGHT.values(), ids=RIGHT)
def test_what_is_right_is_not_mentioned(tmp_path: Path, provisioners: tuple[str, ...]) -> None:
    """A well-wired template has no findings."""
    mine = 'mine = local.buildtel_execute_command\ntheirs = "sh {{ .Path }}"\nunknown = jsondecode("x").y'
    write(tmp_path, *provisioners, extra=f"locals {{\n{mine}\n}}")
    assert found(tmp_path) == []


FAULTY = {
    "no execute_command": (wired(shell()), "unmeasured", 'provisioner "shell" number 1 is not measured'),
    "its own": (
        wired(shell(OURS), shell('execute_command = "sudo {{ .Path }}"')),
        "unmeasured",
        "number 2 is not measured as a step: it has its own execute_command",
    ),
    "its own, by a condition": (
        wired(shell('execute_command = var.x == "a" ? "su {{ .Path }}" : "sudo {{ .Path }}"')),
        "unmeasured",
        "it has its own execute_command",
    ),
    "only Packer knows": (
        wired(shell('execute_command = var.x ? local.buildtel_execute_command : "sudo {{ .Path }}"')),
        "note",
        "only Packer can evaluate",
    ),
    "on one line": (
        wired('provisioner "shell" {\nscripts = [\n"a.sh",\n"b.sh"\n]\n}\n'),
        "unmeasured",
        '([ "a.sh", "b.sh" ])',
    ),
    "named by its script": (
        wired('provisioner "shell" {\nscript = "a.sh"\n}\n'),
        "unmeasured",
        'number 1 ("a.sh") is not measured',
    ),
    "pre in the middle": (
        wired(shell('execute_command = "sudo ${local.buildtel_pre}{{ .Path }}"')),
        "wrong",
        "must come before the command",
    ),
    "pre alone inside quotes": (
        wired(shell("execute_command = \"sh -c '${local.buildtel_pre}{{ .Path }}'\"")),
        "wrong",
        "outside of any quotes",
    ),
    "pre alone inside quotes, behind a command": (
        wired(shell("execute_command = \"sh -c 'true; ${local.buildtel_pre}{{ .Path }}'\"")),
        "wrong",
        "outside of any quotes",
    ),
    "pre behind a command that joins": (
        wired(shell('execute_command = ". {{ .EnvVarFile }} && ${local.buildtel_pre}{{ .Path }}"')),
        "wrong",
        "must come before the command",
    ),
    "pre twice": (
        wired(shell('execute_command = "${local.buildtel_pre}${local.buildtel_pre}{{ .Path }}"')),
        "wrong",
        "once only",
    ),
    "post twice": (
        wired(shell(command("{{ .Path }}${local.buildtel_post}${local.buildtel_post}"))),
        "wrong",
        "once only",
    ),
    "post without pre": (
        wired(shell('execute_command = "{{ .Path }}${local.buildtel_post}"')),
        "wrong",
        "buildtel_post stands there without buildtel_pre",
    ),
    "exchanged": (
        wired(shell('execute_command = "${local.buildtel_post}{{ .Path }}${local.buildtel_pre}"')),
        "wrong",
        "buildtel_post stands before buildtel_pre",
    ),
    "inside quotes": (
        wired(shell("execute_command = \"sh -c '${local.buildtel_pre}{{ .Path }}${local.buildtel_post}'\"")),
        "wrong",
        "outside of any quotes",
    ),
    "runs nothing": (
        wired(shell('execute_command = "${local.buildtel_pre}true${local.buildtel_post}"')),
        "wrong",
        "never runs the script ({{ .Path }})",
    ),
    "not a command": (
        wired(shell("execute_command = local.buildtel_pre")),
        "wrong",
        "local.buildtel_pre alone is not a command for a step",
    ),
    "env file": (wired(shell(OURS, "use_env_var_file = true")), "note", "variables on the command line"),
    "env file and sudo": (wired(shell(OURS + "_sudo", "use_env_var_file = true")), "wrong", "`sudo env` fails"),
    "variables in quotes": (
        wired(
            shell("execute_command = \"${local.buildtel_pre}sh -c '{{ .Vars }} {{ .Path }}'${local.buildtel_post}\"")
        ),
        "note",
        "{{ .Vars }} inside quotes",
    ),
    "a name in a file": (
        wired(shell(NAME, "use_env_var_file = true", command(". {{ .EnvVarFile }} && {{ .Path }}"))),
        "note",
        "BUILDTEL_STEP, which can't reach the sampler: use_env_var_file",
    ),
    "a name in a file, as a map": (
        wired(shell('env = {\nA = "b"\nBUILDTEL_STEP = "x"\n}', "use_env_var_file = true",
                    command(". {{ .EnvVarFile }} && {{ .Path }}"))),
        "note",
        "BUILDTEL_STEP, which can't reach the sampler: use_env_var_file",
    ),
    "a name without a place": (
        wired(shell(NAME, command("sudo su - -c '{{ .Path }}'"))),
        "note",
        "BUILDTEL_STEP, which can't reach the sampler: the execute_command has no {{ .Vars }}",
    ),
    "upload": (wired(shell(kind="file")), "note", 'provisioner "file" number 1 has no execute_command: level 1'),
    "ansible": (wired(shell(kind="ansible")), "note", "level 1"),
    "on the host": (wired(shell(kind="shell-local")), "note", "runs on the host"),
    "installed with sudo, removed without": (
        (lines_to_add.FIRST.replace("_command\n", "_command_sudo\n"), shell(OURS), lines_to_add.LAST),
        "wrong",
        "runs without sudo, its first with it",
    ),
    "no first": ((shell(OURS), lines_to_add.LAST), "wrong", "lacks buildtel's first provisioner"),
    "no last": ((lines_to_add.FIRST, shell(OURS)), "wrong", "last provisioner: the agent would stay in the image"),
    "first not first": (
        (shell(OURS), lines_to_add.FIRST, lines_to_add.LAST),
        "wrong",
        'not the first: provisioner "shell" number 1 runs before it',
    ),
    "last not last": (
        (lines_to_add.FIRST, lines_to_add.LAST, shell(OURS)),
        "wrong",
        'not the last: provisioner "shell" number 1 runs after it',
    ),
    "twice": ((lines_to_add.FIRST, *wired()), "wrong", "first provisioner stands here twice"),
    "another script": (
        (lines_to_add.FIRST.replace("local.buildtel_agent", '"x.sh"'), lines_to_add.LAST),
        "wrong",
        "must have script = local.buildtel_agent",
    ),
}


@pytest.mark.parametrize(("provisioners", "level", "text"), FAULTY.values(), ids=FAULTY)
def test_each_mistake_is_named(tmp_path: Path, provisioners: tuple[str, ...], level: str, text: str) -> None:
    """Exactly one finding, of the right level, that names the provisioner and the mend."""
    write(tmp_path, *provisioners)
    (finding,) = found(tmp_path)
    assert finding.startswith(level)
    assert text in finding


def test_a_missing_or_other_file_of_ours_is_named(tmp_path: Path) -> None:
    """Missing, of another version, and not ours at all are three findings."""
    write(tmp_path, *wired())
    (tmp_path / "buildtel_agent.py").unlink()
    library = tmp_path / "buildtel.pkr.hcl"
    library.write_text(library.read_text() + "# edited\n")
    missing, other = found(tmp_path)
    assert missing.startswith("wrong buildtel_agent.py is missing")
    assert other.startswith("wrong was edited") and "--force" in other
    (tmp_path / "buildtel_agent.py").write_text("print('mine')\n")
    assert found(tmp_path)[0].startswith("wrong is not buildtel's") and "--force" in found(tmp_path)[0]


def test_a_name_of_an_older_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A template that uses a piece which the library no longer has is told what to write."""
    write(tmp_path, *wired(shell('execute_command = "{{ .Vars }} ${local.buildtel_words}{{ .Path }}"')))
    library, names = tmp_path / "buildtel.pkr.hcl", shipped_names()
    library.write_text(library.read_text().replace("buildtel_words", "buildtel_x"))
    ours = {name: text for name, text in names.items() if not name.startswith("local.buildtel_words")}
    monkeypatch.setattr(template_rules, "shipped_names", lambda: ours)
    assert [text for text in found(tmp_path) if "is of an older buildtel. Replace it by" in text]


def test_a_second_library_is_named(tmp_path: Path) -> None:
    """Packer refuses a name that is declared twice; the check says which and where."""
    write(tmp_path, *wired(), extra='variable "buildtel_enabled" {\n}\nlocals {\nbuildtel_pre = "x"\n}')
    (text,) = found(tmp_path)
    assert "var.buildtel_enabled, local.buildtel_pre are also declared at buildtel.pkr.hcl:" in text


def test_a_switch_that_is_off_is_named(tmp_path: Path) -> None:
    """An auto-loaded variable file that turns buildtel off is a mistake with a line."""
    write(tmp_path, *wired())
    (tmp_path / "ci.auto.pkrvars.hcl").write_text('x = 1\nbuildtel_enabled = "false"\n')
    (finding,) = check.check(read_folder(tmp_path))
    assert (finding.path.name, finding.line) == ("ci.auto.pkrvars.hcl", 2)


@pytest.mark.parametrize(("communicator", "word"), [("winrm", "Windows"), ("none", "no guest")])
def test_a_build_without_a_linux_guest_is_left_alone(tmp_path: Path, communicator: str, word: str) -> None:
    """It is a note, unless our provisioners are in it, which could not run there."""
    write(tmp_path, shell(kind="shell-local"), source=f'communicator = "{communicator}"')
    (note,) = found(tmp_path)
    assert note.startswith("note") and word in note
    write(tmp_path, *wired(), source=f'communicator = "{communicator}"')
    assert sum("can't run in this build" in text for text in found(tmp_path)) == 2


def test_each_build_is_judged(tmp_path: Path) -> None:
    """Two build blocks, the second not wired: its own name is in the findings."""
    second = 'build {\nname = "late"\nsources = ["source.null.a"]\n' + shell(OURS) + "}\n"
    write(tmp_path, *wired(), extra=second)
    assert [text for text in found(tmp_path) if '"late" lacks' in text] == found(tmp_path)
    assert len(found(tmp_path)) == 2


def test_json_templates_are_told_their_level(tmp_path: Path) -> None:
    """Both forms of JSON template are level 0; other JSON is nobody's business."""
    (tmp_path / "old.json").write_text('{"builders": []}')
    (tmp_path / "new.pkr.json").write_text("{}")
    (tmp_path / "package.json").write_text("{}")
    findings = check.check(read_folder(tmp_path))
    assert {finding.path.name for finding in findings if "level 0" in finding.text} == {"old.json", "new.pkr.json"}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.booleans(), max_size=6))
def test_every_unmeasured_shell_is_named_once(tmp_path_factory: pytest.TempPathFactory, measured: list[bool]) -> None:
    """As many findings as shell provisioners without a command of ours, and the counts agree."""
    folder = tmp_path_factory.mktemp("template")
    write(folder, *wired(*(shell(OURS) if ours else shell() for ours in measured)))
    assert len(found(folder)) == measured.count(False)
    assert check.measured_steps(read_folder(folder)) == (measured.count(True), len(measured))
