"""The check names what is not measured and what is wired wrongly, and is silent about what is right."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buildtel.wire import check, lines, place
from buildtel.wire.template import read_folder

OURS = "execute_command = local.buildtel_execute_command"
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


def write(folder: Path, *provisioners: str, source: str = "", extra: str = "") -> None:
    """A wired folder with one build of these provisioners."""
    place.put(folder)
    body = "".join(provisioners)
    (folder / "main.pkr.hcl").write_text(
        f'source "null" "a" {{\n{source}\n}}\n{extra}\nbuild {{\nsources = ["source.null.a"]\n{body}}}\n'
    )


def found(folder: Path) -> list[str]:
    """The findings, `LEVEL TEXT` each."""
    return [f"{finding.level} {finding.text}" for finding in check.check(read_folder(folder))]


def wired(*provisioners: str) -> tuple[str, ...]:
    """These provisioners between our first and our last."""
    return (lines.FIRST, *provisioners, lines.LAST)


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
    "inline_shebang": wired(shell(OURS, 'inline_shebang = "/bin/bash -e"')),
    "dynamic": (DYNAMIC.format("first"), shell(OURS), DYNAMIC.format("last")),
    "nothing between": wired(),
}


@pytest.mark.parametrize("provisioners", RIGHT.values(), ids=RIGHT)
def test_what_is_right_is_not_mentioned(tmp_path: Path, provisioners: tuple[str, ...]) -> None:
    """A well-wired template has no findings."""
    write(tmp_path, *provisioners, extra="locals {\nmine = local.buildtel_execute_command\n}")
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
    "pre without post": (
        wired(shell('execute_command = "${local.buildtel_pre}{{ .Path }}"')),
        "wrong",
        "buildtel_pre stands there without buildtel_post",
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
    "upload": (wired(shell(kind="file")), "note", 'provisioner "file" number 1 has no execute_command: level 1'),
    "ansible": (wired(shell(kind="ansible")), "note", "level 1"),
    "on the host": (wired(shell(kind="shell-local")), "note", "runs on the host"),
    "no first": ((shell(OURS), lines.LAST), "wrong", "lacks buildtel's first provisioner"),
    "no last": ((lines.FIRST, shell(OURS)), "wrong", "lacks buildtel's last provisioner"),
    "first not first": (
        (shell(OURS), lines.FIRST, lines.LAST),
        "wrong",
        'not the first: provisioner "shell" number 1 runs before it',
    ),
    "last not last": (
        (lines.FIRST, lines.LAST, shell(OURS)),
        "wrong",
        'not the last: provisioner "shell" number 1 runs after it',
    ),
    "twice": ((lines.FIRST, lines.FIRST, lines.LAST), "wrong", "first provisioner stands here twice"),
    "another script": (
        (lines.FIRST.replace("local.buildtel_agent", '"x.sh"'), lines.LAST),
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
